//! What routes of an app's own read of their visitor: axum's extractors.
//!
//! They work in routes that were added with `App::route`, which bring what the extractors
//! ask. Those that write cookies are given back with the answer, before its body.

mod flash;
mod preferences;
mod session_data;

use axum::{
    http::{HeaderValue, StatusCode, request::Parts},
    response::Response,
};
use mainstay_auth::{CookieTransport, find_cookie};
use mainstay_core::Code;

pub use self::{
    flash::{Flash, FlashError},
    preferences::{PreferenceError, Preferences},
    session_data::SessionData,
};
use crate::{middleware::refusal::Refusal, rest::RequestHeaders, state::State};

/// The server's state, which a route of an app's own has in its request's extensions.
fn state_of(parts: &Parts) -> Result<State, Response> {
    parts.extensions.get::<State>().cloned().ok_or_else(|| {
        tracing::error!("an extractor of Mainstay's is used in a route not of `App::route`");
        let message = "the server failed to answer this request";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message).into_response()
    })
}

/// The value of a visitor's cookie, where there is one of the name.
fn cookie_value(parts: &Parts, name: &str) -> Option<String> {
    let cookies = RequestHeaders::read(&parts.headers).cookies()?.into_owned();
    find_cookie(&cookies, name).ok().flatten().map(str::to_owned)
}

/// Who can read a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Scripts,
    Server,
}

/// The header that sets a cookie, or with no seconds takes it away.
fn set_cookie(
    transport: CookieTransport,
    name: &str,
    value: &str,
    max_age_s: u32,
    reader: Reader,
) -> HeaderValue {
    let http_only = if reader == Reader::Server { "; HttpOnly" } else { "" };
    let secure = transport.suffix();
    let text =
        format!("{name}={value}; Path=/; Max-Age={max_age_s}{http_only}; SameSite=Lax{secure}");
    HeaderValue::try_from(text).expect("BUG: a cookie is ASCII without controls")
}
