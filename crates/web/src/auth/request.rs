//! What is read of a request: who calls from where, the parameters and the body.

use axum::{
    body::{Bytes, to_bytes},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use mainstay_auth::{
    AuthCode, AuthError, Call, CookieCaller, OpaqueId, Recalled, Refusal, next_cookie,
};
use mainstay_core::Code;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use uuid::Uuid;

use super::answer::Failed;
use crate::{middleware::RequestContext, rest::RequestHeaders, state::State, who};

/// Bytes of a body.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Somebody, of whom nothing more is asked. The anonymous key they send as their token
/// makes them nobody, and so does anything else.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) call: Call,
    /// The id in the cookie of a session, good or not.
    pub(super) cookie: Option<OpaqueId>,
}

impl Visitor {
    /// The same call, with another id for the cookie of the session that it opens.
    pub(super) fn cookie_call(&self) -> Call {
        self.call.clone().with_cookie(next_cookie(self.cookie.as_ref()))
    }
}

/// A user with a session that stands.
#[derive(Debug)]
pub(super) struct SignedIn {
    pub(super) call: Call,
    pub(super) user: Uuid,
    pub(super) session: Option<Uuid>,
    /// The same where a cookie says so.
    pub(super) cookie: Option<CookieCaller>,
}

impl FromRequestParts<State> for Visitor {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Failed> {
        let context = parts.extensions.get::<RequestContext>();
        let cookie = RequestHeaders::read(&parts.headers).session_id(state.session_cookie());
        Ok(Self { call: who::call(state, &parts.headers, context), cookie })
    }
}

/// The user of a request for a route of the app's own, and the session.
pub(crate) async fn signed_in_parts(
    state: &State,
    parts: &mut Parts,
) -> Result<(Uuid, Option<Uuid>, Call), Failed> {
    let caller = SignedIn::from_request_parts(parts, state).await?;
    Ok((caller.user, caller.session, caller.call))
}

impl FromRequestParts<State> for SignedIn {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Failed> {
        let context = parts.extensions.get::<RequestContext>();
        let call = who::call(state, &parts.headers, context);
        signed_in(state, &parts.headers, call).await
    }
}

async fn signed_in(state: &State, headers: &HeaderMap, call: Call) -> Result<SignedIn, Failed> {
    let read = RequestHeaders::read(headers);
    let credentials = read.credentials();
    if !credentials.has_bearer() {
        let Some(id) = read.session_id(state.session_cookie()) else {
            return Err(no_authorization());
        };
        let caller = who::by_cookie(state, &id, &call).await?.ok_or_else(no_authorization)?;
        return Ok(SignedIn::with_cookie(caller, call));
    }
    let verified = state.app().verifier().credential(credentials, call.now)?;
    let verified = verified.ok_or_else(no_authorization)?;
    let (session, call) = (verified.session_id(), call.with_level(verified.aal()));
    let Some(id) = verified.actor().id() else {
        return Err(bad_jwt("invalid claim: missing sub claim"));
    };
    let user =
        Uuid::parse_str(id).map_err(|_| bad_jwt("invalid claim: sub claim must be a UUID"))?;
    let identity = state.identity();
    let actor = match identity.recall(verified, call.now) {
        Ok(Recalled::Known(actor)) => Ok(actor),
        Ok(Recalled::Unknown(verified, session)) => {
            identity.look_up(*verified, session, &call).await
        }
        Err(error) => Err(error),
    };
    let actor = match actor {
        Ok(actor) => actor,
        Err(error) if error.code() == Code::TokenClaims => {
            return Err(why_ended(state, user, &call).await?.into());
        }
        Err(error) => return Err(error.into()),
    };
    Ok(SignedIn { call: call.by(&actor), user, session, cookie: None })
}

impl SignedIn {
    /// The same call, after which a cookie that stands for the session has another id: for
    /// every change of what the session may do.
    pub(super) fn rotating(&self) -> Call {
        let call = self.call.clone();
        match &self.cookie {
            Some(_) => call.with_cookie(OpaqueId::generate()),
            None => call,
        }
    }

