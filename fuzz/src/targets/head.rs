//! A request as it is written in an input: like HTTP, with an address that begins where a
//! target's paths do.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// What an input says.
pub(crate) struct Head<'a> {
    pub(crate) method: Method,
    /// What stands before the question mark.
    pub(crate) path: &'a str,
    /// What stands after it.
    pub(crate) query: &'a str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: &'a [u8],
}

impl<'a> Head<'a> {
    pub(crate) fn read(input: &'a [u8]) -> Option<Self> {
        let (first, mut rest) = line(input)?;
        let (method, address) = std::str::from_utf8(first).ok()?.split_once(' ')?;
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let mut headers = HeaderMap::new();
        loop {
            let (header, after) = line(rest)?;
            rest = after;
            if header.is_empty() {
                return Some(Self { method, path, query, headers, body: rest });
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
