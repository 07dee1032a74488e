//! What every answer tells the browser not to do, errors included.
//!
//! The values are static and written in one pass. A header the router has set is
//! left as it is, so an app can say otherwise for its own pages. An answer that is
//! an HTML page gets a content policy a page can live with; any other may load
//! nothing at all.

use http::{HeaderMap, HeaderName, HeaderValue, header, header::Entry};

/// Headers of every answer.
const ALWAYS: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// The policy of an answer that is data: nothing is loaded, nobody frames it.
const DATA_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// The policy of pages and of what pages are made of: no frames around them, no
/// plug-ins, no `<base>` elsewhere. What a page loads is its author's affair.
pub(crate) const PAGE_POLICY: HeaderValue =
    HeaderValue::from_static("base-uri 'self'; frame-ancestors 'none'; object-src 'none'");

/// A year, as browsers' preload lists want at least.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Writes the headers that are not there yet.
pub(crate) fn apply(headers: &mut HeaderMap, https: bool) {
    headers.reserve(ALWAYS.len() + 3);
    for (name, value) in ALWAYS {
        set(headers, name, value);
    }
    if let Entry::Vacant(_) = headers.entry(header::CONTENT_SECURITY_POLICY) {
        let is_page = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
        let policy = if is_page { PAGE_POLICY } else { DATA_POLICY };
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if https {
        set(headers, header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    if let Entry::Vacant(entry) = headers.entry(name) {
        entry.insert(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_app_has_set_stands() {
        let mut headers = HeaderMap::new();
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        apply(&mut headers, false);
        assert_eq!(headers[header::X_FRAME_OPTIONS], "SAMEORIGIN");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], DATA_POLICY);
    }

    #[test]
    fn a_page_may_load_what_it_is_made_of() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        apply(&mut headers, false);
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], PAGE_POLICY);
    }

    #[test]
    fn https_is_insisted_on_only_where_it_is_configured() {
        let (mut plain, mut secure) = (HeaderMap::new(), HeaderMap::new());
        apply(&mut plain, false);
        apply(&mut secure, true);
        assert!(!plain.contains_key(header::STRICT_TRANSPORT_SECURITY));
        assert_eq!(secure[header::STRICT_TRANSPORT_SECURITY], HSTS);
    }
}
