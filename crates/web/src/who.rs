//! Whose request it is: from its credential, and from how the credential's session stands.
//!
//! Mostly that is known without waiting. Where it is not, the store is asked about the
//! session, once in some seconds.

use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use mainstay_auth::{Call, Recalled};
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
    let credentials = RequestHeaders::read(headers).credentials();
    let Some(verified) = app.verifier().credential(credentials, now)? else {
        return Ok(Actor::anonymous());
    };
    drop(app);
    match identity.recall(verified, now)? {
        Recalled::Known(actor) => Ok(actor),
        Recalled::Unknown(verified, session) => {
            let call = call(state, headers, context);
            Box::pin(identity.look_up(*verified, session, &call)).await
        }
    }
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
