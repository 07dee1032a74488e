//! `POST /auth/v1/signup`.

use axum::extract::{RawQuery, State as AxumState};
use mainstay_auth::{Challenge, Counted, SignUpRequest, SignedUp, invalid};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    answer::{self, Answer},
    request::{Body, Visitor, data, given, query_value, refusal},
};
use crate::state::State;

#[derive(Debug, Deserialize)]
pub(super) struct SignUpBody {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    data: Option<Json>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// Makes an account; without an address, an anonymous one.
pub(super) async fn sign_up(
    AxumState(state): AxumState<State>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
    Body(body): Body<SignUpBody>,
) -> Answer {
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
            identity.count(Counted::Anonymous, call)?;
            let issued = identity.sign_up_anonymously(data(body.data.as_ref()), call).await?;
            return Ok(answer::ok(&answer::session(&issued)));
        }
        (Some(_), None) => {}
    }
    identity.count(Counted::SignUp, call)?;
    let request = SignUpRequest {
        email: email.unwrap_or_default().to_owned(),
        password: body.password.clone().unwrap_or_default(),
        data: data(body.data.as_ref()),
        challenge: Challenge::parse(
            body.code_challenge.as_deref(),
            body.code_challenge_method.as_deref(),
        )?,
        redirect_to: query_value(query.as_deref(), "redirect_to"),
    };
    Ok(match identity.sign_up(request, call).await? {
        SignedUp::In(issued) => answer::ok(&answer::session(&issued)),
        SignedUp::Mailed(account) => answer::ok(&answer::user(&account)),
    })
}
