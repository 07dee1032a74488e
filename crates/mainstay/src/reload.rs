//! Going over to a changed application folder without dropping a request.
//!
//! The folder is read anew; where it has mistakes, or wants of the database what may
//! not be done to it, the app stays as it last was. Otherwise the database is brought
//! to the models, and requests that begin from then on meet the new models, rules,
//! roles and limits. What the server was set up with (addresses, time-outs, the
//! database, the signing key) stays until it is started again, which is said.
//!
//! A migration that comes or changes is read and told of, and not applied: whoever has it
//! written goes on writing, SQL of their own among other things, and a migration that was
//! applied can no longer be changed.

use std::path::PathBuf;

use mainstay_core::{Diagnostic, Settings, SourceFile};
use mainstay_store::MigrationRecord;

use crate::{
    app::{Mode, Opened, StartError, expand_roles, planner},
    database::{Database, DatabaseError, SchemaPolicy, read_migrations},
    folder::{Folder, FolderError},
    load::load,
};

/// Takes a running app over to its folder's files.
pub(crate) struct Reloader {
    folder: Folder,
    environment: Vec<(String, String)>,
    mode: Mode,
    database: Database,
    state: mainstay_web::State,
    /// What was read last, whether it could be served or not.
    seen: Look,
    /// What is in force: what the server was set up with.
    started_with: Settings,
    started_with_mails: Vec<SourceFile>,
}

/// What there is in the folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// What makes the app.
    files: Vec<SourceFile>,
    /// None where there is no `migrations/`.
    migrations: Option<Vec<SourceFile>>,
}

/// What a look at the folder came to.
#[derive(Debug)]
pub(crate) enum Reloaded {
    /// There is nothing to do and nothing to say.
    Unchanged,
    /// Only the migrations are others, and the database has not seen these files.
    Pending(Vec<String>),
    /// The app is what the files say now.
    Served(ServedAnew),
    /// The files cannot be served; the app is as it was.
    Refused(StartError),
}

/// What there is to say of an app that was taken over.
#[derive(Debug, Default)]
pub(crate) struct ServedAnew {
    /// What was done to the database's schema.
    pub(crate) steps: Vec<String>,
    /// Settings, and directories, of which a change counts from the next start on.
    pub(crate) after_restart: Vec<&'static str>,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) files: Vec<SourceFile>,
}

impl Reloader {
    pub(crate) fn new(opened: &Opened) -> Self {
        Self {
            folder: opened.folder.clone(),
            environment: opened.environment.clone(),
            mode: opened.mode,
            database: opened.database.clone(),
            state: opened.state.clone(),
            seen: Look {
                files: opened.loaded.files.clone(),
                // So that the first look asks what the database has not seen.
                migrations: None,
            },
            started_with: opened.loaded.settings.clone(),
            started_with_mails: mails(&opened.loaded.files).cloned().collect(),
        }
    }

    /// Looks at the folder.
    pub(crate) fn read(&self) -> Result<Look, FolderError> {
        Ok(Look { files: self.folder.read()?, migrations: self.folder.read_migrations()? })
    }

    /// Goes over to what was read.
    pub(crate) async fn reload(&mut self, look: Result<Look, FolderError>) -> Reloaded {
        let look = match look {
            Ok(look) => look,
            Err(error) => return Reloaded::Refused(error.into()),
        };
        if look == self.seen {
            return Reloaded::Unchanged;
        }
        let before = std::mem::replace(&mut self.seen, look);
        if before.files == self.seen.files {
            return match self.pending().await {
                Ok(files) if files.is_empty() => Reloaded::Unchanged,
                Ok(files) => Reloaded::Pending(files),
                Err(error) => Reloaded::Refused(error.into()),
            };
        }
        let files = self.seen.files.clone();
        let loaded = match load(files, &self.environment) {
            Ok(loaded) => loaded,
            Err(mistakes) => return Reloaded::Refused(mistakes.into()),
        };
        let changes = match self.database.bring_to(&loaded.catalog, SchemaPolicy::Additive).await {
            Ok(changes) => changes,
            Err(error) => return Reloaded::Refused(error.into()),
        };
        self.state.identity().declare_roles(loaded.settings.roles.clone());
        self.state.reload(planner(&loaded, self.mode), expand_roles(&loaded));
        let mut after_restart = unchangeable(&self.started_with, &loaded.settings);
        if !mails(&loaded.files).eq(&self.started_with_mails) {
            after_restart.push("mails/");
        }
        Reloaded::Served(ServedAnew {
            steps: changes.steps,
            after_restart,
            warnings: loaded.warnings,
            files: loaded.files,
        })
    }

    /// The files of the migrations that the database has not seen.
    async fn pending(&self) -> Result<Vec<String>, DatabaseError> {
        let migrations = read_migrations(&self.folder)?;
        let pending = self.database.standing(&migrations).await?.pending();
        Ok(pending.filter_map(|it| it.record().map(MigrationRecord::file)).collect())
    }

    /// The directories whose changes matter: the folder itself, for `mainstay.toml` and for
    /// directories that come and go, `models/`, `migrations/` and `mails/`.
    pub(crate) fn watched(&self) -> [PathBuf; 4] {
        let folder = &self.folder;
        [folder.path().to_owned(), folder.models(), folder.migrations(), folder.mails()]
    }
}

/// The templates of mails among an app's files.
fn mails(files: &[SourceFile]) -> impl Iterator<Item = &SourceFile> {
    files.iter().filter(|file| file.path.starts_with("mails/"))
}

/// The sections that differ and take effect at the next start.
fn unchangeable(started_with: &Settings, now: &Settings) -> Vec<&'static str> {
    let mut sections = Vec::new();
    let mut compare = |same: bool, name: &'static str| {
        if !same {
            sections.push(name);
        }
    };
    compare(started_with.server == now.server, "[server]");
    compare(started_with.database == now.database, "[database]");
    compare(started_with.auth == now.auth, "[auth]");
    compare(started_with.mail == now.mail, "[mail]");
    compare(started_with.rest.tx_rollback == now.rest.tx_rollback, "[rest] tx_rollback");
    compare(
        started_with.limits.url_bytes_max == now.limits.url_bytes_max,
        "[limits] url_bytes_max",
    );
    compare(
        started_with.limits.body_bytes_max == now.limits.body_bytes_max,
        "[limits] body_bytes_max",
    );
    compare(started_with.log == now.log, "[log]");
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reload_cannot_change_is_named() {
        let before = Settings::default();
        let mut now = Settings::default();
        now.server.compression = false;
        now.auth.confirm_email = false;
        now.limits.page_rows_max = 5;
        now.limits.body_bytes_max = 5;
        assert_eq!(unchangeable(&before, &now), ["[server]", "[auth]", "[limits] body_bytes_max"]);
        assert!(unchangeable(&before, &before).is_empty());
    }
}
