//! `/auth/v1/sessions`: where a user is signed in, and ending it.

use axum::{
    extract::{Path, State as AxumState},
    http::{HeaderMap, header},
    response::Response,
};
use mainstay_auth::{AuthCode, AuthError, ListedSession};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    answer::{self, Answer, Failed},
    device::device,
    form::{Done, Form},
    page,
    request::{SignedIn, refusal},
    session::{cleared, with_cookie},
};
use crate::state::State;

/// Lists them, as a page for whoever asks for one.
pub(super) async fn list(
    AxumState(state): AxumState<State>,
    headers: HeaderMap,
    caller: Result<SignedIn, Failed>,
) -> Answer {
    let wants_page = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let caller = match caller {
        Err(Failed(AuthError::Refused(refusal))) if wants_page && refusal.status < 500 => {
            return Ok(page::signed_out(&state));
        }
        caller => caller?,
    };
    let identity = state.identity();
    let sessions = identity.sessions(caller.user, caller.session, &caller.call).await?;
    if !wants_page {
        return Ok(answer::ok(&sessions.iter().map(shown).collect()));
    }
    let account = identity.account(caller.user, &caller.call).await?;
    let email = account.and_then(|account| account.email).unwrap_or_default();
    Ok(page::sessions(&state, &email, &sessions))
}

fn shown(session: &ListedSession) -> Json {
    let user_agent = session.user_agent.as_deref().unwrap_or_default();
    json!({
        "id": session.id.to_string(),
        "device": device(user_agent),
        "user_agent": user_agent,
        "address": session.address.as_deref().unwrap_or_default(),
        "created_at": session.created_at.map(answer::time),
        "last_used_at": session.last_used_at.map(answer::time),
        "aal": session.aal,
        "current": session.is_current,
    })
}

/// Ends one.
pub(super) async fn revoke(
    AxumState(state): AxumState<State>,
    Path(id): Path<String>,
    caller: SignedIn,
) -> Answer {
    revoked(&state, &id, &caller).await?;
    Ok(without_own_cookie(answer::nothing(), &state, &id, &caller))
}

/// The same for a page without a script.
pub(super) async fn revoke_by_form(
    AxumState(state): AxumState<State>,
    Path(id): Path<String>,
    caller: Result<SignedIn, Failed>,
    form: Form,
) -> Answer {
    let caller = match caller {
        Ok(caller) => caller,
        Err(failed) => return form.answer(Err(failed)),
    };
    let revoked = revoked(&state, &id, &caller).await;
    let is_done = revoked.is_ok();
    let res = form.answer(revoked.map(|()| Done::at(form.next.clone())))?;
    Ok(if is_done { without_own_cookie(res, &state, &id, &caller) } else { res })
}

async fn revoked(state: &State, id: &str, caller: &SignedIn) -> Result<(), Failed> {
    let unknown = |_| refusal(404, AuthCode::SessionNotFound, "There is no such session");
    let id = Uuid::try_parse(id).map_err(unknown)?;
    Ok(state.identity().revoke_session(caller.user, id, &caller.call).await?)
}

/// The answer, with the cookie taken away where it stood for the session that has ended.
fn without_own_cookie(res: Response, state: &State, id: &str, caller: &SignedIn) -> Response {
    let own = caller.cookie.as_ref().map(|cookie| cookie.session);
    match Uuid::try_parse(id).ok() {
        Some(id) if own == Some(id) => with_cookie(res, cleared(state)),
        _ => res,
    }
}
