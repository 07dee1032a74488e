//! What a walk through the chain asks of a database engine, besides Mainstay.

use super::kill::Moment;

/// One of the databases of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The app's, which is killed.
    App,
    /// What the app's was before a migration, to see what that makes of it unharmed.
    Copy,
    /// One that is made from the last models at once.
    Fresh,
}

impl Place {
    /// Its file's or database's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Copy => "copy",
            Self::Fresh => "fresh",
        }
    }
}

/// An engine with its databases. It is asked with the engine's own tools, so that nothing
/// of Mainstay's is its own witness.
pub(super) trait Engine: Send {
    /// As its makers call it.
    fn name(&self) -> &'static str;

    /// What `[database] url` says.
    fn url(&self, place: Place) -> String;

    /// When a migration is killed, one time after the other, until it is applied in spite of
    /// it: the first is the one that is surest to come in the middle. `part` is a part of the
    /// migration's time, another for each migration.
    fn moments(&self, part: f64) -> Vec<Moment>;

    /// Makes the copy anew. Nobody uses the app's database meanwhile.
    fn copy(&mut self) -> anyhow::Result<()>;

    /// Whether a process has a transaction under way that writes. It is asked every
    /// millisecond or so.
    fn is_writing(&mut self, place: Place, process: u32) -> anyhow::Result<bool>;

    /// Prepares for [`Engine::is_late`], before the process that is watched is started.
    fn lie_in_wait(&mut self) -> anyhow::Result<()>;

    /// Whether a process that migrates the app's database has come far: where steps are
    /// written down and their end is not.
    fn is_late(&mut self) -> anyhow::Result<bool>;

    /// Waits until nothing is left of a process that was killed, and undoes what
    /// [`Engine::lie_in_wait`] did.
    fn settle(&mut self) -> anyhow::Result<()>;

    /// Everything that there is of tables besides rows, a line each, in a fixed order and in
    /// the same words on every engine.
    fn schema(&mut self, place: Place) -> anyhow::Result<Vec<String>>;

    /// A line for each table: how many rows it has, and a digest of them in the engine's
    /// own way.
    fn rows(&mut self, place: Place) -> anyhow::Result<Vec<String>>;
}

/// As engines differ in it, and nobody is to notice: where a row's number ends an index by
/// itself it does not stand in it.
pub(super) fn without_number(line: &str) -> String {
    match line.strip_prefix("index ") {
        Some(_) => line.strip_suffix(", id").unwrap_or(line).to_owned(),
        None => line.to_owned(),
    }
}
