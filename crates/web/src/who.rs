//! Whose request it is: from its credential, and from how the credential's session stands.
//!
//! Mostly that is known without waiting. Where it is not, the store is asked about the
//! session, once in some seconds.
//!
//! A bearer token decides. Where there is none, and the API key beside it names nobody, the
//! cookie of a session does. A browser sends its cookie whether it is any good or not, and
//! its visitor cannot take it back; so one that stands for no session is no credential, and
//! no error.

use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use mainstay_auth::{AuthError, Call, CookieCaller, OpaqueId, Recalled, Verified};
use mainstay_core::{Actor, Error};
use mainstay_store::Cx;

use crate::{middleware::RequestContext, rest::RequestHeaders, state::State};

/// Says whose request it is.
///
/// # Errors
/// Where a credential does not verify, its session has ended, or the store cannot be asked.
pub(crate) async fn caller(
    state: &State,
    headers: &HeaderMap,
    context: Option<&RequestContext>,
) -> Result<Actor, Error> {
    let now = state.now();
    let (identity, app) = (state.identity(), state.app());
    let read = RequestHeaders::read(headers);
    let credentials = read.credentials();
    let verified = app.verifier().credential(credentials, now)?;
    drop(app);
    let names_nobody = |verified: &Verified| verified.actor().is_anonymous();
    if !credentials.has_bearer()
        && verified.as_ref().is_none_or(names_nobody)
        && let Some(id) = read.session_id(state.session_cookie())
    {
        let by_cookie = match identity.recall_cookie(&id, now) {
            Some(known) => Some(known),
            None => Box::pin(by_cookie(state, &id, &call(state, headers, context))).await?,
        };
        return Ok(by_cookie.map_or_else(Actor::anonymous, |caller| caller.actor));
    }
    let Some(verified) = verified else { return Ok(Actor::anonymous()) };
    match identity.recall(verified, now)? {
        Recalled::Known(actor) => Ok(actor),
        Recalled::Unknown(verified, session) => {
            let call = call(state, headers, context);
            Box::pin(identity.look_up(*verified, session, &call)).await
        }
    }
}

/// Whose request a cookie makes it, as the store says.
///
/// # Errors
/// Where the store cannot be asked.
pub(crate) async fn by_cookie(
    state: &State,
    id: &OpaqueId,
    call: &Call,
) -> Result<Option<CookieCaller>, Error> {
    state.identity().look_up_cookie(id, call).await.map_err(|error| match error {
        AuthError::Failed(error) => error,
        AuthError::Refused(refusal) => Error::internal(refusal.message.into_owned()),
    })
}

/// The circumstances of a request.
pub(crate) fn call(state: &State, headers: &HeaderMap, context: Option<&RequestContext>) -> Call {
    let within = Duration::from_millis(state.app().planner().limits().request_ms);
    let mut cx = Cx::until(Instant::now() + within);
    cx.request_id = context.map(|context| Box::from(context.id.as_str()));
    let address = context.map(|context| context.client.0.to_string()).unwrap_or_default();
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Call::new(state.now(), cx, address, agent.unwrap_or_default())
}
