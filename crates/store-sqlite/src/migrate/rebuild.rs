//! A table made anew, for what ALTER TABLE cannot do.
//!
//! After <https://sqlite.org/lang_altertable.html>, "Making Other Kinds Of Table Schema
//! Changes": a new table, the rows copied, the old one dropped, the new one renamed, its
//! indexes and triggers made again from their own text. It is read from the database and
//! not from a model, so that what somebody added by hand is kept: columns, indexes,
//! triggers. The last number that AUTOINCREMENT gave out is kept too. A table with what
//! cannot be read back (CHECK, generated columns) is left alone, and the step refused.

use mainstay_core::{Code, Error};
use mainstay_store::{
    Change, FieldShape, Fill, MigrationStep, ModelShape, ReferenceShape, convert, sql::Sql,
};
use rusqlite::{Connection, OptionalExtension as _};

use super::{
    ddl::{fill, names, quoted, references},
    notes::note_column,
};
use crate::{compile::StatementText, dialect::SqliteDialect, error::Trouble, introspect, schema};

/// The new table's name until the old one is gone.
const NEW_TABLE: &str = "mainstay_rebuilt";

/// Words in a table's text that say more than can be read back.
const UNREADABLE: [&str; 5] = ["CHECK", "GENERATED", "COLLATE", "UNIQUE", "WITHOUT"];

/// Whether a step makes its table anew.
pub(super) fn is_wanted(step: &MigrationStep) -> bool {
    match step.change() {
        Change::ChangeField { .. } | Change::AddReference { .. } | Change::DropReference { .. } => {
            true
        }
        // A column that must have a value is not added to rows without one, and one that
        // points is not added with a value.
        Change::AddField { field, fill, reference, .. } => match reference {
            None => field.required && fill.is_none(),
            Some(_) => field.required || fill.is_some(),
        },
        _ => false,
    }
}

/// A table that is to be made anew.
pub(super) struct Rebuild<'c> {
    connection: &'c Connection,
    table: String,
    columns: Vec<Column>,
    key: Vec<String>,
    has_numbers: bool,
    is_strict: bool,
    /// By name where the model has one.
    references: Vec<(Option<String>, ReferenceShape)>,
    /// The text of its indexes and triggers.
    others: Vec<String>,
}

struct Column {
    name: String,
    stored: String,
    required: bool,
    default: Option<String>,
    /// What its values are, from the old table's columns.
    source: String,
}

impl<'c> Rebuild<'c> {
    /// A table as it is.
    pub(super) fn of(
        connection: &'c Connection,
        table: &str,
        shape: &ModelShape,
    ) -> Result<Self, Trouble> {
        let text: String = connection.query_row(
            "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?",
            [table],
            |row| row.get(0),
        )?;
        let words = outside_quotes(&text).to_uppercase();
        let mut words = words.split(|letter: char| !letter.is_ascii_alphanumeric());
        if let Some(word) = words.clone().find(|word| UNREADABLE.contains(word)) {
            return Err(Trouble::Caller(Error::new(
                Code::Internal,
                format!("the table has {word} in its text, which would be lost: alter it yourself"),
            )));
        }
        let mut statement = connection.prepare(
            "SELECT name, type, \"notnull\", dflt_value FROM pragma_table_info(?) ORDER BY cid",
        )?;
        let columns = statement.query_map([table], |row| {
            let name: String = row.get(0)?;
            let source = quoted(&name);
            Ok(Column {
                name,
                stored: row.get(1)?,
                required: row.get(2)?,
                default: row.get(3)?,
                source,
            })
        })?;
        let mut statement = connection.prepare(
            "SELECT sql FROM sqlite_schema WHERE tbl_name = ?
             AND type IN ('index', 'trigger') AND sql IS NOT NULL",
        )?;
        let others = statement.query_map([table], |row| row.get(0))?;
        let named = |reference: &ReferenceShape| {
            let mut known = shape.references.iter();
            known.find(|(_, it)| it.fields == reference.fields).map(|(name, _)| name.clone())
        };
        let references = introspect::reference_shapes(connection, table)?;
        Ok(Self {
            connection,
            table: table.to_owned(),
            columns: columns.collect::<rusqlite::Result<_>>()?,
            key: introspect::key(connection, table)?,
            has_numbers: words.clone().any(|word| word == "AUTOINCREMENT"),
            is_strict: words.any(|word| word == "STRICT"),
            references: references.into_iter().map(|it| (named(&it), it)).collect(),
            others: others.collect::<rusqlite::Result<_>>()?,
        })
    }

