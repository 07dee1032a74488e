//! A database that is there, for commands that only look into it.

use std::sync::Arc;

use mainstay_core::{Catalog, Settings};
use mainstay_store::differences;

use super::{Database, DatabaseError, Engine, SchemaDiffers, SchemaPolicy, file_of, open};
use crate::{database::read_migrations, folder::Folder};

/// Opens the database of an app for looking: no table is made, and none is changed.
///
/// # Errors
/// Where it is not there or empty, has not seen every migration, or is not as the models
/// want it.
pub(crate) async fn open_existing(
    folder: &Folder,
    settings: &Settings,
    catalog: &Arc<Catalog>,
) -> Result<Database, DatabaseError> {
    let url = settings.database.url.expose();
    if Engine::of(url)? == Engine::Sqlite {
        let path = file_of(folder, url)?;
        if !path.is_file() {
            return Err(DatabaseError::Absent(path.display().to_string()));
        }
    }
    let database = open(folder, settings).await?;
    match database.fits(catalog).await {
        Ok(()) => Ok(database),
        Err(error) => {
            database.close().await;
            Err(error)
        }
    }
}

impl Database {
    /// Goes over to a catalog whose tables are there.
    async fn fits(&self, catalog: &Arc<Catalog>) -> Result<(), DatabaseError> {
        let found = self.introspect().await?;
        if found.tables.is_empty() {
            return Err(DatabaseError::Empty(self.place.clone()));
        }
        // A table that a migration brings is no difference to be puzzled over.
        let migrations = read_migrations(&self.folder)?;
        self.refuse_unequal(&migrations).await?;
        let wanted = self.store.wanted_schema(catalog);
        let mut found = differences(&wanted, &found);
        found.retain(|difference| !difference.is_harmless());
        if !found.is_empty() {
            return Err(DatabaseError::Differs(SchemaDiffers {
                place: self.place.clone(),
                differences: found,
                policy: SchemaPolicy::EqualOrEmpty,
                has_migrations: migrations.app.is_some(),
            }));
        }
        self.store.adopt(Arc::clone(catalog));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use mainstay_core::SourceFile;
    use mainstay_store::{Migrations, Snapshot};

    use super::*;
    use crate::{database::migrate_cx, load::load};

    #[tokio::test]
    async fn a_database_that_is_behind_is_named_and_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("mainstay.toml"), "").unwrap();
        let folder = Folder::open(directory.path()).unwrap();
        let loaded = load(folder.read().unwrap(), &[]).unwrap();
        let database = open(&folder, &loaded.settings).await.unwrap();
        let empty = open_existing(&folder, &loaded.settings, &loaded.catalog).await;
        assert!(matches!(empty, Err(DatabaseError::Empty(_))));

        // As a version left it that sent no mails.
        let files: Vec<SourceFile> =
            mainstay_auth::migrations().iter().map(SourceFile::from).collect();
        let seen = Migrations::of("auth", &Snapshot::default(), &files).unwrap();
        for migration in seen.all() {
            database.store.migrate(migration.clone(), migrate_cx()).await.unwrap();
        }
        let before = database.introspect().await.unwrap();
        let behind = open_existing(&folder, &loaded.settings, &loaded.catalog).await;
        let said = behind.map(|_| ()).unwrap_err().to_string();
        assert!(said.contains("has not seen built-in/mail/0001_mails.toml"), "{said}");
        assert!(said.contains("`mainstay migrate up` applies it"), "{said}");
        assert_eq!(database.introspect().await.unwrap(), before);
        database.close().await;
    }
}
