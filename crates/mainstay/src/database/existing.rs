//! A database that is there, for commands that only look into it.

use std::sync::Arc;

use mainstay_core::{Catalog, Settings};
use mainstay_store::differences;

use super::{Database, DatabaseError, Engine, SchemaDiffers, SchemaPolicy, file_of, open};
use crate::{database::read_migrations, folder::Folder};

/// Opens the database of an app for looking: no table is made, and none is changed.
///
/// # Errors
/// Where it is not there, or is not as the models want it.
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
        let wanted = self.store.wanted_schema(catalog);
        let mut found = differences(&wanted, &self.introspect().await?);
        found.retain(|difference| !difference.is_harmless());
        if !found.is_empty() {
            return Err(DatabaseError::Differs(SchemaDiffers {
                place: self.place.clone(),
                differences: found,
                policy: SchemaPolicy::EqualOrEmpty,
                has_migrations: read_migrations(&self.folder)?.app.is_some(),
            }));
        }
        self.store.adopt(Arc::clone(catalog));
        Ok(())
    }
}
