//! One step.

use mainstay_core::{Error, Type};
use mainstay_store::{Change, FieldShape, Fill, MigrationStep, ModelShape, convert, sql::Sql};

use super::{
    ddl::{
        add_reference, column, create_index, create_table, fill, generated, key_name, quoted,
        sequence, type_with_order,
    },
    developers,
};
use crate::{
    connection::Connection, dialect::PostgresDialect, error::Trouble, introspect::introspect,
    schema,
};

/// Takes a step.
pub(super) async fn take(connection: &Connection, step: &MigrationStep) -> Result<(), Trouble> {
    match step.change() {
        Change::RenameModel { to, .. } => make_way_for_table(connection, to).await?,
        Change::RenameField { model, to, .. } => {
            make_way_for_column(connection, model, to).await?;
        }
        Change::Sql { postgres: Some(sql), .. } => return developers::run(connection, sql).await,
        _ => {}
    }
    for sql in statements(step)? {
        connection.batch(&sql).await?;
    }
    Ok(())
}

fn statements(step: &MigrationStep) -> Result<Vec<String>, Trouble> {
    let none = || Trouble::Internal(Error::internal("BUG: a step without its model"));
    let shape = || step.shape().ok_or_else(none);
    let alter = |model: &str, what: String| format!("ALTER TABLE {} {what}", quoted(model));
    Ok(match step.change() {
        Change::CreateModel { model, shape } => {
            let references = shape.references.iter();
            let references = references.map(|(name, it)| add_reference(model, name, it));
            create_table(model, shape).into_iter().chain(references).collect()
        }
        Change::DropModel { model } => vec![format!("DROP TABLE {}", quoted(model))],
        Change::RenameModel { model, to } => rename_model(model, to, shape()?),
        Change::AddField { model, field, fill, reference } => {
            let mut sql = add_column(model, shape()?, field, fill.as_ref());
            sql.extend(reference.iter().map(|(name, it)| add_reference(model, name, it)));
            sql
        }
        Change::DropField { model, field } => {
            vec![alter(model, format!("DROP COLUMN {}", quoted(field)))]
        }
        Change::RenameField { model, field, to } => {
            vec![alter(model, format!("RENAME COLUMN {} TO {}", quoted(field), quoted(to)))]
        }
        Change::ChangeField { model, from, to, fill } => {
            change_column(model, from, to, fill.as_ref())
        }
        Change::AddUnique { model, name, .. } | Change::AddIndex { model, name, .. } => {
            let wanted = schema::table(shape()?);
            let index = wanted.indexes.get(name).ok_or_else(none)?;
            vec![create_index(model, name, index)]
        }
        Change::DropIndex { name, .. } => vec![format!("DROP INDEX {}", quoted(name))],
        Change::RenameIndex { name, to, .. } => {
            vec![format!("ALTER INDEX {} RENAME TO {}", quoted(name), quoted(to))]
        }
        Change::AddReference { model, name, reference } => {
            vec![add_reference(model, name, reference)]
        }
        Change::DropReference { model, name, .. } => {
            vec![alter(model, format!("DROP CONSTRAINT {}", quoted(name)))]
        }
        Change::RenameReference { model, name, to } => {
            vec![alter(model, format!("RENAME CONSTRAINT {} TO {}", quoted(name), quoted(to)))]
        }
        Change::Sql { .. } => Vec::new(),
    })
}

/// A table's own things are named after it.
fn rename_model(model: &str, to: &str, shape: &ModelShape) -> Vec<String> {
    let table = quoted(to);
    let mut sql = vec![format!("ALTER TABLE {} RENAME TO {table}", quoted(model))];
    if !shape.key.is_empty() {
        let (from, to) = (key_name(model), key_name(to));
        sql.push(format!("ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}"));
    }
    if generated(shape).is_some() {
        sql.push(format!("ALTER SEQUENCE {} RENAME TO {}", sequence(model), sequence(to)));
    }
    sql
}

fn add_column(
    model: &str,
    shape: &ModelShape,
    field: &FieldShape,
    value: Option<&Fill>,
) -> Vec<String> {
    let (table, name) = (quoted(model), quoted(&field.name));
    let mut added = format!("ALTER TABLE {table} ADD COLUMN {}", column(model, shape, field));
    match value.and_then(|value| fill(value, field.kind)) {
        // A default of the column's own fills the rows that are there, at once; new
        // rows are given theirs.
        Some(default) => {
            added.push_str(&format!(" DEFAULT {default}"));
            vec![added, format!("ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT")]
        }
        None => vec![added],
    }
}

fn change_column(
    model: &str,
    from: &FieldShape,
    to: &FieldShape,
    value: Option<&Fill>,
) -> Vec<String> {
    let (table, name) = (quoted(model), quoted(&to.name));
    let mut sql = Vec::new();
    if from.kind != to.kind {
        let (using, _) = converted(&name, from.kind, to.kind).finish(&PostgresDialect);
        let kind = type_with_order(to.kind);
        sql.push(format!("ALTER TABLE {table} ALTER COLUMN {name} TYPE {kind} USING {using}"));
    }
    if let Some(value) = value.and_then(|value| fill(value, to.kind)) {
        sql.push(format!("UPDATE {table} SET {name} = {value} WHERE {name} IS NULL"));
    }
    if from.required != to.required {
        let what = if to.required { "SET" } else { "DROP" };
        sql.push(format!("ALTER TABLE {table} ALTER COLUMN {name} {what} NOT NULL"));
    }
    sql
}

fn converted(column: &str, from: Type, to: Type) -> Sql {
    convert(&PostgresDialect, Sql::text(column), from, to).within("(", ")")
}

/// Drops a table without rows that stands where another is to be: `dev` makes one when a
/// model is renamed in its file before the migration is written.
async fn make_way_for_table(connection: &Connection, name: &str) -> Result<(), Trouble> {
    if introspect(connection.client()).await?.tables.contains_key(name) {
        if !is_empty(connection, &format!("SELECT 1 FROM {}", quoted(name))).await? {
            return Err(Trouble::Caller(mainstay_store::in_the_way(name)));
        }
        connection.batch(&format!("DROP TABLE {}", quoted(name))).await?;
    }
    Ok(())
}

/// Drops a column without values that stands where another is to be: `dev` adds one when a
/// field is renamed in its file before the migration is written.
async fn make_way_for_column(
    connection: &Connection,
    model: &str,
    name: &str,
) -> Result<(), Trouble> {
    let schema = introspect(connection.client()).await?;
    let table = schema.tables.get(model);
    if !table.is_some_and(|table| table.columns.iter().any(|column| column.name == name)) {
        return Ok(());
    }
    let (table, column) = (quoted(model), quoted(name));
    let values = format!("SELECT 1 FROM {table} WHERE {column} IS NOT NULL");
    if !is_empty(connection, &values).await? {
        return Err(Trouble::Caller(mainstay_store::in_the_way(&format!("{model}.{name}"))));
    }
    connection.batch(&format!("ALTER TABLE {table} DROP COLUMN {column}")).await
}

async fn is_empty(connection: &Connection, rows: &str) -> Result<bool, Trouble> {
    let row = connection.client().query_one(&format!("SELECT NOT EXISTS ({rows})"), &[]).await?;
    Ok(row.try_get(0)?)
}
