//! `min`, `max`, `pattern` and `format` of a field.

use std::cmp::Ordering;

use regex::RegexBuilder;

use super::{
    default::{literal, order, wanted},
    document::{Entry, Problems, Table},
    options::unknown_word,
    shape::Shape,
};
use crate::{Constraints, TextFormat, Type, Value};

/// Bytes of a field's pattern.
const PATTERN_BYTES_MAX: usize = 1_000;
/// Bytes a compiled pattern may take.
const PATTERN_COMPILED_BYTES_MAX: usize = 1_048_576;

/// Reads `min`, `max`, `pattern` and `format`. Whether nothing was wrong with them.
pub(super) fn read_constraints(
    options: &Table<'_>,
    shape: &Shape<'_>,
    constraints: &mut Constraints,
    problems: &mut Problems,
) -> bool {
    let Shape::Plain(kind) = *shape else { return true };
    let bound_type = match kind {
        Type::Text => Type::Int,
        Type::Int | Type::Float | Type::Decimal { .. } => kind,
        _ => return true,
    };
    let mut faultless = true;
    let mut bound = |key| {
        let entry: &Entry<'_> = options.get(key)?;
        let value = literal(entry.value.get_ref(), bound_type).ok();
        let value = value.filter(|value| kind != Type::Text || !matches!(value, Value::Int(..0)));
        if value.is_none() {
            faultless = false;
            let wants = if kind == Type::Text {
                "a count of characters".to_owned()
            } else {
                wanted(bound_type)
            };
            problems.add(|| entry.wants(wants));
        }
        value
    };
    let (min, max) = (bound("min"), bound("max"));
    if let (Some(least), Some(most), Some(entry)) = (&min, &max, options.get("min"))
        && order(least, most) == Some(Ordering::Greater)
    {
        faultless = false;
        problems.add(|| entry.mistake("`min` is above `max`, so no value would do"));
    }
    constraints.min = min;
    constraints.max = max;
    if kind == Type::Text {
        faultless &= read_text_constraints(options, constraints, problems);
    }
    faultless
}

fn read_text_constraints(
    options: &Table<'_>,
    constraints: &mut Constraints,
    problems: &mut Problems,
) -> bool {
    const FORMATS: [(&str, TextFormat); 3] =
        [("email", TextFormat::Email), ("url", TextFormat::Url), ("slug", TextFormat::Slug)];
    let mut faultless = true;
    if let Some(entry) = options.get("format") {
        let word = entry.text(problems);
        let format = word.and_then(|word| FORMATS.iter().find(|(known, _)| *known == word));
        constraints.format = format.map(|(_, format)| *format);
        faultless &= format.is_some();
        if let (Some(word), None) = (word, format) {
            problems.add(|| unknown_word(entry, word, &FORMATS.map(|(word, _)| word)));
        }
    }
    if let Some(entry) = options.get("pattern") {
        let pattern = entry.text(problems);
        let fault = pattern.and_then(pattern_fault);
        faultless &= pattern.is_some() && fault.is_none();
        match fault {
            Some(fault) => problems.add(|| {
                entry.mistake("this is not a regular expression").with_label(fault).with_hint(
                    "the syntax is that of the Rust crate `regex`: no look-around, no back-references",
                )
            }),
            None => constraints.pattern = pattern.map(Into::into),
        }
    }
    faultless
}

/// Why a pattern cannot be used.
fn pattern_fault(pattern: &str) -> Option<String> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Some(format!("longer than {PATTERN_BYTES_MAX} bytes"));
    }
    let built = RegexBuilder::new(pattern).size_limit(PATTERN_COMPILED_BYTES_MAX).build();
    match built.err()? {
        regex::Error::CompiledTooBig(_) => Some("too large when compiled".to_owned()),
        // The crate draws the pattern with a caret; its last line says what is wrong.
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim();
            Some(last.trim_start_matches("error: ").to_owned())
        }
    }
}
