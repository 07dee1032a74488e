//! Opening the store and bringing its schema to the models.
//!
//! The migrations that are built in are applied by both: they are part of the program, and
//! no one reviews them. Under `dev` an app's that are not applied are, what is missing
//! besides is added, and what would drop or rewrite data is refused; `serve` takes an equal
//! schema that has seen every migration, or an empty one where there are no migrations,
//! which it fills. Nothing here ever drops but a migration that says so.

mod existing;
mod migrations;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use mainstay_core::{
    Catalog, DatabaseSettings, Diagnostic, Durability, Error, Settings, SourceFile,
};
use mainstay_store::{
    Cx, Difference, HistoryError, Migration, MigrationMistake, Mismatch, Rows, Schema, Store,
    VERSION_COLUMN, differences, steps,
};
use mainstay_store_postgres::{PostgresSettings, PostgresStore};
use mainstay_store_sqlite::{SqliteSettings, SqliteStore};

pub(crate) use self::{
    existing::open_existing,
    migrations::{AllMigrations, AppliedFile, of_app, read_migrations},
};
use crate::{
    built_in::BuiltInMigrations,
    folder::{Folder, FolderError},
    load::Mistakes,
};

/// How long schema changes may take: an index over a large table takes minutes.
const MIGRATE_MAX: Duration = Duration::from_secs(3_600);

/// How long the store may take to end once no request is under way.
const CLOSE_MAX: Duration = Duration::from_secs(10);

/// What may be done to a schema that is not the models'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaPolicy {
    /// Whatever is missing is added.
    Additive,
    /// Nothing, unless there are no tables at all.
    EqualOrEmpty,
}

/// What was done to a schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaChanges {
    /// Whether nothing of the app's was there before.
    pub created: bool,
    /// The files of the migrations of Mainstay's own tables that were applied.
    pub built_in: Vec<String>,
    /// Each change in words, in the order they were made.
    pub steps: Vec<String>,
}

/// Why the database cannot be served from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The URL is of an engine this version has not, or of none.
    #[error(
        "`[database] url` begins with `{0}`; this version keeps rows in SQLite, `sqlite:PATH`, \
         or in PostgreSQL, `postgres://USER:PASSWORD@HOST/DATABASE`"
    )]
    Engine(String),
    /// There is no file of that name, and none is made for looking into it.
    #[error("there is no database {0} yet: `mainstay dev` or `mainstay migrate up` makes it")]
    Absent(String),
    /// It is there with nothing in it, and nothing is made for looking into it.
    #[error(
        "there is nothing in the database {0} yet: `mainstay dev` or `mainstay migrate up` makes \
         its tables"
    )]
    Empty(String),
    /// The directory the database lies in cannot be made.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The database cannot be opened or asked.
    #[error("the database {place} cannot be used: {}", causes(error))]
    Unusable {
        /// The file, or the server and database.
        place: String,
        /// What the store says.
        error: Error,
    },
    /// The engine cannot keep what the app asks for.
    #[error("{}", mismatches(.0))]
    Mismatch(Vec<Mismatch>),
    /// The tables are not what the models want.
    #[error("{0}")]
    Differs(SchemaDiffers),
    /// A migration's file has a mistake.
    #[error(transparent)]
    Migration(#[from] MigrationMistake),
    /// The migrations are not those that the database has seen.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A migration failed, and nothing of it was done.
    #[error(
        "{file} was not applied, and the database {place} is as it was before it: {}",
        causes(error)
    )]
    NotApplied {
        /// The migration's file.
        file: String,
        /// The file of the database, or the server and database.
        place: String,
        /// What the store says.
        error: Error,
    },
    /// The database has not seen every migration.
    #[error(
        "the database {place} has not seen {}: `mainstay migrate up` applies {}",
        files.join(", "),
        if files.len() == 1 { "it" } else { "them" }
    )]
    Behind {
        /// The file, or the server and database.
        place: String,
        /// The migrations' files.
        files: Vec<String>,
    },
    /// A later version of Mainstay has changed its own tables.
    #[error(
        "the database {place} has seen {}, which this version of Mainstay does not have: use \
         the version that applied {}, or a later one",
        files.join(", "),
        if files.len() == 1 { "it" } else { "them" }
    )]
    Newer {
        /// The file, or the server and database.
        place: String,
        /// The migrations' files.
        files: Vec<String>,
    },
    /// The database has seen migrations that the folder does not have.
    #[error(
        "the database {place} has seen {}, which this folder does not have: serve the folder \
         that has {}, or mark later migrations as `compatible = true` before they are applied \
         where this one can go on beside them",
        files.join(", "),
        if files.len() == 1 { "it" } else { "them" }
    )]
    Ahead {
        /// The file, or the server and database.
        place: String,
        /// The migrations' files.
        files: Vec<String>,
    },
}

/// A schema that is not the models'.
#[derive(Debug)]
pub struct SchemaDiffers {
    /// The file, or the server and database.
    pub place: String,
    /// Where it differs, harmless differences left out.
    pub differences: Vec<Difference>,
    policy: SchemaPolicy,
    has_migrations: bool,
}

