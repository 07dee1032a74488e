//! Credentials become an [`Actor`](mainstay_core::Actor).
//!
//! A [`Keyring`] holds the secret an app signs with and the `anon` and `service`
//! API keys that follow from it; [`mint`] writes a user's token; a [`Verifier`]
//! decides on whose behalf a request runs. Rules decide what that actor may do,
//! elsewhere.
//!
//! Time is an input, and so is the text of the secret: this crate reads no clock,
//! no file and no environment, knows nothing of HTTP beyond the text of three
//! headers, and holds no SQL. Randomness is asked for once, in
//! [`Keyring::generate`].

mod built_in;

mod signing_key;

mod keyring;

mod token;

mod compact;

mod claims;

mod verifier;

mod caller;

pub use built_in::{migrations, models};
pub use caller::Credentials;
pub use compact::{TOKEN_BYTES_MAX, UnverifiedToken, parse_token};
pub use keyring::{Keyring, KeyringError};
pub use signing_key::{Jwk, SigningKey};
pub use token::{MintError, TokenRequest, TokenSettings, mint};
pub use verifier::{ExpandRoles, Verified, Verifier};

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
