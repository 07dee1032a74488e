//! What is answered: accounts and sessions in Supabase Auth's forms, and errors.
//!
//! The body of an error says the same under the names of both versions of the API, so that
//! a client finds the code whether it is shown the version's header or not. Of a 5xx it
//! says only that it failed.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use mainstay_auth::{
    Account, AccountIdentity, AuthCode, AuthError, Factor, Issued, Quota, Refusal,
};
use mainstay_core::{Code, Error, Timestamp, ValueRef};
use serde_json::{Map, Value as Json, json};

use super::request::refusal;
use crate::error::status;

const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const API_VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");
const VERSION: HeaderValue = HeaderValue::from_static("2024-01-01");

/// What a handler answers.
pub(super) type Answer = Result<Response, Failed>;

/// A call that came to nothing, as it is answered.
#[derive(Debug)]
pub(crate) struct Failed(pub(super) AuthError);

impl<E: Into<AuthError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        match self.0 {
            AuthError::Refused(refusal) => refused(&refusal),
            AuthError::Failed(error) => failed(&error),
        }
    }
}

/// What a page of another site is answered that sends what a cookie would allow.
pub(crate) fn cross_site() -> Failed {
    let message = "Another site has sent this request: forms and scripts that a cookie signs in \
                   are this site's own";
    refusal(403, AuthCode::CrossSite, message).into()
}

fn refused(refusal: &Refusal) -> Response {
    let mut body = error_body(refusal.code.as_str(), &refusal.message);
    if !refusal.reasons.is_empty() {
        body["weak_password"] = json!({ "reasons": refusal.reasons });
    }
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut res = with_status(status, &body);
    tell_limit(refusal, res.headers_mut());
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer");
        res.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    res
}

/// Says in the headers of an answer when to come again, where the error is that somebody
/// came too often.
pub(super) fn limit_headers(error: &AuthError, headers: &mut HeaderMap) {
    if let AuthError::Refused(refusal) = error {
        tell_limit(refusal, headers);
    }
}

/// `Retry-After` (RFC 9110 section 10.2.3), and the limit as the IETF's draft on rate limit
/// headers has it (draft-ietf-httpapi-ratelimit-headers-10).
fn tell_limit(refusal: &Refusal, headers: &mut HeaderMap) {
    let Some(seconds) = refusal.retry_after_s else { return };
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    let Some(Quota { name, max, window_s }) = refusal.quota else { return };
    for (header, text) in [
        (RATE_LIMIT_POLICY, format!("\"{name}\";q={max};w={window_s}")),
        (RATE_LIMIT, format!("\"{name}\";r=0;t={seconds}")),
    ] {
        let value = HeaderValue::try_from(text).expect("BUG: a limit is named in ASCII");
        headers.insert(header, value);
    }
}

fn failed(error: &Error) -> Response {
    let (status, code) = match error.code() {
        Code::TokenInvalid | Code::TokenClaims => (StatusCode::UNAUTHORIZED, "bad_jwt"),
        Code::DeadlineExceeded => (StatusCode::GATEWAY_TIMEOUT, "request_timeout"),
        code if status(code).is_server_error() => (status(code), "unexpected_failure"),
        code => (status(code), "validation_failed"),
    };
    if status.is_server_error() {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(code = error.code().as_str(), cause, "{}", error.message());
        let message = "Unexpected failure, please check server logs for more information";
        let mut res = with_status(status, &error_body(code, message));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            res.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        return res;
    }
    with_status(status, &error_body(code, error.message()))
}

fn error_body(code: &str, message: &str) -> Json {
    json!({ "code": code, "error_code": code, "message": message, "msg": message })
}

/// The code that a form's page is told; none of a failure that is ours.
pub(super) fn code_of(error: &AuthError) -> Option<&'static str> {
    match error {
        AuthError::Refused(refusal) => Some(refusal.code.as_str()),
        AuthError::Failed(error) => match error.code() {
            Code::TokenInvalid | Code::TokenClaims => Some(AuthCode::BadJwt.as_str()),
            code if status(code).is_server_error() => None,
            _ => Some(AuthCode::ValidationFailed.as_str()),
        },
    }
}

