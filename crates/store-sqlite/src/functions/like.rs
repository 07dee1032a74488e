//! LIKE by code point.

use std::borrow::Cow;

/// Whether letters of either case are the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// They are not.
    Sensitive,
    /// They are.
    Ignored,
}

/// A LIKE pattern, read once.
pub(super) struct Pattern {
    tokens: Vec<Token>,
    case: Case,
}

enum Token {
    AnyRun,
    AnyOne,
    One(char),
}

impl Pattern {
    /// Reads a pattern: `%` any run, `_` any one, `\` takes the next literally. A
    /// `\` at the end is itself.
    pub(super) fn new(pattern: &str, case: Case) -> Self {
        let pattern = fold(pattern, case);
        let mut tokens = Vec::with_capacity(pattern.len());
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            match character {
                '%' if matches!(tokens.last(), Some(Token::AnyRun)) => {}
                '%' => tokens.push(Token::AnyRun),
                '_' => tokens.push(Token::AnyOne),
                '\\' => tokens.push(Token::One(characters.next().unwrap_or('\\'))),
                other => tokens.push(Token::One(other)),
            }
        }
        Self { tokens, case }
    }

    /// Whether a text is of this form. Runs are matched shortest first, and only the
    /// last one met is ever lengthened, so the work is bounded by the product of the
    /// two lengths.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text = fold(text, self.case);
        let mut at = 0;
        let mut rest = text.chars();
        let mut run: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let mut ahead = rest.clone();
            match (self.tokens.get(at), ahead.next()) {
                (Some(Token::AnyRun), _) => {
                    at += 1;
                    run = Some((at, rest.clone()));
                    continue;
                }
                (None, None) => return true,
                (Some(Token::AnyOne), Some(_)) => {
                    at += 1;
                    rest = ahead;
                    continue;
                }
                (Some(Token::One(wanted)), Some(found)) if *wanted == found => {
                    at += 1;
                    rest = ahead;
                    continue;
                }
                _ => {}
            }
            let Some((after_run, mut longer)) = run else { return false };
            if longer.next().is_none() {
                return false;
            }
            at = after_run;
            rest = longer.clone();
            run = Some((after_run, longer));
        }
    }
}

/// A text in which both cases of a letter are one.
fn fold(text: &str, case: Case) -> Cow<'_, str> {
    match case {
        Case::Sensitive => Cow::Borrowed(text),
        Case::Ignored => Cow::Owned(text.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_is_by_code_point_and_escapes_with_a_backslash() {
        for (text, pattern, matches) in [
            ("", "", true),
            ("", "%", true),
            ("", "_", false),
            ("abc", "abc", true),
            ("abc", "ABC", false),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "%b%", true),
            ("abc", "a_c", true),
            ("abc", "a__c", false),
            ("aXbXc", "%X%X%", true),
            ("aXbXc", "%X%X%X%", false),
            ("größe", "gr__e", true),
            ("😀!", "_!", true),
            ("100%", r"100\%", true),
            ("100x", r"100\%", false),
            (r"a\", r"a\", true),
            ("aaab", "%aab", true),
            ("a\nb", "a%b", true),
        ] {
            let read = Pattern::new(pattern, Case::Sensitive);
            assert_eq!(read.matches(text), matches, "{text:?} like {pattern:?}");
        }
        assert!(!Pattern::new("GRÖSSE%", Case::Ignored).matches("größe und grösse"));
        assert!(Pattern::new("%GRÖß%", Case::Ignored).matches("die Größe"));
    }
}
