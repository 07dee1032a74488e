//! `POST /auth/v1/invite` and `POST /auth/v1/admin/generate_link`.

use axum::extract::{RawQuery, State as AxumState};
use mainstay_auth::{Invitation, LinkRequest};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::Admin;
use crate::{
    auth::{
        answer::{self, Answer},
        request::{Body, given, query_value},
    },
    state::State,
};

#[derive(Deserialize)]
pub(in crate::auth) struct LinkBody {
    #[serde(rename = "type")]
    kind: Option<String>,
    email: Option<String>,
    password: Option<String>,
    new_email: Option<String>,
    data: Option<Map<String, Json>>,
    redirect_to: Option<String>,
}

impl LinkBody {
    fn redirect_to(&self, query: Option<&str>) -> Option<String> {
        let said = || given(self.redirect_to.as_ref()).map(str::to_owned);
        query_value(query, "redirect_to").or_else(said)
    }
}

/// Mails an invitation.
pub(in crate::auth) async fn invite(
    AxumState(state): AxumState<State>,
    admin: Admin,
    RawQuery(query): RawQuery,
    Body(body): Body<LinkBody>,
) -> Answer {
    let invitation = Invitation {
        email: given(body.email.as_ref()).unwrap_or_default().to_owned(),
        data: body.data.clone().unwrap_or_default(),
        redirect_to: body.redirect_to(query.as_deref()),
    };
    let account = state.identity().invite(invitation, &admin.call).await?;
    Ok(answer::ok(&answer::user(&account)))
}

/// Makes a link that is not mailed. The account's fields stand beside it.
pub(in crate::auth) async fn generate_link(
    AxumState(state): AxumState<State>,
    admin: Admin,
    RawQuery(query): RawQuery,
    Body(body): Body<LinkBody>,
) -> Answer {
    let request = LinkRequest {
        redirect_to: body.redirect_to(query.as_deref()),
        data: body.data.clone().unwrap_or_default(),
        kind: body.kind.unwrap_or_default(),
        email: body.email.unwrap_or_default(),
        password: body.password,
        new_email: body.new_email,
    };
    let made = state.identity().make_link(request, &admin.call).await?;
    let mut shown = answer::user(&made.account);
    shown["action_link"] = made.action_link.into();
    shown["email_otp"] = made.email_otp.into();
    shown["hashed_token"] = made.hashed_token.into();
    shown["verification_type"] = made.verification_type.into();
    shown["redirect_to"] = made.redirect_to.into();
    Ok(answer::ok(&shown))
}
