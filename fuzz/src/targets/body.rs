//! A body with the head it needs, written like HTTP: `POST items?columns=sku`, header
//! lines, an empty line, the body.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mainstay_web::fuzz::Sent;

use crate::{Reached, app::app};

/// Plans the write for every caller.
pub fn body(input: &[u8]) -> Reached {
    let Some(sent) = Head::read(input) else { return Reached::Refused };
    app().write(&Sent {
        method: sent.method,
        model: sent.model,
        query: sent.query,
        headers: &sent.headers,
        body: sent.body,
    })
}

struct Head<'a> {
    method: Method,
    model: &'a str,
    query: &'a str,
    headers: HeaderMap,
    body: &'a [u8],
}

impl<'a> Head<'a> {
    fn read(input: &'a [u8]) -> Option<Self> {
        let (first, mut rest) = line(input)?;
        let (method, address) = std::str::from_utf8(first).ok()?.split_once(' ')?;
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        let (model, query) = address.split_once('?').unwrap_or((address, ""));
        let mut headers = HeaderMap::new();
        loop {
            let (header, after) = line(rest)?;
            rest = after;
            if header.is_empty() {
                return Some(Self { method, model, query, headers, body: rest });
            }
            let colon = header.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(&header[..colon]).ok()?;
            let value = HeaderValue::from_bytes(header[colon + 1..].trim_ascii()).ok()?;
            headers.try_append(name, value).ok()?;
        }
    }
}

/// The first line and what comes after it.
fn line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    Some((&text[..end], &text[end + 1..]))
}
