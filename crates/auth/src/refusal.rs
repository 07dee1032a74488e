//! What a call for an account or a session is refused with, in the words of Supabase Auth.
//!
//! Clients match on the codes, and on some of the messages. The status depends on where a
//! code is told, so that it travels with it.

use std::borrow::Cow;

use mainstay_core::{Code, Error};

use crate::{
    EmailError,
    passwords::{PasswordPoolError, PasswordRefusal},
};

/// Declares [`AuthCode`] with the string each code is known by.
macro_rules! codes {
    ($($(#[doc = $meaning:literal])* $name:ident = $text:literal),* $(,)?) => {
        /// A reason, stable for clients to match on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum AuthCode {
            $($(#[doc = $meaning])* $name),*
        }

        impl AuthCode {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The string clients match on.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text),*
                }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($meaning),*).trim_ascii()),*
                }
            }
        }
    };
}

codes! {
    /// Anonymous sign-in is switched off.
    AnonymousProviderDisabled = "anonymous_provider_disabled",
    /// The verifier does not belong to the challenge.
    BadCodeVerifier = "bad_code_verifier",
    /// The body is not JSON.
    BadJson = "bad_json",
    /// The token does not verify, or names no user.
    BadJwt = "bad_jwt",
    /// A new address belongs to another user.
    EmailExists = "email_exists",
    /// The address is not confirmed yet.
    EmailNotConfirmed = "email_not_confirmed",
    /// The time of a flow's code (PKCE) is over.
    FlowStateExpired = "flow_state_expired",
    /// There is no such code of a flow (PKCE), or it was used.
    FlowStateNotFound = "flow_state_not_found",
    /// The session has not seen a second factor.
    InsufficientAal = "insufficient_aal",
    /// The address or the password is wrong.
    InvalidCredentials = "invalid_credentials",
    /// The challenge's time is over.
    MfaChallengeExpired = "mfa_challenge_expired",
    /// The account has a factor of this name.
    MfaFactorNameConflict = "mfa_factor_name_conflict",
    /// There is no such factor.
    MfaFactorNotFound = "mfa_factor_not_found",
    /// The challenge was used before, or is another session's.
    MfaIpAddressMismatch = "mfa_ip_address_mismatch",
    /// Telephones are no second factors.
    MfaPhoneEnrollNotEnabled = "mfa_phone_enroll_not_enabled",
    /// One-time passwords by an app are switched off.
    MfaTotpEnrollNotEnabled = "mfa_totp_enroll_not_enabled",
    /// One-time passwords by an app are switched off, and the factor was not verified before.
    MfaTotpVerifyNotEnabled = "mfa_totp_verify_not_enabled",
    /// The code of a second factor is wrong.
    MfaVerificationFailed = "mfa_verification_failed",
    /// Security keys are no second factors.
    MfaWebauthnEnrollNotEnabled = "mfa_webauthn_enroll_not_enabled",
    /// A bearer token is needed.
    NoAuthorization = "no_authorization",
    /// A service key is needed.
    NotAdmin = "not_admin",
    /// A code or link is wrong, was used, or is too old.
    OtpExpired = "otp_expired",
    /// Too many mails to an address; `Retry-After` says when the next may be asked for.
    OverEmailSendRateLimit = "over_email_send_rate_limit",
    /// Too many requests, or wrong passwords or codes; `Retry-After` says when to come again.
    OverRequestRateLimit = "over_request_rate_limit",
    /// Telephones are not supported.
    PhoneProviderDisabled = "phone_provider_disabled",
    /// The provider is not there.
    ProviderDisabled = "provider_disabled",
    /// The session is old: a code that is mailed, or the password, is needed.
    ReauthenticationNeeded = "reauthentication_needed",
    /// The code that was mailed is another, or the password is wrong.
    ReauthenticationNotValid = "reauthentication_not_valid",
    /// The refresh token was used before.
    RefreshTokenAlreadyUsed = "refresh_token_already_used",
    /// There is no such refresh token.
    RefreshTokenNotFound = "refresh_token_not_found",
    /// The new password is the old one.
    SamePassword = "same_password",
    /// The session's time is over.
    SessionExpired = "session_expired",
    /// The session has ended.
    SessionNotFound = "session_not_found",
    /// Sign-up is switched off.
    SignupDisabled = "signup_disabled",
    /// An account has no more factors than this.
    TooManyEnrolledMfaFactors = "too_many_enrolled_mfa_factors",
    /// The user has this address already.
    UserAlreadyExists = "user_already_exists",
    /// The user may not sign in.
    UserBanned = "user_banned",
    /// There is no such user.
    UserNotFound = "user_not_found",
    /// Something in the request is not as it must be.
    ValidationFailed = "validation_failed",
    /// The password is too short, too long or too common.
    WeakPassword = "weak_password",
    /// There is nothing at this path.
    NotFound = "not_found",
    /// A page of another site asked for something that its visitor's cookie would allow.
    CrossSite = "cross_site_request",
}

