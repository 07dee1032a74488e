//! `/auth/v1/admin/users/{id}/factors` and `/auth/v1/admin/users/{id}/factors/{factor}`.

use axum::extract::{Path, State as AxumState};
use serde_json::Value as Json;

use super::{Admin, id_of, user_id_of};
use crate::{
    auth::answer::{self, Answer},
    state::State,
};

/// Lists an account's second factors.
pub(in crate::auth) async fn list(
    AxumState(state): AxumState<State>,
    admin: Admin,
    Path(id): Path<String>,
) -> Answer {
    let factors = state.identity().factors_of_account(user_id_of(&id)?, &admin.call).await?;
    Ok(answer::ok(&factors.iter().map(answer::factor).collect::<Json>()))
}

/// Takes one of them off the account.
pub(in crate::auth) async fn delete(
    AxumState(state): AxumState<State>,
    admin: Admin,
    Path((id, factor)): Path<(String, String)>,
) -> Answer {
    let (id, factor) = (user_id_of(&id)?, id_of(&factor, "factor_id must be an UUID")?);
    let removed = state.identity().take_factor(id, factor, &admin.call).await?;
    Ok(answer::ok(&answer::factor(&removed)))
}
