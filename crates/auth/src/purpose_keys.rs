//! Secret keys for one purpose each, derived from the app's signing keys.
//!
//! HKDF (RFC 5869) gives every purpose a key of its own, so that a tag made for one
//! never holds for another, and there is still one secret to keep. Each block of the
//! keyring gives one key: the first makes what is new, and the others still accept
//! what was made before a rotation, for as long as their block is there.
//!
//! A key has an id of four bytes, derived like the key and no secret, by which what
//! is sealed finds it again. Nothing here is ever printed.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::SigningKey;

/// Bytes of a key's id.
pub(crate) const KEY_ID_BYTES: usize = 4;
/// Bytes of a tag.
pub(crate) const TAG_BYTES: usize = 32;

/// What keys are derived for. Changing a letter of a purpose's text voids all that
/// was made under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    RefreshTokens,
    OneTimeCodes,
    RecoveryCodes,
    StoredSecrets,
    SignedCookies,
    SealedCookies,
}

impl Purpose {
    fn text(self) -> &'static str {
        match self {
            Self::RefreshTokens => "mainstay refresh tokens v1",
            Self::OneTimeCodes => "mainstay one-time codes v1",
            Self::RecoveryCodes => "mainstay recovery codes v1",
            Self::StoredSecrets => "mainstay stored secrets v1",
            Self::SignedCookies => "mainstay signed cookies v1",
            Self::SealedCookies => "mainstay sealed cookies v1",
        }
    }
}

/// The keys for one purpose, the one in use first.
pub(crate) struct PurposeKeys {
    purpose: Purpose,
    keys: Vec<PurposeKey>,
}

/// One key for one purpose.
pub(crate) struct PurposeKey {
    id: [u8; KEY_ID_BYTES],
    secret: Zeroizing<[u8; 32]>,
}

impl PurposeKeys {
    /// The keys that follow from these, which are in order and at least one.
    pub(crate) fn derived<'a>(
        purpose: Purpose,
        signing_keys: impl Iterator<Item = &'a SigningKey>,
    ) -> Self {
        let keys = signing_keys.map(|key| PurposeKey::derived(purpose, key)).collect();
        Self { purpose, keys }
    }

    /// The key that makes what is new.
    pub(crate) fn current(&self) -> &PurposeKey {
        self.keys.first().expect("BUG: a keyring has a key that signs")
    }

    /// The key with this id, if its block is still there.
    pub(crate) fn find(&self, id: &[u8]) -> Option<&PurposeKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// Whether any of the keys made this tag of these parts.
    pub(crate) fn any_verifies(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.keys.iter().any(|key| key.verifies(parts, tag))
    }
}

impl PurposeKey {
    fn derived(purpose: Purpose, key: &SigningKey) -> Self {
        let secret = key.derived_bytes(&[purpose.text().as_bytes()]);
        let named = key.derived_bytes(&[purpose.text().as_bytes(), b" id"]);
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&named[..KEY_ID_BYTES]);
        Self { id, secret }
    }

    pub(crate) fn id(&self) -> [u8; KEY_ID_BYTES] {
        self.id
    }

    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// The HMAC-SHA256 of the parts, each told apart from its neighbours.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> [u8; TAG_BYTES] {
        self.mac(parts).finalize().into_bytes().into()
    }

    /// Whether this key made this tag of these parts, in time that does not depend
    /// on where they differ.
    pub(crate) fn verifies(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.mac(parts).verify_slice(tag).is_ok()
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.secret)
            .expect("BUG: HMAC takes a key of any length");
        for part in parts {
            // Otherwise ("ab", "c") and ("a", "bc") would have one tag.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for PurposeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PurposeKeys")
            .field("purpose", &self.purpose)
            .field("keys", &self.keys.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSES: [Purpose; 6] = [
        Purpose::RefreshTokens,
        Purpose::OneTimeCodes,
        Purpose::RecoveryCodes,
        Purpose::StoredSecrets,
        Purpose::SignedCookies,
        Purpose::SealedCookies,
    ];

    #[test]
    fn a_tag_holds_for_its_purpose_and_its_parts_alone() {
        let key = SigningKey::generate();
        let of = |purpose| PurposeKeys::derived(purpose, [&key].into_iter());
        for made in PURPOSES {
            let tag = of(made).current().tag(&[b"ab", b"c"]);
            for asked in PURPOSES {
                assert_eq!(of(asked).any_verifies(&[b"ab", b"c"], &tag), made == asked);
                assert_eq!(of(asked).find(&of(made).current().id()).is_some(), made == asked);
            }
            for parts in [&[b"a".as_slice(), b"bc"][..], &[b"abc"], &[b"ab", b"c", b""], &[]] {
                assert!(!of(made).any_verifies(parts, &tag), "{parts:?}");
            }
            assert!(!of(made).any_verifies(&[b"ab", b"c"], &tag[..31]));
            assert!(!of(made).any_verifies(&[b"ab", b"c"], b""));
        }
    }

    #[test]
    fn what_an_older_key_made_is_accepted_and_what_is_new_is_made_by_the_first() {
        let (old, new) = (SigningKey::generate(), SigningKey::generate());
        let before = PurposeKeys::derived(Purpose::OneTimeCodes, [&old].into_iter());
        let after = PurposeKeys::derived(Purpose::OneTimeCodes, [&new, &old].into_iter());
        let tag = before.current().tag(&[b"x"]);
        assert!(after.any_verifies(&[b"x"], &tag));
        assert!(!before.any_verifies(&[b"x"], &after.current().tag(&[b"x"])));
        assert_ne!(after.current().id(), before.current().id());
        assert!(after.find(&before.current().id()).is_some());
    }

    #[test]
    fn nothing_secret_is_in_debug_output() {
        let key = SigningKey::generate();
        let keys = PurposeKeys::derived(Purpose::StoredSecrets, [&key].into_iter());
        assert_eq!(format!("{keys:?}"), "PurposeKeys { purpose: StoredSecrets, keys: 1 }");
    }
}
