//! Migration steps as SQLite's own statements, all in one transaction.
//!
//! `mainstay_columns` notes what each column holds, because SQLite has one INTEGER for
//! our ints, bools, decimals, dates and timestamps, and a field that changed from one to
//! another must be noticed.
//!
//! What ALTER TABLE cannot do makes the table anew ([`rebuild`]). References are not
//! checked while a migration does that, because dropping the old table would carry out
//! their `ON DELETE`; they are checked once before the commit.

mod ddl;
mod developers;
mod notes;
mod own;
mod rebuild;
mod refusal;
mod step;

use std::time::{Duration, Instant};

use mainstay_core::{Code, Error};
use mainstay_store::{
    Applied, Change, Migration, MigrationStep, Presence, is_there, there_already,
};
use rusqlite::Connection;

pub(crate) use self::{notes::migrations, own::make_own_tables};
use crate::{error::Trouble, introspect::introspect, schema};

/// How long another process is waited for, at the most; SQLite counts milliseconds in 32 bits.
const WAIT_MAX: Duration = Duration::from_secs(86_400);

/// Carries out a migration: all of it or nothing.
///
/// # Errors
/// `Unavailable`, or `Internal` with the step that failed as its message.
pub(crate) fn migrate(
    connection: &Connection,
    migration: &Migration,
    deadline: Instant,
) -> Result<Applied, Error> {
    let failed = |error: rusqlite::Error| Trouble::from(error).into_error();
    let unchecked = match migration.steps().iter().any(drops_a_table_pointed_at) {
        true => Some(UncheckedReferences::begin(connection).map_err(failed)?),
        false => None,
    };
    begin(connection, deadline).map_err(failed)?;
    let result = take_all(connection, migration, unchecked.is_some());
    let ended = match &result {
        Ok(_) => connection.execute_batch("COMMIT"),
        // The transaction may have ended by itself.
        Err(_) if connection.is_autocommit() => Ok(()),
        Err(_) => connection.execute_batch("ROLLBACK"),
    };
    let applied = result?;
    ended.map(|()| applied).map_err(failed)
}

/// Begins once no other process migrates, which may take as long as a migration does.
fn begin(connection: &Connection, deadline: Instant) -> rusqlite::Result<()> {
    let usual_ms: u32 = connection.pragma_query_value(None, "busy_timeout", |row| row.get(0))?;
    let left = deadline.saturating_duration_since(Instant::now());
    connection.busy_timeout(left.min(WAIT_MAX))?;
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    connection.busy_timeout(Duration::from_millis(u64::from(usual_ms)))?;
    begun
}

/// Whether a step drops a table that may be pointed at: to make it anew, or for good where
/// its rows point at each other.
fn drops_a_table_pointed_at(step: &MigrationStep) -> bool {
    let points_at_itself = |model: &String| {
        let references = step.shape().into_iter().flat_map(|shape| shape.references.values());
        references.into_iter().any(|reference| reference.to == *model)
    };
    match step.change() {
        Change::DropModel { model } => points_at_itself(model),
        _ => rebuild::is_wanted(step),
    }
}

/// References are not checked as long as this is there. It is to be had and to go outside
/// a transaction, where alone SQLite switches.
struct UncheckedReferences<'c> {
    connection: &'c Connection,
}

impl<'c> UncheckedReferences<'c> {
    fn begin(connection: &'c Connection) -> rusqlite::Result<Self> {
        connection.pragma_update(None, "foreign_keys", false)?;
        Ok(Self { connection })
    }
}

impl Drop for UncheckedReferences<'_> {
    fn drop(&mut self) {
        // A transaction that a panic left open would keep them unchecked.
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        if let Err(error) = self.connection.pragma_update(None, "foreign_keys", true) {
            tracing::error!(%error, "references are not checked: start the server again");
        }
    }
}

fn take_all(
    connection: &Connection,
    migration: &Migration,
    unchecked: bool,
) -> Result<Applied, Error> {
    let mut applied = Applied::default();
    if let Some(record) = migration.record()
        && notes::is_noted(connection, record)?
    {
        return Ok(applied);
    }
    for step in migration.steps() {
        let is_done = is_done(connection, migration, step)?;
        if !is_done {
            step::take(connection, step).map_err(|trouble| refusal::of_step(step, trouble))?;
        }
        let there = if is_done { " (it is there already)" } else { "" };
        applied.steps.push(format!("{}{there}", step.described()));
    }
    if unchecked {
        check_references(connection)?;
    }
    if let Some(record) = migration.record() {
        notes::note(connection, record).map_err(Trouble::into_error)?;
    }
    Ok(applied)
}

/// Whether what a step would add is there as it would make it.
fn is_done(
    connection: &Connection,
    migration: &Migration,
    step: &MigrationStep,
) -> Result<bool, Error> {
    let adds = matches!(
        step.change(),
        Change::CreateModel { .. }
            | Change::AddField { .. }
            | Change::AddUnique { .. }
            | Change::AddIndex { .. }
            | Change::AddReference { .. }
    );
    if migration.record().is_none() || !adds {
        return Ok(false);
    }
    let actual = introspect(connection).map_err(|error| Trouble::from(error).into_error())?;
    match is_there(step, schema::table, &actual) {
        Presence::Absent => Ok(false),
        Presence::Present => Ok(true),
        Presence::Other(found) => Err(there_already(step, &found)),
    }
}

fn check_references(connection: &Connection) -> Result<(), Error> {
    let violation = || -> rusqlite::Result<Option<(String, String)>> {
        let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
        let mut rows = statement.query([])?;
        rows.next()?.map(|row| Ok((row.get(0)?, row.get(2)?))).transpose()
    };
    match violation().map_err(|error| Trouble::from(error).into_error())? {
        None => Ok(()),
        Some((table, target)) => Err(Error::new(
            Code::Internal,
            format!("rows of {table} point at rows of {target} that are not there"),
        )),
    }
}
