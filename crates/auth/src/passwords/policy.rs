//! Which passwords may be chosen.
//!
//! Length decides, and whether everyone else has it too (NIST SP 800-63B section
//! 5.1.1.2, OWASP ASVS 5.0 section 6.2): 8 to 256 characters, and none of the 3,000
//! commonest of that length, in whatever case. Nothing is asked of which characters
//! it is made of, and it is neither trimmed nor normalised: it is the text that was
//! typed. Codes and messages are GoTrue's, because apps match on them.

use std::{collections::HashSet, sync::LazyLock};

use mainstay_core::removal::removed;

/// Characters a password has at least.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Characters a password has at most. Hashing does not get slower with them; the
/// bound is there so that nobody sends a book.
pub const PASSWORD_CHARS_MAX: usize = 256;

/// What is refused whatever its length; see the file's head for where it is from.
const COMMON: &str = include_str!("common.txt");

static COMMON_PASSWORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| COMMON.lines().filter(|line| !line.starts_with('#')).collect());

/// Why a password cannot be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordRefusal {
    /// `validation_failed`: it is longer than can be.
    TooLong,
    /// `weak_password`, for these reasons, at least one.
    Weak(Vec<WeakReason>),
}

/// Why a password is weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeakReason {
    /// It is too short.
    Length,
    /// Everyone has it.
    Common,
}

/// Whether this password may be chosen.
///
/// # Errors
/// Why it may not.
pub fn check_password(password: &str) -> Result<(), PasswordRefusal> {
    let chars = password.chars().count();
    if chars > PASSWORD_CHARS_MAX {
        return Err(PasswordRefusal::TooLong);
    }
    let mut reasons = Vec::new();
    if chars < PASSWORD_CHARS_MIN && !removed("password-length") {
        reasons.push(WeakReason::Length);
    }
    if COMMON_PASSWORDS.contains(password.to_lowercase().as_str()) && !removed("common-passwords") {
        reasons.push(WeakReason::Common);
    }
    if reasons.is_empty() { Ok(()) } else { Err(PasswordRefusal::Weak(reasons)) }
}

impl PasswordRefusal {
    /// What to tell the caller.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::TooLong => {
                format!("Password cannot be longer than {PASSWORD_CHARS_MAX} characters")
            }
            Self::Weak(reasons) => {
                reasons.iter().map(|reason| reason.message()).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

impl WeakReason {
    /// Its name in `weak_password.reasons`: `length` or `pwned`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Common => "pwned",
        }
    }

    fn message(self) -> String {
        match self {
            Self::Length => {
                format!("Password should be at least {PASSWORD_CHARS_MIN} characters.")
            }
            Self::Common => "Password is known to be weak and easy to guess, please choose a \
                             different one."
                .to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weak(reason: WeakReason) -> Result<(), PasswordRefusal> {
        Err(PasswordRefusal::Weak(vec![reason]))
    }

    #[test]
    fn a_password_has_eight_to_two_hundred_and_fifty_six_characters_of_any_kind() {
        assert_eq!(check_password(""), weak(WeakReason::Length));
        assert_eq!(check_password("k7#qZw1"), weak(WeakReason::Length));
        assert_eq!(check_password("k7#qZw1!"), Ok(()));
        assert_eq!(check_password("äöüß€→✓𝄞"), Ok(()), "characters, not bytes");
        assert_eq!(check_password("äöüß€→✓"), weak(WeakReason::Length));
        assert_eq!(check_password("only lower case and spaces"), Ok(()));
        assert_eq!(check_password(&"é".repeat(256)), Ok(()));
        assert_eq!(check_password(&"é".repeat(257)), Err(PasswordRefusal::TooLong));
    }

    #[test]
    fn a_password_that_everyone_has_is_refused_in_whatever_case() {
        for common in ["password", "PassWord", "12345678", "QWERTYUIOP", "trustno1", "greyhoun"] {
            assert_eq!(check_password(common), weak(WeakReason::Common), "{common}");
        }
        assert_eq!(check_password("password and more"), Ok(()));
    }

    #[test]
    fn the_list_holds_three_thousand_that_the_length_allows() {
        assert_eq!(COMMON_PASSWORDS.len(), 3000);
        for common in COMMON_PASSWORDS.iter() {
            assert!(common.chars().count() >= PASSWORD_CHARS_MIN, "{common}");
            assert_eq!(**common, common.to_lowercase());
        }
    }

    #[test]
    fn the_messages_are_what_apps_match_on() {
        let message = |password: &str| check_password(password).unwrap_err().message();
        assert_eq!(message("short"), "Password should be at least 8 characters.");
        assert_eq!(
            message("password"),
            "Password is known to be weak and easy to guess, please choose a different one."
        );
        assert_eq!(message(&"x".repeat(257)), "Password cannot be longer than 256 characters");
        assert_eq!((WeakReason::Length.name(), WeakReason::Common.name()), ("length", "pwned"));
    }
}
