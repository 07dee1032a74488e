//! Hashes that other systems made: bcrypt, and Django's PBKDF2.
//!
//! They verify, and nothing new is made in their form. bcrypt knows 72 bytes of a
//! password, and systems that cut the rest off let in whoever knows the beginning. Here
//! such a password is wrong. So is one with U+0000, where bcrypt may stop to read, and
//! which at the end makes no difference to PBKDF2's HMAC.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::Hmac;
use mainstay_core::removal::removed;
use sha2::Sha256;

use super::PasswordHashError;
use crate::opaque::equal_in_constant_time;

/// Bytes of a password bcrypt looks at.
const BCRYPT_PASSWORD_BYTES: usize = 72;
const BCRYPT_BYTES: usize = 60;
/// Doublings of bcrypt's work: 2¹⁴ rounds are about a second.
const BCRYPT_COST_MIN: u32 = 4;
const BCRYPT_COST_MAX: u32 = 14;
/// PBKDF2's rounds: a second or two. Django 5.2 makes 1,000,000.
const PBKDF2_ITERATIONS_MAX: u32 = 3_000_000;
const PBKDF2_BYTES: usize = 32;
const PBKDF2_SALT_BYTES_MAX: usize = 128;

/// A hash from elsewhere.
pub(super) enum Imported {
    Bcrypt { text: String },
    Pbkdf2Sha256 { iterations: u32, salt: String, hash: [u8; PBKDF2_BYTES] },
}

impl Imported {
    pub(super) fn parse(text: &str) -> Result<Self, PasswordHashError> {
        match text.split_once('$') {
            Some(("", _)) => bcrypt(text),
            Some(("pbkdf2_sha256", rest)) => pbkdf2(rest),
            _ => Err(PasswordHashError::Unknown),
        }
    }

    /// Whether it was made of this password.
    pub(super) fn holds(&self, password: &str) -> bool {
        if password.contains('\0') {
            return false;
        }
        match self {
            Self::Bcrypt { text } => {
                let bytes = password.as_bytes();
                let whole = bytes.len() <= BCRYPT_PASSWORD_BYTES;
                (whole || removed("bcrypt-truncation"))
                    && bcrypt::verify(bytes, text).unwrap_or(false)
            }
            Self::Pbkdf2Sha256 { iterations, salt, hash } => {
                let mut computed = [0; PBKDF2_BYTES];
                pbkdf2::pbkdf2::<Hmac<Sha256>>(
                    password.as_bytes(),
                    salt.as_bytes(),
                    *iterations,
                    &mut computed,
                )
                .is_ok_and(|()| equal_in_constant_time(&computed, hash))
            }
        }
    }
}

/// `$2b$12$` and 53 characters: two digits of cost, then salt and hash together.
fn bcrypt(text: &str) -> Result<Imported, PasswordHashError> {
    let unknown = PasswordHashError::Unknown;
    let rest = ["$2a$", "$2b$", "$2y$"]
        .iter()
        .find_map(|version| text.strip_prefix(version))
        .filter(|_| text.len() == BCRYPT_BYTES && text.is_ascii())
        .ok_or(unknown)?;
    let (cost, encoded) = rest.split_once('$').ok_or(unknown)?;
    let formed = cost.len() == 2
        && cost.bytes().all(|byte| byte.is_ascii_digit())
        && encoded.bytes().all(|byte| matches!(byte, b'.' | b'/') || byte.is_ascii_alphanumeric());
    if !formed {
        return Err(unknown);
    }
    match cost.parse::<u32>() {
        Ok(cost) if cost > BCRYPT_COST_MAX => Err(PasswordHashError::TooCostly),
        Ok(cost) if cost >= BCRYPT_COST_MIN => Ok(Imported::Bcrypt { text: text.to_owned() }),
        _ => Err(unknown),
    }
}