    /// Adds a step's column.
    pub(super) fn add(&mut self, step: &MigrationStep, field: &FieldShape) -> Result<(), Trouble> {
        let Change::AddField { fill: value, reference, .. } = step.change() else { return Ok(()) };
        self.columns.push(Column {
            name: field.name.clone(),
            stored: schema::stored_type(field.kind).to_owned(),
            required: field.required,
            default: None,
            source: value.as_ref().map_or("NULL".to_owned(), |value| fill(value, field)),
        });
        if let Some((name, reference)) = reference {
            self.references.push((Some(name.clone()), reference.clone()));
        }
        let sql_type = schema::column_type(field.kind);
        note_column(self.connection, &self.table, &field.name, &sql_type)
    }

    /// Makes a column what it is to be.
    pub(super) fn change(&mut self, from: &FieldShape, to: &FieldShape, value: Option<&Fill>) {
        for column in self.columns.iter_mut().filter(|column| column.name == from.name) {
            schema::stored_type(to.kind).clone_into(&mut column.stored);
            column.required = to.required;
            // A default of the old type's is none of the new one's.
            column.default = column.default.take().filter(|_| from.kind == to.kind);
            if from.kind != to.kind {
                let source = Sql::text(column.source.as_str());
                let converted = convert(&SqliteDialect, source, from.kind, to.kind);
                column.source = StatementText::of(converted).sql;
            }
            if let Some(value) = value {
                column.source = format!("coalesce({}, {})", column.source, fill(value, to));
            }
        }
    }

    /// Adds a reference.
    pub(super) fn add_reference(&mut self, reference: &ReferenceShape) {
        self.references.push((None, reference.clone()));
    }

    /// Takes away the reference of these columns.
    pub(super) fn drop_reference(&mut self, fields: &[String]) {
        self.references.retain(|(_, reference)| reference.fields != fields);
    }

    /// Makes the table anew.
    pub(super) fn run(self) -> Result<(), Trouble> {
        let (old, new) = (quoted(&self.table), quoted(NEW_TABLE));
        let connection = self.connection;
        connection.execute_batch(&self.create(&new))?;
        let names: Vec<String> = self.columns.iter().map(|it| quoted(&it.name)).collect();
        let sources: Vec<&str> = self.columns.iter().map(|it| it.source.as_str()).collect();
        let (names, sources) = (names.join(", "), sources.join(", "));
        // In the order in which the rows lie.
        connection.execute_batch(&format!(
            "INSERT INTO {new} ({names}) SELECT {sources} FROM {old} ORDER BY rowid"
        ))?;
        self.keep_last_number()?;
        // What other tables and triggers say of the old one holds for the new one, word
        // for word: nothing of it is to be written anew.
        connection.execute_batch(&format!(
            "DROP TABLE {old};
             PRAGMA legacy_alter_table = ON;
             ALTER TABLE {new} RENAME TO {old};
             PRAGMA legacy_alter_table = OFF;"
        ))?;
        for other in &self.others {
            connection.execute_batch(other)?;
        }
        Ok(())
    }

    fn create(&self, new: &str) -> String {
        let mut parts: Vec<String> = self.columns.iter().map(|it| self.column(it)).collect();
        if !self.has_numbers && !self.key.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", names(&self.key)));
        }
        for (name, reference) in &self.references {
            let name =
                name.as_ref().map_or(String::new(), |name| format!("CONSTRAINT {} ", quoted(name)));
            let from = names(&reference.fields);
            parts.push(format!("{name}FOREIGN KEY ({from}) {}", references(reference)));
        }
        let strict = if self.is_strict { " STRICT" } else { "" };
        format!("CREATE TABLE {new} ({}){strict}", parts.join(", "))
    }

    fn column(&self, column: &Column) -> String {
        let name = quoted(&column.name);
        if self.has_numbers && self.key == [column.name.as_str()] {
            return format!("{name} INTEGER PRIMARY KEY AUTOINCREMENT");
        }
        let not_null = if column.required { " NOT NULL" } else { "" };
        let default = column.default.as_ref().map_or(String::new(), |it| format!(" DEFAULT {it}"));
        format!("{name} {}{not_null}{default}", column.stored)
    }

    /// The new table goes on counting where the old one stood, also where the row of the
    /// last number is gone.
    fn keep_last_number(&self) -> Result<(), Trouble> {
        if !self.has_numbers {
            return Ok(());
        }
        let last: Option<i64> = self
            .connection
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = ?", [&self.table], |row| {
                row.get(0)
            })
            .optional()?;
        if let Some(last) = last {
            self.connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", [NEW_TABLE])?;
            self.connection.execute(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
                rusqlite::params![NEW_TABLE, last],
            )?;
        }
        Ok(())
    }
}

/// A statement's text without what stands in quotes.
fn outside_quotes(text: &str) -> String {
    let mut quote = None;
    let outside = |letter: char| match quote {
        None if matches!(letter, '"' | '\'' | '`') => {
            quote = Some(letter);
            ' '
        }
        None => letter,
        Some(open) => {
            if letter == open {
                quote = None;
            }
            ' '
        }
    };
    text.chars().map(outside).collect()
}
