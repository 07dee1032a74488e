//! What is told a visitor on the next page, once.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
    response::{IntoResponseParts, Response, ResponseParts},
};
use mainstay_auth::CookieTooLong;
use mainstay_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Reader, cookie_value, set_cookie, state_of};
use crate::state::State;

/// Seconds a message waits for the page that shows it.
const WAITS_S: u32 = 300;
const MICROS: i64 = 1_000_000;

/// Messages for a visitor's next page, signed in or not: in a sealed cookie, for five
/// minutes. Returned with the answer, before its body, so that the cookie is written.
#[derive(Debug)]
pub struct Flash {
    state: State,
    waiting: Vec<String>,
    sealed: Option<String>,
    came: bool,
    now: Timestamp,
}

/// The messages cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("the messages for the next page: {0}")]
pub struct FlashError(#[from] CookieTooLong);

#[derive(Serialize, Deserialize)]
struct Waiting {
    until: i64,
    messages: Vec<String>,
}

impl Flash {
    /// The messages that wait. They do no more.
    #[must_use]
    pub fn take(&mut self) -> Vec<String> {
        self.sealed = None;
        std::mem::take(&mut self.waiting)
    }

    /// Tells the visitor this on the next page.
    ///
    /// # Errors
    /// Where all messages that wait would be too long for a cookie; this one does not then.
    pub fn push(&mut self, message: impl Into<String>) -> Result<(), FlashError> {
        let mut messages = self.waiting.clone();
        messages.push(message.into());
        let until = self.now.as_micros() + i64::from(WAITS_S) * MICROS;
        let waiting = Waiting { until, messages };
        let json = serde_json::to_string(&waiting).expect("BUG: texts serialise");
        let values = self.state.identity().cookie_values();
        self.sealed = Some(values.seal(&name(&self.state), &json)?);
        self.waiting = waiting.messages;
        Ok(())
    }
}

fn name(state: &State) -> String {
    format!("{}flash", state.session_cookie().transport().prefix())
}

impl<S: Send + Sync> FromRequestParts<S> for Flash {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let state = state_of(parts)?;
        let (name, now) = (name(&state), state.now());
        let cookie = cookie_value(parts, &name);
        let came = cookie.is_some();
        let opened =
            cookie.and_then(|cookie| state.identity().cookie_values().opened(&name, &cookie));
        let waiting = opened
            .and_then(|opened| serde_json::from_str::<Waiting>(&opened.text).ok())
            .filter(|waiting| waiting.until > now.as_micros())
            .map_or_else(Vec::new, |waiting| waiting.messages);
        Ok(Self { state, waiting, sealed: None, came, now })
    }
}

impl IntoResponseParts for Flash {
    type Error = Infallible;

    fn into_response_parts(self, mut res: ResponseParts) -> Result<ResponseParts, Infallible> {
        let transport = self.state.session_cookie().transport();
        let (value, seconds) = match &self.sealed {
            Some(sealed) => (sealed.as_str(), WAITS_S),
            None if self.came && self.waiting.is_empty() => ("", 0),
            None => return Ok(res),
        };
        let cookie = set_cookie(transport, &name(&self.state), value, seconds, Reader::Server);
        res.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(res)
    }
}
