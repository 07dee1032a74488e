//! What a regular expression will cost to compile, told from its text.
//!
//! The crate `regex` bounds how large a compiled expression is, and not how long it
//! works until then. Under `(?i)` each class of characters is folded letter by
//! letter, `\pL` in some 2 ms, so a text of 250 bytes that is nothing but classes
//! takes a fifth of a second, and the outcome is small. Counting classes bounds that.

/// How many classes of characters an expression names, or more where it is in doubt:
/// `\w`, `\pL`, each bracket, each range that may leave ASCII, each `&&`, `--`, `~~`.
#[must_use]
pub fn character_classes(pattern: &str) -> usize {
    let mut bytes = pattern.bytes().peekable();
    let mut classes = 0;
    while let Some(byte) = bytes.next() {
        let counts = match byte {
            b'\\' => bytes.next().is_some_and(|escaped| b"pPwWdDsS".contains(&escaped)),
            b'[' => true,
            // `a-z` stays within ASCII and `-]` is a hyphen; anything else may be a
            // range to the last letter there is, or a set taken from another.
            b'-' => !bytes.peek().is_some_and(|next| next.is_ascii_alphanumeric() || *next == b']'),
            b'&' | b'~' => bytes.next_if_eq(&byte).is_some(),
            _ => false,
        };
        classes += usize::from(counts);
    }
    classes
}

/// Whether an expression sets flags, of which `i` may be one.
pub(crate) fn sets_flags(pattern: &str) -> bool {
    let is_flag = |after: &str| {
        after.starts_with(|c: char| c == '-' || (c.is_ascii_alphabetic() && c != 'P'))
    };
    pattern.match_indices("(?").any(|(at, open)| is_flag(&pattern[at + open.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_counted_where_they_are_and_not_where_they_are_escaped() {
        for (pattern, classes) in [
            ("", 0),
            ("^a.b$", 0),
            ("^[a-z0-9-]+$", 1),
            (r"^[\w.-]+@[\w-]+\.\w{2,}$", 5),
            (r"\pL\PL\p{Greek}\d\s\W", 6),
            (r"\[\\w\-x\.", 0),
            ("[a-é]", 2),
            (r"[a-\x{10FFFF}]", 2),
            ("(?x)[a- \u{10ffff}]", 2),
            (r"[\w--a--b]", 4),
            ("[[^a]b&&c~~d]", 4),
            ("\\", 0),
        ] {
            assert_eq!(character_classes(pattern), classes, "{pattern}");
        }
    }

    #[test]
    fn a_group_that_sets_flags_is_told_from_one_that_only_groups() {
        for pattern in ["(?i)a", "a(?-u:b)", "(?x) a", "(?si:a)"] {
            assert!(sets_flags(pattern), "{pattern}");
        }
        for pattern in ["(?:a)", "(?P<n>a)", "(?<n>a)", "(a)", "a?", "(?"] {
            assert!(!sets_flags(pattern), "{pattern}");
        }
    }
}
