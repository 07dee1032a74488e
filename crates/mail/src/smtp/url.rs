//! The address of an SMTP server, as `[mail] smtp` gives it.

use std::fmt;

use mainstay_core::Secret;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// Where an SMTP server is and how it is spoken to: `smtps://USER:PASSWORD@HOST:PORT`.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    pub(super) encryption: Encryption,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) credentials: Option<(String, Secret)>,
    pub(super) root_file: Option<String>,
}

/// When a conversation is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    Nothing,
    /// From its first byte.
    Tls,
    /// After `STARTTLS`, and a server that does not know it is not spoken to.
    StartTls,
}

/// Why a text is not the address of an SMTP server. It repeats nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpUrlError {
    /// It is no such URL.
    #[error(
        "an address such as `smtps://USER:PASSWORD@HOST`, `smtp+starttls://…` or, without \
         encryption, `smtp://HOST:PORT`"
    )]
    Malformed,
    /// It has a path, or parameters that mean nothing.
    #[error("an address without a path and with no parameter but `sslrootcert=FILE`")]
    Beyond,
    /// It has a user without a password, or the other way.
    #[error("both a user and a password, or neither")]
    HalfCredentials,
    /// It would send a password over a network without encryption.
    #[error(
        "`smtps://` or `smtp+starttls://` where there is a password: `smtp://` would send it \
         unencrypted"
    )]
    OpenPassword,
    /// It names certificates to trust where none is shown.
    #[error("`smtps://` or `smtp+starttls://` with `sslrootcert`: `smtp://` checks no certificate")]
    IdleCertificates,
}

impl SmtpUrl {
    /// Reads an address. Without a port it is 465 for `smtps`, 587 for `smtp+starttls` and
    /// 25 for `smtp`. Letters of user and password that mean something in a URL are written
    /// as `%` and two digits.
    ///
    /// # Errors
    /// What is wanted instead.
    pub fn parse(text: &str) -> Result<Self, SmtpUrlError> {
        let url = Url::parse(text).map_err(|_| SmtpUrlError::Malformed)?;
        let (encryption, port) = match url.scheme() {
            "smtp" => (Encryption::Nothing, 25),
            "smtps" => (Encryption::Tls, 465),
            "smtp+starttls" => (Encryption::StartTls, 587),
            _ => return Err(SmtpUrlError::Malformed),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(SmtpUrlError::Malformed)?;
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(SmtpUrlError::Beyond);
        }
        let mut root_file = None;
        for (name, value) in url.query_pairs() {
            match &*name {
                "sslrootcert" => root_file = Some(value.into_owned()),
                _ => return Err(SmtpUrlError::Beyond),
            }
        }
        let decoded = |text: &str| {
            let decoded = percent_decode_str(text).decode_utf8();
            decoded.map(|text| text.into_owned()).map_err(|_| SmtpUrlError::Malformed)
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) | (_, None) => return Err(SmtpUrlError::HalfCredentials),
            (user, Some(password)) => Some((decoded(user)?, Secret::new(&decoded(password)?))),
        };
        if credentials.is_some() && encryption == Encryption::Nothing && !is_loopback(host) {
            return Err(SmtpUrlError::OpenPassword);
        }
        if root_file.is_some() && encryption == Encryption::Nothing {
            return Err(SmtpUrlError::IdleCertificates);
        }
        let host = host.trim_matches(['[', ']']).to_owned();
        Ok(Self { encryption, host, port: url.port().unwrap_or(port), credentials, root_file })
    }
}

/// Whether a host is this machine, so that nothing said to it goes over a network.
fn is_loopback(host: &str) -> bool {
    match Host::parse(host) {
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Ok(Host::Domain(name)) => name == "localhost",
        Err(_) => false,
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { encryption, host, port, .. } = self;
        write!(f, "SmtpUrl({encryption:?} {host}:{port})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_says_when_a_conversation_is_encrypted() {
        let read = |text: &str| {
            let url = SmtpUrl::parse(text).unwrap();
            (url.encryption, url.host, url.port)
        };
        let host = || "mail.example".to_owned();
        assert_eq!(read("smtp://mail.example"), (Encryption::Nothing, host(), 25));
        assert_eq!(read("smtps://mail.example/"), (Encryption::Tls, host(), 465));
        assert_eq!(read("smtp+starttls://mail.example"), (Encryption::StartTls, host(), 587));
        assert_eq!(read("smtp://[::1]:2525"), (Encryption::Nothing, "::1".into(), 2525));
    }

    #[test]
    fn user_and_password_are_decoded_and_not_shown() {
        let url = SmtpUrl::parse("smtps://a%40b.example:p%3A%2Fs@mail.example").unwrap();
        let (user, password) = url.credentials.as_ref().unwrap();
        assert_eq!((user.as_str(), password.expose()), ("a@b.example", "p:/s"));
        assert_eq!(format!("{url:?}"), "SmtpUrl(Tls mail.example:465)");
        let url = SmtpUrl::parse("smtps://mail.example?sslrootcert=/etc/ca.pem").unwrap();
        assert_eq!(url.root_file.as_deref(), Some("/etc/ca.pem"));
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        for (text, error) in [
            ("", SmtpUrlError::Malformed),
            ("mail.example", SmtpUrlError::Malformed),
            ("mail.example:25", SmtpUrlError::Malformed),
            ("http://mail.example", SmtpUrlError::Malformed),
            ("smtp://", SmtpUrlError::Malformed),
            ("smtp:mail.example", SmtpUrlError::Malformed),
            ("smtp://mail.example:99999", SmtpUrlError::Malformed),
            ("smtp://mail.example/path", SmtpUrlError::Beyond),
            ("smtp://mail.example?tls=required", SmtpUrlError::Beyond),
            ("smtp://mail.example?sslrootcert=/etc/ca.pem", SmtpUrlError::IdleCertificates),
            ("smtps://user@mail.example", SmtpUrlError::HalfCredentials),
            ("smtps://:secret@mail.example", SmtpUrlError::HalfCredentials),
            ("smtp://user:secret@mail.example", SmtpUrlError::OpenPassword),
            ("smtp://user:secret@localhost.example", SmtpUrlError::OpenPassword),
        ] {
            assert_eq!(SmtpUrl::parse(text), Err(error), "{text}");
        }
        for own in ["localhost", "127.0.0.1", "[::1]"] {
            assert!(SmtpUrl::parse(&format!("smtp://user:secret@{own}:2525")).is_ok(), "{own}");
        }
    }
}
