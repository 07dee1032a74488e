//! Small secrets as the database holds them: encrypted, and bound to their place.
//!
//! A TOTP secret has to be read again, so it cannot be hashed; sealed, a copy of the
//! database is of no use without the app's signing key. The seal also binds what the
//! caller says of the place (whose, of which factor), so that a row's bytes moved to
//! another row do not open.
//!
//! The cipher is XChaCha20-Poly1305: its nonces of 24 bytes may be drawn at random
//! for as many messages as there will ever be under one key, where AES-GCM's 12 bytes
//! ask for a counter that several nodes would have to share. Sealed is version, id of
//! the key, nonce, ciphertext with its tag.

use std::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use mainstay_core::removal::removed;
use zeroize::Zeroizing;

use crate::{
    Keyring,
    purpose_keys::{KEY_ID_BYTES, Purpose, PurposeKey, PurposeKeys},
    random::random_bytes,
};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const HEAD_BYTES: usize = 1 + KEY_ID_BYTES;

/// Seals secrets for the database, and opens them.
#[derive(Debug)]
pub struct SealedSecrets {
    keys: PurposeKeys,
}

/// A secret that was sealed. Not shown by `Debug`.
pub struct Opened {
    /// The secret.
    pub secret: Zeroizing<Vec<u8>>,
    /// Whether an older key sealed it: seal it anew, before that key's block goes.
    pub outdated: bool,
}

/// Why sealed bytes do not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The key that sealed them is not in the keyring.
    #[error("the key that sealed this is not among the signing keys; put its block back")]
    KeyGone,
    /// They were changed, or stand in another place than they were sealed for.
    #[error("what is sealed was changed, or belongs elsewhere")]
    Damaged,
}

impl SealedSecrets {
    /// Under the keys of this app.
    #[must_use]
    pub fn new(keyring: &Keyring) -> Self {
        Self { keys: keyring.keys_for(Purpose::StoredSecrets) }
    }

    /// The bytes to store. `place` says where: the same parts open them.
    #[must_use]
    pub fn seal(&self, secret: &[u8], place: &[&[u8]]) -> Vec<u8> {
        seal(&self.keys, secret, place)
    }

    /// The secret in these bytes.
    ///
    /// # Errors
    /// `KeyGone` when the block of the key is not there any more, `Damaged` when the
    /// bytes or their place are not those that were sealed.
    pub fn open(&self, sealed: &[u8], place: &[&[u8]]) -> Result<Opened, OpenError> {
        open(&self.keys, sealed, place)
    }
}

/// Seals with the first of these keys.
pub(crate) fn seal(keys: &PurposeKeys, secret: &[u8], place: &[&[u8]]) -> Vec<u8> {
    let key = keys.current();
    let mut sealed = Vec::with_capacity(HEAD_BYTES + NONCE_BYTES + secret.len() + 16);
    sealed.push(VERSION);
    sealed.extend_from_slice(&key.id());
    let aad = associated(&sealed, place);
    let nonce: [u8; NONCE_BYTES] = random_bytes();
    let encrypted = cipher(key)
        .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: &aad })
        .expect("BUG: a small secret is below the cipher's bound of 256 GiB");
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&encrypted);
    sealed
}

/// Opens with whichever of these keys it was.
pub(crate) fn open(
    keys: &PurposeKeys,
    sealed: &[u8],
    place: &[&[u8]],
) -> Result<Opened, OpenError> {
    let (head, rest) = sealed.split_at_checked(HEAD_BYTES).ok_or(OpenError::Damaged)?;
    let (nonce, encrypted) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::Damaged)?;
    if head[0] != VERSION {
        return Err(OpenError::Damaged);
    }
    let key = keys.find(&head[1..]).ok_or(OpenError::KeyGone)?;
    let aad = associated(head, place);
    let secret = cipher(key)
        .decrypt(&XNonce::from(*nonce), Payload { msg: encrypted, aad: &aad })
        .map_err(|_| OpenError::Damaged)?;
    let outdated = key.id() != keys.current().id();
    Ok(Opened { secret: Zeroizing::new(secret), outdated })
}

fn cipher(key: &PurposeKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.secret().into())
}

/// What the tag covers beside the secret: the head, and each part of the place with
/// its length.
fn associated(head: &[u8], place: &[&[u8]]) -> Vec<u8> {
    let mut associated = head.to_vec();
    if removed("sealed-place") {
        return associated;
    }
    for part in place {
        associated.extend_from_slice(&(part.len() as u64).to_be_bytes());
        associated.extend_from_slice(part);
    }
    associated
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("outdated", &self.outdated).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use mainstay_core::Timestamp;

    use super::*;

    const PLACE: &[&[u8]] = &[b"ana", b"factor 1"];

    fn opened(secrets: &SealedSecrets, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        secrets.open(sealed, PLACE).map(|opened| opened.secret.to_vec())
    }

    #[test]
    fn a_secret_is_opened_as_it_was_sealed_and_looks_different_each_time() {
        let secrets = SealedSecrets::new(&Keyring::generate());
        for secret in [&b""[..], b"x", &[7; 1000]] {
            let sealed = secrets.seal(secret, PLACE);
            assert_eq!(opened(&secrets, &sealed), Ok(secret.to_vec()));
            assert_ne!(sealed, secrets.seal(secret, PLACE));
        }
        let sealed = secrets.seal(b"a secret to look for", PLACE);
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
    }

    #[test]
    fn what_is_sealed_opens_in_its_own_place_alone() {
        let secrets = SealedSecrets::new(&Keyring::generate());
        let sealed = secrets.seal(b"x", PLACE);
        for place in [
            &[b"bob".as_slice(), b"factor 1"][..],
            &[b"ana", b"factor 2"],
            &[b"anaf", b"actor 1"],
            &[b"anafactor 1"],
            &[b"ana"],
            &[],
        ] {
            assert_eq!(secrets.open(&sealed, place).unwrap_err(), OpenError::Damaged, "{place:?}");
        }
    }

    #[test]
    fn no_byte_of_it_can_be_changed_or_left_out() {
        let secrets = SealedSecrets::new(&Keyring::generate());
        let sealed = secrets.seal(b"secret", PLACE);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(opened(&secrets, &changed).is_err(), "{place}");
            assert!(opened(&secrets, &sealed[..place]).is_err(), "{place}");
        }
        assert!(opened(&secrets, &[&sealed[..], b"x"].concat()).is_err());
    }

    #[test]
    fn what_was_sealed_before_a_rotation_opens_and_says_so_while_its_block_is_there() {
        let old = Keyring::generate();
        let new = old.rotated(Timestamp::from_micros(0).unwrap()).unwrap();
        let sealed = SealedSecrets::new(&old).seal(b"x", PLACE);
        let secrets = SealedSecrets::new(&new);
        assert!(secrets.open(&sealed, PLACE).unwrap().outdated);
        let again = secrets.seal(b"x", PLACE);
        assert!(!secrets.open(&again, PLACE).unwrap().outdated);
        let alone = SealedSecrets::new(&Keyring::parse(&new.users().to_pem()).unwrap());
        assert_eq!(opened(&alone, &again), Ok(b"x".to_vec()));
        assert_eq!(opened(&alone, &sealed), Err(OpenError::KeyGone));
    }

    #[test]
    fn a_secret_is_not_in_debug_output() {
        let secrets = SealedSecrets::new(&Keyring::generate());
        let opened = secrets.open(&secrets.seal(b"secret", PLACE), PLACE).unwrap();
        assert_eq!(format!("{opened:?}"), "Opened { outdated: false, .. }");
    }
}
