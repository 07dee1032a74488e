//! Codes on paper, for when the second factor is lost.
//!
//! A code has 120 random bits, so that nobody guesses one, a fast hash is enough (OWASP ASVS
//! 5.0, 6.5.2) and no count of attempts has to lock anybody out: it is the way back for a
//! user whom somebody else's guesses at their factor make wait. It is written in Crockford's base32, which a person can copy: case,
//! hyphens and spaces do not count, and the letters that look like digits are read as
//! them. Stored is a tag under a key of the app's, which binds the user.

use std::fmt;

use uuid::Uuid;

use crate::{
    Keyring,
    purpose_keys::{Purpose, PurposeKeys, TAG_BYTES},
    random::random_bytes,
};

/// Codes a user has at a time.
pub(crate) const RECOVERY_CODES: usize = 10;
const RANDOM_BYTES: usize = 15;
/// Characters of a code without its hyphens: five bits each.
const CHARS: usize = RANDOM_BYTES * 8 / 5;
/// Characters between two hyphens.
const GROUP: usize = 4;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Hashes recovery codes, and compares them.
#[derive(Debug)]
pub(crate) struct RecoveryCodes {
    keys: PurposeKeys,
}

/// One code, without hyphens. Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RecoveryCode(String);

impl RecoveryCodes {
    /// Those of the app with these keys.
    pub(crate) fn new(keyring: &Keyring) -> Self {
        Self { keys: keyring.keys_for(Purpose::RecoveryCodes) }
    }

    /// What is stored of a user's code.
    pub(crate) fn hash(&self, user: Uuid, code: &RecoveryCode) -> [u8; TAG_BYTES] {
        self.keys.current().tag(&[user.as_bytes(), code.0.as_bytes()])
    }

    /// Whether this is the code of which `hash` is stored.
    pub(crate) fn verifies(&self, user: Uuid, code: &RecoveryCode, hash: &[u8]) -> bool {
        self.keys.any_verifies(&[user.as_bytes(), code.0.as_bytes()], hash)
    }
}

impl RecoveryCode {
    /// A new one, from the operating system's randomness.
    pub(crate) fn generate() -> Self {
        let bits = random_bytes::<RANDOM_BYTES>()
            .into_iter()
            .fold(0_u128, |bits, byte| bits << 8 | u128::from(byte));
        let character = |place| {
            let five = bits >> (5 * (CHARS - 1 - place)) & 31;
            char::from(ALPHABET[usize::try_from(five).unwrap_or_default()])
        };
        Self((0..CHARS).map(character).collect())
    }

    /// Reads what somebody typed; `None` where it cannot be a code.
    pub(crate) fn parse(typed: &str) -> Option<Self> {
        let mut code = String::with_capacity(CHARS);
        for character in typed.chars().filter(|it| !it.is_ascii_whitespace() && *it != '-') {
            let character = match character.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                other => other,
            };
            if code.len() == CHARS || !ALPHABET.iter().any(|it| char::from(*it) == character) {
                return None;
            }
            code.push(character);
        }
        (code.len() == CHARS).then_some(Self(code))
    }

    /// The code as it is shown, in groups of four.
    pub(crate) fn text(&self) -> String {
        let mut text = String::with_capacity(CHARS + CHARS / GROUP);
        for (place, character) in self.0.chars().enumerate() {
            if place > 0 && place % GROUP == 0 {
                text.push('-');
            }
            text.push(character);
        }
        text
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: Uuid = Uuid::from_u128(1);

    #[test]
    fn a_code_is_read_back_however_it_was_copied() {
        let code = RecoveryCode::generate();
        let text = code.text();
        assert_eq!((text.len(), text.matches('-').count()), (29, 5), "{text}");
        for typed in [&text, &text.to_uppercase(), &text.replace('-', " "), &format!(" {text}\n")] {
            assert_eq!(RecoveryCode::parse(typed), Some(code.clone()), "{typed}");
        }
        assert_ne!(RecoveryCode::generate(), code);
        assert_eq!(
            RecoveryCode::parse("OoIi-Ll00-1111-zzzz-0000-0000"),
            RecoveryCode::parse("0011-1100-1111-ZZZZ-0000-0000"),
        );
    }

    #[test]
    fn what_is_no_code_is_none() {
        let zeros = "0".repeat(CHARS - 1);
        assert!(RecoveryCode::parse(&format!("{zeros}0")).is_some());
        for last in ["", "00", "u", "０", "_", "=", "\0"] {
            assert_eq!(RecoveryCode::parse(&format!("{zeros}{last}")), None, "{last}");
        }
        assert_eq!(RecoveryCode::parse(""), None);
        assert_eq!(RecoveryCode::parse(&"0".repeat(100_000)), None);
    }

    #[test]
    fn a_code_holds_for_its_user_and_its_app_alone() {
        let keyring = Keyring::generate();
        let codes = RecoveryCodes::new(&keyring);
        let code = RecoveryCode::generate();
        let hash = codes.hash(ANA, &code);
        assert!(codes.verifies(ANA, &code, &hash));
        assert!(!codes.verifies(Uuid::from_u128(2), &code, &hash));
        assert!(!codes.verifies(ANA, &RecoveryCode::generate(), &hash));
        assert!(!RecoveryCodes::new(&Keyring::generate()).verifies(ANA, &code, &hash));
        assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
    }
}
