//! How a SQLite store is opened.

use std::{path::PathBuf, time::Duration};

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A power cut: every commit is flushed to the disk before it is acknowledged.
    #[default]
    Full,
    /// A killed process, not a power cut: what the operating system holds counts.
    Process,
}

/// How a SQLite store is opened. [`SqliteSettings::at`] has the usual values.
#[derive(Clone, Debug)]
pub struct SqliteSettings {
    /// The database file; it is made where it is missing, its folder is not.
    pub path: PathBuf,
    /// What an acknowledged write survives.
    pub durability: Durability,
    /// Threads for reads that take too long to run where they were asked.
    pub reader_threads: usize,
    /// How long a write waits for another process that is writing.
    pub busy_timeout: Duration,
    /// Writes that may wait for their turn; one more is refused.
    pub write_queue_max: usize,
    /// Steps of SQLite's virtual machine a read may take on its caller's thread.
    pub inline_steps_max: u32,
    /// Pages the file may grow to; none is no bound. For tests of a full disk.
    pub pages_max: Option<u32>,
}

impl SqliteSettings {
    /// The usual settings, for a file.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            durability: Durability::Full,
            reader_threads: 2,
            busy_timeout: Duration::from_secs(2),
            write_queue_max: 1_024,
            // About a millisecond of work.
            inline_steps_max: 40_000,
            pages_max: None,
        }
    }
}
