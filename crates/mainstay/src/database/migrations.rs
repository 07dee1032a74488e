//! The migrations of a folder and those that are built in, against what a database has
//! seen.

use mainstay_core::SourceFile;
use mainstay_store::{
    APP_LINEAGE, AppliedMigration, Migration, MigrationMistake, MigrationRecord, Migrations,
    Snapshot, Standing,
};

use super::{Database, DatabaseError, SchemaChanges, SchemaPolicy, migrate_cx};
use crate::{built_in::BuiltInMigrations, folder::Folder};

/// What one migration did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppliedFile {
    /// Its file's name.
    pub(crate) file: String,
    /// Whether it is Mainstay's own.
    pub(crate) is_built_in: bool,
    /// Each step in words.
    pub(crate) steps: Vec<String>,
}

/// All migrations of an app.
#[derive(Clone, Debug)]
pub(crate) struct AllMigrations {
    /// Those of Mainstay's own tables, which are applied first.
    pub(crate) built_in: BuiltInMigrations,
    /// Those of the folder; none where it has no `migrations/`.
    pub(crate) app: Option<Migrations>,
}

/// Where a database stands with all of them.
pub(crate) struct AllStandings {
    built_in: Vec<Standing>,
    app: Standing,
}

impl AllMigrations {
    /// All of them, in the order in which they are applied.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Migration> {
        let lineages = self.built_in.lineages().iter().chain(&self.app);
        lineages.flat_map(Migrations::all)
    }

    /// What all of them come to.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        self.app.as_ref().map_or(self.built_in.snapshot(), Migrations::snapshot)
    }
}

impl AllStandings {
    /// What it has not seen, in the order in which it is applied.
    pub(crate) fn pending(self) -> impl Iterator<Item = Migration> {
        let all = self.built_in.into_iter().chain([self.app]);
        all.flat_map(|standing| standing.pending)
    }

    /// What it has seen and is not there, in the same order.
    pub(crate) fn ahead(&self) -> impl Iterator<Item = &AppliedMigration> {
        self.built_in.iter().chain([&self.app]).flat_map(|standing| &standing.ahead)
    }
}

/// The migrations of a folder, and those that are built in.
///
/// # Errors
/// Where one cannot be read or has a mistake.
pub(crate) fn read_migrations(folder: &Folder) -> Result<AllMigrations, DatabaseError> {
    let built_in = BuiltInMigrations::read()?;
    let files = folder.read_migrations()?;
    let app = files.map(|files| of_app(&built_in, &files)).transpose()?;
    Ok(AllMigrations { built_in, app })
}

/// An app's migrations, as what comes after those that are built in.
///
/// # Errors
/// The first mistake.
pub(crate) fn of_app(
    built_in: &BuiltInMigrations,
    files: &[SourceFile],
) -> Result<Migrations, MigrationMistake> {
    Migrations::of(APP_LINEAGE, built_in.snapshot(), files)
}

impl Database {
    /// Where the database stands.
    ///
    /// # Errors
    /// Where it has seen other migrations than these, has been made by a later Mainstay
    /// with which this one cannot go on, or cannot be asked.
    pub(crate) async fn standing(
        &self,
        migrations: &AllMigrations,
    ) -> Result<AllStandings, DatabaseError> {
        let applied = self.store.migrations().await.map_err(|error| self.unusable(error))?;
        let built_in = migrations.built_in.lineages().iter();
        let built_in: Vec<Standing> =
            built_in.map(|lineage| lineage.standing(&applied)).collect::<Result<_, _>>()?;
        let ahead = built_in.iter().flat_map(|standing| &standing.ahead);
        let files = incompatible(ahead);
        if !files.is_empty() {
            return Err(DatabaseError::Newer { place: self.place.clone(), files });
        }
        let app = migrations.app.as_ref().map(|app| app.standing(&applied)).transpose()?;
        Ok(AllStandings { built_in, app: app.unwrap_or_default() })
    }

    /// Applies what the database has not seen, each migration for itself, and tells of
    /// each once it is applied.
    ///
    /// # Errors
    /// Where one fails: nothing of it is done then, and those before it stay.
    pub(crate) async fn apply(
        &self,
        standing: AllStandings,
        mut tell: impl FnMut(&AppliedFile),
    ) -> Result<(), DatabaseError> {
        for migration in standing.pending() {
            let Some(record) = migration.record().cloned() else { continue };
            let file = record.file();
            let applied = self.store.migrate(migration, migrate_cx()).await;
            let applied = applied.map_err(|error| DatabaseError::NotApplied {
                file: file.clone(),
                place: self.place.clone(),
                error,
            })?;
            tell(&AppliedFile { file, is_built_in: record.is_built_in(), steps: applied.steps });
        }
        Ok(())
    }

