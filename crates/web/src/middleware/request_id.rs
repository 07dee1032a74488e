//! A name for each request, on its answer and in the log.
//!
//! An id is a random prefix of this process and a counter: unique enough to find
//! a line in a log, cheap to make, and not a secret. A proxy that is trusted may
//! send its own; anyone else's is ignored, because whoever chooses ids can make
//! two requests look like one.

use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::{BuildHasher, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

use http::HeaderValue;

/// Bytes of an id that a trusted proxy may choose.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// The header that carries the id, in both directions.
pub(crate) const X_REQUEST_ID: http::HeaderName = http::HeaderName::from_static("x-request-id");

/// The id of one request: at most 64 ASCII letters, digits, `-`, `_` and `.`.
#[derive(Clone, Copy)]
pub struct RequestId {
    length: u8,
    bytes: [u8; REQUEST_ID_BYTES_MAX],
}

impl RequestId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = &self.bytes[..usize::from(self.length)];
        std::str::from_utf8(bytes).expect("BUG: an id is ASCII")
    }

    /// The id a proxy sent, if it has the form of one.
    pub(crate) fn parse(sent: &[u8]) -> Option<Self> {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        if sent.is_empty() || sent.len() > REQUEST_ID_BYTES_MAX || !sent.iter().all(plain) {
            return None;
        }
        let mut bytes = [0; REQUEST_ID_BYTES_MAX];
        bytes[..sent.len()].copy_from_slice(sent);
        Some(Self { length: u8::try_from(sent.len()).ok()?, bytes })
    }

    /// The id as the value of its header.
    pub(crate) fn header_value(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.bytes[..usize::from(self.length)])
            .expect("BUG: an id is a valid header value")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({})", self.as_str())
    }
}

/// Makes ids: one for each process.
#[derive(Debug)]
pub(crate) struct RequestIds {
    /// The id of no request: the prefix is there, the count is not.
    blank: RequestId,
    next: AtomicU64,
}

impl RequestIds {
    /// A source whose prefix differs from other processes'.
    pub(crate) fn new() -> Self {
        // The seed of the standard library's hasher is random for each process, and
        // an id need not be unpredictable.
        let seed = RandomState::new().build_hasher().finish();
        let bytes = seed.to_le_bytes();
        let prefix = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let mut bytes = [0; REQUEST_ID_BYTES_MAX];
        write_hex(u64::from(prefix), &mut bytes[..8]);
        bytes[8] = b'-';
        Self { blank: RequestId { length: 21, bytes }, next: AtomicU64::new(1) }
    }

    /// The next id: `pppppppp-nnnnnnnnnnnn`, hexadecimal.
    pub(crate) fn next(&self) -> RequestId {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let mut id = self.blank;
        write_hex(count, &mut id.bytes[9..21]);
        id
    }
}

/// Fills `out` with the low digits of `value`.
fn write_hex(mut value: u64, out: &mut [u8]) {
    for byte in out.iter_mut().rev() {
        *byte = b"0123456789abcdef"[(value & 0xf) as usize];
        value >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_requests_never_share_an_id() {
        let ids = RequestIds::new();
        let (first, second) = (ids.next(), ids.next());
        assert_eq!(first.as_str().len(), 21);
        assert_ne!(first.as_str(), second.as_str());
        assert_eq!(first.as_str()[..9], second.as_str()[..9]);
        assert!(second.as_str().ends_with("-000000000002"));
    }

    #[test]
    fn an_id_that_could_break_a_log_line_is_not_taken_over() {
        assert_eq!(RequestId::parse(b"7f.A-b_9").expect("plain").as_str(), "7f.A-b_9");
        for sent in [&b""[..], b"two words", b"line\nbreak", b"quote\"", &[b'a'; 65], b"\xff"] {
            assert!(RequestId::parse(sent).is_none(), "{sent:?}");
        }
        assert!(RequestId::parse(&[b'a'; 64]).is_some());
    }
}
