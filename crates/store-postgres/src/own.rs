//! Mainstay's own tables and functions in a database.
//!
//! ```sql
//! CREATE TABLE mainstay_meta (name text PRIMARY KEY, value text NOT NULL);
//! CREATE TABLE mainstay_outbox (txid bigint NOT NULL, events text NOT NULL);
//! CREATE TABLE mainstay_migrations (lineage text, number bigint, …);
//! ```
//!
//! # JSON as text
//!
//! `jsonb` is written with spaces after its colons and commas, which stored JSON does
//! not have: `mainstay_json` takes them out, and `mainstay_json_text` is what lies in a
//! value as text, a string without its quotes.
//!
//! # Generated numbers
//!
//! An int key that is generated lies above every one its model has held, also those
//! that were given. A sequence alone does not know of the latter, and moving it forward
//! while others draw from it could move it back. So whoever draws holds a lock of the
//! sequence's shared until its transaction ends, and whoever gives a key holds it alone
//! while the sequence is moved: `mainstay_next_key` and `mainstay_seen_key`.

use mainstay_core::Error;

use crate::{connection::Connection, error::Trouble};

/// Held while own tables are made, so that two nodes do not make them at once; any
/// number will do that nobody else takes.
const MAKING_LOCK: i64 = 0x6d61_696e_7374_6179;

/// What each version adds to the one before; the first is number 1.
const VERSIONS: [&str; 2] = [FIRST, MIGRATIONS];

/// The migrations that were applied, an app's and those that are built in.
const MIGRATIONS: &str = "
CREATE TABLE mainstay_migrations (
    lineage text COLLATE \"C\" NOT NULL,
    number bigint NOT NULL,
    name text COLLATE \"C\" NOT NULL,
    hash text COLLATE \"C\" NOT NULL,
    compatible boolean NOT NULL,
    applied_at timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (lineage, number)
);";

const FIRST: &str = "
CREATE TABLE IF NOT EXISTS mainstay_meta (
    name text COLLATE \"C\" PRIMARY KEY,
    value text NOT NULL
);
CREATE TABLE IF NOT EXISTS mainstay_outbox (
    txid bigint NOT NULL,
    events text NOT NULL
);
CREATE INDEX IF NOT EXISTS mainstay_outbox_txid ON mainstay_outbox (txid);
CREATE OR REPLACE FUNCTION mainstay_json(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(value::text, '(\"(?:[^\"\\\\]|\\\\.)*\")|([:,]) ', '\\1\\2', 'g')
$$;
CREATE OR REPLACE FUNCTION mainstay_json_text(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(value) IN ('object', 'array') THEN mainstay_json(value)
                ELSE value #>> '{}' END
$$;
CREATE OR REPLACE FUNCTION mainstay_next_key(keys regclass) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(keys::oid::int, 1);
    RETURN nextval(keys);
END $$;
CREATE OR REPLACE FUNCTION mainstay_seen_key(keys regclass, seen bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF seen >= 1 AND seen >= coalesce(pg_sequence_last_value(keys), 0) THEN
        PERFORM pg_advisory_xact_lock(keys::oid::int, 1);
        IF seen >= coalesce(pg_sequence_last_value(keys), 0) THEN
            PERFORM setval(keys, seen);
        END IF;
    END IF;
END $$;";

/// Makes Mainstay's own tables where they are missing, or older than this program: a
/// database says in `mainstay_meta` which version it has, and is taken through those it
/// lacks in one transaction.
///
/// # Errors
/// `Unavailable`, also where they were made by a Mainstay that lays them out otherwise.
pub(crate) async fn make(connection: &Connection) -> Result<(), Error> {
    // A database that is ready is not waited for.
    let is_ready = version(connection).await.is_ok_and(|it| it == VERSIONS.len().to_string());
    if !is_ready {
        let begin = format!("BEGIN; SELECT pg_advisory_xact_lock({MAKING_LOCK})");
        connection.batch(&begin).await.map_err(Trouble::into_error)?;
        let result = take_versions(connection).await;
        let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = connection.batch(end).await.map_err(Trouble::into_error);
        result.and(ended)?;
    }
    // Transactions are numbered anew in a database that was restored from a dump; events
    // from before would then lie in what is the future.
    connection
        .batch("DELETE FROM mainstay_outbox WHERE txid > pg_current_xact_id()::text::bigint")
        .await
        .map_err(Trouble::into_error)
}

async fn take_versions(connection: &Connection) -> Result<(), Error> {
    let found = version(connection).await.map_err(Trouble::into_error)?;
    let known = found.parse().ok().filter(|version| *version <= VERSIONS.len());
    let Some(version) = known else {
        let latest = VERSIONS.len();
        return Err(Error::unavailable(format!(
            "the database is laid out in format {found}, and this program knows format {latest}"
        ))
        .with_hint("use the version of Mainstay that wrote it, or a later one"));
    };
    for sql in VERSIONS.iter().skip(version) {
        connection.batch(sql).await.map_err(Trouble::into_error)?;
    }
    let note = format!(
        "INSERT INTO mainstay_meta VALUES ('format', '{}')
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        VERSIONS.len()
    );
    connection.batch(&note).await.map_err(Trouble::into_error)
}

/// The version a database has; `0` where it has none.
async fn version(connection: &Connection) -> Result<String, Trouble> {
    let client = connection.client();
    // Nothing is prepared for it: behind a pooler that could not be found again.
    let is_there = "SELECT 1 WHERE to_regclass('mainstay_meta') IS NOT NULL";
    if client.query_typed(is_there, &[]).await?.is_empty() {
        return Ok("0".to_owned());
    }
    let noted = "SELECT value FROM mainstay_meta WHERE name = 'format'";
    let rows = client.query_typed(noted, &[]).await?;
    Ok(rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_else(|| "0".to_owned()))
}
