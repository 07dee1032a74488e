//! What the holder of the service key does to accounts: `/auth/v1/admin/…` and
//! `/auth/v1/invite`.
//!
//! Who may is asked here, before a path or a body is looked at; what may be done is decided
//! in the crate `auth`. A service key that comes with a browser's `Origin` is refused,
//! because a page that holds it has published it.

pub(super) mod factors;
pub(super) mod links;
pub(super) mod users;

use axum::{extract::FromRequestParts, http::request::Parts};
use mainstay_auth::{AuthCode, AuthError, Call, Credentials};
use mainstay_core::{Actor, Code};
use uuid::Uuid;

use super::{
    answer::Failed,
    request::{no_authorization, refusal},
};
use crate::{middleware::RequestContext, rest::RequestHeaders, state::State, who};

/// Whoever holds the service key.
#[derive(Debug)]
pub(super) struct Admin {
    call: Call,
}

impl FromRequestParts<State> for Admin {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Failed> {
        let call = who::call(state, &parts.headers, parts.extensions.get::<RequestContext>());
        let credentials = RequestHeaders::read(&parts.headers).credentials();
        let identity = state.identity();
        match admin(state, credentials, &call) {
            Ok((actor, key)) => {
                let call = call.by(&actor);
                identity.count_admin(key, &call).await?;
                Ok(Self { call })
            }
            Err(error) => Err(identity.no_admin(error, &call).await.into()),
        }
    }
}

/// The service, and the key by which it is.
fn admin<'c>(
    state: &State,
    credentials: Credentials<'c>,
    call: &Call,
) -> Result<(Actor, &'c str), AuthError> {
    let key = credentials.bearer().ok_or_else(|| no_authorization().0)?;
    let verified = state.app().verifier().credential(credentials, call.now);
    let verified = verified.map_err(|error| match error.code() {
        Code::ServiceFromBrowser => {
            refusal(403, AuthCode::NotAdmin, "A service key has no place in a browser")
        }
        _ => AuthError::Failed(error),
    })?;
    let verified = verified.ok_or_else(|| no_authorization().0)?;
    match verified.actor().is_service() {
        true => Ok((verified.into_actor(), key)),
        false => Err(refusal(403, AuthCode::NotAdmin, "User not allowed")),
    }
}

/// The id of a path, as clients write it: with hyphens.
fn id_of(text: &str, message: &'static str) -> Result<Uuid, Failed> {
    const HYPHENATED_BYTES: usize = 36;
    let id = Uuid::parse_str(text).ok().filter(|_| text.len() == HYPHENATED_BYTES);
    id.ok_or_else(|| refusal(404, AuthCode::ValidationFailed, message).into())
}

fn user_id_of(text: &str) -> Result<Uuid, Failed> {
    id_of(text, "user_id must be an UUID")
}
