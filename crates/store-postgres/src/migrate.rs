//! Migration steps as PostgreSQL's own statements, all in one transaction.

use mainstay_core::{Catalog, Code, DefaultValue, Error, Field, IdKind, Model, RefId, Type, Value};
use mainstay_store::{
    Applied, Change, IndexSchema, MigrationStep, VERSION_COLUMN, columns_of, is_nullable,
    sql::Dialect, target,
};

use crate::{connection::Connection, dialect::PostgresDialect, error::Trouble, schema, value};

/// Held while a schema changes, so that two nodes do not change it at once.
const MIGRATING_LOCK: i64 = 0x6d61_696e_7374_6180;

/// Carries out steps: all or none.
///
/// # Errors
/// `Unavailable`, or `Internal` with the step that failed as its message.
pub(crate) async fn migrate(
    connection: &Connection,
    catalog: &Catalog,
    steps: &[MigrationStep],
) -> Result<Applied, Error> {
    let begin = format!(
        "BEGIN; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({MIGRATING_LOCK})"
    );
    connection.batch(&begin).await.map_err(Trouble::into_error)?;
    let result = take_all(connection, catalog, steps).await;
    let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = connection.batch(end).await.map_err(Trouble::into_error);
    let applied = result?;
    ended.map(|()| applied)
}

async fn take_all(
    connection: &Connection,
    catalog: &Catalog,
    steps: &[MigrationStep],
) -> Result<Applied, Error> {
    let mut applied = Applied::default();
    for step in steps {
        run(connection, step.described(), statements(catalog, step.change())).await?;
        applied.steps.push(step.described().to_owned());
    }
    // Tables may point at each other, so their references come once all are there.
    for step in steps {
        if let Change::CreateTable(model) = step.change() {
            let sql = catalog.references_from(*model).map(|id| add_reference(catalog, id));
            run(connection, step.described(), sql.collect()).await?;
        }
    }
    Ok(applied)
}

async fn run(connection: &Connection, what: &str, sql: Vec<String>) -> Result<(), Error> {
    for sql in sql {
        connection.batch(&sql).await.map_err(|trouble| match trouble {
            Trouble::Unavailable(error) | Trouble::Lost(error) => error,
            Trouble::Unique(_) => Error::new(
                Code::Internal,
                format!("cannot {what}: rows that are there share the same values"),
            ),
            other => {
                Error::new(Code::Internal, format!("cannot {what}")).with_source(other.into_error())
            }
        })?;
    }
    Ok(())
}

fn statements(catalog: &Catalog, change: &Change) -> Vec<String> {
    match change {
        Change::CreateTable(model) => create_table(catalog, catalog.model(*model)),
        Change::AddColumn(model, field) => {
            let model = catalog.model(*model);
            add_column(catalog, model, model.field(*field))
        }
        Change::CreateIndex(model, name) => {
            let model = catalog.model(*model);
            let wanted = schema::wanted(catalog);
            let table = wanted.tables.get(&*model.table.table);
            let index = table.and_then(|table| table.indexes.get(name));
            index.map(|index| create_index(model, name, index)).into_iter().collect()
        }
    }
}

fn create_table(catalog: &Catalog, model: &Model) -> Vec<String> {
    let table = PostgresDialect.table(&model.table);
    let mut parts: Vec<String> = model.fields.iter().map(|field| column(model, field)).collect();
    parts.push(format!("{VERSION_COLUMN} bigint NOT NULL DEFAULT 1"));
    if !model.key.is_empty() {
        let name = PostgresDialect.identifier(&mainstay_store::refusal::key_name(model));
        let key = names(&columns_of(model, &model.key));
        parts.push(format!("CONSTRAINT {name} PRIMARY KEY ({key})"));
    }
    let mut sql = Vec::new();
    if let Some(keys) = sequence(model) {
        sql.push(format!("CREATE SEQUENCE {keys}"));
    }
    sql.push(format!("CREATE TABLE {table} ({})", parts.join(", ")));
    if let (Some(keys), Some(id)) = (sequence(model), model.id_field()) {
        let column = PostgresDialect.identifier(&model.field(id).column);
        sql.push(format!("ALTER SEQUENCE {keys} OWNED BY {table}.{column}"));
    }
    let wanted = schema::wanted(catalog);
    if let Some(wanted) = wanted.tables.get(&*model.table.table) {
        sql.extend(wanted.indexes.iter().map(|(name, index)| create_index(model, name, index)));
    }
    sql
}

