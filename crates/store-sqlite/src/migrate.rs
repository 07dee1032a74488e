//! Migration steps as SQLite's own statements, all in one transaction.
//!
//! Mainstay's own tables are made here too. `mainstay_columns` notes what each
//! column holds, because SQLite has one INTEGER for our ints, bools, decimals, dates
//! and timestamps, and a field that changed from one to another must be noticed.

use mainstay_core::{
    Catalog, DefaultValue, Error, Field, IdKind, Model, ModelId, Reference, Value,
};
use mainstay_store::{
    Applied, Change, IndexSchema, MigrationStep, VERSION_COLUMN, columns_of, is_nullable,
    sql::Dialect, target,
};
use rusqlite::{Connection, params};

use crate::{
    compile::StatementText, dialect::SqliteDialect, error::Trouble, outbox, schema, value,
};

/// What columns hold, beyond SQLite's type.
const COLUMNS_TABLE: &str = "CREATE TABLE IF NOT EXISTS mainstay_columns (
    table_name TEXT NOT NULL,
    column_name TEXT NOT NULL,
    type TEXT NOT NULL,
    PRIMARY KEY (table_name, column_name)
) STRICT, WITHOUT ROWID";

/// Facts about the file: for now `format`, which a later Mainstay that lays it out
/// differently will look at.
const META_TABLE: &str = "CREATE TABLE IF NOT EXISTS mainstay_meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID";

/// How the file is laid out.
const FORMAT: &str = "1";

/// Makes Mainstay's own tables where they are missing.
///
/// # Errors
/// Where the file was written by a Mainstay that lays it out differently.
pub(crate) fn make_own_tables(connection: &Connection) -> Result<(), Error> {
    let make = || -> rusqlite::Result<String> {
        let transaction = connection.unchecked_transaction()?;
        for table in [META_TABLE, COLUMNS_TABLE, outbox::TABLE] {
            transaction.execute_batch(table)?;
        }
        transaction.execute(
            "INSERT INTO mainstay_meta VALUES ('format', ?) ON CONFLICT DO NOTHING",
            [FORMAT],
        )?;
        let format = transaction.query_row(
            "SELECT value FROM mainstay_meta WHERE name = 'format'",
            [],
            |row| row.get(0),
        )?;
        transaction.commit()?;
        Ok(format)
    };
    // A file that is ready is left alone, so that opening it writes nothing.
    let ready =
        connection.query_row("SELECT value FROM mainstay_meta WHERE name = 'format'", [], |row| {
            row.get::<_, String>(0)
        });
    let format = match ready {
        Ok(format) => format,
        Err(_) => make().map_err(|error| Trouble::from(error).into_error())?,
    };
    if format == FORMAT {
        return Ok(());
    }
    Err(Error::unavailable(format!(
        "the database is laid out in format {format}, and this program knows format {FORMAT}"
    ))
    .with_hint("use the version of Mainstay that wrote it, or a later one"))
}

/// Carries out steps: all or none.
///
/// # Errors
/// `Unavailable`, or `Internal` with the step that failed as its message.
pub(crate) fn migrate(
    connection: &Connection,
    catalog: &Catalog,
    steps: &[MigrationStep],
) -> Result<Applied, Error> {
    let failed = |error: rusqlite::Error| Trouble::from(error).into_error();
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    let result = take_all(connection, catalog, steps);
    let ended = match &result {
        Ok(_) => connection.execute_batch("COMMIT"),
        Err(_) => connection.execute_batch("ROLLBACK"),
    };
    match (result, ended) {
        (Ok(applied), Ok(())) => Ok(applied),
        (Err(error), _) => Err(error),
        (Ok(_), Err(error)) => Err(failed(error)),
    }
}

fn take_all(
    connection: &Connection,
    catalog: &Catalog,
    steps: &[MigrationStep],
) -> Result<Applied, Error> {
    let mut applied = Applied::default();
    for step in steps {
        take(connection, catalog, step.change()).map_err(|trouble| {
            let what = step.described();
            match trouble {
                Trouble::Unavailable(error) | Trouble::Disk(error) => error,
                Trouble::Unique(_) => Error::new(
                    mainstay_core::Code::Internal,
                    format!("cannot {what}: rows that are there share the same values"),
                ),
                other => Error::new(mainstay_core::Code::Internal, format!("cannot {what}"))
                    .with_source(other.into_error()),
            }
        })?;
        applied.steps.push(step.described().to_owned());
    }
    Ok(applied)
}

fn take(connection: &Connection, catalog: &Catalog, change: &Change) -> Result<(), Trouble> {
    match change {
        Change::CreateTable(model) => create_table(connection, catalog, *model),
        Change::AddColumn(model, field) => {
            let model = catalog.model(*model);
            add_column(connection, catalog, model, model.field(*field))
        }
        Change::CreateIndex(model, name) => {
            let model = catalog.model(*model);
            let wanted = schema::wanted(catalog);
            let index = wanted
                .tables
                .get(&*model.table.table)
                .and_then(|table| table.indexes.get(name))
                .ok_or_else(|| {
                    Trouble::Internal(Error::internal(format!("no model wants index {name}")))
                })?;
            create_index(connection, model, name, index)
        }
    }
}

