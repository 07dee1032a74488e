//! What an app keeps in its visitors' browsers, and the cookie of a session.
//!
//! A visitor can write any cookie. A *signed* value can be read by the visitor and by
//! the page's scripts, and changed by neither; a *sealed* one can be read by the app
//! alone. Both are bound to the cookie's name, so that what was written as one is not
//! taken for another. Neither says who the visitor is or when it was written: whoever
//! copies a cookie has it, and an old one is as good as a new one. They are for
//! preferences; who somebody is, says the session.

mod session;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mainstay_core::removal::removed;

pub use self::session::{CookieTransport, SessionCookie, SessionCookieError, find_cookie};
use crate::{
    Keyring,
    purpose_keys::{Purpose, PurposeKeys},
    sealed,
};

/// Bytes of a cookie, its name included, that every browser keeps (RFC 6265 section
/// 6.1, less what attributes need).
pub const COOKIE_BYTES_MAX: usize = 4_000;

/// Signs and seals the values of cookies, and reads them back.
#[derive(Debug)]
pub struct CookieValues {
    signed: PurposeKeys,
    sealed: PurposeKeys,
}

/// A value that this app wrote into this cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieValue {
    /// The value.
    pub text: String,
    /// Whether an older key wrote it: write it anew.
    pub outdated: bool,
}

/// The value is too long for a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cookie is at most {COOKIE_BYTES_MAX} bytes; this one would be {bytes}")]
pub struct CookieTooLong {
    /// Bytes it would be.
    pub bytes: usize,
}

impl CookieValues {
    /// Under the keys of this app.
    #[must_use]
    pub fn new(keyring: &Keyring) -> Self {
        Self {
            signed: keyring.keys_for(Purpose::SignedCookies),
            sealed: keyring.keys_for(Purpose::SealedCookies),
        }
    }

    /// What to write into the cookie `name`: the value, which scripts can read (it is
    /// base64url up to the dot), and a tag.
    ///
    /// # Errors
    /// When it is too long for a cookie.
    pub fn sign(&self, name: &str, value: &str) -> Result<String, CookieTooLong> {
        let tag = self.signed.current().tag(&parts(name, value.as_bytes()));
        let (value, tag) = (URL_SAFE_NO_PAD.encode(value), URL_SAFE_NO_PAD.encode(tag));
        bounded(name, format!("{value}.{tag}"))
    }

    /// The value in the cookie `name`, if this app signed it.
    #[must_use]
    pub fn verified(&self, name: &str, cookie: &str) -> Option<CookieValue> {
        let (value, tag) = cookie.split_once('.').filter(|_| cookie.len() <= COOKIE_BYTES_MAX)?;
        let (value, tag) = (decode(value)?, decode(tag)?);
        let parts = parts(name, &value);
        let current = self.signed.current().verifies(&parts, &tag);
        if !current && !self.signed.any_verifies(&parts, &tag) {
            return None;
        }
        Some(CookieValue { text: String::from_utf8(value).ok()?, outdated: !current })
    }

