//! Searches in a text.

use mainstay_core::TextOp;
use regex::RegexBuilder;

/// Whether a text is found; none where a regular expression cannot be read.
pub(super) fn search(text: &str, op: TextOp, other: &str) -> Option<bool> {
    Some(match op {
        TextOp::Contains => text.contains(other),
        TextOp::StartsWith => text.starts_with(other),
        TextOp::EndsWith => text.ends_with(other),
        TextOp::Like => like(text, other),
        TextOp::ILike => like(&text.to_lowercase(), &other.to_lowercase()),
        TextOp::Match => matches(text, other, false)?,
        TextOp::IMatch => matches(text, other, true)?,
    })
}

fn matches(text: &str, pattern: &str, case_insensitive: bool) -> Option<bool> {
    let pattern = RegexBuilder::new(pattern).case_insensitive(case_insensitive).build().ok()?;
    Some(pattern.is_match(text))
}

/// SQL's LIKE by code point. A `\` at the end of the pattern is taken literally.
///
/// The usual walk for patterns with one kind of run: on a mismatch, the last `%` is
/// made to take one character more.
fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern = steps(pattern);
    let (mut at, mut step) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(step) {
            Some(Step::Run) => {
                retry = Some((at, step + 1));
                step += 1;
            }
            Some(Step::Any) => (at, step) = (at + 1, step + 1),
            Some(Step::One(letter)) if *letter == text[at] => (at, step) = (at + 1, step + 1),
            _ => match retry {
                Some((from, after)) => {
                    retry = Some((from + 1, after));
                    (at, step) = (from + 1, after);
                }
                None => return false,
            },
        }
    }
    pattern[step..].iter().all(|step| matches!(step, Step::Run))
}

enum Step {
    Run,
    Any,
    One(char),
}

fn steps(pattern: &str) -> Vec<Step> {
    let mut letters = pattern.chars();
    let mut steps = Vec::new();
    while let Some(letter) = letters.next() {
        steps.push(match letter {
            '%' => Step::Run,
            '_' => Step::Any,
            '\\' => Step::One(letters.next().unwrap_or('\\')),
            other => Step::One(other),
        });
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_goes_by_code_point_and_a_backslash_takes_the_next_literally() {
        for (text, pattern, found) in [
            ("", "", true),
            ("", "%", true),
            ("", "_", false),
            ("héllo", "h_llo", true),
            ("h😀llo", "h_llo", true),
            ("hello", "%l%o", true),
            ("hello", "h%l", false),
            ("100%", r"100\%", true),
            ("1000", r"100\%", false),
            (r"a\", r"a\", true),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "%a%a%a%a%a%a%a%a%a%a%c", false),
            ("Hello", "hello", false),
        ] {
            assert_eq!(like(text, pattern), found, "{text} like {pattern}");
        }
        assert_eq!(search("ÀB", TextOp::ILike, "à_"), Some(true));
        assert_eq!(search("abc", TextOp::Match, "^a.c$"), Some(true));
        assert_eq!(search("ABC", TextOp::IMatch, "b"), Some(true));
        assert_eq!(search("abc", TextOp::Match, "("), None);
    }
}