/// What follows `pbkdf2_sha256$`: iterations, the salt as it is, the hash in base64.
fn pbkdf2(rest: &str) -> Result<Imported, PasswordHashError> {
    let unknown = PasswordHashError::Unknown;
    let mut parts = rest.split('$');
    let (Some(iterations), Some(salt), Some(hash), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(unknown);
    };
    let digits = !iterations.is_empty() && iterations.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || salt.is_empty() || salt.len() > PBKDF2_SALT_BYTES_MAX {
        return Err(unknown);
    }
    let hash = STANDARD.decode(hash).ok().and_then(|hash| hash.try_into().ok()).ok_or(unknown)?;
    match iterations.parse::<u32>() {
        Ok(0) => Err(unknown),
        Ok(iterations) if iterations <= PBKDF2_ITERATIONS_MAX => {
            Ok(Imported::Pbkdf2Sha256 { iterations, salt: salt.to_owned(), hash })
        }
        _ => Err(PasswordHashError::TooCostly),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Outcome, PasswordParams, check_password_hash, verify_password};
    use super::*;

    const PASSWORD: &str = "correct horse battery";
    /// Made with Python's bcrypt.
    const BCRYPT_2A: &str = "$2a$04$XNrIAufLy0IctVjOSVHhQuU9HW6fyVGxP90P/pt8RssH6MuWcfmxe";
    const BCRYPT_2B: &str = "$2b$04$u348vYjJtpLTwdwrfpDc0eniyX7LLPKagZTPIR3z8YEEOm0vHvIsa";
    /// Of 72 times `x`.
    const BCRYPT_LONGEST: &str = "$2b$04$7ns4PGm9N/AMb73RR8LjkuZ8Grhr36BIZr/lzvx0TpFI3UwVVW50O";
    /// Made with Django 5.2.
    const DJANGO: &str =
        "pbkdf2_sha256$1000$SaltSaltSaltSaltSalt22$763D2+EFgDSfE5ZYGzYsuwILECdqMW/Uc15xtmUQx/U=";

    fn verify(password: &str, stored: &str) -> Outcome {
        verify_password(password, stored, PasswordParams::default())
    }

    #[test]
    fn what_other_systems_made_is_right_and_wants_a_new_hash() {
        let php = BCRYPT_2B.replace("$2b$", "$2y$");
        for stored in [BCRYPT_2A, BCRYPT_2B, &php, DJANGO] {
            assert_eq!(check_password_hash(stored), Ok(()), "{stored}");
            assert_eq!(verify(PASSWORD, stored), Outcome::RightButOutdated, "{stored}");
            for wrong in ["", "correct horse batter", "correct horse battery\0"] {
                assert_eq!(verify(wrong, stored), Outcome::Wrong, "{stored}");
            }
        }
    }

    #[test]
    fn a_password_that_bcrypt_would_cut_is_wrong() {
        let longest = "x".repeat(72);
        assert_eq!(verify(&longest, BCRYPT_LONGEST), Outcome::RightButOutdated);
        assert_eq!(verify(&format!("{longest}x"), BCRYPT_LONGEST), Outcome::Wrong);
        assert_eq!(verify(&format!("{longest}and more"), BCRYPT_LONGEST), Outcome::Wrong);
        assert_eq!(verify(&longest[1..], BCRYPT_LONGEST), Outcome::Wrong);
    }

    #[test]
    fn a_cost_that_a_login_should_not_pay_is_refused() {
        let check = |text: String, expected| assert_eq!(check_password_hash(&text), expected);
        let too_costly = Err(PasswordHashError::TooCostly);
        check(BCRYPT_2B.replace("$04$", "$14$"), Ok(()));
        check(BCRYPT_2B.replace("$04$", "$15$"), too_costly);
        check(BCRYPT_2B.replace("$04$", "$31$"), too_costly);
        check(DJANGO.replace("$1000$", "$3000000$"), Ok(()));
        check(DJANGO.replace("$1000$", "$3000001$"), too_costly);
        check(DJANGO.replace("$1000$", "$99999999999999999999$"), too_costly);
    }

    #[test]
    fn what_is_nearly_a_hash_is_none() {
        for text in [
            &BCRYPT_2B[..59],
            &format!("{BCRYPT_2B}."),
            &BCRYPT_2B.replace("$2b$", "$2x$"),
            &BCRYPT_2B.replace("$04$", "$4$0"),
            &BCRYPT_2B.replace("$04$", "$03$"),
            &BCRYPT_2B.replace("$04$", "$+4$"),
            &DJANGO.replace("pbkdf2_sha256", "pbkdf2_sha1"),
            &DJANGO.replace("$1000$", "$0$"),
            &DJANGO.replace("$1000$", "$-1$"),
            &DJANGO.replace("$1000$", "$$"),
            &DJANGO.replace("SaltSaltSaltSaltSalt22", ""),
            &format!("{DJANGO}$"),
            &DJANGO[..DJANGO.len() - 1],
        ] {
            assert_eq!(check_password_hash(text), Err(PasswordHashError::Unknown), "{text}");
            assert_eq!(verify(PASSWORD, text), Outcome::Wrong, "{text}");
        }
    }
}
