//! One step.

use mainstay_core::Error;
use mainstay_store::{
    Change, FieldShape, Fill, MigrationStep, ModelShape, ReferenceShape, VERSION_COLUMN,
};
use rusqlite::{Connection, params};

use super::{
    ddl::{column, create_index, fill, names, quoted, references},
    developers,
    notes::note_column,
    rebuild::{self, Rebuild},
};
use crate::{error::Trouble, introspect::introspect, schema};

/// Takes a step.
pub(super) fn take(connection: &Connection, step: &MigrationStep) -> Result<(), Trouble> {
    let none = || Trouble::Internal(Error::internal("BUG: a step without its model"));
    let shape = || step.shape().ok_or_else(none);
    let rebuild = |model: &str| Rebuild::of(connection, model, shape()?);
    match step.change() {
        Change::CreateModel { model, shape } => create_table(connection, model, shape),
        Change::DropModel { model } => drop_table(connection, model),
        Change::RenameModel { model, to } => rename_table(connection, model, to),
        Change::AddField { model, field, .. } if rebuild::is_wanted(step) => {
            let mut rebuild = rebuild(model)?;
            rebuild.add(step, field)?;
            rebuild.run()
        }
        Change::AddField { model, field, fill, reference } => {
            let reference = reference.as_ref().map(|(_, it)| it);
            add_column(connection, model, shape()?, field, fill.as_ref(), reference)
        }
        Change::DropField { model, field } => drop_column(connection, model, field),
        Change::RenameField { model, field, to } => rename_column(connection, model, field, to),
        Change::ChangeField { model, from, to, fill } => {
            let mut rebuild = rebuild(model)?;
            rebuild.change(from, to, fill.as_ref());
            rebuild.run()?;
            note_column(connection, model, &to.name, &schema::column_type(to.kind))
        }
        Change::AddUnique { model, name, .. } | Change::AddIndex { model, name, .. } => {
            make_index(connection, model, shape()?, name)
        }
        Change::DropIndex { name, .. } => {
            Ok(connection.execute_batch(&format!("DROP INDEX {}", quoted(name)))?)
        }
        // There is no renaming of an index.
        Change::RenameIndex { model, name, to } => {
            connection.execute_batch(&format!("DROP INDEX {}", quoted(name)))?;
            make_index(connection, model, shape()?, to)
        }
        Change::AddReference { model, reference, .. } => {
            let mut rebuild = rebuild(model)?;
            rebuild.add_reference(reference);
            rebuild.run()
        }
        Change::DropReference { model, fields, .. } => {
            let mut rebuild = rebuild(model)?;
            rebuild.drop_reference(fields);
            rebuild.run()
        }
        // Nothing of SQLite's asks for the name, which stands in the table's text alone.
        Change::RenameReference { .. } => Ok(()),
        Change::Sql { sqlite, .. } => {
            sqlite.as_deref().map_or(Ok(()), |sql| developers::run(connection, sql))
        }
    }
}

fn create_table(connection: &Connection, model: &str, shape: &ModelShape) -> Result<(), Trouble> {
    let mut parts: Vec<String> = shape.fields.iter().map(|field| column(shape, field)).collect();
    parts.push(format!("{VERSION_COLUMN} INTEGER NOT NULL DEFAULT 1"));
    let is_number = shape.fields.iter().any(|field| shape.is_generated_number(&field.name));
    if !is_number && !shape.key.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", names(&shape.key)));
    }
    for (name, reference) in &shape.references {
        let from = names(&reference.fields);
        let (name, target) = (quoted(name), references(reference));
        parts.push(format!("CONSTRAINT {name} FOREIGN KEY ({from}) {target}"));
    }
    let parts = parts.join(", ");
    connection.execute_batch(&format!("CREATE TABLE {} ({parts}) STRICT", quoted(model)))?;
    for field in &shape.fields {
        note_column(connection, model, &field.name, &schema::column_type(field.kind))?;
    }
    note_column(connection, model, VERSION_COLUMN, "INTEGER (version)")?;
    for (name, index) in &schema::table(shape).indexes {
        connection.execute_batch(&create_index(model, name, index))?;
    }
    Ok(())
}

fn drop_table(connection: &Connection, model: &str) -> Result<(), Trouble> {
    connection.execute_batch(&format!("DROP TABLE {}", quoted(model)))?;
    connection.execute("DELETE FROM mainstay_columns WHERE table_name = ?", [model])?;
    Ok(())
}