impl fmt::Display for SchemaDiffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the database {} is not as the models want it:", self.place)?;
        for difference in &self.differences {
            writeln!(f, "  {difference}")?;
        }
        f.write_str(match (self.policy, self.has_migrations) {
            (SchemaPolicy::Additive, _) => {
                "`mainstay dev` adds what is missing and never drops or rewrites. `mainstay \
                 migrate new NAME` writes a migration that does; or change the models back, \
                 change the table yourself, or remove the database to begin anew."
            }
            (SchemaPolicy::EqualOrEmpty, false) => {
                "A database is taken as it is where it equals the models, and made where it is \
                 empty. `mainstay dev` adds what is only missing; `mainstay migrate new NAME` \
                 writes a migration."
            }
            (SchemaPolicy::EqualOrEmpty, true) => {
                "It has seen every migration, and the models ask for more: `mainstay migrate \
                 new NAME` writes the migration that leads there."
            }
        })
    }
}

fn mismatches(found: &[Mismatch]) -> String {
    let lines: Vec<String> = found
        .iter()
        .map(|Mismatch { subject, message, way_out }| format!("{subject}: {message}; {way_out}"))
        .collect();
    lines.join("\n")
}

/// An error with its causes. The store's own words are for the operator, who is who
/// reads this; no client ever does.
pub(crate) fn causes(error: &Error) -> String {
    let mut text = error.message().to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// An open store, and where it lies.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) store: Arc<dyn Store>,
    /// The file, or the server and database; no password is in it.
    pub(crate) place: String,
    /// Where the migrations lie.
    folder: Folder,
}

/// Opens the store of an app; a file that is not there is made.
///
/// # Errors
/// Where the URL names none, or the database cannot be opened.
pub(crate) async fn open(folder: &Folder, settings: &Settings) -> Result<Database, DatabaseError> {
    match Engine::of(settings.database.url.expose())? {
        Engine::Sqlite => open_file(folder, &settings.database),
        Engine::Postgres => open_server(folder, settings).await,
    }
}

/// The engines there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// The engine that a URL names. The URL itself is in no error: it may hold a password.
    fn of(url: &str) -> Result<Self, DatabaseError> {
        let (scheme, _) = url.split_once(':').unwrap_or((url, ""));
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" | "postgresql" => Ok(Self::Postgres),
            other => {
                let shown: String = other.chars().take(20).collect();
                Err(DatabaseError::Engine(format!("{shown}:")))
            }
        }
    }
}

fn open_file(folder: &Folder, settings: &DatabaseSettings) -> Result<Database, DatabaseError> {
    let path = file_of(folder, settings.url.expose())?;
    if path.starts_with(folder.generated()) {
        folder.make_generated()?;
    }
    // `./data.db` says no more than `data.db`.
    let path = path.strip_prefix(".").map(Path::to_owned).unwrap_or(path);
    let place = path.display().to_string();
    let sqlite = SqliteSettings {
        durability: match settings.durability {
            Durability::Full => mainstay_store_sqlite::Durability::Full,
            Durability::Process => mainstay_store_sqlite::Durability::Process,
        },
        reader_threads: settings.readers,
        write_queue_max: settings.write_queue_max,
        ..SqliteSettings::at(&path)
    };
    match SqliteStore::open(sqlite) {
        Ok(store) => Ok(Database { store: Arc::new(store), place, folder: folder.clone() }),
        Err(error) => Err(DatabaseError::Unusable { place, error }),
    }
}

async fn open_server(folder: &Folder, settings: &Settings) -> Result<Database, DatabaseError> {
    let Settings { database: settings, limits, .. } = settings;
    let url = settings.url.expose();
    let place = without_secrets(url);
    let postgres = PostgresSettings {
        lanes: settings.lanes,
        pool_max: settings.pool_max,
        pooler: settings.pooler,
        statement_timeout: Duration::from_millis(limits.request_ms),
        synchronous_commit: settings.durability == Durability::Full,
        ..PostgresSettings::at(url)
    };
    match PostgresStore::open(postgres).await {
        Ok(store) => Ok(Database { store: Arc::new(store), place, folder: folder.clone() }),
        Err(error) => Err(DatabaseError::Unusable { place, error }),
    }
}

/// A server's address without who connects and how: `postgres://host:5432/app`.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let rest = rest.split('?').next().unwrap_or_default();
    format!("{scheme}://{rest}")
}

/// The file that a URL names.
fn file_of(folder: &Folder, url: &str) -> Result<PathBuf, DatabaseError> {
    let (_, rest) = url.split_once(':').unwrap_or((url, ""));
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.starts_with(':') {
        return Err(DatabaseError::Engine("sqlite:".to_owned()));
    }
    Ok(folder.path().join(path))
}