/// A call that was understood and refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Why, for programs.
    pub code: AuthCode,
    /// Why, for people.
    pub message: Cow<'static, str>,
    /// What is weak about a password.
    pub reasons: Vec<&'static str>,
    /// Seconds after which the same may be asked again.
    pub retry_after_s: Option<u64>,
    /// The limit it was over.
    pub quota: Option<Quota>,
}

/// So many requests in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What is counted.
    pub name: &'static str,
    /// How many there may be.
    pub max: u32,
    /// In how many seconds.
    pub window_s: u64,
}

impl Refusal {
    /// One with this status, code and message.
    #[must_use]
    pub fn new(status: u16, code: AuthCode, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self { status, code, message, reasons: Vec::new(), retry_after_s: None, quota: None }
    }
}

/// Why a call for an account or a session came to nothing.
#[derive(Debug)]
pub enum AuthError {
    /// It was refused.
    Refused(Refusal),
    /// It could not be carried out.
    Failed(Error),
}

/// What a call comes to.
pub type AuthResult<T> = Result<T, AuthError>;

/// A refusal with this status, code and message.
pub(crate) fn refused(
    status: u16,
    code: AuthCode,
    message: impl Into<Cow<'static, str>>,
) -> AuthError {
    AuthError::Refused(Refusal::new(status, code, message))
}

/// A password that cannot be chosen.
pub(crate) fn weak(refusal: &PasswordRefusal) -> AuthError {
    match refusal {
        PasswordRefusal::TooLong => invalid(refusal.message()),
        PasswordRefusal::Weak(reasons) => AuthError::Refused(Refusal {
            reasons: reasons.iter().map(|reason| reason.name()).collect(),
            ..Refusal::new(422, AuthCode::WeakPassword, refusal.message())
        }),
    }
}

/// The request says something that cannot be.
pub fn invalid(message: impl Into<Cow<'static, str>>) -> AuthError {
    refused(400, AuthCode::ValidationFailed, message)
}

impl AuthError {
    /// The refusal, if it is one with this code.
    #[must_use]
    pub fn is(&self, code: AuthCode) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == code)
    }

    /// The same, to be asked again after so many seconds.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        match self {
            Self::Refused(refusal) => {
                Self::Refused(Refusal { retry_after_s: Some(seconds), ..refusal })
            }
            failed => failed,
        }
    }

    /// The same, as it is over a limit for so many seconds more.
    pub(crate) fn over(self, quota: Quota, seconds: u64) -> Self {
        match self.retry_after(seconds) {
            Self::Refused(refusal) => Self::Refused(Refusal { quota: Some(quota), ..refusal }),
            failed => failed,
        }
    }

    /// Whether the store refused it because somebody else was faster.
    pub(crate) fn is_overtaken(&self) -> bool {
        matches!(self, Self::Failed(error) if error.code() == Code::Overtaken)
    }
}

impl From<EmailError> for AuthError {
    fn from(error: EmailError) -> Self {
        invalid(error.to_string())
    }
}

impl From<PasswordPoolError> for AuthError {
    fn from(error: PasswordPoolError) -> Self {
        Self::Failed(Error::unavailable(error.to_string()).with_source(error))
    }
}

impl From<Error> for AuthError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::expect_file;

    use super::*;

    #[test]
    fn every_code_is_documented() {
        let mut page = String::from(
            "# Errors of accounts\n\nWhat `/auth/v1` refuses is told as Supabase Auth tells it: \
             `code` and `error_code`, `message` and `msg`, for both versions of its clients. The \
             status belongs to the call, not to the code. A request that fails is \
             `unexpected_failure`, or `request_timeout` where its time ran out. Errors of \
             `/rest/v1` are on [their own page](errors.md).\n\n| code | meaning |\n|---|---|\n",
        );
        let mut codes = AuthCode::ALL.to_vec();
        codes.sort_by_key(|code| code.as_str());
        for code in codes {
            writeln!(page, "| `{}` | {} |", code.as_str(), code.meaning()).unwrap();
        }
        expect_file!["../../../docs/auth-errors.md"].assert_eq(&page);
    }
}
