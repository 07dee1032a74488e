//! Ids that are secrets: cookies of sessions, links in mails, codes of flows.
//!
//! An id is 32 random bytes in base64url. Stored is its SHA-256, so that who reads
//! the table can use none of them; a slow hash would add nothing, because nobody
//! guesses 256 bits. A row is found by the hash, which tells by its timing nothing
//! that helps to make an id.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::random::random_bytes;

/// Bytes of an id, and of its hash.
pub const OPAQUE_ID_BYTES: usize = 32;
/// Characters of an id.
const OPAQUE_ID_CHARS: usize = 43;

/// A secret id. Not shown by `Debug`.
#[derive(Clone)]
pub struct OpaqueId(Zeroizing<[u8; OPAQUE_ID_BYTES]>);

impl OpaqueId {
    /// A new one, from the operating system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self(Zeroizing::new(random_bytes()))
    }

    /// Reads the text of an id; `None` for anything that [`OpaqueId::text`] does not
    /// write.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != OPAQUE_ID_CHARS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The id itself: 43 characters that need no escape in a cookie or a URL.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(*self.0)
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> [u8; OPAQUE_ID_BYTES] {
        Sha256::digest(*self.0).into()
    }
}

impl fmt::Debug for OpaqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueId(…)")
    }
}

/// Whether two secrets or their hashes are equal, in time that does not depend on
/// where they differ. Their lengths are no secret.
#[must_use]
pub fn equal_in_constant_time(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_and_its_hash_is_another_text() {
        let id = OpaqueId::generate();
        let again = OpaqueId::parse(&id.text()).unwrap();
        assert_eq!(again.hash(), id.hash());
        assert_eq!(again.text(), id.text());
        assert_ne!(URL_SAFE_NO_PAD.encode(id.hash()), id.text());
        assert_ne!(OpaqueId::generate().hash(), id.hash());
    }

    #[test]
    fn what_is_not_written_so_is_no_id() {
        let text = OpaqueId::generate().text();
        let other_end = format!("{}_", &text[..42]);
        for not in
            ["", &text[1..], &format!("{text}A"), &format!("{text}="), &other_end, &"+".repeat(43)]
        {
            assert!(OpaqueId::parse(not).is_none(), "{not}");
        }
    }

    #[test]
    fn an_id_is_not_in_debug_output() {
        let id = OpaqueId::generate();
        assert_eq!(format!("{id:?}"), "OpaqueId(…)");
    }

    #[test]
    fn equal_means_equal_in_every_byte_and_in_length() {
        assert!(equal_in_constant_time(b"abc", b"abc"));
        for other in [b"abd".as_slice(), b"bbc", b"ab", b"abcd", b""] {
            assert!(!equal_in_constant_time(b"abc", other));
        }
    }
}
