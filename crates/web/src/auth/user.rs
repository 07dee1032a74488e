//! `GET` and `PUT /auth/v1/user`: a user's own account.

use axum::{
    extract::{RawQuery, State as AxumState},
    http::HeaderValue,
};
use mainstay_auth::{Account, AuthCode, Challenge, Counted, UserChanges};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    answer::{self, Answer, Failed},
    form::{Done, Form},
    request::{Body, SignedIn, given, query_value, refusal},
    session::{rotated, with_cookie},
};
use crate::state::State;

#[derive(Deserialize)]
pub(super) struct UserBody {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    nonce: Option<String>,
    current_password: Option<String>,
    data: Option<Map<String, Json>>,
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
    identity.count(Counted::User, &caller.call).await?;
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
        data: body.data,
        challenge: Challenge::parse(
            body.code_challenge.as_deref(),
            body.code_challenge_method.as_deref(),
        )?,
        redirect_to: query_value(query.as_deref(), "redirect_to"),
        next: None,
    };
    let (account, cookie) = updated(&state, &caller, changes).await?;
    let res = answer::ok(&answer::user(&account));
    Ok(match cookie {
        Some(cookie) => with_cookie(res, cookie),
        None => res,
    })
}

/// Changes the password or the address from a page without a script.
pub(super) async fn update_user_by_form(
    AxumState(state): AxumState<State>,
    caller: Result<SignedIn, Failed>,
    form: Form,
) -> Answer {
    let updated = async {
        let caller = caller?;
        state.identity().count(Counted::User, &caller.call).await?;
        let text = |name| form.get(name).map(str::to_owned);
        let changes = UserChanges {
            email: text("email"),
            password: text("password"),
            nonce: text("nonce"),
            current_password: text("current_password"),
            next: Some(form.next.clone()),
            ..UserChanges::default()
        };
        let has_mail = changes.email.is_some();
        let (_, cookie) = updated(&state, &caller, changes).await?;
        let done = Done::at(if has_mail { form.sent.clone() } else { form.next.clone() });
        Ok(match cookie {
            Some(cookie) => done.with_cookie(cookie),
            None => done,
        })
    };
    let updated: Result<Done, Failed> = updated.await;
    form.answer(updated)
}

/// The account as it is afterwards, and the cookie that stands for the session from then
/// on, where the password has changed.
async fn updated(
    state: &State,
    caller: &SignedIn,
    changes: UserChanges,
) -> Result<(Account, Option<HeaderValue>), Failed> {
    let call = match changes.password {
        Some(_) => caller.rotating(),
        None => caller.call.clone(),
    };
    let identity = state.identity();
    let account = identity.update_user(caller.user, caller.session, changes, &call).await?;
    Ok((account, rotated(state, &call)))
}
