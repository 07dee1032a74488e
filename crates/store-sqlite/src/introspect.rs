//! The tables that are there now.

use std::collections::BTreeMap;

use mainstay_core::OnDelete;
use mainstay_store::{
    ColumnSchema, IndexSchema, ReferenceSchema, ReferenceShape, Schema, TableSchema,
    on_delete_words,
};
use rusqlite::{Connection, params};

/// The tables this crate keeps for itself; those of built-in models are none of them.
const OWN_TABLES: [&str; 4] =
    ["mainstay_columns", "mainstay_meta", "mainstay_migrations", "mainstay_outbox"];

/// The tables that are there now, left out those that the engine and this crate keep for
/// themselves.
pub(crate) fn introspect(connection: &Connection) -> rusqlite::Result<Schema> {
    let mut statement = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table'
         AND substr(name, 1, 7) <> 'sqlite_'",
    )?;
    let mut names = statement
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    names.retain(|name| !OWN_TABLES.contains(&name.as_str()));
    let tables = names
        .into_iter()
        .map(|name| Ok((name.clone(), table(connection, &name)?)))
        .collect::<rusqlite::Result<BTreeMap<_, _>>>()?;
    Ok(Schema { tables })
}

fn table(connection: &Connection, name: &str) -> rusqlite::Result<TableSchema> {
    let mut keys: Vec<(i64, String)> = Vec::new();
    let mut columns = Vec::new();
    let mut statement = connection.prepare(
        "SELECT c.name, c.type, c.\"notnull\", c.pk, m.type FROM pragma_table_info(?1) AS c
         LEFT JOIN mainstay_columns AS m ON m.table_name = ?1 AND m.column_name = c.name
         ORDER BY c.cid",
    )?;
    let mut rows = statement.query([name])?;
    while let Some(row) = rows.next()? {
        let column: String = row.get(0)?;
        let place: i64 = row.get(3)?;
        if place > 0 {
            keys.push((place, column.clone()));
        }
        let stored: String = row.get(1)?;
        let sql_type = match row.get::<_, Option<String>>(4)? {
            Some(holds) => format!("{stored} ({holds})"),
            None => stored,
        };
        let nullable = !row.get::<_, bool>(2)? && place == 0;
        columns.push(ColumnSchema { name: column, sql_type, nullable });
    }
    keys.sort();
    Ok(TableSchema {
        columns,
        key: keys.into_iter().map(|(_, column)| column).collect(),
        indexes: indexes(connection, name)?,
        references: references(connection, name)?,
    })
}

fn indexes(
    connection: &Connection,
    table: &str,
) -> rusqlite::Result<BTreeMap<String, IndexSchema>> {
    // The index of a primary key belongs to the key; those of `CREATE INDEX` and of
    // a table's own `UNIQUE` have origin `c` and `u`.
    let mut statement = connection.prepare(
        "SELECT l.name, l.\"unique\", x.name, x.\"desc\"
         FROM pragma_index_list(?1) AS l, pragma_index_xinfo(l.name) AS x
         WHERE l.origin <> 'pk' AND x.key = 1 ORDER BY l.name, x.seqno",
    )?;
    let mut found: BTreeMap<String, IndexSchema> = BTreeMap::new();
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let unique = row.get(1)?;
        let index =
            found.entry(row.get(0)?).or_insert_with(|| IndexSchema { columns: Vec::new(), unique });
        // What an expression indexes has no name.
        let column: Option<String> = row.get(2)?;
        index.columns.push((column.unwrap_or_else(|| "(expression)".to_owned()), row.get(3)?));
    }
    Ok(found)
}

/// The columns of a table's key, in its order.
pub(crate) fn key(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement =
        connection.prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

/// A table's references.
pub(crate) fn reference_shapes(
    connection: &Connection,
    table: &str,
) -> rusqlite::Result<Vec<ReferenceShape>> {
    let mut statement = connection.prepare(
        "SELECT id, \"table\", \"from\", \"to\", on_delete FROM pragma_foreign_key_list(?1)
         ORDER BY id, seq",
    )?;
    let mut by_id: BTreeMap<i64, ReferenceShape> = BTreeMap::new();
    let mut rows = statement.query(params![table])?;
    while let Some(row) = rows.next()? {
        let to: String = row.get(1)?;
        let on_delete = match row.get_ref(4)?.as_str()? {
            "CASCADE" => OnDelete::Cascade,
            "SET NULL" => OnDelete::SetNull,
            _ => OnDelete::Restrict,
        };
        let reference = by_id.entry(row.get(0)?).or_insert_with(|| ReferenceShape {
            fields: Vec::new(),
            to,
            to_fields: Vec::new(),
            on_delete,
        });
        reference.fields.push(row.get(2)?);
        // A reference to a primary key need not name its columns.
        let to = row.get::<_, Option<String>>(3)?.unwrap_or_else(|| "id".to_owned());
        reference.to_fields.push(to);
    }
    Ok(by_id.into_values().collect())
}

fn references(
    connection: &Connection,
    table: &str,
) -> rusqlite::Result<BTreeMap<Vec<String>, ReferenceSchema>> {
    let shapes = reference_shapes(connection, table)?.into_iter();
    let schema = |it: ReferenceShape| ReferenceSchema {
        table: it.to,
        columns: it.to_fields,
        on_delete: on_delete_words(it.on_delete).to_owned(),
    };
    Ok(shapes.map(|it| (it.fields.clone(), schema(it))).collect())
}
