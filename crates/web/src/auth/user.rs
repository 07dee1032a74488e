//! `GET` and `PUT /auth/v1/user`: a user's own account.

use axum::extract::{RawQuery, State as AxumState};
use mainstay_auth::{AuthCode, Challenge, Counted, UserChanges};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    answer::{self, Answer},
    request::{Body, SignedIn, given, query_value, refusal},
};
use crate::state::State;

#[derive(Debug, Deserialize)]
pub(super) struct UserBody {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    nonce: Option<String>,
    current_password: Option<String>,
    data: Option<Json>,
    app_metadata: Option<Json>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// Shows the account of whoever asks.
pub(super) async fn get_user(AxumState(state): AxumState<State>, caller: SignedIn) -> Answer {
    let account = state.identity().account(caller.user, &caller.call).await?;
    let gone = || {
        let message = "User from sub claim in JWT does not exist";
        refusal(403, AuthCode::UserNotFound, message)
    };
    Ok(answer::ok(&answer::user(&account.ok_or_else(gone)?)))
}

/// Changes it.
pub(super) async fn update_user(
    AxumState(state): AxumState<State>,
    RawQuery(query): RawQuery,
    caller: SignedIn,
    Body(body): Body<UserBody>,
) -> Answer {
    let identity = state.identity();
    identity.count(Counted::User, &caller.call)?;
    if given(body.phone.as_ref()).is_some() {
        let message = "Unsupported phone provider";
        return Err(refusal(400, AuthCode::PhoneProviderDisabled, message).into());
    }
    if body.app_metadata.is_some_and(|metadata| !metadata.is_null()) {
        let message = "Updating app_metadata requires admin privileges";
        return Err(refusal(403, AuthCode::NotAdmin, message).into());
    }
    let changes = UserChanges {
        email: body.email,
        password: body.password,
        nonce: body.nonce,
        current_password: body.current_password,
        data: body.data.as_ref().and_then(Json::as_object).cloned(),
        challenge: Challenge::parse(
            body.code_challenge.as_deref(),
            body.code_challenge_method.as_deref(),
        )?,
        redirect_to: query_value(query.as_deref(), "redirect_to"),
    };
    let account = identity.update_user(caller.user, caller.session, changes, &caller.call).await?;
    Ok(answer::ok(&answer::user(&account)))
}