/// An answer with this body.
pub(super) fn ok(body: &Json) -> Response {
    with_status(StatusCode::OK, body)
}

fn with_status(status: StatusCode, body: &Json) -> Response {
    let mut res = Response::new(Body::from(body.to_string()));
    *res.status_mut() = status;
    let headers = res.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(API_VERSION, VERSION);
    res
}

/// An answer without a body.
pub(super) fn nothing() -> Response {
    let mut res = Response::new(Body::empty());
    *res.status_mut() = StatusCode::NO_CONTENT;
    res.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    res
}

/// The tokens of a session, with its account.
pub(super) fn session(issued: &Issued) -> Json {
    json!({
        "access_token": issued.access_token,
        "token_type": "bearer",
        "expires_in": issued.expires_in_s,
        "expires_at": issued.expires_at_s,
        "refresh_token": issued.refresh_token,
        "user": user(&issued.account),
    })
}

/// An account. What is not set is left out, but for what clients look at.
pub(super) fn user(account: &Account) -> Json {
    let mut user = Map::new();
    let mut set = |name: &str, value: Json| drop(user.insert(name.to_owned(), value));
    set("id", account.id.to_string().into());
    set("aud", "authenticated".into());
    set("role", "authenticated".into());
    set("email", account.email.clone().unwrap_or_default().into());
    set("phone", "".into());
    let times = [
        ("email_confirmed_at", account.email_confirmed_at),
        ("confirmed_at", account.email_confirmed_at),
        ("invited_at", account.invited_at),
        ("confirmation_sent_at", account.confirmation_sent_at),
        ("recovery_sent_at", account.recovery_sent_at),
        ("email_change_sent_at", account.email_change_sent_at),
        ("reauthentication_sent_at", account.reauthentication_sent_at),
        ("last_sign_in_at", account.last_sign_in_at),
        ("banned_until", account.banned_until),
        ("deleted_at", account.deleted_at),
    ];
    for (name, at) in times {
        if let Some(at) = at {
            set(name, time(at));
        }
    }
    if let Some(email) = &account.new_email {
        set("new_email", email.clone().into());
    }
    set("app_metadata", Json::Object(account.app_metadata.clone()));
    set("user_metadata", Json::Object(account.user_metadata.clone()));
    if !account.factors.is_empty() {
        set("factors", account.factors.iter().map(factor).collect());
    }
    let identity = |it: &AccountIdentity| identity(account, it);
    set("identities", account.identities.iter().map(identity).collect());
    set("created_at", time(account.created_at));
    set("updated_at", time(account.updated_at));
    set("is_anonymous", account.is_anonymous.into());
    Json::Object(user)
}

fn identity(account: &Account, identity: &AccountIdentity) -> Json {
    let email = identity.identity_data.get("email").cloned().unwrap_or_else(|| "".into());
    let mut shown = json!({
        "identity_id": identity.id.to_string(),
        "id": identity.provider_id,
        "user_id": account.id.to_string(),
        "identity_data": identity.identity_data,
        "provider": identity.provider,
        "created_at": time(identity.created_at),
        "updated_at": time(identity.updated_at),
        "email": email,
    });
    if let Some(at) = identity.last_sign_in_at {
        shown["last_sign_in_at"] = time(at);
    }
    shown
}

/// A second factor, without its secret.
pub(super) fn factor(factor: &Factor) -> Json {
    let mut shown = json!({
        "id": factor.id.to_string(),
        "created_at": time(factor.created_at),
        "updated_at": time(factor.updated_at),
        "status": if factor.is_verified { "verified" } else { "unverified" },
        "factor_type": "totp",
        "phone": "",
        "last_challenged_at": factor.last_challenged_at.map(time),
    });
    if !factor.friendly_name.is_empty() {
        shown["friendly_name"] = factor.friendly_name.clone().into();
    }
    shown
}

/// A time as clients of all languages read it: RFC 3339 in UTC.
pub(super) fn time(at: Timestamp) -> Json {
    ValueRef::Timestamp(at).to_text().replace("+00:00", "Z").into()
}
