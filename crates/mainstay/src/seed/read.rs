//! The files of `seed/`: which model each is for, and its rows.
//!
//! `posts.json` is an array of objects; `users.csv` begins with a line of names, and
//! an empty cell gives nothing, so that the field takes its default. Every value
//! keeps the place it came from, for the mistake that may be found in it later. All
//! mistakes of all files are reported at once.

use std::{fmt, ops::Range};

use mainstay_core::{Catalog, Diagnostic, Model, ModelId, SourceFile, Type, nearest};
use mainstay_plan::PayloadValue;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{
    folder::{Folder, FolderError, read_text, visible_entries},
    load::Mistakes,
};

/// A file of `seed/`.
#[derive(Debug)]
pub(super) struct SeedFile {
    pub(super) model: ModelId,
    pub(super) source: SourceFile,
    pub(super) rows: Vec<Row>,
}

/// A row as it is written.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) span: Range<usize>,
    pub(super) cells: Vec<Cell>,
}

/// A field of a row as it is written.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) name: String,
    pub(super) value: PayloadValue<'static>,
    pub(super) span: Range<usize>,
}

impl Row {
    /// What it says for a field; the last word where there are two.
    pub(super) fn cell(&self, name: &str) -> Option<&Cell> {
        self.cells.iter().rev().find(|cell| cell.name == name)
    }
}

/// The text of the files of `seed/` with what they are called below the folder.
///
/// # Errors
/// Where one cannot be read.
pub(super) fn read_texts(folder: &Folder) -> Result<Vec<SourceFile>, FolderError> {
    let directory = folder.seed();
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    visible_entries(&directory)?
        .into_iter()
        .filter(|entry| entry.path.is_file())
        .map(|entry| {
            let text = read_text(&entry.path)?;
            Ok(SourceFile { path: format!("seed/{}", entry.name), text })
        })
        .collect()
}

/// Reads the files' rows.
///
/// # Errors
/// All mistakes of all files.
pub(super) fn read_rows(
    sources: Vec<SourceFile>,
    catalog: &Catalog,
) -> Result<Vec<SeedFile>, Mistakes> {
    let mut mistakes = Vec::new();
    let mut files = Vec::new();
    for source in &sources {
        match read_file(source, catalog) {
            Ok((model, rows)) => files.push((model, source.clone(), rows)),
            Err(mistake) => mistakes.push(*mistake),
        }
    }
    if !mistakes.is_empty() {
        return Err(Mistakes::new(mistakes, sources));
    }
    Ok(files.into_iter().map(|(model, source, rows)| SeedFile { model, source, rows }).collect())
}

fn read_file(
    source: &SourceFile,
    catalog: &Catalog,
) -> Result<(ModelId, Vec<Row>), Box<Diagnostic>> {
    let file_name = source.path.rsplit('/').next().unwrap_or_default();
    let Some((name, form)) = file_name.rsplit_once('.') else {
        return Err(unknown_form(source));
    };
    if !matches!(form, "json" | "csv") {
        return Err(unknown_form(source));
    }
    let Some(model) = catalog.exposed_id(name) else {
        let message = format!("there is no model `{name}`");
        let names = catalog.exposed_models().map(|model| &*model.name);
        let found = Diagnostic::unplaced(&source.path, message);
        return Err(Box::new(match nearest(name, names) {
            Some(near) => found.with_nearest(Some(near)),
            None => found.with_hint("a seed file is named after its model"),
        }));
    };
    let rows = match form {
        "json" => json_rows(source),
        _ => csv_rows(source, catalog.model(model)),
    };
    Ok((model, rows?))
}

fn unknown_form(source: &SourceFile) -> Box<Diagnostic> {
    let message = "a seed file is MODEL.json or MODEL.csv";
    Box::new(Diagnostic::unplaced(&source.path, message))
}

fn json_rows(source: &SourceFile) -> Result<Vec<Row>, Box<Diagnostic>> {
    let text = source.text.as_str();
    let rows: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| {
        let at = offset_of(text, error.line(), error.column());
        let message = format!("not an array of objects: {}", without_place(&error));
        Box::new(Diagnostic::at(source, at..at + 1, message))
    })?;
    rows.into_iter()
        .map(|row| {
            let span = span_in(text, row.get());
            let Object(fields) = serde_json::from_str(row.get()).map_err(|error| {
                let message = format!("a row is an object: {}", without_place(&error));
                Box::new(Diagnostic::at(source, span.clone(), message))
            })?;
            let cells = fields
                .into_iter()
                .map(|(name, value)| Cell {
                    name,
                    value: json_value(value.get()),
                    span: span_in(text, value.get()),
                })
                .collect();
            Ok(Row { span, cells })
        })
        .collect()
}

fn json_value(text: &str) -> PayloadValue<'static> {
    match text.as_bytes().first() {
        Some(b'n') => PayloadValue::Null,
        Some(b't') => PayloadValue::Bool(true),
        Some(b'f') => PayloadValue::Bool(false),
        Some(b'"') => {
            let text: String =
                serde_json::from_str(text).expect("BUG: a raw value is JSON already");
            PayloadValue::String(text.into())
        }
        Some(b'{' | b'[') => PayloadValue::Nested(text.to_owned().into()),
        _ => PayloadValue::Number(text.to_owned().into()),
    }
}

fn csv_rows(source: &SourceFile, model: &Model) -> Result<Vec<Row>, Box<Diagnostic>> {
    let text = source.text.as_str();
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let mistake = |error: csv::Error| {
        let at = error.position().map_or(0, |position| offset(position.byte()));
        Box::new(Diagnostic::at(source, at..line_end(text, at), error.to_string()))
    };
    let names = reader.headers().map_err(mistake)?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(mistake)?;
        let start = record.position().map_or(0, |position| offset(position.byte()));
        let span = start..line_end(text, start);
        let cells = names
            .iter()
            .zip(&record)
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(name, cell)| Cell {
                name: name.trim().to_owned(),
                value: csv_value(model, name.trim(), cell),
                span: span.clone(),
            })
            .collect();
        rows.push(Row { span, cells });
    }
    Ok(rows)
}

/// A cell's value: JSON in a JSON field, a text in its type's form elsewhere.
fn csv_value(model: &Model, name: &str, cell: &str) -> PayloadValue<'static> {
    let is_json =
        model.field_id(name).is_some_and(|field| model.field(field).value_type == Type::Json);
    match serde_json::from_str::<&RawValue>(cell) {
        Ok(json) if is_json => json_value(json.get()),
        _ => PayloadValue::String(cell.to_owned().into()),
    }
}

/// The fields of an object in the order they were written.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// Where a part of a text stands in it.
fn span_in(text: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + part.len()
}

/// The byte at a line and a column as serde_json counts them: from 1, in bytes.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    before + column.saturating_sub(1)
}

fn offset(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn line_end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    start + rest.find('\n').unwrap_or(rest.len())
}

/// What serde_json says, without the place, which is shown.
fn without_place(error: &serde_json::Error) -> String {
    let said = error.to_string();
    said.rsplit_once(" at line ").map_or(said.clone(), |(message, _)| message.to_owned())
}
