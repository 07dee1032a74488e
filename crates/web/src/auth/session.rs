//! `/auth/v1/session`: signing in and out with a cookie.

use axum::{
    extract::State as AxumState,
    http::{HeaderValue, header},
    response::Response,
};
use mainstay_auth::{Call, CookieSession, Counted, Issued, invalid};
use serde::Deserialize;

use super::{
    answer::{self, Answer, Failed},
    form::{Done, Form, Posted},
    request::{Visitor, given},
};
use crate::state::State;

#[derive(Deserialize)]
pub(super) struct SessionBody {
    email: Option<String>,
    password: Option<String>,
}

/// Signs in with an address and a password.
pub(super) async fn open(
    AxumState(state): AxumState<State>,
    visitor: Visitor,
    posted: Posted<SessionBody>,
) -> Answer {
    match posted {
        Posted::Json(body) => {
            let (email, password) = (body.email.as_ref(), body.password.as_ref());
            let session = opened(&state, &visitor, given(email), given(password)).await?;
            let res = answer::ok(&answer::user(&session.account));
            Ok(with_cookie(res, given_cookie(&state, &session)))
        }
        Posted::Form(form) => {
            let opened = opened(&state, &visitor, form.get("email"), form.get("password")).await;
            form.answer(opened.map(|session| {
                let wants_code = session.account.has_second_factor();
                let to = form.factor.as_ref().filter(|_| wants_code).unwrap_or(&form.next);
                Done::at(to.clone()).with_cookie(given_cookie(&state, &session))
            }))
        }
    }
}

async fn opened(
    state: &State,
    visitor: &Visitor,
    email: Option<&str>,
    password: Option<&str>,
) -> Result<CookieSession, Failed> {
    let email = email.ok_or_else(|| invalid("missing email"))?;
    let password = password.ok_or_else(|| invalid("missing password"))?;
    let (identity, call) = (state.identity(), &visitor.call);
    identity.count(Counted::Token, call).await?;
    let presented = visitor.cookie.as_ref();
    Ok(identity.sign_in_with_cookie(email, password, presented, call).await?)
}

/// Signs out: the session of the cookie ends, and the browser forgets it.
pub(super) async fn close(AxumState(state): AxumState<State>, visitor: Visitor) -> Answer {
    closed(&state, &visitor).await?;
    Ok(with_cookie(answer::nothing(), cleared(&state)))
}

/// The same for a page without a script.
pub(super) async fn close_by_form(
    AxumState(state): AxumState<State>,
    visitor: Visitor,
    form: Form,
) -> Answer {
    let closed = closed(&state, &visitor).await;
    form.answer(closed.map(|()| Done::at(form.next.clone()).with_cookie(cleared(&state))))
}

async fn closed(state: &State, visitor: &Visitor) -> Result<(), Failed> {
    if let Some(presented) = &visitor.cookie {
        state.identity().end_cookie(presented, &visitor.call).await?;
    }
    Ok(())
}

/// The header that gives a browser its session.
pub(super) fn given_cookie(state: &State, session: &CookieSession) -> HeaderValue {
    header_value(state.session_cookie().set(&session.id, session.max_age_s))
}

/// The header that takes it away.
pub(super) fn cleared(state: &State) -> HeaderValue {
    header_value(state.session_cookie().clear())
}

/// The header that gives a browser the id its session has from a call on, where the call
/// gave it another.
pub(super) fn rotated(state: &State, call: &Call) -> Option<HeaderValue> {
    let max_age_s = state.identity().settings().session_max_s;
    let id = call.cookie.as_ref()?;
    Some(header_value(state.session_cookie().set(id, max_age_s)))
}

/// The answer to whoever has shown a second factor: tokens, or where a cookie stands for the
/// session another cookie, and no tokens that a script of the page could read.
pub(super) fn raised(state: &State, call: &Call, issued: &Issued) -> Response {
    match rotated(state, call) {
        Some(cookie) => with_cookie(answer::ok(&answer::user(&issued.account)), cookie),
        None => answer::ok(&answer::session(issued)),
    }
}

/// The same answer with a cookie.
pub(super) fn with_cookie(mut res: Response, cookie: HeaderValue) -> Response {
    res.headers_mut().append(header::SET_COOKIE, cookie);
    res
}

fn header_value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("BUG: a cookie is ASCII without controls")
}
