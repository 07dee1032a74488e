//! Which pages of other origins may read our answers (CORS, the Fetch standard).
//!
//! Origins are compared byte by byte with an exact list; there is no `*` and no
//! pattern, because a pattern that lets a stranger's suffix in is the usual hole.
//! Nothing happens where a request has no `Origin`, except that `Vary: Origin`
//! tells caches that another caller would get other headers. Credentials are not
//! allowed: tokens travel in headers, which need no permission of this kind.
//! An origin that is not listed gets its answer without a permission, which its
//! browser then withholds from the page; its preflight is refused.

use axum::{http::request::Parts, response::Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use mainstay_core::Code;

use super::refusal::Refusal;

const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS");
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Content-Range, Preference-Applied, Location, ETag, Retry-After, X-Request-Id",
);
const PREFLIGHT_VARY: HeaderValue = HeaderValue::from_static(
    "origin, access-control-request-method, access-control-request-headers",
);
/// Seconds a browser may remember a permission.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("7200");

/// The origins whose pages may read answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorsPolicy {
    origins: Vec<String>,
    loopback: bool,
}

/// A text that is not an origin.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an origin; it is a scheme, a host and where needed a port, such as `https://app.example.com`"
)]
pub struct OriginError(String);

impl CorsPolicy {
    /// Exactly these origins: `https://app.example.com`, without a path, without the
    /// scheme's own port.
    ///
    /// # Errors
    /// The first text that is not an origin in the form browsers send it.
    pub fn origins<T: AsRef<str>>(
        origins: impl IntoIterator<Item = T>,
    ) -> Result<Self, OriginError> {
        let origins =
            origins.into_iter().map(|text| canonical(text.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { origins, loopback: false })
    }

    /// The same, and pages of this machine on any port besides: for development.
    #[must_use]
    pub fn and_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    fn is_off(&self) -> bool {
        self.origins.is_empty() && !self.loopback
    }

    fn allows(&self, origin: &[u8]) -> bool {
        self.origins.iter().any(|ours| ours.as_bytes() == origin)
            || (self.loopback && is_loopback(origin))
    }
}

/// An origin as browsers write it.
fn canonical(text: &str) -> Result<String, OriginError> {
    let error = || OriginError(text.to_owned());
    let lower = text.to_ascii_lowercase();
    let (scheme, host) = lower.split_once("://").ok_or_else(error)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if !matches!(scheme, "http" | "https") || host.is_empty() || !host.bytes().all(plain) {
        return Err(error());
    }
    let own_port = if scheme == "http" { ":80" } else { ":443" };
    Ok(format!("{scheme}://{}", host.strip_suffix(own_port).unwrap_or(host)))
}

/// `http` or `https`, one of this machine's names for itself, and any port.
fn is_loopback(origin: &[u8]) -> bool {
    let rest = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
    let Some(rest) = rest else { return false };
    [&b"localhost"[..], b"127.0.0.1", b"[::1]"].iter().any(|name| {
        rest.strip_prefix(*name).is_some_and(|port| match port {
            [] => true,
            [b':', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
            _ => false,
        })
    })
}

/// What CORS has to add to one answer.
#[derive(Debug)]
pub(crate) enum CorsVerdict {
    /// CORS is not configured.
    Off,
    /// No origin, or not one of ours.
    Vary,
    /// An origin of ours, whose page may read the answer.
    Allowed(HeaderValue),
}

impl CorsVerdict {
    /// Decides by the request's `Origin`.
    pub(crate) fn of(headers: &HeaderMap, policy: &CorsPolicy) -> Self {
        if policy.is_off() {
            return Self::Off;
        }
        match headers.get(header::ORIGIN) {
            Some(origin) if policy.allows(origin.as_bytes()) => Self::Allowed(origin.clone()),
            _ => Self::Vary,
        }
    }

    /// Writes the permission on an answer.
    pub(crate) fn apply(self, headers: &mut HeaderMap) {
        match self {
            Self::Off => {}
            Self::Vary => {
                headers.append(header::VARY, HeaderValue::from_static("origin"));
            }
            Self::Allowed(origin) => {
                headers.append(header::VARY, HeaderValue::from_static("origin"));
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            }
        }
    }
}

/// The answer to a preflight, where the request is one and CORS is configured.
/// Any other `OPTIONS` is the router's.
pub(crate) fn preflight(parts: &Parts, policy: &CorsPolicy) -> Option<Response> {
    let headers = &parts.headers;
    if parts.method != Method::OPTIONS
        || policy.is_off()
        || !headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    {
        return None;
    }
    let origin = headers.get(header::ORIGIN)?;
    if !policy.allows(origin.as_bytes()) {
        let refusal = Refusal::new(
            StatusCode::FORBIDDEN,
            Code::OriginNotAllowed,
            "pages of this origin may not call this server",
        )
        .with_hint("Origins are allowed by `[server] cors_origins`, each in full.");
        return Some(refusal.into_response());
    }
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let out = response.headers_mut();
    out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    out.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    out.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
    out.insert(header::VARY, PREFLIGHT_VARY);
    // Every header a page may want is allowed: what a header does is decided where it
    // is read, and browsers still keep the forbidden ones from pages.
    if let Some(requested) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        out.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_matches_in_full_or_not_at_all() {
        let policy = CorsPolicy::origins(["https://app.example.com"]).unwrap();
        assert!(policy.allows(b"https://app.example.com"));
        for origin in [
            "https://app.example.com.evil.example",
            "https://evilapp.example.com",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.co",
            "null",
            "",
        ] {
            assert!(!policy.allows(origin.as_bytes()), "{origin}");
        }
    }

    #[test]
    fn loopback_is_this_machines_names_and_nothing_that_begins_like_them() {
        let policy = CorsPolicy::default().and_loopback();
        for origin in ["http://localhost:5173", "http://127.0.0.1", "https://[::1]:8443"] {
            assert!(policy.allows(origin.as_bytes()), "{origin}");
        }
        for origin in [
            "http://localhost.evil.example",
            "http://localhost:80@evil.example",
            "http://localhost:",
            "http://127.0.0.1.evil.example",
            "file://localhost",
            "http://evil.example",
        ] {
            assert!(!policy.allows(origin.as_bytes()), "{origin}");
        }
    }

    #[test]
    fn configured_origins_are_brought_to_the_browsers_form_or_refused() {
        assert_eq!(canonical("HTTPS://App.Example.com:443").unwrap(), "https://app.example.com");
        assert_eq!(canonical("http://localhost:3000").unwrap(), "http://localhost:3000");
        for text in ["*", "https://*.example.com", "https://a.example/", "a.example", "https://"] {
            assert_eq!(CorsPolicy::origins([text]), Err(OriginError(text.to_owned())));
        }
    }
}
