//! Which names models, fields and roles may have, and what a misspelt one was meant to be.
//!
//! A name is a path segment, a query key, a word in a rule and a column at once,
//! so it is what all of these take without quoting. 63 bytes is the longest name
//! PostgreSQL keeps whole.

use std::hash::{DefaultHasher, Hash, Hasher};

use rustc_hash::FxHashSet;

/// Bytes of the longest name.
pub const NAME_BYTES_MAX: usize = 63;

/// Names that mean something else where a model's or a field's name can stand.
const RESERVED: [&str; 4] = ["auth", "now", "old", "rpc"];

/// Words of the rule language, which cannot name a field there.
const RULE_WORDS: [&str; 4] = ["true", "false", "null", "in"];

/// Words longer than this are not compared: no name is, and comparing is quadratic.
const COMPARED_BYTES_MAX: usize = 100;

/// Why a name is not one.
pub(crate) fn name_fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("a name has at least one letter".to_owned());
    }
    if name.len() > NAME_BYTES_MAX {
        return Some(format!("a name has at most {NAME_BYTES_MAX} bytes; this has {}", name.len()));
    }
    if name.starts_with('_') || name.starts_with("mainstay_") {
        return Some("names that begin with `_` or `mainstay_` are the server's own".to_owned());
    }
    if RESERVED.contains(&name) {
        return Some(format!("`{name}` is reserved: {} are", listed(&RESERVED)));
    }
    if RULE_WORDS.contains(&name) {
        return Some(format!("`{name}` is a word of the rule language"));
    }
    if !is_snake_case(name) {
        return Some(
            "a name is snake_case: it begins with a letter and has `a` to `z`, digits and `_`"
                .to_owned(),
        );
    }
    None
}

/// The snake_case form of a name, where that is a name and another one.
pub(crate) fn suggested_name(name: &str) -> Option<String> {
    let mut out = String::new();
    for letter in name.chars().take(NAME_BYTES_MAX) {
        if letter.is_ascii_uppercase() && out.ends_with(|last: char| last.is_ascii_lowercase()) {
            out.push('_');
        }
        match letter {
            'a'..='z' | '0'..='9' | '_' => out.push(letter),
            'A'..='Z' => out.push(letter.to_ascii_lowercase()),
            '-' | ' ' | '.' => out.push('_'),
            _ => return None,
        }
    }
    let out = out.trim_matches('_');
    (out != name && name_fault(out).is_none()).then(|| out.to_owned())
}

