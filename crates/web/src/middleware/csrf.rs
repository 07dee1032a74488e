//! Requests that a page of another site has a visitor's browser send (CSRF).
//!
//! Only what a cookie would authenticate, or what gives a cookie, can be forged: a page
//! cannot set `Authorization`. So these requests alone are asked where they come from:
//! those that bring the cookie of a session and no bearer token, whatever their path, and
//! sign-ins by form, since a visitor whom a stranger signs in to an account of the
//! stranger's tells that account what they type. The verdict is tower-http's `CsrfLayer`'s:
//! by `Sec-Fetch-Site`, else by `Origin` against `Host`; a request with neither is no
//! browser's of the last years, and passes.
//!
//! The layer is asked as a judge, around a service that does nothing, and not hung around
//! the router. There it would refuse a bearer's request from an origin that CORS allows,
//! for it looks at no credential; and requests for rows pass the router by.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::pin,
    task::{Context, Poll, Waker},
};

use axum::{
    http::{Method, Request, Response as HttpResponse, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use mainstay_auth::SessionCookie;
use mainstay_core::{Code, removal::removed};
use tower::{Layer as _, Service as _, service_fn};
use tower_http::csrf::CsrfLayer;

use super::refusal::Refusal;
use crate::{auth, rest::RequestHeaders};

/// What is asked for with GET, as Supabase's clients do, and has a mail sent.
const ACTS_ON_GET: &str = "/auth/v1/reauthenticate";

/// Which requests have to come from this site, and which site that is.
#[derive(Clone, Debug)]
pub struct CsrfPolicy {
    cookie: SessionCookie,
    layer: CsrfLayer,
}

impl CsrfPolicy {
    /// For sessions that this cookie stands for.
    #[must_use]
    pub fn new(cookie: SessionCookie) -> Self {
        Self { cookie, layer: CsrfLayer::new() }
    }

    /// The same where browsers know this server by another address than its `Host`
    /// header's: a proxy in front may write that one anew.
    #[must_use]
    pub fn and_public_url(self, url: &str) -> Self {
        let Ok(url) = url::Url::parse(url) else { return self };
        let origin = url.origin().ascii_serialization();
        match self.layer.clone().add_trusted_origin(origin) {
            Ok(layer) => Self { layer, ..self },
            Err(_) => self,
        }
    }

    /// The answer to a request that another site has sent, where that matters.
    pub(super) fn refusal(&self, parts: &Parts) -> Option<Response> {
        if !acts(parts) || !self.matters(parts) || self.is_ours(parts) {
            return None;
        }
        if removed("csrf") {
            return None;
        }
        let path = parts.uri.path();
        if path.starts_with("/auth/v1/") {
            return Some(auth::cross_site().into_response());
        }
        let message = "another site has sent this request with its visitor's cookie";
        let refusal = Refusal::new(StatusCode::FORBIDDEN, Code::OriginNotAllowed, message);
        let hint = "Pages of other origins send `Authorization: Bearer` and no cookie.";
        Some(refusal.with_hint(hint).into_response())
    }

    /// Whether a cookie authenticates it, or is given for it.
    fn matters(&self, parts: &Parts) -> bool {
        if gives_a_cookie(parts) {
            return true;
        }
        let read = RequestHeaders::read(&parts.headers);
        read.has_cookie(self.cookie) && !read.credentials().has_bearer()
    }

    /// Whether a page of this site has sent it, or none at all.
    fn is_ours(&self, parts: &Parts) -> bool {
        let mut req = Request::new(());
        // Of one that acts the layer takes no method's word that it does not.
        *req.method_mut() = Method::POST;
        *req.uri_mut() = parts.uri.clone();
        for name in ["host", "origin", "sec-fetch-site"] {
            if let Some(value) = parts.headers.get(name) {
                req.headers_mut().insert(name, value.clone());
            }
        }
        let refused = |_| {
            let mut res = HttpResponse::new(());
            *res.status_mut() = StatusCode::FORBIDDEN;
            res
        };
        let judge = self.layer.clone().with_rejection_response(refused);
        let mut judge = judge.layer(service_fn(pass));
        let verdict = pin!(judge.call(req));
        match verdict.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(res)) => res.status() == StatusCode::OK,
            Poll::Ready(Err(never)) => match never {},
            Poll::Pending => unreachable!("BUG: neither the layer nor its service waits"),
        }
    }
}

