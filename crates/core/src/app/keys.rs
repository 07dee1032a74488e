//! The keys of `mainstay.toml`, each declared once: its name, type, default,
//! bounds and words of explanation.
//!
//! [`section!`] makes from one declaration the plain struct, its defaults, and a
//! list of [`Key`]s from which the file is read, the environment overrides it, a
//! misspelt key finds its neighbour and the documentation's table is printed.

use std::{fmt::Display, ops::RangeInclusive};

use super::words::Word;

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
                        let value = <$type as $crate::app::keys::Setting>::read(given)
                            $(.map_err(|_| $crate::app::keys::bounds(&$range)))??;
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
    if range.contains(value) { Ok(()) } else { Err(bounds(range)) }
}

/// What a number within these bounds is called.
pub(crate) fn bounds<T: Display>(range: &RangeInclusive<T>) -> String {
    format!("a whole number from {} to {}", range.start(), range.end())
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
