//! `POST /auth/v1/signup`.

use axum::extract::{RawQuery, State as AxumState};
use mainstay_auth::{Challenge, Counted, SignUpRequest, SignedUp, invalid};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    answer::{self, Answer, Failed},
    form::{Done, Form, Posted},
    request::{Visitor, given, query_value, refusal},
    session::given_cookie,
};
use crate::state::State;

#[derive(Deserialize)]
pub(super) struct SignUpBody {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    data: Option<Map<String, Json>>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// Makes an account; without an address, an anonymous one.
pub(super) async fn sign_up(
    AxumState(state): AxumState<State>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
    posted: Posted<SignUpBody>,
) -> Answer {
    let body = match posted {
        Posted::Json(body) => body,
        Posted::Form(form) => {
            let signed_up = signed_up_by_form(&state, &visitor, &form).await;
            return form.answer(signed_up);
        }
    };
    let (identity, call) = (state.identity(), &visitor.call);
    let (email, phone) = (given(body.email.as_ref()), given(body.phone.as_ref()));
    match (email, phone) {
        (Some(_), Some(_)) => {
            return Err(invalid(
                "Only an email address or phone number should be provided on signup.",
            )
            .into());
        }
        (None, Some(_)) => {
            let code = mainstay_auth::AuthCode::PhoneProviderDisabled;
            return Err(refusal(400, code, "Phone signups are disabled").into());
        }
        (None, None) => {
            identity.count(Counted::Anonymous, call).await?;
            let issued =
                identity.sign_up_anonymously(body.data.clone().unwrap_or_default(), call).await?;
            return Ok(answer::ok(&answer::session(&issued)));
        }
        (Some(_), None) => {}
    }
    identity.count(Counted::SignUp, call).await?;
    let request = SignUpRequest {
        email: email.unwrap_or_default().to_owned(),
        password: body.password.clone().unwrap_or_default(),
        data: body.data.clone().unwrap_or_default(),
        challenge: Challenge::parse(
            body.code_challenge.as_deref(),
            body.code_challenge_method.as_deref(),
        )?,
        redirect_to: query_value(query.as_deref(), "redirect_to"),
        next: None,
    };
    Ok(match identity.sign_up(request, call).await? {
        SignedUp::In(issued) => answer::ok(&answer::session(&issued)),
        SignedUp::Mailed(account) => answer::ok(&answer::user(&account)),
    })
}

/// Makes an account of a form: signed in with a cookie, or to be confirmed from a mail.
async fn signed_up_by_form(state: &State, visitor: &Visitor, form: &Form) -> Result<Done, Failed> {
    let (identity, call) = (state.identity(), &visitor.cookie_call());
    identity.count(Counted::SignUp, call).await?;
    let request = SignUpRequest {
        email: form.text("email").to_owned(),
        password: form.text("password").to_owned(),
        data: form.data(),
        challenge: None,
        redirect_to: None,
        next: Some(form.next.clone()),
    };
    Ok(match identity.sign_up(request, call).await? {
        SignedUp::Mailed(_) => Done::at(form.sent.clone()),
        SignedUp::In(issued) => {
            let held = identity.in_place_of(visitor.cookie.as_ref(), *issued, call).await?;
            Done::at(form.next.clone()).with_cookie(given_cookie(state, &held))
        }
    })
}