/// What the engine cannot keep of what an app asks for, as mistakes of its models.
pub(crate) fn refused_by_engine(
    settings: &DatabaseSettings,
    catalog: &Catalog,
    files: &[SourceFile],
) -> Option<Mistakes> {
    let mismatches = match Engine::of(settings.url.expose()) {
        Ok(Engine::Sqlite) => SqliteStore::mismatches(catalog),
        Ok(Engine::Postgres) => PostgresStore::mismatches(catalog),
        Err(_) => Vec::new(),
    };
    let found: Vec<Diagnostic> = mismatches
        .into_iter()
        .map(|Mismatch { subject, message, way_out }| {
            let file = catalog.model_id(&subject).map(|model| &*catalog.model(model).file);
            Diagnostic::unplaced(file.unwrap_or("models"), format!("{subject}: {message}"))
                .with_hint(way_out)
        })
        .collect();
    (!found.is_empty()).then(|| Mistakes::new(found, files.to_vec()))
}

impl Database {
    /// Ends what is under way and lets go of the engine.
    pub(crate) async fn close(&self) {
        self.store.close(Instant::now() + CLOSE_MAX).await;
    }

    /// Brings the schema to a catalog, as far as the policy allows.
    ///
    /// # Errors
    /// Where the engine cannot keep what the app asks for, where the schema differs in
    /// what the policy does not allow to change (nothing is changed then), or where the
    /// store fails.
    pub(crate) async fn bring_to(
        &self,
        catalog: &Arc<Catalog>,
        policy: SchemaPolicy,
    ) -> Result<SchemaChanges, DatabaseError> {
        let mismatches = self.store.check(catalog);
        if !mismatches.is_empty() {
            return Err(DatabaseError::Mismatch(mismatches));
        }
        let before = self.introspect().await?;
        let migrations = read_migrations(&self.folder)?;
        let created = has_nothing_of_an_app(&before, &migrations.built_in);
        let mut changes = self.follow(&migrations, policy).await?;
        let is_as_before = changes.steps.is_empty() && changes.built_in.is_empty();
        let actual = if is_as_before { before } else { self.introspect().await? };
        let wanted = self.store.wanted_schema(catalog);
        let found = differences(&wanted, &actual);
        let rows = if created { Rows::None } else { Rows::Possible };
        let (additive, rest) = steps(catalog, &found, rows);
        let refused = match policy {
            SchemaPolicy::EqualOrEmpty if !created => {
                found.into_iter().filter(|difference| !difference.is_harmless()).collect()
            }
            _ => rest,
        };
        if !refused.is_empty() {
            return Err(DatabaseError::Differs(SchemaDiffers {
                place: self.place.clone(),
                differences: refused,
                policy,
                has_migrations: migrations.app.is_some(),
            }));
        }
        if !additive.is_empty() {
            let migrated = self.store.migrate(Migration::unrecorded(additive), migrate_cx()).await;
            changes.steps.extend(migrated.map_err(|error| self.unusable(error))?.steps);
        }
        Ok(SchemaChanges { created, ..changes })
    }

    async fn introspect(&self) -> Result<Schema, DatabaseError> {
        self.store.introspect().await.map_err(|error| self.unusable(error))
    }

    fn unusable(&self, error: Error) -> DatabaseError {
        DatabaseError::Unusable { place: self.place.clone(), error }
    }
}

/// Whether a database is empty, or holds Mainstay's own tables alone, as the built-in
/// migrations make them: one that was given up between those and the app's counts as empty.
fn has_nothing_of_an_app(schema: &Schema, built_in: &BuiltInMigrations) -> bool {
    let known = &built_in.snapshot().models;
    schema.tables.iter().all(|(name, table)| {
        known.get(name).is_some_and(|shape| {
            let is_known = |name: &str| name == VERSION_COLUMN || shape.field(name).is_some();
            table.columns.iter().all(|column| is_known(&column.name))
        })
    })
}

/// A call that may take as long as schema changes do.
fn migrate_cx() -> Cx {
    Cx::until(Instant::now() + MIGRATE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(url: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("mainstay.toml"), "").unwrap();
        let folder = Folder::open(directory.path()).unwrap();
        match file_of(&folder, url) {
            Ok(path) => path.strip_prefix(directory.path()).map_or_else(
                |_| path.display().to_string(),
                |inside| format!("./{}", inside.display()),
            ),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_database_lies_below_the_application_folder_unless_its_path_is_absolute() {
        assert_eq!(file("sqlite:.mainstay/data.db"), "./.mainstay/data.db");
        assert_eq!(file("sqlite://data.db"), "./data.db");
        assert_eq!(file("sqlite:///var/lib/app.db"), "/var/lib/app.db");
    }

    #[test]
    fn another_engine_is_refused_without_its_password() {
        let said = Engine::of("mysql://app:hunter2@db/app").unwrap_err().to_string();
        assert!(said.contains("`mysql:`") && !said.contains("hunter2"), "{said}");
        assert!(file("sqlite::memory:").contains("sqlite:PATH"));
        assert!(Engine::of("data.db").unwrap_err().to_string().contains("sqlite:PATH"));
        assert_eq!(Engine::of("postgresql://db/app").unwrap(), Engine::Postgres);
    }

    #[test]
    fn a_server_is_named_without_who_connects() {
        let shown =
            without_secrets("postgres://app:hun@ter2@one:5432,two:5432/app?sslmode=require");
        assert_eq!(shown, "postgres://one:5432,two:5432/app");
    }
}
