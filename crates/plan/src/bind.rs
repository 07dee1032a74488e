//! The values of a plan: where each comes from and how it gets its type.
//!
//! A shape leaves its values open as numbered slots. Here, and nowhere else, a
//! caller's text becomes a typed value, so no store ever sees text it would have
//! to interpret.

use mainstay_core::{
    Actor, CallerTerm, Code, Error, SlotId, Timestamp, Type, Value, ValueError, character_classes,
};
use mainstay_rules::caller_value;

use crate::{Argument, Clauses};

/// Regular expressions of one request: each is compiled for it, which for the worst
/// of them takes some 20 ms.
const PATTERNS_MAX: usize = 4;
/// Classes of characters one of them may name: where case is ignored, folding a class
/// takes some 2 ms however few bytes it is written with.
const PATTERN_CLASSES_MAX: usize = 8;
/// Bytes a compiled regular expression may take.
const PATTERN_PROGRAM_BYTES_MAX: usize = 1 << 18;
/// Bytes of JSON under `cs` and `cd`: each of its values may be compared with each of
/// the stored value's, and nothing interrupts that.
const CONTAINED_BYTES_MAX: usize = 1_024;
/// Values one request may bind, lists' items apart.
pub(crate) const VALUES_MAX: usize = 20_000;

/// Where the value of a slot comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SlotSource {
    /// The n-th argument of the request's conditions.
    Argument(usize, Conversion),
    /// One item of the n-th argument.
    Item(usize, usize, Conversion),
    /// The limit of the n-th clauses, lowered to what a page may hold; what a page
    /// may hold where there are none.
    Limit(Option<usize>),
    /// The offset of the n-th clauses.
    Offset(usize),
    /// The n-th value a write assigns.
    Assigned(usize),
    /// Something of the caller's.
    Caller(CallerTerm, Type),
    /// The request's time.
    Now,
}

/// How a text becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// It is read as this type.
    Parse(Type),
    /// It is a LIKE pattern in which `*` stands for `%`.
    Like,
    /// It is a regular expression.
    Pattern,
    /// It is JSON that is looked for in other JSON, or the other way round.
    Contained,
}

/// The slots of a shape that is being made.
#[derive(Default)]
pub(crate) struct Slots(Vec<SlotSource>);

impl Slots {
    /// The slot of a source; the same source has the same slot.
    pub(crate) fn slot(&mut self, source: SlotSource) -> SlotId {
        let at = self.0.iter().position(|known| *known == source).unwrap_or_else(|| {
            self.0.push(source);
            self.0.len() - 1
        });
        SlotId(u16::try_from(at).expect("BUG: filter limits bound the slots far below 65,536"))
    }

    /// All of them, in order.
    pub(crate) fn into_sources(self) -> Vec<SlotSource> {
        self.0
    }
}

/// Everything values come from.
pub(crate) struct Sources<'r, 'a> {
    pub(crate) arguments: &'r [&'r Argument<'a>],
    pub(crate) clauses: &'r [&'r Clauses<'a>],
    pub(crate) assigned: &'r [Value],
    pub(crate) actor: &'r Actor,
    pub(crate) now: Timestamp,
    pub(crate) page_rows_max: u64,
    pub(crate) json_depth_max: usize,
    pub(crate) pattern_bytes_max: usize,
}

impl Sources<'_, '_> {
    /// The values of all slots, in order.
    ///
    /// # Errors
    /// Where a text is not of the type its field has.
    pub(crate) fn values(&self, slots: &[SlotSource]) -> Result<Box<[Value]>, Error> {
        let is_pattern = |slot: &&SlotSource| {
            matches!(
                slot,
                SlotSource::Argument(_, Conversion::Pattern)
                    | SlotSource::Item(_, _, Conversion::Pattern)
            )
        };
        if slots.len() > PATTERNS_MAX && slots.iter().filter(is_pattern).count() > PATTERNS_MAX {
            return Err(Error::new(
                Code::LimitExceeded,
                format!("a request may hold {PATTERNS_MAX} regular expressions at most"),
            ));
        }
        let mut values = Vec::with_capacity(slots.len());
        for slot in slots {
            values.push(self.value(slot)?);
        }
        Ok(values.into_boxed_slice())
    }

