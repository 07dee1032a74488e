//! What is noted of migrations.

use mainstay_core::{Code, Error};
use mainstay_store::{AppliedMigration, MigrationRecord};

use super::ddl::text;
use crate::{connection::Connection, error::Trouble};

/// The migrations that were applied, by lineage and number.
pub(crate) async fn migrations(connection: &Connection) -> Result<Vec<AppliedMigration>, Trouble> {
    let rows = connection
        .client()
        .query(
            "SELECT lineage, number, name, hash, compatible, to_json(applied_at) #>> '{}'
             FROM mainstay_migrations ORDER BY lineage, number",
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let number: i64 = row.try_get(1)?;
            let record = MigrationRecord {
                lineage: row.try_get(0)?,
                number: u32::try_from(number).unwrap_or(u32::MAX),
                name: row.try_get(2)?,
                hash: row.try_get(3)?,
                compatible: row.try_get(4)?,
            };
            Ok(AppliedMigration { record, applied_at: row.try_get(5)? })
        })
        .collect()
}

/// Whether a migration is noted already, by another node.
///
/// # Errors
/// Where another text of it is.
pub(super) async fn is_noted(
    connection: &Connection,
    record: &MigrationRecord,
) -> Result<bool, Error> {
    let applied = migrations(connection).await.map_err(Trouble::into_error)?;
    let is_same = |it: &&AppliedMigration| {
        it.record.lineage == record.lineage && it.record.number == record.number
    };
    match applied.iter().find(is_same) {
        None => Ok(false),
        Some(found) if found.record.hash == record.hash => Ok(true),
        Some(_) => Err(Error::new(
            Code::Internal,
            format!("another text of {} was applied in the meantime", record.file()),
        )),
    }
}

/// Notes a migration as applied.
pub(super) async fn note(connection: &Connection, record: &MigrationRecord) -> Result<(), Trouble> {
    let MigrationRecord { lineage, number, name, hash, compatible } = record;
    let (lineage, name, hash) = (text(lineage), text(name), text(hash));
    connection
        .batch(&format!(
            "INSERT INTO mainstay_migrations
             VALUES ({lineage}, {number}, {name}, {hash}, {compatible})"
        ))
        .await
}
