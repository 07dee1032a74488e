//! `POST /auth/v1/logout`.

use axum::{
    extract::{RawQuery, State as AxumState},
    http::StatusCode,
    response::IntoResponse as _,
};
use mainstay_auth::{Scope, invalid};

use super::{
    answer::Answer,
    request::{SignedIn, query_value},
    session::{cleared, with_cookie},
};
use crate::state::State;

/// Ends this session, all others, or all there are.
pub(super) async fn sign_out(
    AxumState(state): AxumState<State>,
    RawQuery(query): RawQuery,
    caller: SignedIn,
) -> Answer {
    let scope = match query_value(query.as_deref(), "scope").as_deref() {
        None | Some("global") => Scope::Global,
        Some("local") => Scope::Local,
        Some("others") => Scope::Others,
        Some(other) => return Err(invalid(format!("Unsupported logout scope \"{other}\"")).into()),
    };
    state.identity().sign_out(caller.user, caller.session, scope, &caller.call).await?;
    let res = StatusCode::NO_CONTENT.into_response();
    Ok(match caller.cookie {
        Some(_) if scope != Scope::Others => with_cookie(res, cleared(&state)),
        _ => res,
    })
}
