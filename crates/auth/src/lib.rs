//! Credentials become an [`Actor`](mainstay_core::Actor).
//!
//! A [`Keyring`] holds the secret an app signs with and the `anon` and `service`
//! API keys that follow from it; [`mint`] writes a user's token; a [`Verifier`]
//! decides on whose behalf a request runs. Rules decide what that actor may do,
//! elsewhere.
//!
//! [`Identity`] keeps accounts and sessions: rows of built-in models, read and written
//! through plans as the app itself.
//!
//! Around these stand the pieces that accounts and sessions are made of: passwords,
//! codes, refresh tokens, second factors, sealed secrets, cookies, and what may be an
//! address or a redirect.
//!
//! Time is an input, and so is the text of the secret: this crate reads no clock (but to
//! hold an answer back), no file and no environment, knows nothing of HTTP beyond the
//! text of a few headers, and holds no SQL. Randomness is the operating system's, asked
//! for in one place; the only threads are those that passwords are hashed on.

mod random;

mod built_in;

mod signing_key;

mod purpose_keys;

mod keyring;

mod token;

mod compact;

mod claims;

mod verifier;

mod caller;

mod refresh_token;

mod access_token;

mod opaque;

mod code;

mod sealed;

mod passwords;

mod totp;

mod cookie;

mod ban;

mod email;

mod redirect;

mod site_path;

mod rows;

mod call;

mod refusal;

mod hidden;

mod identity;

mod account;

mod session;

mod attempts;

mod audit;

mod one_time;

mod flow;

mod steps;

mod sign_up;

mod sign_in;

mod mailed;

mod verify;

mod update_user;

mod reauthentication;

mod recovery_codes;

mod factors;

mod administration;

pub use access_token::{Aal, AccessToken, AccessTokenRequest, Amr, mint_access_token, with_amr};
pub use account::{Account, AccountIdentity, Factor};
pub use administration::{
    AccountChanges, AccountsPage, ChangedRoles, Deletion, Invitation, LinkRequest, MadeLink,
    PAGE_ACCOUNTS_MAX, Touched,
};
pub use attempts::{AttemptLimits, Counted};
pub use audit::{
    AuditBefore, AuditEntry, AuditPage, AuditQuery, Event, Outcome as AuditOutcome,
    PAGE_ENTRIES_MAX,
};
pub use ban::{BanDuration, BanDurationError};
pub use built_in::{migrations, models};
pub use call::Call;
pub use caller::Credentials;
pub use code::{CODE_ATTEMPTS_MAX, CodeContext, OneTimeCodes, generate_code};
pub use compact::{TOKEN_BYTES_MAX, UnverifiedToken, parse_token};
pub use cookie::{
    COOKIE_BYTES_MAX, CookieTooLong, CookieTransport, CookieValue, CookieValues, SessionCookie,
    SessionCookieError, find_cookie,
};
pub use email::{EmailError, parse_email};
pub use factors::{EnrolRequest, Enrolled, FACTORS_MAX, FactorChallenge, ShownCode};
pub use flow::Challenge;
pub use identity::{Identity, IdentitySettings, Outgoing};
pub use keyring::{Keyring, KeyringError, RETIRED_KEY_S};
pub use mailed::MailRequest;
pub use opaque::{OPAQUE_ID_BYTES, OpaqueId, equal_in_constant_time};
pub use passwords::{
    Outcome, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PasswordHashError, PasswordParams,
    PasswordParamsError, PasswordPool, PasswordPoolError, PasswordRefusal, WeakReason,
    check_password, check_password_hash, dummy_hash, hash_password, verify_password,
};
pub use reauthentication::Proof;
pub use redirect::{RedirectTargetError, RedirectTargets};
pub use refresh_token::{RefreshToken, RefreshTokenError, RefreshTokens, Standing};
pub use refusal::{AuthCode, AuthError, AuthResult, Quota, Refusal, invalid};
pub use rows::Rows;
pub use sealed::{OpenError, Opened, SealedSecrets};
pub use session::{
    CookieCaller, CookieSession, Issued, ListedSession, Method, SESSION_DATA_BYTES_MAX, Scope,
    Session, SessionDataError, next_cookie, standing::Recalled,
};
pub use sign_up::{SignUpRequest, SignedUp};
pub use signing_key::{Jwk, SigningKey};
pub use site_path::{SitePath, SitePathError};
pub use token::{MintError, TokenRequest, TokenSettings, mint};
pub use totp::{TOTP_SECRET_BYTES, TotpEnrolment, TotpOutcome, TotpSecret};
pub use update_user::UserChanges;
pub use verifier::{ExpandRoles, Verified, Verifier};
pub use verify::{By, Presented, Redeemed};

/// The claim `role` of the `anon` key: the caller without a credential.
pub const ROLE_ANON: &str = "anon";
/// The claim `role` of every user's token.
pub const ROLE_AUTHENTICATED: &str = "authenticated";
/// The claim `role` of the `service` key: the app itself.
pub const ROLE_SERVICE: &str = "service_role";

/// Whether this name is one of the kinds of token, which no app can give to a user
/// as a role.
#[must_use]
pub fn is_reserved_role(name: &str) -> bool {
    matches!(name, ROLE_ANON | ROLE_AUTHENTICATED | ROLE_SERVICE)
}
