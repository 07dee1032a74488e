//! Word of changes in the application folder.
//!
//! The operating system tells of each file, and of one save several times. What is
//! told is only that something changed: whoever is told looks at the files, and then
//! asks whether they stayed as they were seen. An editor may empty a file before it
//! writes it, and an empty model is one without rules: what was seen in between must
//! not be served. Files are also opened to be read, by ourselves among others; that is
//! no change.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use mainstay_mail::TEMPLATES_FOLDER;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How long nothing must change for what was read to be taken for all of it.
const QUIET: Duration = Duration::from_millis(50);

/// Watches directories.
pub(crate) struct Changes {
    watcher: RecommendedWatcher,
    told: UnboundedReceiver<()>,
    directories: Vec<PathBuf>,
}

impl Changes {
    /// Begins to watch these directories, each without those below it. Those that are
    /// not there are watched once [`Changes::next`] finds them.
    ///
    /// # Errors
    /// Where the operating system does not tell of changes.
    pub(crate) fn watch(directories: impl Into<Vec<PathBuf>>) -> Result<Self, notify::Error> {
        let (tell, told) = unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: Result<Event, notify::Error>| {
            // An error mostly means that events were lost: then a look is due as well.
            if event.map_or(true, |event| matters(&event)) {
                // Nobody listens once the server stops.
                let _ = tell.send(());
            }
        })?;
        let mut changes = Self { watcher, told, directories: directories.into() };
        changes.watch_all()?;
        Ok(changes)
    }

    /// Returns once something changed. `false` when nothing will ever be told again.
    pub(crate) async fn next(&mut self) -> bool {
        let told = self.told.recv().await.is_some();
        // A directory that was replaced is another one to the operating system.
        if let Err(error) = self.watch_all() {
            tracing::warn!(%error, "a directory is no longer watched");
        }
        told
    }

    /// Whether the files stay as they are for a moment. A change before the moment was
    /// over means that what was read by then may be half of what is being written.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        match tokio::time::timeout(QUIET, self.next()).await {
            Ok(true) => {
                while self.told.try_recv().is_ok() {}
                false
            }
            Ok(false) | Err(_) => true,
        }
    }

    fn watch_all(&mut self) -> Result<(), notify::Error> {
        for directory in &self.directories {
            if directory.is_dir() {
                self.watcher.watch(directory, RecursiveMode::NonRecursive)?;
            }
        }
        Ok(())
    }
}

/// Whether an event is of what makes an app: its `.toml` files, what lies in `mails`, or the
/// directories of either. A database may lie in the same directory, and changes with every
/// write.
fn matters(event: &Event) -> bool {
    let is_ours = |path: &PathBuf| {
        let is_called = |path: &Path, name: &str| path.file_name().is_some_and(|it| it == name);
        path.extension().is_some_and(|extension| extension == "toml")
            || is_called(path, "models")
            || is_called(path, "migrations")
            || is_called(path, TEMPLATES_FOLDER)
            || path.parent().is_some_and(|parent| is_called(parent, TEMPLATES_FOLDER))
    };
    !matches!(event.kind, EventKind::Access(_))
        && (event.paths.is_empty() || event.paths.iter().any(is_ours))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use notify::event::{AccessKind, DataChange, ModifyKind};

    use super::*;

    fn told(kind: EventKind, path: &str) -> bool {
        matters(&Event::new(kind).add_path(path.into()))
    }

    #[test]
    fn only_what_makes_an_app_is_a_change() {
        let modified = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        assert!(told(modified, "/app/models/posts.toml"));
        assert!(told(modified, "/app/models"));
        assert!(told(modified, "/app/mails/invite.html"));
        assert!(!told(modified, "/app/invite.html"));
        assert!(told(modified, "/app/migrations"));
        assert!(!told(modified, "/app/data.db-wal"));
        assert!(!told(EventKind::Access(AccessKind::Any), "/app/mainstay.toml"));
    }

    #[tokio::test]
    async fn a_change_is_told_in_directories_that_came_later_too() {
        let directory = tempfile::tempdir().unwrap();
        let models = directory.path().join("models");
        let mut changes = Changes::watch([directory.path().to_owned(), models.clone()]).unwrap();
        fs::create_dir(&models).unwrap();
        assert!(changes.next().await);
        fs::write(models.join("posts.toml"), "").unwrap();
        assert!(changes.next().await);
    }
}