fn pass(_: Request<()>) -> Ready<Result<HttpResponse<()>, Infallible>> {
    ready(Ok(HttpResponse::new(())))
}

/// Whether it does something, by its method or in spite of it.
fn acts(parts: &Parts) -> bool {
    !parts.method.is_safe() || parts.uri.path() == ACTS_ON_GET
}

/// Whether it is answered with the cookie of a session, or takes it away: the routes of
/// cookie sessions, and whatever a form sends to the API of accounts.
fn gives_a_cookie(parts: &Parts) -> bool {
    let Some(path) = parts.uri.path().strip_prefix("/auth/v1/") else { return false };
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    let is_form = content_type.is_some_and(|it| is_form(it.as_bytes()));
    is_form || path == "session" || path.starts_with("session/")
}

/// Whether a body of this type is a form's.
pub(crate) fn is_form(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use mainstay_auth::CookieTransport;

    use super::*;

    const COOKIE: (&str, &str) = ("cookie", "a=b; __Host-session=x");
    const CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=UTF-8");

    fn passes(method: Method, path: &str, headers: &[(&str, &str)]) -> bool {
        let mut req = Request::builder().method(method).uri(path).header("host", "blog.test");
        for (name, value) in headers {
            req = req.header(*name, *value);
        }
        let (parts, ()) = req.body(()).unwrap().into_parts();
        let policy = CsrfPolicy::new(SessionCookie::new(CookieTransport::Tls));
        policy.and_public_url("https://public.test/x").refusal(&parts).is_none()
    }

    #[test]
    fn what_a_cookie_authenticates_comes_from_this_site() {
        let rows = "/rest/v1/posts";
        assert!(!passes(Method::POST, rows, &[COOKIE, CROSS]));
        assert!(!passes(Method::DELETE, rows, &[COOKIE, ("sec-fetch-site", "same-site")]));
        assert!(!passes(Method::PATCH, rows, &[COOKIE, ("origin", "https://evil.test")]));
        assert!(!passes(Method::POST, rows, &[COOKIE, ("origin", "null")]));
        assert!(!passes(Method::POST, rows, &[COOKIE, ("origin", "http://blog.test:81")]));
        assert!(!passes(Method::POST, rows, &[COOKIE, CROSS, ("authorization", "Basic eA==")]));
        assert!(passes(Method::POST, rows, &[COOKIE, ("sec-fetch-site", "same-origin")]));
        assert!(passes(Method::POST, rows, &[COOKIE, ("origin", "https://blog.test")]));
        assert!(passes(Method::POST, rows, &[COOKIE, ("origin", "https://public.test")]));
        assert!(passes(Method::GET, rows, &[COOKIE, CROSS]));
    }

    #[test]
    fn what_no_cookie_authenticates_may_come_from_anywhere() {
        let rows = "/rest/v1/posts";
        assert!(passes(Method::POST, rows, &[CROSS]));
        assert!(passes(Method::POST, rows, &[COOKIE, CROSS, ("authorization", "Bearer x")]));
        assert!(passes(Method::POST, rows, &[CROSS, ("cookie", "theme=dark; session=x")]));
        assert!(passes(Method::POST, "/auth/v1/token", &[CROSS]));
        assert!(passes(Method::POST, "/auth/v1/signup", &[("origin", "https://other.test")]));
    }

    #[test]
    fn a_form_that_signs_somebody_in_comes_from_this_site() {
        for path in ["session", "session/end"] {
            assert!(!passes(Method::POST, &format!("/auth/v1/{path}"), &[CROSS]), "{path}");
        }
        for path in ["signup", "verify", "recover", "user"] {
            assert!(!passes(Method::POST, &format!("/auth/v1/{path}"), &[CROSS, FORM]), "{path}");
        }
        assert!(passes(Method::POST, "/rest/v1/posts", &[CROSS, FORM]));
    }

    #[test]
    fn what_says_nothing_of_where_it_comes_from_passes() {
        assert!(passes(Method::POST, "/auth/v1/session", &[COOKIE]));
    }
}
