//! A TOML file of the application folder, read with the place of everything in it.
//!
//! Syntax mistakes are all reported, and the file is then left alone: half a file
//! would bring mistakes that are not there. Reading is bounded by the size of a
//! file; the parser bounds nesting itself.

use std::{fmt::Display, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{DIAGNOSTICS_MAX, FILE_BYTES_MAX, SourceFile};
use crate::{
    diagnostic::Diagnostic,
    names::{listed, nearest},
};

/// Bytes that all patterns of an app may take together, compiled. Patterns are small;
/// hundreds that are each as large as one may be would take seconds at every start.
const PATTERNS_COMPILED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Mistakes found so far, over all files; only the first are kept. And what is left
/// of a bound that holds over all files.
#[derive(Debug)]
pub(super) struct Problems {
    found: Vec<Diagnostic>,
    count: usize,
    pattern_bytes_left: usize,
}

impl Default for Problems {
    fn default() -> Self {
        Self { found: Vec::new(), count: 0, pattern_bytes_left: PATTERNS_COMPILED_BYTES_MAX }
    }
}

impl Problems {
    /// Keeps a mistake, unless there are too many to be read anyway. What finds
    /// the nearest name goes into `describe`, which is not called then.
    pub(super) fn add(&mut self, describe: impl FnOnce() -> Diagnostic) {
        self.count += 1;
        if self.found.len() < DIAGNOSTICS_MAX {
            self.found.push(describe());
        }
    }

    /// Takes so many bytes of what patterns may take together, if they are left.
    pub(super) fn take_pattern_bytes(&mut self, bytes: usize) -> bool {
        let left = self.pattern_bytes_left.checked_sub(bytes);
        self.pattern_bytes_left = left.unwrap_or(0);
        left.is_some()
    }

    /// How many mistakes there were, those that were not kept among them.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The mistakes that were kept, in no order.
    pub(super) fn into_found(self) -> Vec<Diagnostic> {
        self.found
    }
}

/// Where a mistake is: in a file, or in an environment variable.
#[derive(Clone, Debug)]
pub(super) enum Place<'d> {
    File(&'d SourceFile, Range<usize>),
    Variable(&'d str),
}

impl Place<'_> {
    /// A mistake at this place.
    pub(super) fn mistake(&self, message: impl Display) -> Diagnostic {
        match self {
            Self::File(file, span) => Diagnostic::at(file, span.clone(), message.to_string()),
            Self::Variable(name) => {
                Diagnostic::unplaced("environment", format!("{name}: {message}"))
            }
        }
    }
}

/// Parses a file. None where it has syntax mistakes, which are then reported.
pub(super) fn parse<'d>(
    file: &'d SourceFile,
    problems: &mut Problems,
) -> Option<Spanned<DeTable<'d>>> {
    if file.text.len() > FILE_BYTES_MAX {
        problems.add(|| {
            Diagnostic::at(file, 0..0, format!("the file is larger than {FILE_BYTES_MAX} bytes"))
        });
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(&file.text);
    if errors.is_empty() {
        return Some(table);
    }
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        problems.add(|| Diagnostic::at(file, span, format!("not valid TOML: {}", error.message())));
    }
    None
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry<'d> {
    pub(super) file: &'d SourceFile,
    pub(super) key: &'d str,
    pub(super) key_span: Range<usize>,
    pub(super) value: &'d Spanned<DeValue<'d>>,
}

/// A table, its entries in the order of the file.
#[derive(Clone, Debug)]
pub(super) struct Table<'d> {
    pub(super) file: &'d SourceFile,
    pub(super) entries: Vec<Entry<'d>>,
}

impl<'d> Table<'d> {
    /// The entries of a parsed table.
    pub(super) fn new(file: &'d SourceFile, table: &'d DeTable<'d>) -> Self {
        let mut entries: Vec<Entry<'d>> = table
            .iter()
            .map(|(key, value)| Entry { file, key: key.get_ref(), key_span: key.span(), value })
            .collect();
        entries.sort_by_key(|entry| entry.key_span.start);
        Self { file, entries }
    }

    /// The entry of this key.
    pub(super) fn get(&self, key: &str) -> Option<&Entry<'d>> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Reports every key that is not one of these. `owner` says whose keys they
    /// are: `a text field`, `[server]`.
    pub(super) fn only(&self, keys: &[&str], owner: impl Display, problems: &mut Problems) {
        for entry in &self.entries {
            if !keys.contains(&entry.key) {
                problems.add(|| entry.unknown_key(keys, &owner));
            }
        }
    }
}

impl<'d> Entry<'d> {
    /// The value's place.
    pub(super) fn place(&self) -> Place<'d> {
        Place::File(self.file, self.value.span())
    }

    /// A mistake in the value.
    pub(super) fn mistake(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::at(self.file, self.value.span(), message)
    }

    /// A mistake in the key.
    pub(super) fn key_mistake(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::at(self.file, self.key_span.clone(), message)
    }

    /// The mistake of a key that is not one of these.
    pub(super) fn unknown_key(&self, keys: &[&str], owner: impl Display) -> Diagnostic {
        let found = self.key_mistake(format!("`{}` is not a key of {owner}", self.key));
        match nearest(self.key, keys.iter().copied()) {
            Some(near) => found.with_nearest(Some(near)),
            None if keys.is_empty() => found,
            None => found.with_hint(format!("its keys are {}", listed(keys))),
        }
    }

    /// The value as a text.
    pub(super) fn text(&self, problems: &mut Problems) -> Option<&'d str> {
        let text = self.value.get_ref().as_str();
        if text.is_none() {
            problems.add(|| self.wants("a text"));
        }
        text
    }

    /// The value as true or false.
    pub(super) fn flag(&self, problems: &mut Problems) -> Option<bool> {
        let flag = self.value.get_ref().as_bool();
        if flag.is_none() {
            problems.add(|| self.wants("`true` or `false`"));
        }
        flag
    }

    /// The value as a table.
    pub(super) fn table(&self, problems: &mut Problems) -> Option<Table<'d>> {
        let table = self.value.get_ref().as_table();
        if table.is_none() {
            problems.add(|| self.wants("a table"));
        }
        table.map(|table| Table::new(self.file, table))
    }

    /// The value as a list, each item under the same key.
    pub(super) fn list(&self, problems: &mut Problems) -> Option<Vec<Entry<'d>>> {
        let list = self.value.get_ref().as_array();
        if list.is_none() {
            problems.add(|| self.wants("a list"));
        }
        Some(list?.iter().map(|value| Entry { value, ..self.clone() }).collect())
    }

    /// The value as a list of texts; an item that is none is reported and left out.
    pub(super) fn texts(&self, problems: &mut Problems) -> Option<Vec<(&'d str, Place<'d>)>> {
        let items = self.list(problems)?;
        Some(items.iter().filter_map(|item| Some((item.text(problems)?, item.place()))).collect())
    }

    /// The mistake of a value that is not what is wanted; what it is stands beside
    /// it where that is another kind of value.
    pub(super) fn wants(&self, wanted: impl Display) -> Diagnostic {
        self.mistake(format!("`{}` wants {wanted}", self.key))
            .with_label(format!("this is {}", kind_of(self.value.get_ref())))
    }
}

/// What a value is, as a developer calls it.
fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A whole number that fits 64 bits with a sign.
pub(super) fn whole_of(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