    /// What to write into the cookie `name`, so that the app alone can read it.
    ///
    /// # Errors
    /// When it is too long for a cookie.
    pub fn seal(&self, name: &str, value: &str) -> Result<String, CookieTooLong> {
        let sealed = sealed::seal(&self.sealed, value.as_bytes(), &parts(name, b""));
        bounded(name, URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The value in the cookie `name`, if this app sealed it.
    #[must_use]
    pub fn opened(&self, name: &str, cookie: &str) -> Option<CookieValue> {
        let sealed = Some(cookie).filter(|it| it.len() <= COOKIE_BYTES_MAX).and_then(decode)?;
        let opened = sealed::open(&self.sealed, &sealed, &parts(name, b"")).ok()?;
        let text = String::from_utf8(opened.secret.to_vec()).ok()?;
        Some(CookieValue { text, outdated: opened.outdated })
    }
}

/// What a tag is made of: the name is in it.
fn parts<'a>(name: &'a str, value: &'a [u8]) -> [&'a [u8]; 2] {
    if removed("cookie-name-in-tag") { [b"", value] } else { [name.as_bytes(), value] }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn bounded(name: &str, value: String) -> Result<String, CookieTooLong> {
    let bytes = name.len() + "=".len() + value.len();
    if bytes > COOKIE_BYTES_MAX { Err(CookieTooLong { bytes }) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use mainstay_core::Timestamp;

    use super::*;

    fn values() -> CookieValues {
        CookieValues::new(&Keyring::generate())
    }

    fn fresh(text: &str) -> Option<CookieValue> {
        Some(CookieValue { text: text.to_owned(), outdated: false })
    }

    #[test]
    fn a_value_is_read_back_as_it_was_written() {
        let values = values();
        for text in ["", "dark", "a=b; c=\"d\", é\r\n\0"] {
            let signed = values.sign("theme", text).unwrap();
            let sealed = values.seal("theme", text).unwrap();
            assert_eq!(values.verified("theme", &signed), fresh(text));
            assert_eq!(values.opened("theme", &sealed), fresh(text));
            for cookie in [&signed, &sealed] {
                let plain =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
                assert!(cookie.bytes().all(plain), "{cookie}");
            }
        }
        let signed = values.sign("theme", "dark").unwrap();
        assert_eq!(decode(signed.split('.').next().unwrap()).unwrap(), b"dark");
        let sealed = values.seal("theme", "a value to look for").unwrap();
        assert!(!String::from_utf8_lossy(&decode(&sealed).unwrap()).contains("value"));
    }

    #[test]
    fn a_value_is_taken_in_its_own_cookie_alone() {
        let values = values();
        let (signed, sealed) =
            (values.sign("plan", "free").unwrap(), values.seal("plan", "free").unwrap());
        for name in ["plans", "pla", "Plan", "", "role"] {
            assert_eq!(values.verified(name, &signed), None, "{name}");
            assert_eq!(values.opened(name, &sealed), None, "{name}");
        }
        assert_eq!(values.opened("plan", &signed), None);
        assert_eq!(values.verified("plan", &sealed), None);
    }

    #[test]
    fn a_visitor_changes_no_character_of_it() {
        let values = values();
        let (signed, sealed) =
            (values.sign("plan", "free").unwrap(), values.seal("plan", "free").unwrap());
        for place in 0..sealed.len().max(signed.len()) {
            for character in ["A", "z", "_", ".", "="] {
                for (cookie, read) in [
                    (&signed, CookieValues::verified as fn(&_, &_, &_) -> _),
                    (&sealed, CookieValues::opened),
                ] {
                    let mut changed = cookie.clone();
                    if place < changed.len() {
                        changed.replace_range(place..=place, character);
                    }
                    let read = read(&values, "plan", &changed);
                    assert!(changed == *cookie || read.is_none(), "{place} {character}");
                }
            }
        }
        for text in ["", ".", "..", "e30.e30", &format!("{signed}.x"), &"A".repeat(5_000)] {
            assert_eq!(values.verified("plan", text), None);
            assert_eq!(values.opened("plan", text), None);
        }
    }

    #[test]
    fn a_value_of_before_a_rotation_is_read_and_said_to_be_old() {
        let old = Keyring::generate();
        let new = old.rotated(Timestamp::from_micros(0).unwrap()).unwrap();
        let (before, after) = (CookieValues::new(&old), CookieValues::new(&new));
        let outdated = Some(CookieValue { text: "dark".to_owned(), outdated: true });
        let (signed, sealed) =
            (before.sign("theme", "dark").unwrap(), before.seal("theme", "dark").unwrap());
        assert_eq!(after.verified("theme", &signed), outdated);
        assert_eq!(after.opened("theme", &sealed), outdated);
        let other = values();
        assert_eq!(other.verified("theme", &signed), None);
        assert_eq!(other.opened("theme", &sealed), None);
    }

    #[test]
    fn what_browsers_would_drop_is_an_error_instead() {
        let values = values();
        let long = "x".repeat(2_900);
        assert!(values.sign("theme", &long).is_ok() && values.seal("theme", &long).is_ok());
        let long = "x".repeat(3_000);
        assert!(values.sign("theme", &long).unwrap_err().bytes > COOKIE_BYTES_MAX);
        assert!(values.seal("theme", &long).is_err());
    }
}
