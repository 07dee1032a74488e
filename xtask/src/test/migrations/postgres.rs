//! The walk's databases on PostgreSQL, asked with psql.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::{
    engine::{Engine, Place, without_number},
    kill::Moment,
};
use crate::services::{Postgres, Session};

/// What a killed process began is rolled back long before.
const SETTLE_MAX: Duration = Duration::from_secs(60);
/// Between two looks at it.
const POLL: Duration = Duration::from_millis(5);

/// Nothing here outlives a crash of the server's, and nothing but what is asked for runs.
const SETTINGS: [(&str, &str); 4] =
    [("fsync", "off"), ("autovacuum", "off"), ("max_wal_size", "4GB"), ("wal_level", "minimal")];

/// A server, and connections to it. They end in the order in which they stand here.
#[derive(Debug)]
pub(super) struct Server {
    /// Holds a lock on the notes of the app's migrations.
    holder: Option<Session>,
    session: Session,
    postgres: Postgres,
}

impl Server {
    /// Starts one with an empty database for each place.
    pub(super) fn start() -> anyhow::Result<Self> {
        let replicas = [("max_wal_senders", "0"), ("hot_standby", "off")];
        let settings: Vec<_> = SETTINGS.into_iter().chain(replicas).collect();
        let postgres = Postgres::start_new(&settings)?;
        for place in [Place::App, Place::Copy, Place::Fresh] {
            postgres.ask(&format!("CREATE DATABASE {}", place.name()))?;
        }
        let session = postgres.session("postgres")?;
        Ok(Self { holder: None, session, postgres })
    }

    fn clients(&mut self, place: Place, which: &str) -> anyhow::Result<String> {
        self.session.ask(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND {which}",
            place.name()
        ))
    }
}

impl Engine for Server {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn url(&self, place: Place) -> String {
        self.postgres.url_of(place.name())
    }

    /// One that waits for a lock is there to be killed, however quick it is.
    fn moments(&self, part: f64) -> Vec<Moment> {
        vec![Moment::Late, Moment::Part(part)]
    }

    fn copy(&mut self) -> anyhow::Result<()> {
        let [app, copy] = [Place::App, Place::Copy].map(Place::name);
        self.session.ask(&format!("DROP DATABASE {copy} WITH (FORCE)"))?;
        self.session.ask(&format!("CREATE DATABASE {copy} TEMPLATE {app}")).map(drop)
    }

    fn is_writing(&mut self, place: Place, _: u32) -> anyhow::Result<bool> {
        let writing = "backend_type = 'client backend' AND backend_xid IS NOT NULL";
        Ok(self.clients(place, writing)? != "0")
    }

    /// The notes can be read and not be written: a migration takes all its steps, and waits
    /// where it would note that it is applied.
    fn lie_in_wait(&mut self) -> anyhow::Result<()> {
        let mut holder = self.postgres.session(Place::App.name())?;
        holder.ask("BEGIN; LOCK TABLE mainstay_migrations IN SHARE MODE")?;
        self.holder = Some(holder);
        Ok(())
    }

    fn is_late(&mut self) -> anyhow::Result<bool> {
        let holder = self.holder.as_mut().context("BUG: nobody lies in wait")?;
        let waiting = "SELECT count(*) FROM pg_locks
            WHERE relation = 'mainstay_migrations'::regclass AND NOT granted";
        Ok(holder.ask(waiting)? != "0")
    }

    fn settle(&mut self) -> anyhow::Result<()> {
        self.holder = None;
        let since = Instant::now();
        while self.clients(Place::App, "backend_type = 'client backend'")? != "0" {
            ensure!(since.elapsed() < SETTLE_MAX, "a killed client's connection does not end");
            thread::sleep(POLL);
        }
        Ok(())
    }

    fn schema(&mut self, place: Place) -> anyhow::Result<Vec<String>> {
        let asked = self.postgres.ask_in(place.name(), SCHEMA)?;
        let mut lines: Vec<String> = asked.lines().map(without_number).collect();
        lines.sort();
        Ok(lines)
    }

    fn rows(&mut self, place: Place) -> anyhow::Result<Vec<String>> {
        let tables = self.postgres.ask_in(place.name(), TABLES)?;
        let digests = tables.lines().map(|table| {
            format!(
                "SELECT '{table}', count(*), md5(string_agg(md5(t::text), '' ORDER BY id))
                 FROM {table} t"
            )
        });
        let digests: Vec<String> = digests.collect();
        let asked = self.postgres.ask_in(place.name(), &digests.join(" UNION ALL "))?;
        let mut lines: Vec<String> = asked.lines().map(str::to_owned).collect();
        lines.sort();
        Ok(lines)
    }
}

const TABLES: &str = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
    AND relkind = 'r' AND relname NOT LIKE 'mainstay\\_%' ORDER BY relname";

const SCHEMA: &str = "
WITH tables AS (SELECT oid, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
    AND relkind = 'r' AND relname NOT LIKE 'mainstay\\_%'),
types (theirs, ours) AS (VALUES ('bigint', 'int'), ('double precision', 'float'),
    ('boolean', 'bool'), ('timestamp with time zone', 'timestamp'), ('jsonb', 'json'),
    ('bytea', 'bytes'))
SELECT 'column ' || t.relname || '.' || a.attname || ' '
    || CASE WHEN a.attname = '_version' THEN 'version' ELSE coalesce(ours,
        regexp_replace(format_type(a.atttypid, a.atttypmod),
            '^numeric\\(\\d+,(\\d+)\\)$', 'decimal, scale \\1')) END
    || CASE WHEN a.attnotnull THEN ' required' ELSE '' END
    || CASE WHEN EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = t.oid AND x.indisprimary
        AND a.attnum = ANY (x.indkey::int2[])) THEN ' key' ELSE '' END
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid
LEFT JOIN types ON theirs = format_type(a.atttypid, a.atttypmod)
WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT CASE WHEN x.indisunique THEN 'unique ' ELSE 'index ' END || t.relname || ' ' || i.relname
    || ' ' || string_agg(a.attname
        || CASE WHEN (x.indoption::int2[])[k.place - 1] & 1 = 1 THEN ' desc' ELSE '' END,
        ', ' ORDER BY k.place)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN tables t ON t.oid = x.indrelid
CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
WHERE NOT x.indisprimary GROUP BY x.indisunique, t.relname, i.relname
UNION ALL
SELECT 'ref ' || t.relname || '.' || a.attname || ' ' || r.confrelid::regclass || '.' || b.attname
    || ' ' || CASE r.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null'
        ELSE 'restrict' END
FROM pg_constraint r JOIN tables t ON t.oid = r.conrelid
JOIN pg_attribute a ON a.attrelid = r.conrelid AND a.attnum = r.conkey[1]
JOIN pg_attribute b ON b.attrelid = r.confrelid AND b.attnum = r.confkey[1]
WHERE r.contype = 'f'";
