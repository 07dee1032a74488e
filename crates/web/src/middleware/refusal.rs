//! An answer that is given before, or instead of, the router's.
//!
//! Its body has the shape of every other error, `{code, message, details, hint}`.
//! It is cheap to make and is never used for what the router itself decides.

use std::borrow::Cow;

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use mainstay_core::Code;
use serde::Serialize;

/// One refused request: the status, and what its body says.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The answer's status.
    pub(crate) status: StatusCode,
    code: Code,
    message: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    retry_after_s: Option<u32>,
    closes: bool,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    details: Option<&'a str>,
    hint: Option<&'a str>,
}

impl Refusal {
    /// A refusal that leaves the connection open.
    pub(crate) fn new(
        status: StatusCode,
        code: Code,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            hint: None,
            retry_after_s: None,
            closes: false,
        }
    }

    /// The same, saying what the caller or the operator can do about it.
    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, after which the connection is closed: what is left of the request
    /// in it is not worth reading.
    pub(crate) fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    /// The same, saying in how many seconds asking again makes sense.
    pub(crate) fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The JSON of the body.
    pub(crate) fn body(&self) -> String {
        let body = ErrorBody {
            code: self.code.as_str(),
            message: &self.message,
            details: None,
            hint: self.hint.as_deref(),
        };
        serde_json::to_string(&body).expect("BUG: four strings serialise")
    }

    /// The whole answer, without what the stack adds to every answer.
    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.closes {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_four_members_of_every_error() {
        let refusal = Refusal::new(StatusCode::NOT_FOUND, Code::PathUnknown, "no \"such\" path")
            .with_hint("look elsewhere");
        assert_eq!(
            refusal.body(),
            r#"{"code":"PGRST125","message":"no \"such\" path","details":null,"hint":"look elsewhere"}"#
        );
    }
}
