//! Migration steps as PostgreSQL's own statements, all in one transaction.

mod ddl;
mod developers;
mod notes;
mod refusal;
mod step;

use mainstay_core::{Error, Model};
use mainstay_store::{
    Applied, Change, Migration, MigrationStep, Presence, is_there, there_already,
};

pub(crate) use self::notes::migrations;
use crate::{connection::Connection, error::Trouble, introspect::introspect, schema};

/// Held while a schema changes, so that two nodes do not change it at once.
const MIGRATING_LOCK: i64 = 0x6d61_696e_7374_6180;

/// Carries out a migration: all of it or nothing.
///
/// # Errors
/// `Unavailable`, or `Internal` with the step that failed as its message.
pub(crate) async fn migrate(
    connection: &Connection,
    migration: &Migration,
) -> Result<Applied, Error> {
    let begin = format!(
        "BEGIN; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({MIGRATING_LOCK})"
    );
    connection.batch(&begin).await.map_err(Trouble::into_error)?;
    let result = take_all(connection, migration).await;
    let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = connection.batch(end).await.map_err(Trouble::into_error);
    let applied = result?;
    ended.map(|()| applied)
}

async fn take_all(connection: &Connection, migration: &Migration) -> Result<Applied, Error> {
    let mut applied = Applied::default();
    if let Some(record) = migration.record()
        && notes::is_noted(connection, record).await?
    {
        return Ok(applied);
    }
    for step in migration.steps() {
        let is_done = is_done(connection, migration, step).await?;
        if !is_done {
            let taken = step::take(connection, step).await;
            taken.map_err(|trouble| refusal::of_step(step, trouble))?;
        }
        let there = if is_done { " (it is there already)" } else { "" };
        applied.steps.push(format!("{}{there}", step.described()));
    }
    if let Some(record) = migration.record() {
        notes::note(connection, record).await.map_err(Trouble::into_error)?;
    }
    Ok(applied)
}

/// Whether what a step would add is there as it would make it.
async fn is_done(
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
    let actual = introspect(connection.client()).await;
    let actual = actual.map_err(|error| Trouble::from(error).into_error())?;
    match is_there(step, schema::table, &actual) {
        Presence::Absent => Ok(false),
        Presence::Present => Ok(true),
        Presence::Other(found) => Err(there_already(step, &found)),
    }
}

/// The sequence that a model's int keys are drawn from, quoted.
pub(crate) fn sequence(model: &Model) -> Option<String> {
    (model.id == mainstay_core::IdKind::Int).then(|| ddl::sequence(&model.table.table))
}
