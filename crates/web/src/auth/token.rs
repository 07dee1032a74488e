//! `POST /auth/v1/token`: tokens for a password, a refresh token or a flow's code.

use axum::extract::{RawQuery, State as AxumState};
use mainstay_auth::{AuthCode, Counted, invalid};
use serde::Deserialize;

use super::{
    answer::{self, Answer},
    request::{Body, Visitor, given, query_value, refusal},
};
use crate::state::State;

#[derive(Deserialize)]
pub(super) struct TokenBody {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    refresh_token: Option<String>,
    auth_code: Option<String>,
    code_verifier: Option<String>,
}

/// Gives tokens for what `grant_type` says is brought.
pub(super) async fn grant(
    AxumState(state): AxumState<State>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
    Body(body): Body<TokenBody>,
) -> Answer {
    let (identity, call) = (state.identity(), &visitor.call);
    identity.count(Counted::Token, call).await?;
    let issued = match query_value(query.as_deref(), "grant_type").as_deref() {
        Some("password") => {
            let email = address(&body)?;
            identity.sign_in(email, body.password.as_deref().unwrap_or_default(), call).await?
        }
        Some("refresh_token") => {
            identity.refresh(body.refresh_token.as_deref().unwrap_or_default(), call).await?
        }
        Some("pkce") => {
            let code = body.auth_code.as_deref().unwrap_or_default();
            let verifier = body.code_verifier.as_deref().unwrap_or_default();
            identity.exchange_code(code, verifier, call).await?
        }
        Some("id_token") => {
            let message = "Provider is not enabled";
            return Err(refusal(400, AuthCode::ProviderDisabled, message).into());
        }
        _ => {
            let message = "unsupported_grant_type";
            return Err(refusal(400, AuthCode::InvalidCredentials, message).into());
        }
    };
    Ok(answer::ok(&answer::session(&issued)))
}

fn address(body: &TokenBody) -> Result<&str, mainstay_auth::AuthError> {
    match (given(body.email.as_ref()), given(body.phone.as_ref())) {
        (Some(email), None) => Ok(email),
        (Some(_), Some(_)) => {
            Err(invalid("Only an email address or phone number should be provided on login."))
        }
        (None, Some(_)) => {
            Err(refusal(422, AuthCode::PhoneProviderDisabled, "Phone logins are disabled"))
        }
        (None, None) => Err(invalid("missing email or phone")),
    }
}