/// The candidate that a misspelt word was most likely meant to be, if one is near.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let lower = word.to_lowercase();
    // A third of its letters may be wrong; of a short word, one.
    let tolerated = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= COMPARED_BYTES_MAX)
        .map(|candidate| {
            (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate)
        })
        .filter(|(distance, candidate)| {
            *distance <= tolerated && *distance < candidate.chars().count()
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Names of constraints and indexes, each given once.
///
/// SQLite and PostgreSQL keep tables and indexes under one roof, so two models
/// may not come to the same index name.
#[derive(Debug, Default)]
pub(crate) struct PhysicalNames {
    taken: FxHashSet<Box<str>>,
}

impl PhysicalNames {
    /// Takes the name of a table. Whether it was free.
    pub(crate) fn take(&mut self, table: &str) -> bool {
        self.taken.insert(table.into())
    }

    /// `<table>_<field>_<field>_<suffix>`, shortened to 63 bytes and told apart by
    /// a hash where it is too long or already taken.
    pub(crate) fn derive(&mut self, table: &str, fields: &[&str], suffix: &str) -> Box<str> {
        let stem =
            std::iter::once(table).chain(fields.iter().copied()).collect::<Vec<_>>().join("_");
        let plain = format!("{stem}_{suffix}");
        if plain.len() <= NAME_BYTES_MAX && self.taken.insert(plain.as_str().into()) {
            return plain.into();
        }
        let mut attempt = 0_u32;
        loop {
            let mut hasher = DefaultHasher::new();
            (table, fields, suffix, attempt).hash(&mut hasher);
            let tail = format!("_{:08x}_{suffix}", hasher.finish() & 0xffff_ffff);
            // Names are ASCII, so every byte is a boundary; `get` asks no more than that.
            let kept = stem.get(..stem.len().min(NAME_BYTES_MAX - tail.len())).unwrap_or_default();
            let name = format!("{kept}{tail}");
            if self.taken.insert(name.as_str().into()) {
                return name.into();
            }
            attempt += 1;
        }
    }
}

/// `a`, `b` and `c`, each in backquotes.
pub(crate) fn listed<T: AsRef<str>>(words: &[T]) -> String {
    joined(words, "and")
}

/// `a`, `b` or `c`, each in backquotes.
pub(crate) fn either<T: AsRef<str>>(words: &[T]) -> String {
    joined(words, "or")
}

fn joined<T: AsRef<str>>(words: &[T], last_word: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {last_word} {last}", rest.join(", ")),
    }
}

fn is_snake_case(name: &str) -> bool {
    name.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(name: &str, expected: Expect) {
        let fault = name_fault(name).unwrap_or_else(|| "a name".to_owned());
        let better = suggested_name(name).map(|name| format!(" → {name}")).unwrap_or_default();
        expected.assert_eq(&format!("{fault}{better}"));
    }

    #[test]
    fn a_name_is_what_paths_rules_and_columns_take_without_quotes() {
        check("posts", expect!["a name"]);
        check("blog_posts2", expect!["a name"]);
        check(
            "BlogPosts",
            expect![
                "a name is snake_case: it begins with a letter and has `a` to `z`, digits and `_` → blog_posts"
            ],
        );
        check(
            "first-name",
            expect![
                "a name is snake_case: it begins with a letter and has `a` to `z`, digits and `_` → first_name"
            ],
        );
        check(
            "2fa",
            expect![
                "a name is snake_case: it begins with a letter and has `a` to `z`, digits and `_`"
            ],
        );
        check(
            "straße",
            expect![
                "a name is snake_case: it begins with a letter and has `a` to `z`, digits and `_`"
            ],
        );
        check(
            "_version",
            expect!["names that begin with `_` or `mainstay_` are the server's own → version"],
        );
        check(
            "mainstay_users",
            expect!["names that begin with `_` or `mainstay_` are the server's own"],
        );
        check("old", expect!["`old` is reserved: `auth`, `now`, `old` and `rpc` are"]);
        check("in", expect!["`in` is a word of the rule language"]);
        check("", expect!["a name has at least one letter"]);
        check(&"a".repeat(63), expect!["a name"]);
        check(
            &"a".repeat(64),
            expect![
                "a name has at most 63 bytes; this has 64 → aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            ],
        );
    }

    #[test]
    fn a_misspelt_word_finds_the_one_it_was_meant_to_be() {
        let words = ["required", "read", "default", "max", "min"];
        assert_eq!(nearest("requird", words), Some("required"));
        assert_eq!(nearest("Default", words), Some("default"));
        assert_eq!(nearest("maxx", words), Some("max"));
        assert_eq!(nearest("raed", words), Some("read"));
        assert_eq!(nearest("colour", words), None);
        assert_eq!(nearest("", words), None);
        assert_eq!(nearest(&"x".repeat(10_000), words), None);
    }

    #[test]
    fn derived_names_are_short_enough_and_never_the_same() {
        let mut names = PhysicalNames::default();
        assert!(names.take("posts"));
        assert!(!names.take("posts"));
        assert_eq!(&*names.derive("posts", &["author"], "fkey"), "posts_author_fkey");
        assert_eq!(&*names.derive("a", &["b_c"], "key"), "a_b_c_key");
        let other = names.derive("a_b", &["c"], "key");
        assert_ne!(&*other, "a_b_c_key");
        let long = names.derive(&"t".repeat(63), &[&"f".repeat(63)], "idx");
        assert!(long.len() <= NAME_BYTES_MAX && long.ends_with("_idx"), "{long}");
    }
}