    fn with_cookie(caller: CookieCaller, call: Call) -> Self {
        Self {
            call: call.by(&caller.actor),
            user: caller.user,
            session: Some(caller.session),
            cookie: Some(caller),
        }
    }
}

/// Why the session of a token that verifies does not stand.
async fn why_ended(state: &State, user: Uuid, call: &Call) -> Result<AuthError, Failed> {
    let account = state.identity().account(user, call).await?;
    let (code, message) = match account {
        None => (AuthCode::UserNotFound, "User from sub claim in JWT does not exist"),
        Some(account) if account.deleted_at.is_some() => {
            (AuthCode::UserNotFound, "User from sub claim in JWT does not exist")
        }
        Some(account) if account.is_shut(call.now) => (AuthCode::UserBanned, "User is banned"),
        Some(_) => {
            (AuthCode::SessionNotFound, "Session from session_id claim in JWT does not exist")
        }
    };
    Ok(refusal(403, code, message))
}

pub(super) fn no_authorization() -> Failed {
    refusal(401, AuthCode::NoAuthorization, "This endpoint requires a valid Bearer token").into()
}

fn bad_jwt(message: &'static str) -> Failed {
    refusal(401, AuthCode::BadJwt, message).into()
}

pub(super) fn refusal(status: u16, code: AuthCode, message: &'static str) -> AuthError {
    AuthError::Refused(Refusal::new(status, code, message))
}

/// A body of JSON; unknown names are passed over, as clients send many.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

/// The same where none has to come: clients name JSON as its type all the same.
#[derive(Debug)]
pub(super) struct MaybeBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<State> for Body<T> {
    type Rejection = Failed;

    async fn from_request(req: Request, _: &State) -> Result<Self, Failed> {
        let content_type = req.headers().get(header::CONTENT_TYPE).cloned();
        let read = read_json(&read_bytes(req).await?);
        Ok(Self(read.map_err(|error| unless_json(content_type.as_ref(), error))?))
    }
}

impl<T: DeserializeOwned + Default> FromRequest<State> for MaybeBody<T> {
    type Rejection = Failed;

    async fn from_request(req: Request, _: &State) -> Result<Self, Failed> {
        let bytes = read_bytes(req).await?;
        Ok(Self(if bytes.is_empty() { T::default() } else { read_json(&bytes)? }))
    }
}

async fn read_bytes(req: Request) -> Result<Bytes, AuthError> {
    let read = to_bytes(req.into_body(), BODY_BYTES_MAX).await;
    read.map_err(|_| bad_json("it cannot be read to its end"))
}

/// Reads an object; what its fields are called by is no business of whoever sends another
/// thing.
fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, AuthError> {
    let read: Json = serde_json::from_slice(bytes).map_err(|error| bad_json(&error.to_string()))?;
    if !read.is_object() {
        return Err(bad_json("expected an object"));
    }
    T::deserialize(read).map_err(|error| bad_json(&error.to_string()))
}

/// What is wrong with a body that says itself that it is no JSON.
fn unless_json(content_type: Option<&HeaderValue>, error: AuthError) -> AuthError {
    let named = content_type.map(|it| String::from_utf8_lossy(it.as_bytes()));
    match named.filter(|named| !named.to_ascii_lowercase().contains("json")) {
        Some(named) => bad_json(&format!("its Content-Type is {named}; send application/json")),
        None => error,
    }
}

fn bad_json(detail: &str) -> AuthError {
    let message = format!("Could not parse request body as JSON: {detail}");
    AuthError::Refused(Refusal::new(400, AuthCode::BadJson, message))
}

/// A text that is there; null, nothing and the empty text are one.
pub(super) fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// The value of a query parameter, decoded.
pub(super) fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let found = pairs.into_iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
}
