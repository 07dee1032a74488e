//! The keys of `mainstay.toml`, each declared once: its name, type, default,
//! bounds and words of explanation.
//!
//! [`section!`] makes from one declaration the plain struct, its defaults, and a
//! list of [`Key`]s from which the file is read, the environment overrides it, a
//! misspelt key finds its neighbour and the documentation's table is printed.

use std::{
    fmt::Display,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
};

/// One key of a section of settings.
pub(crate) struct Key<S> {
    /// Its name within the section.
    pub(crate) name: &'static str,
    /// What it is for, as one paragraph.
    pub(crate) doc: &'static str,
    /// Sets it to what was given, or says what it wants instead.
    pub(crate) read: fn(&mut S, &Given<'_>) -> Result<(), String>,
    /// Its value as it would be written.
    pub(crate) show: fn(&S) -> String,
}

/// A section of settings: a table of `mainstay.toml`.
pub(crate) trait Section: Default + 'static {
    /// The table's name.
    const NAME: &'static str;
    /// Its keys, in the order of their declaration.
    const KEYS: &'static [Key<Self>];
}

/// What was written for a key.
pub(crate) enum Given<'a> {
    /// A TOML string.
    Text(&'a str),
    /// A TOML integer.
    Whole(i64),
    /// A TOML boolean.
    Flag(bool),
    /// A TOML array of strings.
    Texts(Vec<&'a str>),
    /// Any other TOML value.
    Other,
    /// An environment variable, to be read as whatever the key wants.
    Variable(&'a str),
}

/// A type that a key may have.
pub(crate) trait Setting: Sized {
    /// Reads what was given, or says what is wanted.
    fn read(given: &Given<'_>) -> Result<Self, String>;
    /// The value as it would be written.
    fn show(&self) -> String;
}

/// A type whose values are written as one text.
pub(crate) trait Word: Sized {
    /// Reads the text, or says what is wanted.
    fn read_word(text: &str) -> Result<Self, String>;
    /// The text.
    fn word(&self) -> String;
}

/// Declares a section: see the head of this file.
macro_rules! section {
    (
        $(#[$meta:meta])*
        pub struct $name:ident in $section:literal {
            $(
                $(#[doc = $doc:literal])+
                $key:ident: $type:ty = $default:expr $(, within $range:expr)?;
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $key: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default,)* }
            }
        }

        impl $crate::app::keys::Section for $name {
            const NAME: &'static str = $section;
            const KEYS: &'static [$crate::app::keys::Key<Self>] = &[$(
                $crate::app::keys::Key {
                    name: stringify!($key),
                    doc: concat!($($doc,)+),
                    read: |section, given| {
                        let value = <$type as $crate::app::keys::Setting>::read(given)?;
                        $($crate::app::keys::within(&value, &$range)?;)?
                        section.$key = value;
                        Ok(())
                    },
                    show: |section| $crate::app::keys::Setting::show(&section.$key),
                },
            )*];
        }
    };
}
pub(crate) use section;

/// Whether a value lies within its bounds, or what they are.
pub(crate) fn within<T: PartialOrd + Display>(
    value: &T,
    range: &RangeInclusive<T>,
) -> Result<(), String> {
    if range.contains(value) {
        return Ok(());
    }
    Err(format!("a whole number from {} to {}", range.start(), range.end()))
}

impl Setting for bool {
    fn read(given: &Given<'_>) -> Result<Self, String> {
        match given {
            Given::Flag(flag) => Ok(*flag),
            Given::Variable("true") => Ok(true),
            Given::Variable("false") => Ok(false),
            _ => Err("`true` or `false`".to_owned()),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for Option<bool> {
    fn read(given: &Given<'_>) -> Result<Self, String> {
        bool::read(given).map(Some)
    }

    fn show(&self) -> String {
        self.map_or_else(String::new, |flag| flag.to_string())
    }
}

/// Whole numbers, from nought up.
macro_rules! whole {
    ($($type:ty),*) => {$(
        impl Setting for $type {
            fn read(given: &Given<'_>) -> Result<Self, String> {
                let read = match given {
                    Given::Whole(number) => Self::try_from(*number).ok(),
                    Given::Variable(text) => text.parse().ok(),
                    _ => None,
                };
                read.ok_or_else(|| "a whole number, not below 0".to_owned())
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
whole!(u32, u64, usize);

impl<T: Word> Setting for T {
    fn read(given: &Given<'_>) -> Result<Self, String> {
        match given {
            Given::Text(text) | Given::Variable(text) => T::read_word(text),
            // What it wants is said by reading what it cannot be.
            _ => T::read_word("").and(Err("a text".to_owned())),
        }
    }

    fn show(&self) -> String {
        format!("\"{}\"", self.word())
    }
}

impl<T: Word> Setting for Option<T> {
    fn read(given: &Given<'_>) -> Result<Self, String> {
        T::read(given).map(Some)
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(String::new, Setting::show)
    }
}

impl<T: Word> Setting for Vec<T> {
    fn read(given: &Given<'_>) -> Result<Self, String> {
        match given {
            Given::Texts(texts) => texts.iter().map(|text| T::read_word(text)).collect(),
            Given::Variable(text) => text
                .split(',')
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .map(T::read_word)
                .collect(),
            _ => Err("a list of texts: `[\"…\", \"…\"]`".to_owned()),
        }
    }

    fn show(&self) -> String {
        let words: Vec<String> = self.iter().map(Setting::show).collect();
        format!("[{}]", words.join(", "))
    }
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

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
        format!("{}/{}", self.address, self.prefix_bits)
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

        impl $crate::app::keys::Word for $name {
            fn read_word(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => {
                        let all = $crate::names::listed(&[$($word),+]);
                        Err(format!("one of {all}"))
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
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }
}
