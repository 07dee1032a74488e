//! Codes of six digits that a person reads in a mail and types.
//!
//! A million codes are tried in a moment by who holds their hashes, so a code is
//! stored under HMAC with a key that is not in the database. The tag binds the user,
//! the purpose and the address it was sent to: a code holds for nothing else. Against
//! guessing over the network stands the limit of attempts
//! ([`CODE_ATTEMPTS_MAX`]), which the row counts.

use uuid::Uuid;

use crate::{
    Keyring,
    purpose_keys::{Purpose, PurposeKeys, TAG_BYTES},
    random::random_below,
};

/// Digits of a code.
const CODE_DIGITS: usize = 6;
/// Wrong codes after which the right one does not hold any more.
pub const CODE_ATTEMPTS_MAX: u32 = 5;

/// Hashes one-time codes, and compares them.
#[derive(Debug)]
pub struct OneTimeCodes {
    keys: PurposeKeys,
}

/// What a code was made for, and holds for alone.
#[derive(Clone, Copy, Debug)]
pub struct CodeContext<'a> {
    /// Whose it is.
    pub user: Uuid,
    /// What it confirms.
    pub purpose: &'a str,
    /// The address it was sent to, in lower case.
    pub sent_to: &'a str,
}

/// A new code: six digits, each as likely as any other, zeros in front included.
#[must_use]
pub fn generate_code() -> String {
    format!("{:06}", random_below(1_000_000))
}

impl OneTimeCodes {
    /// Those of the app with these keys.
    #[must_use]
    pub fn new(keyring: &Keyring) -> Self {
        Self { keys: keyring.keys_for(Purpose::OneTimeCodes) }
    }

    /// What is stored of a code: 32 bytes.
    #[must_use]
    pub fn hash(&self, context: CodeContext<'_>, code: &str) -> [u8; TAG_BYTES] {
        self.keys.current().tag(&context.parts(code))
    }

    /// Whether this is the code of which `hash` is stored. Spaces around it, which
    /// come with pasting, do not count.
    #[must_use]
    pub fn verifies(&self, context: CodeContext<'_>, code: &str, hash: &[u8]) -> bool {
        let code = code.trim();
        code.len() == CODE_DIGITS
            && code.bytes().all(|byte| byte.is_ascii_digit())
            && self.keys.any_verifies(&context.parts(code), hash)
    }
}

impl<'a> CodeContext<'a> {
    fn parts(&'a self, code: &'a str) -> [&'a [u8]; 4] {
        [self.user.as_bytes(), self.purpose.as_bytes(), self.sent_to.as_bytes(), code.as_bytes()]
    }
}

#[cfg(test)]
mod tests {
    use mainstay_core::Timestamp;

    use super::*;

    const ANA: CodeContext<'_> =
        CodeContext { user: Uuid::from_u128(1), purpose: "recovery", sent_to: "ana@example.org" };

    #[test]
    fn a_code_is_six_digits() {
        for _ in 0..100 {
            let code = generate_code();
            assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        }
    }

    #[test]
    fn a_code_holds_for_its_user_purpose_and_address_alone() {
        let codes = OneTimeCodes::new(&Keyring::generate());
        let hash = codes.hash(ANA, "012345");
        assert!(codes.verifies(ANA, "012345", &hash));
        assert!(codes.verifies(ANA, " 012345\n", &hash));
        for context in [
            CodeContext { user: Uuid::from_u128(2), ..ANA },
            CodeContext { purpose: "confirmation", ..ANA },
            CodeContext { sent_to: "bob@example.org", ..ANA },
            CodeContext { purpose: "recoveryana", sent_to: "@example.org", ..ANA },
        ] {
            assert!(!codes.verifies(context, "012345", &hash), "{context:?}");
        }
        for code in ["012346", "12345", "0123450", "", "01234５", "+12345", "0 1 2 3 4 5"] {
            assert!(!codes.verifies(ANA, code, &hash), "{code}");
        }
        assert!(!codes.verifies(ANA, "012345", &hash[..31]));
        let elsewhere = OneTimeCodes::new(&Keyring::generate());
        assert!(!elsewhere.verifies(ANA, "012345", &hash));
    }

    #[test]
    fn a_code_sent_before_a_rotation_holds_after_it() {
        let old = Keyring::generate();
        let new = old.rotated(Timestamp::from_micros(0).unwrap()).unwrap();
        let hash = OneTimeCodes::new(&old).hash(ANA, "999999");
        assert!(OneTimeCodes::new(&new).verifies(ANA, "999999", &hash));
    }
}