    /// Applies what is built in and pending, and of the folder's what is pending where that
    /// is the policy. Refuses what does not fit before anything is applied.
    pub(super) async fn follow(
        &self,
        migrations: &AllMigrations,
        policy: SchemaPolicy,
    ) -> Result<SchemaChanges, DatabaseError> {
        let standing = self.standing(migrations).await?;
        if policy == SchemaPolicy::EqualOrEmpty {
            self.refuse_other(&standing.app)?;
        }
        let mut changes = SchemaChanges::default();
        self.apply(standing, |applied| {
            let file = &applied.file;
            if applied.is_built_in {
                changes.built_in.push(file.clone());
            } else {
                changes.steps.extend(applied.steps.iter().map(|step| format!("{file}: {step}")));
            }
        })
        .await?;
        Ok(changes)
    }

    /// Refuses a database that has not seen every migration, those that are built in among
    /// them, or has seen others. Nothing is applied.
    pub(super) async fn refuse_unequal(
        &self,
        migrations: &AllMigrations,
    ) -> Result<(), DatabaseError> {
        let standing = self.standing(migrations).await?;
        let pending = standing.built_in.iter().flat_map(|it| &it.pending);
        let pending = pending.filter_map(Migration::record);
        let files: Vec<String> = pending.map(MigrationRecord::file).collect();
        if !files.is_empty() {
            return Err(DatabaseError::Behind { place: self.place.clone(), files });
        }
        self.refuse_other(&standing.app)
    }

    /// Refuses a database that has not seen every migration of the folder's, or others.
    fn refuse_other(&self, standing: &Standing) -> Result<(), DatabaseError> {
        let place = self.place.clone();
        let pending = standing.pending.iter().filter_map(|it| it.record());
        let files: Vec<String> = pending.map(MigrationRecord::file).collect();
        if !files.is_empty() {
            return Err(DatabaseError::Behind { place, files });
        }
        let files = incompatible(standing.ahead.iter());
        if !files.is_empty() {
            return Err(DatabaseError::Ahead { place, files });
        }
        Ok(())
    }
}

/// The files of those that what came before them cannot go on beside.
fn incompatible<'a>(ahead: impl Iterator<Item = &'a AppliedMigration>) -> Vec<String> {
    ahead.filter(|it| !it.record.compatible).map(|it| it.record.file()).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use mainstay_core::Catalog;
    use mainstay_store::Snapshot;

    use super::*;
    use crate::{database::open, load::load};

    const POSTS: &str = "[fields]\ntitle = { type = \"text\", required = true }\n";

    /// An app on a database that has seen these built-in migrations and nothing else.
    async fn app_after(files: &[SourceFile]) -> (tempfile::TempDir, Database, Arc<Catalog>) {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("models")).unwrap();
        fs::write(directory.path().join("models/posts.toml"), POSTS).unwrap();
        let folder = Folder::open(directory.path()).unwrap();
        let loaded = load(folder.read().unwrap(), &[]).unwrap();
        let database = open(&folder, &loaded.settings).await.unwrap();
        let seen = Migrations::of("auth", &Snapshot::default(), files).unwrap();
        for migration in seen.all() {
            database.store.migrate(migration.clone(), migrate_cx()).await.unwrap();
        }
        (directory, database, loaded.catalog)
    }

    fn identity() -> Vec<SourceFile> {
        mainstay_auth::migrations().iter().map(SourceFile::from).collect()
    }

    #[tokio::test]
    async fn a_start_that_was_given_up_after_the_built_in_tables_is_made_good() {
        for policy in [SchemaPolicy::EqualOrEmpty, SchemaPolicy::Additive] {
            let (_directory, database, catalog) = app_after(&identity()).await;
            let changes = database.bring_to(&catalog, policy).await.unwrap();
            // What it had not come to any more.
            assert_eq!(changes.built_in, ["built-in/mail/0001_mails.toml"]);
            assert!(changes.created, "{changes:?}");
            assert_eq!(changes.steps, ["create table posts"]);
            let again = database.bring_to(&catalog, policy).await.unwrap();
            assert!(!again.created && again.steps.is_empty(), "{again:?}");
        }
    }

    #[tokio::test]
    async fn a_database_of_a_later_mainstay_is_refused_unless_this_one_can_go_on_with_it() {
        for (text, is_refused) in [("", true), ("compatible = true\n", false)] {
            let mut files = identity();
            let number = files.len() + 1;
            let path = format!("{number:04}_later.toml");
            files.push(SourceFile { path, text: text.to_owned() });
            let (_directory, database, catalog) = app_after(&files).await;
            for policy in [SchemaPolicy::Additive, SchemaPolicy::EqualOrEmpty] {
                match database.bring_to(&catalog, policy).await {
                    Err(DatabaseError::Newer { files, .. }) if is_refused => {
                        assert_eq!(files, [format!("built-in/auth/{number:04}_later.toml")]);
                    }
                    Ok(_) if !is_refused => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}
