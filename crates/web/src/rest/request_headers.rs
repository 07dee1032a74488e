//! The headers of a request that say something of its rows, found in one pass.
//!
//! To ask a map for a header is to hash its name; the dialect has a dozen of them, and
//! most requests bring few. Where a header that is one comes twice the first counts.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue};
use mainstay_auth::{Credentials, OpaqueId, SessionCookie};

/// What a request's headers say.
#[derive(Debug, Default)]
pub(crate) struct RequestHeaders<'a> {
    pub(super) accept: Option<&'a HeaderValue>,
    pub(super) accept_profile: Option<&'a HeaderValue>,
    pub(super) content_profile: Option<&'a HeaderValue>,
    pub(super) content_type: Option<&'a HeaderValue>,
    /// In the order they came.
    pub(super) prefer: Vec<&'a HeaderValue>,
    pub(super) range: Option<&'a HeaderValue>,
    apikey: Option<&'a HeaderValue>,
    /// In HTTP/2 there may be several.
    cookies: Vec<&'a HeaderValue>,
    authorization: Option<&'a HeaderValue>,
    origin: Option<&'a HeaderValue>,
}

impl<'a> RequestHeaders<'a> {
    /// Finds them; others are passed over.
    pub(crate) fn read(headers: &'a HeaderMap) -> Self {
        let mut read = Self::default();
        for (name, value) in headers {
            let held = match name.as_str() {
                "accept" => &mut read.accept,
                "accept-profile" => &mut read.accept_profile,
                "apikey" => &mut read.apikey,
                "authorization" => &mut read.authorization,
                "cookie" => {
                    read.cookies.push(value);
                    continue;
                }
                "content-profile" => &mut read.content_profile,
                "content-type" => &mut read.content_type,
                "origin" => &mut read.origin,
                "prefer" => {
                    read.prefer.push(value);
                    continue;
                }
                "range" => &mut read.range,
                _ => continue,
            };
            held.get_or_insert(value);
        }
        read
    }

    /// Those that say whose request it is.
    pub(crate) fn credentials(&self) -> Credentials<'a> {
        Credentials {
            authorization: self.authorization.map(HeaderValue::as_bytes),
            apikey: self.apikey.map(HeaderValue::as_bytes),
            origin: self.origin.map(HeaderValue::as_bytes),
        }
    }
}

impl RequestHeaders<'_> {
    /// The id in the cookie of a session, where there is one and it can be read.
    pub(crate) fn session_id(&self, cookie: SessionCookie) -> Option<OpaqueId> {
        cookie.find(&self.cookies()?).ok().flatten()
    }

    /// Whether there is such a cookie, whatever it holds.
    pub(crate) fn has_cookie(&self, cookie: SessionCookie) -> bool {
        let found = self.cookies().map(|cookies| cookie.find(&cookies));
        found.is_some_and(|found| !matches!(found, Ok(None)))
    }

    /// All cookies, as one header has them (RFC 9113 section 8.2.3).
    pub(crate) fn cookies(&self) -> Option<Cow<'_, [u8]>> {
        match &self.cookies[..] {
            [] => None,
            [one] => Some(one.as_bytes().into()),
            several => {
                let several: Vec<&[u8]> = several.iter().map(|it| it.as_bytes()).collect();
                Some(several.join(&b"; "[..]).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_header_that_comes_twice_the_first_counts_unless_it_is_a_list() {
        let sent = [
            ("accept", "text/csv"),
            ("prefer", "count=exact"),
            ("accept", "*/*"),
            ("apikey", "key"),
            ("prefer", "return=minimal"),
            ("x-other", "other"),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(name, HeaderValue::from_static(value));
        }
        let read = RequestHeaders::read(&headers);
        assert_eq!(read.accept.unwrap(), "text/csv");
        assert_eq!(read.prefer, ["count=exact", "return=minimal"]);
        assert_eq!(read.credentials().apikey, Some(&b"key"[..]));
        assert!(read.range.is_none());
    }
}