fn rename_table(connection: &Connection, model: &str, to: &str) -> Result<(), Trouble> {
    make_way_for_table(connection, to)?;
    let (from, quoted_to) = (quoted(model), quoted(to));
    connection.execute_batch(&format!("ALTER TABLE {from} RENAME TO {quoted_to}"))?;
    connection.execute(
        "UPDATE mainstay_columns SET table_name = ?2 WHERE table_name = ?1",
        [model, to],
    )?;
    Ok(())
}

/// Drops a table without rows that stands where another is to be: `dev` makes one when a
/// model is renamed in its file before the migration is written.
fn make_way_for_table(connection: &Connection, name: &str) -> Result<(), Trouble> {
    if !introspect(connection)?.tables.contains_key(name) {
        return Ok(());
    }
    let is_empty: bool = connection.query_row(
        &format!("SELECT NOT EXISTS (SELECT 1 FROM {})", quoted(name)),
        [],
        |row| row.get(0),
    )?;
    if is_empty { drop_table(connection, name) } else { Err(in_the_way(name)) }
}

fn in_the_way(name: &str) -> Trouble {
    Trouble::Caller(mainstay_store::in_the_way(name))
}

fn add_column(
    connection: &Connection,
    model: &str,
    shape: &ModelShape,
    field: &FieldShape,
    value: Option<&Fill>,
    reference: Option<&ReferenceShape>,
) -> Result<(), Trouble> {
    let mut sql = format!("ALTER TABLE {} ADD COLUMN {}", quoted(model), column(shape, field));
    if let Some(value) = value {
        // A default of the column's own fills the rows that are there, at once.
        sql.push_str(" DEFAULT ");
        sql.push_str(&fill(value, field));
    }
    if let Some(reference) = reference {
        sql.push(' ');
        sql.push_str(&references(reference));
    }
    connection.execute_batch(&sql)?;
    note_column(connection, model, &field.name, &schema::column_type(field.kind))
}

fn drop_column(connection: &Connection, model: &str, field: &str) -> Result<(), Trouble> {
    let (table, column) = (quoted(model), quoted(field));
    connection.execute_batch(&format!("ALTER TABLE {table} DROP COLUMN {column}"))?;
    connection.execute(
        "DELETE FROM mainstay_columns WHERE table_name = ? AND column_name = ?",
        params![model, field],
    )?;
    Ok(())
}

fn rename_column(
    connection: &Connection,
    model: &str,
    field: &str,
    to: &str,
) -> Result<(), Trouble> {
    make_way_for_column(connection, model, to)?;
    let (table, from, quoted_to) = (quoted(model), quoted(field), quoted(to));
    connection
        .execute_batch(&format!("ALTER TABLE {table} RENAME COLUMN {from} TO {quoted_to}"))?;
    connection.execute(
        "UPDATE mainstay_columns SET column_name = ?3 WHERE table_name = ?1 AND column_name = ?2",
        params![model, field, to],
    )?;
    Ok(())
}

/// Drops a column without values that stands where another is to be, with the indexes over
/// it: `dev` adds one when a field is renamed in its file before the migration is written.
fn make_way_for_column(connection: &Connection, model: &str, name: &str) -> Result<(), Trouble> {
    let schema = introspect(connection)?;
    let Some(table) = schema.tables.get(model) else { return Ok(()) };
    if table.columns.iter().all(|column| column.name != name) {
        return Ok(());
    }
    let (quoted_table, column) = (quoted(model), quoted(name));
    let is_empty: bool = connection.query_row(
        &format!("SELECT NOT EXISTS (SELECT 1 FROM {quoted_table} WHERE {column} IS NOT NULL)"),
        [],
        |row| row.get(0),
    )?;
    if !is_empty {
        return Err(in_the_way(&format!("{model}.{name}")));
    }
    for (index, _) in
        table.indexes.iter().filter(|(_, it)| it.columns.iter().any(|(it, _)| it == name))
    {
        connection.execute_batch(&format!("DROP INDEX {}", quoted(index)))?;
    }
    drop_column(connection, model, name)
}

fn make_index(
    connection: &Connection,
    model: &str,
    shape: &ModelShape,
    name: &str,
) -> Result<(), Trouble> {
    let indexes = schema::table(shape).indexes;
    let index = indexes.get(name).ok_or_else(|| {
        Trouble::Internal(Error::internal(format!("no model wants index {name}")))
    })?;
    Ok(connection.execute_batch(&create_index(model, name, index))?)
}
