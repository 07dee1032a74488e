//! Addresses: whom mails go to and whom they come from.

use std::{fmt, str::FromStr as _};

use lettre::{Address, message::Mailbox};

/// Bytes of an address: what RFC 5321, section 4.5.3.1.3, leaves of a path of 256 octets.
const ADDRESS_BYTES_MAX: usize = 254;

/// Whether a text is the address of one mailbox, such as `ada@example.com`, and nothing
/// else: no name, no comment, no control character, no space.
#[must_use]
pub fn is_address(text: &str) -> bool {
    address(text).is_some()
}

/// The address that a text is.
pub(crate) fn address(text: &str) -> Option<Address> {
    let plain = text.len() <= ADDRESS_BYTES_MAX
        && !text.chars().any(|letter| letter.is_control() || letter.is_whitespace());
    if plain { Address::from_str(text).ok() } else { None }
}

/// Whom mails come from: an address, and a name where one is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromAddress(Mailbox);

impl FromAddress {
    /// Reads `ada@example.com` or `Ada Lovelace <ada@example.com>`; none where the text is
    /// neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.chars().any(char::is_control) {
            return None;
        }
        let (name, own) = match text.trim().strip_suffix('>').map(|rest| rest.split_once('<')) {
            Some(Some((name, own))) => (name.trim().trim_matches('"'), own),
            Some(None) => return None,
            None => ("", text.trim()),
        };
        let name = (!name.is_empty()).then(|| name.to_owned());
        Some(Self(Mailbox::new(name, address(own)?)))
    }

    /// The domain of the address.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.email.domain()
    }

    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.0
    }
}

impl fmt::Display for FromAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_mailbox_and_nothing_else() {
        let long = format!("{}@example.com", "a".repeat(64));
        for good in ["ada@example.com", "a+b@x.example", "ädä@bücher.example", &long] {
            assert!(is_address(good), "{good}");
        }
        let too_long = format!("a@{}.example", "b".repeat(250));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example.com\r\nBcc: all@example.com",
            "a@b.c, d@e.f",
            "Ada <ada@example.com>",
            "ada @example.com",
            "\"a b\"@example.com",
            "a@b@c.example",
            &too_long,
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn whom_mails_come_from_may_have_a_name() {
        let read = |text: &str| FromAddress::parse(text).map(|from| from.to_string());
        assert_eq!(read("no-reply@blog.example").as_deref(), Some("no-reply@blog.example"));
        assert_eq!(read(" My Blog <a@b.example>").as_deref(), Some("My Blog <a@b.example>"));
        assert_eq!(read("\"A, B\" <a@b.example>").as_deref(), Some("\"A, B\" <a@b.example>"));
        for bad in ["", "Blog", "Blog <>", "a@b.example>", "Blog <a@b.example> x", "a\n<a@b.c>"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
