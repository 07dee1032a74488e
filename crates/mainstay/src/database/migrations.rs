//! The migrations of a folder, against what a database has seen.

use mainstay_store::{MigrationRecord, Migrations, Standing};

use super::{Database, DatabaseError, SchemaPolicy, migrate_cx};
use crate::folder::Folder;

/// What one migration did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppliedFile {
    /// Its file's name.
    pub(crate) file: String,
    /// Each step in words.
    pub(crate) steps: Vec<String>,
}

/// The migrations of a folder; none where it has no `migrations/`.
///
/// # Errors
/// Where one cannot be read or has a mistake.
pub(crate) fn read_migrations(folder: &Folder) -> Result<Option<Migrations>, DatabaseError> {
    match folder.read_migrations()? {
        Some(files) => Ok(Some(Migrations::read(&files)?)),
        None => Ok(None),
    }
}

impl Database {
    /// Where the database stands.
    ///
    /// # Errors
    /// Where it has seen other migrations than the folder's, or cannot be asked.
    pub(crate) async fn standing(
        &self,
        migrations: &Migrations,
    ) -> Result<Standing, DatabaseError> {
        let applied = self.store.migrations().await.map_err(|error| self.unusable(error))?;
        Ok(migrations.standing(&applied)?)
    }

    /// Applies what the database has not seen, each migration for itself, and tells of
    /// each once it is applied.
    ///
    /// # Errors
    /// Where one fails: nothing of it is done then, and those before it stay.
    pub(crate) async fn apply(
        &self,
        standing: Standing,
        mut tell: impl FnMut(&AppliedFile),
    ) -> Result<(), DatabaseError> {
        for migration in standing.pending {
            let file = migration.record().map(MigrationRecord::file).unwrap_or_default();
            let applied = self.store.migrate(migration, migrate_cx()).await;
            let applied = applied.map_err(|error| DatabaseError::NotApplied {
                file: file.clone(),
                place: self.place.clone(),
                error,
            })?;
            tell(&AppliedFile { file, steps: applied.steps });
        }
        Ok(())
    }

    /// Applies what is pending where that is the policy, and refuses what does not fit.
    /// Returns each step in words.
    pub(super) async fn follow(
        &self,
        migrations: &Migrations,
        policy: SchemaPolicy,
    ) -> Result<Vec<String>, DatabaseError> {
        let standing = self.standing(migrations).await?;
        let place = self.place.clone();
        match policy {
            SchemaPolicy::Additive => {
                let mut steps = Vec::new();
                let told = |applied: &AppliedFile| {
                    let file = &applied.file;
                    steps.extend(applied.steps.iter().map(|step| format!("{file}: {step}")));
                };
                self.apply(standing, told).await?;
                Ok(steps)
            }
            SchemaPolicy::EqualOrEmpty => {
                let pending = standing.pending.iter().filter_map(|it| it.record());
                let files: Vec<String> = pending.map(MigrationRecord::file).collect();
                if !files.is_empty() {
                    return Err(DatabaseError::Behind { place, files });
                }
                let ahead = standing.ahead.iter().filter(|it| !it.record.compatible);
                let files: Vec<String> = ahead.map(|it| it.record.file()).collect();
                if !files.is_empty() {
                    return Err(DatabaseError::Ahead { place, files });
                }
                Ok(Vec::new())
            }
        }
    }
}
