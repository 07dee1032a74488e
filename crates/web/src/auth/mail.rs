//! What sends a mail: `otp`, `magiclink`, `recover`, `resend`, `reauthenticate`.

use axum::extract::{RawQuery, State as AxumState};
use mainstay_auth::{AuthCode, AuthError, Challenge, Counted, MailRequest, invalid};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::{
    answer::{self, Answer, Failed},
    form::{Done, Form, Posted},
    request::{Body, SignedIn, Visitor, given, query_value, refusal},
};
use crate::state::State;

#[derive(Debug, Deserialize)]
pub(super) struct MailBody {
    email: Option<String>,
    phone: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    data: Option<Map<String, Json>>,
    create_user: Option<bool>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

impl MailBody {
    fn request(&self, query: Option<&str>) -> Result<MailRequest, AuthError> {
        Ok(MailRequest {
            email: given(self.email.as_ref()).unwrap_or_default().to_owned(),
            data: self.data.clone().unwrap_or_default(),
            creates: self.create_user.unwrap_or(true),
            challenge: Challenge::parse(
                self.code_challenge.as_deref(),
                self.code_challenge_method.as_deref(),
            )?,
            redirect_to: query_value(query, "redirect_to"),
            next: None,
        })
    }

    /// Which of address and telephone it names.
    fn addressee(&self, both: &'static str, neither: &'static str) -> Result<(), AuthError> {
        match (given(self.email.as_ref()), given(self.phone.as_ref())) {
            (Some(_), None) => Ok(()),
            (Some(_), Some(_)) => Err(invalid(both)),
            (None, None) => Err(invalid(neither)),
            (None, Some(_)) => {
                let message = "Unsupported phone provider";
                Err(refusal(400, AuthCode::PhoneProviderDisabled, message))
            }
        }
    }
}

/// Mails a link and a code to sign in with, and makes an account where that is asked.
pub(super) async fn send_otp(
    AxumState(state): AxumState<State>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
    Body(body): Body<MailBody>,
) -> Answer {
    body.addressee(
        "Only an email address or phone number should be provided",
        "One of email or phone must be set",
    )?;
    state.identity().count(Counted::Mail, &visitor.call).await?;
    state.identity().mail_sign_in(body.request(query.as_deref())?, &visitor.call).await?;
    Ok(answer::ok(&json!({})))
}

/// The same under its older name.
pub(super) async fn send_magic_link(
    AxumState(state): AxumState<State>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
    Body(body): Body<MailBody>,
) -> Answer {
    if given(body.email.as_ref()).is_none() {
        let message = "Password recovery requires an email";
        return Err(refusal(422, AuthCode::ValidationFailed, message).into());
    }
    state.identity().count(Counted::Mail, &visitor.call).await?;
    state.identity().mail_sign_in(body.request(query.as_deref())?, &visitor.call).await?;
    Ok(answer::ok(&json!({})))
}

/// Mails a link to set another password with.
pub(super) async fn send_recovery(
    AxumState(state): AxumState<State>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
    posted: Posted<MailBody>,
) -> Answer {
    let body = match posted {
        Posted::Json(body) => body,
        Posted::Form(form) => {
            let sent = recovery_by_form(&state, &visitor, &form).await;
            return form.answer(sent.map(|()| Done::at(form.sent.clone())));
        }
    };
    state.identity().count(Counted::Mail, &visitor.call).await?;
    state.identity().mail_recovery(body.request(query.as_deref())?, &visitor.call).await?;
    Ok(answer::ok(&json!({})))
}

/// The same for a page without a script, whose `next` has the form for the new password.
async fn recovery_by_form(state: &State, visitor: &Visitor, form: &Form) -> Result<(), Failed> {
    state.identity().count(Counted::Mail, &visitor.call).await?;
    let request = MailRequest {
        email: form.text("email").to_owned(),
        next: Some(form.next.clone()),
        ..MailRequest::default()
    };
    Ok(state.identity().mail_recovery(request, &visitor.call).await?)
}

/// Mails anew what was mailed before.
pub(super) async fn resend(
    AxumState(state): AxumState<State>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
    Body(body): Body<MailBody>,
) -> Answer {
    let (identity, call) = (state.identity(), &visitor.call);
    let kind = body.kind.as_deref().unwrap_or_default();
    if !matches!(kind, "signup" | "email_change") {
        return Err(
            invalid("Missing one of these types: signup, email_change, sms, phone_change").into()
        );
    }
    body.addressee(
        "Only an email address or phone number should be provided.",
        if kind == "signup" {
            "Type provided requires an email address"
        } else {
            "Missing email address or phone number"
        },
    )?;
    identity.count(Counted::Mail, call).await?;
    let request = body.request(query.as_deref())?;
    match kind {
        "signup" => identity.resend_sign_up(request, call).await?,
        _ => identity.resend_email_change(request, call).await?,
    }
    Ok(answer::ok(&json!({})))
}

/// Mails a code to a signed-in user.
pub(super) async fn reauthenticate(AxumState(state): AxumState<State>, caller: SignedIn) -> Answer {
    let identity = state.identity();
    identity.count(Counted::Mail, &caller.call).await?;
    let account = identity.account(caller.user, &caller.call).await?;
    if let Some(account) = account {
        identity.mail_reauthentication(&account, &caller.call).await?;
    }
    Ok(answer::ok(&json!({})))
}