    fn value(&self, slot: &SlotSource) -> Result<Value, Error> {
        Ok(match slot {
            SlotSource::Argument(at, conversion) => match self.arguments[*at] {
                Argument::Text(text) => self.convert(text, *conversion)?,
                Argument::List(items) => Value::List(
                    items
                        .iter()
                        .map(|item| self.convert(item, *conversion))
                        .collect::<Result<_, _>>()?,
                ),
                Argument::Is(_) => Value::Null,
            },
            SlotSource::Item(at, item, conversion) => match self.arguments[*at] {
                Argument::List(items) => self.convert(&items[*item], *conversion)?,
                Argument::Text(_) | Argument::Is(_) => Value::Null,
            },
            SlotSource::Limit(at) => {
                let asked = at.and_then(|at| self.clauses[at].limit);
                let rows = asked.unwrap_or(u64::MAX).min(self.page_rows_max);
                Value::Int(i64::try_from(rows).unwrap_or(i64::MAX))
            }
            SlotSource::Offset(at) => {
                let rows = self.clauses[*at].offset.unwrap_or(0);
                Value::Int(i64::try_from(rows).unwrap_or(i64::MAX))
            }
            SlotSource::Assigned(at) => self.assigned[*at].clone(),
            SlotSource::Caller(term, kind) => caller_value(term, *kind, self.actor),
            SlotSource::Now => Value::Timestamp(self.now),
        })
    }

    fn convert(&self, text: &str, conversion: Conversion) -> Result<Value, Error> {
        match conversion {
            Conversion::Parse(kind) => Value::parse(text, kind, self.json_depth_max)
                .map_err(|error| unreadable(text, kind, error)),
            Conversion::Contained if text.len() > CONTAINED_BYTES_MAX => Err(Error::new(
                Code::LimitExceeded,
                format!("JSON under cs or cd may have {CONTAINED_BYTES_MAX} bytes at most"),
            )),
            Conversion::Contained => Value::parse(text, Type::Json, self.json_depth_max)
                .map_err(|error| unreadable(text, Type::Json, error)),
            Conversion::Like if text.len() > self.pattern_bytes_max => {
                Err(pattern_too_long(self.pattern_bytes_max))
            }
            Conversion::Like => Value::parse(&like_pattern(text), Type::Text, 0)
                .map_err(|error| unreadable(text, Type::Text, error)),
            Conversion::Pattern => {
                check_pattern(text, self.pattern_bytes_max)?;
                Value::parse(text, Type::Text, 0)
                    .map_err(|error| unreadable(text, Type::Text, error))
            }
        }
    }
}

/// A LIKE pattern in SQL's letters. A `\` at its end, which would take the next
/// literally, is itself: engines differ over it.
fn like_pattern(text: &str) -> String {
    let mut pattern = text.replace('*', "%");
    let escapes = text.len() - text.trim_end_matches('\\').len();
    if escapes % 2 == 1 {
        pattern.push('\\');
    }
    pattern
}

/// Why a text is not a value of a type, as the caller is told.
pub(crate) fn unreadable(text: &str, kind: Type, error: ValueError) -> Error {
    match error {
        ValueError::Unreadable => Error::new(
            Code::ValueUnreadable,
            format!("invalid input syntax for type {kind}: \"{}\"", shortened(text)),
        ),
        ValueError::OutOfRange => Error::new(
            Code::ValueOutOfRange,
            format!("value \"{}\" is out of range for type {kind}", shortened(text)),
        ),
        ValueError::Nul => {
            Error::new(Code::ValueUnreadable, "a text may not hold the character U+0000")
        }
        ValueError::TooDeep => {
            Error::new(Code::LimitExceeded, "a JSON value nests deeper than json_depth_max allows")
        }
    }
}

/// The beginning of a text, for a message.
fn shortened(text: &str) -> &str {
    text.char_indices().nth(100).map_or(text, |(at, _)| &text[..at])
}

fn pattern_too_long(bytes_max: usize) -> Error {
    Error::new(
        Code::LimitExceeded,
        format!("a pattern is longer than pattern_bytes_max allows ({bytes_max})"),
    )
}

/// Refuses a regular expression that is too long or cannot be read, so that a
/// store's engine for them is never handed one.
fn check_pattern(text: &str, bytes_max: usize) -> Result<(), Error> {
    if text.len() > bytes_max {
        return Err(pattern_too_long(bytes_max));
    }
    if character_classes(text) > PATTERN_CLASSES_MAX {
        return Err(Error::new(
            Code::LimitExceeded,
            format!(
                "a regular expression may name {PATTERN_CLASSES_MAX} classes of characters at most"
            ),
        ));
    }
    regex::RegexBuilder::new(text).size_limit(PATTERN_PROGRAM_BYTES_MAX).build().map(drop).map_err(
        |_| Error::new(Code::PatternInvalid, format!("invalid regular expression: \"{text}\"")),
    )
}
