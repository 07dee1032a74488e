//! What a field of each type holds: a decimal's digits, an enum's values, a ref's target.

use super::{
    document::{Entry, Place, Problems, Table, whole_of},
    options::unknown_word,
};
use crate::{OnDelete, Type};

/// Texts of one enum.
const ENUM_VALUES_MAX: usize = 500;
/// Bytes of one text of an enum.
const ENUM_VALUE_BYTES_MAX: usize = 200;
/// Digits of a decimal, so that it fits 64 bits as a scaled integer.
const PRECISION_MAX: i64 = 18;
/// Digits after the point of a decimal that does not say.
const SCALE_DEFAULT: i64 = 2;

/// What a field holds.
#[derive(Clone, Debug)]
pub(super) enum Shape<'d> {
    Plain(Type),
    Enum(Vec<Box<str>>),
    Ref {
        to: &'d str,
        to_place: Place<'d>,
        on_delete: OnDelete,
        blind: bool,
    },
    /// Its type was not understood, which has been reported.
    Unknown,
}

/// Reads `precision` and `scale`.
pub(super) fn read_decimal(options: &Table<'_>, problems: &mut Problems) -> Option<Type> {
    let mut digits = |key, least: i64, most: i64, otherwise: i64| match options.get(key) {
        None => u8::try_from(otherwise).ok(),
        Some(entry) => {
            let number = whole_of(entry.value.get_ref());
            let fits = number.filter(|number| (least..=most).contains(number));
            if fits.is_none() {
                problems.add(|| {
                    entry.mistake(format!("`{key}` wants a whole number from {least} to {most}"))
                });
            }
            fits.and_then(|number| u8::try_from(number).ok())
        }
    };
    let precision = digits("precision", 1, PRECISION_MAX, PRECISION_MAX);
    let most = precision.map_or(PRECISION_MAX, i64::from);
    let scale = digits("scale", 0, most, SCALE_DEFAULT.min(most));
    Some(Type::Decimal { precision: precision?, scale: scale? })
}

/// Reads `values`.
pub(super) fn read_enum(
    entry: &Entry<'_>,
    options: &Table<'_>,
    problems: &mut Problems,
) -> Option<Vec<Box<str>>> {
    let Some(list) = options.get("values") else {
        problems.add(|| {
            entry
                .key_mistake(format!("the enum `{}` has no `values`", entry.key))
                .with_hint("list them: `values = [\"draft\", \"published\"]`")
        });
        return None;
    };
    let texts = list.texts(problems)?;
    if texts.is_empty() || texts.len() > ENUM_VALUES_MAX {
        problems.add(|| list.mistake(format!("an enum has 1 to {ENUM_VALUES_MAX} values")));
        return None;
    }
    let mut values: Vec<Box<str>> = Vec::with_capacity(texts.len());
    for (text, place) in texts {
        if text.is_empty() || text.len() > ENUM_VALUE_BYTES_MAX || text.contains('\0') {
            problems
                .add(|| place.mistake(format!("a value has 1 to {ENUM_VALUE_BYTES_MAX} bytes")));
        } else if values.iter().any(|value| &**value == text) {
            problems.add(|| place.mistake(format!("the value `{text}` is listed twice")));
        } else {
            values.push(text.into());
        }
    }
    Some(values)
}

/// Reads `to` and `on_delete`.
pub(super) fn read_ref<'d>(
    entry: &Entry<'d>,
    options: &Table<'d>,
    required: bool,
    blind: bool,
    problems: &mut Problems,
) -> Option<Shape<'d>> {
    const WORDS: [(&str, OnDelete); 3] = [
        ("restrict", OnDelete::Restrict),
        ("cascade", OnDelete::Cascade),
        ("set_null", OnDelete::SetNull),
    ];
    let mut on_delete = OnDelete::Restrict;
    if let Some(entry) = options.get("on_delete")
        && let Some(word) = entry.text(problems)
    {
        match WORDS.iter().find(|(known, _)| *known == word) {
            Some((_, known)) => on_delete = *known,
            None => problems.add(|| unknown_word(entry, word, &WORDS.map(|(word, _)| word))),
        }
        if required && on_delete == OnDelete::SetNull {
            problems.add(|| {
                entry.mistake("a required ref cannot become null").with_hint(
                    "drop `required`, or delete the row too with `on_delete = \"cascade\"`",
                )
            });
        }
    }
    let Some(to) = options.get("to") else {
        problems.add(|| {
            entry
                .key_mistake(format!(
                    "the ref `{}` does not say which model it points at",
                    entry.key
                ))
                .with_hint("name the model: `to = \"users\"`")
        });
        return None;
    };
    Some(Shape::Ref { to: to.text(problems)?, to_place: to.place(), on_delete, blind })
}
