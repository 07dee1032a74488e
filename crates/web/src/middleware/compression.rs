//! When an answer is compressed: the caller asks for gzip, and the answer is
//! more than a kilobyte of something that compresses.
//!
//! The work is tower-http's. A request that does not ask never meets it, so the
//! plain path pays for one look at `Accept-Encoding`. Only gzip is offered: every
//! client has it, and brotli and zstd would cost a compiler or a second more of
//! build each.

use axum::Router;
use http::{HeaderMap, Response, header};
use http_body::Body;
use tower_http::{
    CompressionLevel,
    compression::{Compression, Predicate},
};

/// Bytes below which compression does not pay.
const BYTES_MIN: u64 = 1024;

/// The router with compression around it.
pub(crate) type CompressedRouter = Compression<Router, WorthCompressing>;

/// Wraps a router.
pub(crate) fn compressed(router: Router) -> CompressedRouter {
    Compression::new(router).quality(CompressionLevel::Fastest).compress_when(WorthCompressing)
}

/// Whether the caller accepts gzip.
pub(crate) fn is_asked_for(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(accepts_gzip)
}

/// Whether one element of `Accept-Encoding` is gzip with a weight above nothing.
fn accepts_gzip(element: &[u8]) -> bool {
    let mut parts = element.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    if !parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case(b"gzip")) {
        return false;
    }
    let weight = parts.find_map(|part| part.strip_prefix(b"q=").or(part.strip_prefix(b"Q=")));
    weight.is_none_or(|weight| weight.iter().any(|digit| (b'1'..=b'9').contains(digit)))
}

/// More than a kilobyte of something that compresses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorthCompressing;

impl Predicate for WorthCompressing {
    fn should_compress<B: Body>(&self, response: &Response<B>) -> bool {
        let length = response.body().size_hint().exact();
        let large = length.is_none_or(|length| length >= BYTES_MIN);
        large
            && response
                .headers()
                .get(header::CONTENT_TYPE)
                .and_then(|value| value.to_str().ok())
                .is_some_and(is_compressible)
    }
}

/// Whether a media type's content compresses, and is not a stream whose events a
/// compressor would hold back.
fn is_compressible(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.starts_with("text/") {
        return essence != "text/event-stream";
    }
    essence.ends_with("+json")
        || essence.ends_with("+xml")
        || matches!(
            essence,
            "application/json" | "application/javascript" | "application/xml" | "application/wasm"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_asked_for_by_name_and_not_with_weight_zero() {
        for yes in ["gzip", "br, GZIP;q=0.5", "deflate,gzip ; q=1", "gzip;q=0.001"] {
            assert!(yes.as_bytes().split(|byte| *byte == b',').any(accepts_gzip), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.000", "*", "xgzip"] {
            assert!(!no.as_bytes().split(|byte| *byte == b',').any(accepts_gzip), "{no}");
        }
    }

    #[test]
    fn text_compresses_and_pictures_and_event_streams_do_not() {
        for yes in ["application/json; charset=utf-8", "text/csv", "image/svg+xml"] {
            assert!(is_compressible(yes), "{yes}");
        }
        for no in ["image/png", "text/event-stream", "application/octet-stream", ""] {
            assert!(!is_compressible(no), "{no}");
        }
    }
}
