//! The tables that are there now, from PostgreSQL's own catalogs. Nothing is prepared for
//! it: behind a pooler that could not be found again.

use std::collections::BTreeMap;

use mainstay_store::{ColumnSchema, IndexSchema, ReferenceSchema, Schema, TableSchema};
use tokio_postgres::{Client, Error};

/// The tables of the current schema, left out those that this crate keeps for itself.
pub(crate) async fn introspect(client: &Client) -> Result<Schema, Error> {
    let mut schema = Schema::default();
    for row in client.query_typed(TABLES, &[]).await? {
        schema.tables.insert(row.try_get(0)?, TableSchema::default());
    }
    for row in client.query_typed(COLUMNS, &[]).await? {
        let Some(table) = schema.tables.get_mut(row.try_get::<_, &str>(0)?) else { continue };
        let is_required: bool = row.try_get(3)?;
        table.columns.push(ColumnSchema {
            name: row.try_get(1)?,
            sql_type: row.try_get(2)?,
            nullable: !is_required,
        });
    }
    for row in client.query_typed(INDEXES, &[]).await? {
        let Some(table) = schema.tables.get_mut(row.try_get::<_, &str>(0)?) else { continue };
        let columns: Vec<Option<String>> = row.try_get(4)?;
        // What an expression indexes has no name.
        let columns = columns.into_iter().map(|name| name.unwrap_or("(expression)".to_owned()));
        if row.try_get(3)? {
            table.key = columns.collect();
            continue;
        }
        let descends: Vec<bool> = row.try_get(5)?;
        let index =
            IndexSchema { columns: columns.zip(descends).collect(), unique: row.try_get(2)? };
        table.indexes.insert(row.try_get(1)?, index);
    }
    references(client, &mut schema.tables).await?;
    Ok(schema)
}

async fn references(
    client: &Client,
    tables: &mut BTreeMap<String, TableSchema>,
) -> Result<(), Error> {
    for row in client.query_typed(REFERENCES, &[]).await? {
        let Some(table) = tables.get_mut(row.try_get::<_, &str>(0)?) else { continue };
        let action: &str = row.try_get(4)?;
        let reference = ReferenceSchema {
            table: row.try_get(1)?,
            columns: row.try_get(3)?,
            on_delete: match action {
                "c" => "cascade",
                "n" => "set null",
                _ => "restrict",
            }
            .to_owned(),
        };
        table.references.insert(row.try_get(2)?, reference);
    }
    Ok(())
}

const TABLES: &str = "SELECT c.relname::text FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    AND c.relname NOT IN ('mainstay_meta', 'mainstay_migrations', 'mainstay_outbox')";

const COLUMNS: &str = "SELECT c.relname::text, a.attname::text,
        format_type(a.atttypid, a.atttypmod), a.attnotnull
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum";

/// An index's columns end where those begin that it only carries.
const INDEXES: &str = "SELECT t.relname::text, i.relname::text, x.indisunique, x.indisprimary,
        array_agg(a.attname::text ORDER BY k.place),
        array_agg(((x.indoption::int2[])[k.place - 1] & 1) = 1 ORDER BY k.place)
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
    LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum AND k.attnum > 0
    WHERE t.relnamespace = current_schema()::regnamespace AND k.place <= x.indnkeyatts
    GROUP BY t.relname, i.relname, x.indisunique, x.indisprimary";

const REFERENCES: &str = "SELECT t.relname::text, f.relname::text,
        (SELECT array_agg(a.attname::text ORDER BY k.place)
         FROM unnest(r.conkey) WITH ORDINALITY AS k(attnum, place)
         JOIN pg_attribute a ON a.attrelid = r.conrelid AND a.attnum = k.attnum),
        (SELECT array_agg(a.attname::text ORDER BY k.place)
         FROM unnest(r.confkey) WITH ORDINALITY AS k(attnum, place)
         JOIN pg_attribute a ON a.attrelid = r.confrelid AND a.attnum = k.attnum),
        r.confdeltype::text
    FROM pg_constraint r JOIN pg_class t ON t.oid = r.conrelid
    JOIN pg_class f ON f.oid = r.confrelid
    WHERE r.contype = 'f' AND t.relnamespace = current_schema()::regnamespace";