fn create_table(connection: &Connection, catalog: &Catalog, id: ModelId) -> Result<(), Trouble> {
    let model = catalog.model(id);
    let mut parts: Vec<String> = model.fields.iter().map(|field| column(model, field)).collect();
    parts.push(format!("{VERSION_COLUMN} INTEGER NOT NULL DEFAULT 1"));
    if model.id != IdKind::Int && !model.key.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", names(&columns_of(model, &model.key))));
    }
    for reference in catalog.references_from(id) {
        let reference = catalog.reference(reference);
        let from = names(&columns_of(model, &reference.from_fields));
        parts.push(format!(
            "CONSTRAINT {} FOREIGN KEY ({from}) {}",
            SqliteDialect.identifier(&reference.name),
            references(catalog, reference)
        ));
    }
    let table = SqliteDialect.identifier(&model.table.table);
    connection.execute_batch(&format!("CREATE TABLE {table} ({}) STRICT", parts.join(", ")))?;
    for field in &model.fields {
        note_column(connection, model, &field.column, &schema::column_type(field))?;
    }
    note_column(connection, model, VERSION_COLUMN, "INTEGER (version)")?;
    let wanted = schema::wanted(catalog);
    if let Some(table) = wanted.tables.get(&*model.table.table) {
        for (name, index) in &table.indexes {
            create_index(connection, model, name, index)?;
        }
    }
    Ok(())
}

/// `"title" TEXT NOT NULL`. An int key is SQLite's own row number, with the promise
/// that none is ever given twice.
fn column(model: &Model, field: &Field) -> String {
    let name = SqliteDialect.identifier(&field.column);
    let is_key = model.id_field().is_some_and(|id| model.field(id).name == field.name);
    if is_key && model.id == IdKind::Int {
        return format!("{name} INTEGER PRIMARY KEY AUTOINCREMENT");
    }
    let stored = schema::stored_type(field.value_type);
    let not_null = if is_nullable(model, field) { "" } else { " NOT NULL" };
    format!("{name} {stored}{not_null}")
}

fn references(catalog: &Catalog, reference: &Reference) -> String {
    let target = target(catalog, reference);
    format!(
        "REFERENCES {} ({}) ON DELETE {}",
        SqliteDialect.identifier(&target.table),
        names(&target.columns),
        target.on_delete.to_uppercase()
    )
}

fn add_column(
    connection: &Connection,
    catalog: &Catalog,
    model: &Model,
    field: &Field,
) -> Result<(), Trouble> {
    let table = SqliteDialect.identifier(&model.table.table);
    let mut sql = format!("ALTER TABLE {table} ADD COLUMN {}", column(model, field));
    let default = match &field.default {
        Some(DefaultValue::Literal(value)) if !value.is_null() => Some(value),
        _ => None,
    };
    if let Some(value) = default.filter(|_| field.reference().is_none()) {
        // A default of the column's own fills the rows that are there, at once.
        sql.push_str(" DEFAULT ");
        sql.push_str(&literal(value));
    }
    if let Some(reference) = field.reference() {
        sql.push(' ');
        sql.push_str(&references(catalog, catalog.reference(reference)));
    }
    connection.execute_batch(&sql)?;
    note_column(connection, model, &field.column, &schema::column_type(field))
}

fn create_index(
    connection: &Connection,
    model: &Model,
    name: &str,
    index: &IndexSchema,
) -> Result<(), Trouble> {
    let columns: Vec<String> = index
        .columns
        .iter()
        .map(|(column, descends)| {
            let descending = if *descends { " DESC" } else { "" };
            format!("{}{descending}", SqliteDialect.identifier(column))
        })
        .collect();
    let unique = if index.unique { "UNIQUE " } else { "" };
    connection.execute_batch(&format!(
        "CREATE {unique}INDEX {} ON {} ({})",
        SqliteDialect.identifier(name),
        SqliteDialect.identifier(&model.table.table),
        columns.join(", ")
    ))?;
    Ok(())
}

/// Notes what a column holds: what stands in brackets after SQLite's type.
fn note_column(
    connection: &Connection,
    model: &Model,
    column: &str,
    sql_type: &str,
) -> Result<(), Trouble> {
    let holds = sql_type
        .split_once(" (")
        .and_then(|(_, holds)| holds.strip_suffix(')'))
        .unwrap_or(sql_type);
    connection.execute(
        "INSERT INTO mainstay_columns VALUES (?, ?, ?)
         ON CONFLICT (table_name, column_name) DO UPDATE SET type = excluded.type",
        params![&*model.table.table, column, holds],
    )?;
    Ok(())
}

fn names(columns: &[String]) -> String {
    let quoted: Vec<String> =
        columns.iter().map(|column| SqliteDialect.identifier(column)).collect();
    quoted.join(", ")
}

/// A value as it stands in a column's DEFAULT, where there can be no parameter.
fn literal(value: &Value) -> String {
    let StatementText { sql, params } = StatementText::of(SqliteDialect.constant(value));
    if params.is_empty() {
        return sql;
    }
    match value::plain(value) {
        rusqlite::types::ValueRef::Real(number) => format!("{number:?}"),
        rusqlite::types::ValueRef::Text(text) => {
            format!("'{}'", String::from_utf8_lossy(text).replace('\'', "''"))
        }
        rusqlite::types::ValueRef::Blob(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{digits}'")
        }
        rusqlite::types::ValueRef::Integer(number) => number.to_string(),
        rusqlite::types::ValueRef::Null => "NULL".to_owned(),
    }
}
