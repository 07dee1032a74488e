//! Types of settings that are written as one text: addresses, origins, networks,
//! secrets and fixed words.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

/// A type whose values are written as one text.
pub(crate) trait Word: Sized {
    /// Reads the text, or says what is wanted.
    fn read_word(text: &str) -> Result<Self, String>;
    /// The text.
    fn word(&self) -> String;
}

impl Word for String {
    fn read_word(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err("a text that is not empty".to_owned());
        }
        Ok(text.to_owned())
    }

    fn word(&self) -> String {
        self.clone()
    }
}

impl Word for SocketAddr {
    fn read_word(text: &str) -> Result<Self, String> {
        let text = text
            .strip_prefix("localhost:")
            .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
        text.parse()
            .map_err(|_| "an IP address and a port, such as `127.0.0.1:8000` or `[::]:8000`".into())
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

/// A text that is never printed by `Debug`: a key, or a URL that may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// A secret text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text itself; for the one place that needs it, never for a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Word for Secret {
    fn read_word(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            Err("a text that is not empty".into())
        } else {
            Ok(Self::new(text))
        }
    }

    fn word(&self) -> String {
        self.0.clone().into()
    }
}

/// A web origin as a browser sends it: scheme, host and port, and nothing after.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebOrigin(Box<str>);

impl WebOrigin {
    /// The origin, in lower case, as it compares with the header `Origin`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Word for WebOrigin {
    fn read_word(text: &str) -> Result<Self, String> {
        let wanted = || {
            "an origin such as `https://app.example.com`: scheme, host and port, no path and no `*`"
                .to_owned()
        };
        let lower = text.to_ascii_lowercase();
        let (scheme, host) = lower.split_once("://").ok_or_else(wanted)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        let has_scheme = !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !has_scheme || host.is_empty() || !host.bytes().all(allowed) {
            return Err(wanted());
        }
        Ok(Self(lower.into()))
    }

    fn word(&self) -> String {
        self.0.clone().into()
    }
}

/// Whom mails come from: `no-reply@example.com`, or with a name before it,
/// `Blog <no-reply@example.com>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MailSender(Box<str>);

impl MailSender {
    /// Name and address, as they were written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Word for MailSender {
    fn read_word(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let address = match text.strip_suffix('>').and_then(|rest| rest.split_once('<')) {
            Some((_, address)) => address,
            None => text,
        };
        let is_part = |part: &str| {
            let allowed =
                |letter: char| letter.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter);
            !part.is_empty()
                && part.split('.').all(|label| !label.is_empty())
                && part.chars().all(allowed)
        };
        match address.split_once('@') {
            Some((local, domain))
                if is_part(local) && is_part(domain) && !text.chars().any(char::is_control) =>
            {
                Ok(Self(text.into()))
            }
            _ => Err("an address such as `no-reply@example.com` or `Blog <no-reply@example.com>`"
                .to_owned()),
        }
    }

    fn word(&self) -> String {
        self.0.clone().into()
    }
}

/// An address, or all that share its leading bits: `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// Whether an address is one of the network's. An IPv4 address written as an
    /// IPv6 one is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.prefix_bits);
                (own.to_bits() ^ other.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.prefix_bits);
                (own.to_bits() ^ other.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl Word for Network {
    fn read_word(text: &str) -> Result<Self, String> {
        let wanted = || "an IP address or a network, such as `10.0.0.1` or `10.0.0.0/8`".to_owned();
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wanted())?)),
            None => (text, None),
        };
        let address = address.parse::<IpAddr>().map_err(|_| wanted())?.to_canonical();
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = bits.unwrap_or(bits_max);
        if prefix_bits > bits_max { Err(wanted()) } else { Ok(Self { address, prefix_bits }) }
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

/// Declares an enum whose values are written as words.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[doc = $doc])+ $variant,)+ }

        impl $name {
            /// The word it is written as.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl $crate::app::words::Word for $name {
            fn read_word(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => {
                        Err($crate::names::either(&[$($word),+]))
                    }
                }
            }

            fn word(&self) -> String {
                self.as_str().to_owned()
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str, address: &str) -> bool {
        let network = Network::read_word(text).expect("a network");
        network.contains(address.parse().expect("an address"))
    }

    #[test]
    fn a_network_holds_the_addresses_that_share_its_leading_bits() {
        assert!(network("10.0.0.0/8", "10.255.0.1"));
        assert!(!network("10.0.0.0/8", "11.0.0.1"));
        assert!(network("127.0.0.1", "127.0.0.1"));
        assert!(network("127.0.0.1", "::ffff:127.0.0.1"));
        assert!(!network("127.0.0.1", "127.0.0.2"));
        assert!(network("0.0.0.0/0", "8.8.8.8"));
        assert!(!network("0.0.0.0/0", "::1"));
        assert!(network("fd00::/8", "fdff::1"));
        assert!(!network("fd00::/8", "fe80::1"));
        for text in ["10.0.0.0/33", "10.0.0/8", "", "::1/129", "10.0.0.0/x", "10.0.0.0/-1"] {
            assert!(Network::read_word(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_origin_is_exact() {
        let read = |text| WebOrigin::read_word(text).ok().map(|origin| origin.as_str().to_owned());
        assert_eq!(read("https://App.example.com").as_deref(), Some("https://app.example.com"));
        assert_eq!(read("http://localhost:3000").as_deref(), Some("http://localhost:3000"));
        assert_eq!(read("capacitor://localhost").as_deref(), Some("capacitor://localhost"));
        for text in ["*", "https://*.example.com", "https://a.com/", "a.com", "https://", "null"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn whom_mails_come_from_is_an_address_with_or_without_a_name() {
        let read = |text| MailSender::read_word(text).ok().map(|it| it.as_str().to_owned());
        assert_eq!(read(" a+b@mail.example ").as_deref(), Some("a+b@mail.example"));
        assert_eq!(read("Blog <a@b.example>").as_deref(), Some("Blog <a@b.example>"));
        for text in
            ["", "a", "@b", "a@", "a b@c", "a@b@c", "a@b, c@d", "Blog <a@b", "x\n<a@b>", "a@.b"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }
}
