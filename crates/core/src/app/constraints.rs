//! `min`, `max`, `pattern` and `format` of a field.

use std::cmp::Ordering;

use regex::RegexBuilder;

use super::{
    default::{literal, order, wanted},
    document::{Entry, Problems, Table},
    options::unknown_word,
    shape::Shape,
};
use crate::{
    Constraints, TextFormat, Type, Value,
    pattern::{character_classes, sets_flags},
};

/// Bytes of a field's pattern.
const PATTERN_BYTES_MAX: usize = 1_000;
/// Bytes a compiled pattern may take, tried from the smallest: the first that is
/// enough is what the pattern counts for.
const PATTERN_COMPILED_BYTES: [usize; 5] = [1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20];
/// Classes of characters in a pattern.
const PATTERN_CLASSES_MAX: usize = 32;
/// Bytes that a class counts for in a pattern with flags, where it may have to be
/// folded, which takes as long as compiling so many.
const FOLDED_CLASS_BYTES: usize = 1 << 18;

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
        let fault = pattern.and_then(|pattern| pattern_fault(pattern, problems));
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
fn pattern_fault(pattern: &str, problems: &mut Problems) -> Option<String> {
    const TOO_MANY: &str = "larger than what the app's other patterns leave, when compiled";
    if pattern.len() > PATTERN_BYTES_MAX {
        return Some(format!("longer than {PATTERN_BYTES_MAX} bytes"));
    }
    let classes = character_classes(pattern);
    if classes > PATTERN_CLASSES_MAX {
        return Some(format!("more than {PATTERN_CLASSES_MAX} classes of characters"));
    }
    if sets_flags(pattern) && !problems.take_pattern_bytes(classes * FOLDED_CLASS_BYTES) {
        return Some(TOO_MANY.to_owned());
    }
    for bytes in PATTERN_COMPILED_BYTES {
        // Asked before it is built: one that is too large costs as much as one that is not.
        if !problems.take_pattern_bytes(bytes) {
            return Some(TOO_MANY.to_owned());
        }
        match RegexBuilder::new(pattern).size_limit(bytes).build() {
            Ok(_) => return None,
            Err(regex::Error::CompiledTooBig(_)) => {}
            // The crate draws the pattern with a caret; its last line says what is wrong.
            Err(error) => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default().trim();
                return Some(last.trim_start_matches("error: ").to_owned());
            }
        }
    }
    Some("too large when compiled".to_owned())
}
