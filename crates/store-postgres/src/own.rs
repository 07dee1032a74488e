//! Mainstay's own tables and functions in a database.
//!
//! ```sql
//! CREATE TABLE mainstay_meta (name text PRIMARY KEY, value text NOT NULL);
//! CREATE TABLE mainstay_outbox (txid bigint NOT NULL, events text NOT NULL);
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

/// How the tables are laid out.
const FORMAT: &str = "1";

/// Held while own tables are made, so that two nodes do not make them at once; any
/// number will do that nobody else takes.
const MAKING_LOCK: i64 = 0x6d61_696e_7374_6179;

const MAKE: &str = "
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

/// Makes Mainstay's own tables where they are missing.
///
/// # Errors
/// `Unavailable`, also where they were made by a Mainstay that lays them out otherwise.
pub(crate) async fn make(connection: &Connection) -> Result<(), Error> {
    let format = match format(connection).await {
        Ok(format) => format,
        Err(_) => {
            let make = format!(
                "BEGIN; SELECT pg_advisory_xact_lock({MAKING_LOCK}); {MAKE}
                 INSERT INTO mainstay_meta VALUES ('format', '{FORMAT}') ON CONFLICT DO NOTHING;
                 COMMIT"
            );
            if let Err(trouble) = connection.batch(&make).await {
                // The transaction, if it is still open, is of no more use.
                let _ = connection.batch("ROLLBACK").await;
                return Err(trouble.into_error());
            }
            format(connection).await.map_err(Trouble::into_error)?
        }
    };
    if format != FORMAT {
        return Err(Error::unavailable(format!(
            "the database is laid out in format {format}, and this program knows format {FORMAT}"
        ))
        .with_hint("use the version of Mainstay that wrote it, or a later one"));
    }
    // Transactions are numbered anew in a database that was restored from a dump; events
    // from before would then lie in what is the future.
    connection
        .batch("DELETE FROM mainstay_outbox WHERE txid > pg_current_xact_id()::text::bigint")
        .await
        .map_err(Trouble::into_error)
}

async fn format(connection: &Connection) -> Result<String, Trouble> {
    let row = connection
        .client()
        .query_one("SELECT value FROM mainstay_meta WHERE name = 'format'", &[])
        .await?;
    Ok(row.try_get(0)?)
}
