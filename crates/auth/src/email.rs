//! Addresses people sign in with.
//!
//! An address is an account's name, so two texts must not be one account by
//! accident: it is ASCII, in which lower case is unambiguous (in Unicode the Kelvin
//! sign becomes `k`, and an address somebody else's). That is what GoTrue takes too.
//! It is held to RFC 5321's lengths and its unquoted form, so that nothing in it means
//! anything to a mail's headers. Messages are GoTrue's.

/// Bytes of an address.
const EMAIL_BYTES_MAX: usize = 255;
/// Bytes before the `@` (RFC 5321 section 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// Bytes of a name between two dots (RFC 1035 section 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Nothing is there.
    #[error("An email address is required")]
    Missing,
    /// It is longer than 255 bytes.
    #[error("An email address is too long")]
    TooLong,
    /// It does not have the form of one.
    #[error("Unable to validate email address: invalid format")]
    Format,
}

/// The address, in lower case: what is stored, hashed and compared. It is not trimmed.
///
/// # Errors
/// When it is empty, too long, or no address.
pub fn parse_email(text: &str) -> Result<String, EmailError> {
    if text.is_empty() {
        return Err(EmailError::Missing);
    }
    if text.len() > EMAIL_BYTES_MAX {
        return Err(EmailError::TooLong);
    }
    match text.split_once('@') {
        Some((local, domain)) if is_local(local) && is_domain(domain) => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err(EmailError::Format),
    }
}

/// RFC 5321's `Dot-string`: runs of RFC 5322's `atext` between single dots.
fn is_local(local: &str) -> bool {
    let atext = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte);
    local.len() <= LOCAL_BYTES_MAX
        && local.split('.').all(|run| !run.is_empty() && run.bytes().all(atext))
}

/// Names of letters, digits and inner hyphens between single dots. One name alone will
/// do: development mails go to `localhost`.
fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_lower_case() {
        for (text, kept) in [
            ("ana@example.org", "ana@example.org"),
            ("Ana.Maria+Blog@Example.ORG", "ana.maria+blog@example.org"),
            ("a@b", "a@b"),
            ("o'neill@sub.example-host.co.uk", "o'neill@sub.example-host.co.uk"),
            ("x@127.0.0.1", "x@127.0.0.1"),
            ("!#$%&'*+/=?^_`{|}~-@example.org", "!#$%&'*+/=?^_`{|}~-@example.org"),
        ] {
            assert_eq!(parse_email(text).as_deref(), Ok(kept));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "ana",
            "@",
            "ana@",
            "@example.org",
            "ana@@example.org",
            "ana@b@example.org",
            " ana@example.org",
            "ana@example.org ",
            "ana @example.org",
            "ana@exam ple.org",
            "ana@example.org\n",
            "ana@example.org\r\nBcc: bob@example.org",
            "ana\0@example.org",
            "ana\t@example.org",
            "\"ana\"@example.org",
            "<ana@example.org>",
            "Ana <ana@example.org>",
            "ana,bob@example.org",
            "ana(x)@example.org",
            ".ana@example.org",
            "ana.@example.org",
            "a..na@example.org",
            "ana@.example.org",
            "ana@example.org.",
            "ana@example..org",
            "ana@-example.org",
            "ana@example-.org",
            "ana@exa_mple.org",
            "ana@[127.0.0.1]",
            "än@example.org",
            "ana@exämple.org",
            // The Kelvin sign and the dotless i, which become k and i in some case.
            "\u{212a}ana@example.org",
            "\u{131}na@example.org",
            "ana@example.org\u{200b}",
        ] {
            assert_eq!(parse_email(text), Err(EmailError::Format), "{text:?}");
        }
        assert_eq!(parse_email(""), Err(EmailError::Missing));
    }

    #[test]
    fn an_address_has_its_lengths_to_the_byte() {
        let label = "d".repeat(63);
        let with = |local: usize, last: usize| {
            format!("{}@{label}.{label}.{}", "l".repeat(local), "d".repeat(last))
        };
        assert!(parse_email(&with(64, 62)).is_ok());
        assert_eq!(with(64, 62).len(), EMAIL_BYTES_MAX);
        assert_eq!(parse_email(&with(64, 63)), Err(EmailError::TooLong));
        assert_eq!(parse_email(&with(65, 1)), Err(EmailError::Format));
        assert_eq!(parse_email(&format!("a@{label}d")), Err(EmailError::Format));
        assert!(parse_email(&format!("a@{label}")).is_ok());
    }
}