/// The sequence that a model's int keys are drawn from, quoted.
pub(crate) fn sequence(model: &Model) -> Option<String> {
    (model.id == IdKind::Int)
        .then(|| PostgresDialect.identifier(&format!("{}_id_seq", model.table.table)))
}

/// `"title" text COLLATE "C" NOT NULL`.
fn column(model: &Model, field: &Field) -> String {
    let name = PostgresDialect.identifier(&field.column);
    let collation = if field.value_type == Type::Text { " COLLATE \"C\"" } else { "" };
    let not_null = if is_nullable(model, field) { "" } else { " NOT NULL" };
    let is_key = model.id_field().is_some_and(|id| model.field(id).name == field.name);
    let default = match sequence(model).filter(|_| is_key) {
        Some(keys) => format!(" DEFAULT mainstay_next_key('{}')", keys.replace('\'', "''")),
        None => String::new(),
    };
    format!("{name} {}{collation}{not_null}{default}", schema::column_type(field))
}

fn add_column(catalog: &Catalog, model: &Model, field: &Field) -> Vec<String> {
    let table = PostgresDialect.table(&model.table);
    let column_name = PostgresDialect.identifier(&field.column);
    let default = match &field.default {
        Some(DefaultValue::Literal(value)) if field.reference().is_none() => literal(value),
        _ => None,
    };
    let mut added = format!("ALTER TABLE {table} ADD COLUMN {}", column(model, field));
    let mut sql = Vec::new();
    match default {
        // A default of the column's own fills the rows that are there, at once; new
        // rows are given theirs.
        Some(default) => {
            added.push_str(&format!(" DEFAULT {default}"));
            sql.push(added);
            sql.push(format!("ALTER TABLE {table} ALTER COLUMN {column_name} DROP DEFAULT"));
        }
        None => sql.push(added),
    }
    sql.extend(field.reference().map(|id| add_reference(catalog, id)));
    sql
}

fn add_reference(catalog: &Catalog, id: RefId) -> String {
    let reference = catalog.reference(id);
    let model = catalog.model(reference.from);
    let to = target(catalog, reference);
    // What restricts may be put off to the end of a delete that takes both rows.
    let on_delete = match to.on_delete.as_str() {
        "restrict" => "ON DELETE NO ACTION DEFERRABLE INITIALLY IMMEDIATE".to_owned(),
        action => format!("ON DELETE {}", action.to_uppercase()),
    };
    format!(
        "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) {on_delete}",
        PostgresDialect.table(&model.table),
        PostgresDialect.identifier(&reference.name),
        names(&columns_of(model, &reference.from_fields)),
        PostgresDialect.table(&catalog.model(reference.to).table),
        names(&to.columns),
    )
}

fn create_index(model: &Model, name: &str, index: &IndexSchema) -> String {
    let columns: Vec<String> = index
        .columns
        .iter()
        .map(|(column, descends)| {
            let descending = if *descends { " DESC" } else { "" };
            format!("{}{descending}", PostgresDialect.identifier(column))
        })
        .collect();
    let unique = if index.unique { "UNIQUE " } else { "" };
    format!(
        "CREATE {unique}INDEX {} ON {} ({})",
        PostgresDialect.identifier(name),
        PostgresDialect.table(&model.table),
        columns.join(", ")
    )
}

fn names(columns: &[String]) -> String {
    let quoted: Vec<String> =
        columns.iter().map(|column| PostgresDialect.identifier(column)).collect();
    quoted.join(", ")
}

/// A value as it stands in a column's DEFAULT, where there can be no parameter; none
/// where it is absent.
fn literal(value: &Value) -> Option<String> {
    let kind = crate::dialect::type_of(value)?;
    let text = value.as_ref().to_text().replace('\'', "''");
    Some(format!("'{text}'::{}", value::sql_name(kind)))
}
