//! `mainstay migrate`: migrations are written, applied and told of.

mod new;
mod status;
mod up;

use super::{Failure, arguments::MigrateCommand, output::Output};
use crate::{
    database::{self, AllMigrations, Database, read_migrations},
    folder::Folder,
    load::{Loaded, environment, load},
};

pub(super) fn run(command: &MigrateCommand, output: &Output) -> Result<(), Failure> {
    match command {
        MigrateCommand::New(arguments) => new::run(arguments, output),
        MigrateCommand::Up(arguments) => up::run(arguments, output),
        MigrateCommand::Status(arguments) => status::run(arguments, output),
    }
}

/// An app with its migrations and its database.
struct Opened {
    loaded: Loaded,
    migrations: AllMigrations,
    database: Database,
}

impl Opened {
    async fn open(dir: &std::path::Path) -> Result<Self, Failure> {
        let folder = Folder::open(dir)?;
        let loaded = load(folder.read()?, &environment())?;
        let migrations = read_migrations(&folder)?;
        if migrations.app.is_none() {
            return Err(Failure::App(format!(
                "there is no {}: `mainstay migrate new NAME` writes the first migration",
                folder.migrations().display()
            )));
        }
        let database = database::open(&folder, &loaded.settings).await?;
        Ok(Self { loaded, migrations, database })
    }
}
