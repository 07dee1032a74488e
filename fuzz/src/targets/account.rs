//! A request to `/auth/v1`, written like HTTP: `POST token?grant_type=password`, header
//! lines, an empty line, the body. It goes through the router to whatever handler it is
//! for, over a store that has no rows.
//!
//! A bearer token that begins with `{` is claims, as in the target `token`: they are
//! signed, so that what asks for a session is reached as well.

use bytes::Bytes;
use http::{HeaderValue, Request, header};

use super::{head::Head, token::signed};
use crate::{Reached, identity::identity};

/// Sends the request, and says whether the store was asked for anything.
pub fn account(input: &[u8]) -> Reached {
    let Some(sent) = Head::read(input) else { return Reached::Refused };
    let uri = format!("/auth/v1/{}?{}", sent.path, sent.query);
    let Ok(mut req) =
        Request::builder().method(sent.method).uri(uri).body(Bytes::copy_from_slice(sent.body))
    else {
        return Reached::Refused;
    };
    *req.headers_mut() = sent.headers;
    if let Some(bearer) = req.headers().get(header::AUTHORIZATION).and_then(signed_bearer) {
        req.headers_mut().insert(header::AUTHORIZATION, bearer);
    }
    let (res, asked) = identity().answer(req);
    let (status, body) = (res.status(), String::from_utf8_lossy(res.body()));
    assert!(!status.is_server_error(), "answered with {status}: {body}");
    if asked { Reached::Plan } else { Reached::Refused }
}

fn signed_bearer(value: &HeaderValue) -> Option<HeaderValue> {
    let claims = value.as_bytes().strip_prefix(b"Bearer ")?;
    let is_claims = claims.starts_with(b"{");
    let bearer = is_claims.then(|| [b"Bearer ", &*signed(claims)].concat())?;
    HeaderValue::from_bytes(&bearer).ok()
}
