//! The walk's databases on SQLite: files, and `sqlite3` to look at them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    engine::{Engine, Place, without_number},
    kill::Moment,
};
use crate::process::output;

/// What belongs to a database's file.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

/// The byte of the `-shm` file that is locked by whoever writes
/// (<https://sqlite.org/walformat.html>, "WAL Locks").
const WRITE_LOCK: &str = "120";

/// The files' directory.
#[derive(Debug)]
pub(super) struct Sqlite {
    directory: PathBuf,
}

impl Sqlite {
    pub(super) fn new(directory: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    fn file(&self, place: Place, suffix: &str) -> PathBuf {
        self.directory.join(format!("{}.db{suffix}", place.name()))
    }

    fn ask(&self, place: Place, sql: &str) -> anyhow::Result<Vec<String>> {
        let asked = output(Command::new("sqlite3").arg(self.file(place, "")).arg(sql))?;
        Ok(asked.lines().map(str::to_owned).collect())
    }
}

impl Engine for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn url(&self, place: Place) -> String {
        format!("sqlite:{}", self.file(place, "").display())
    }

    fn moments(&self, part: f64) -> Vec<Moment> {
        vec![Moment::Part(0.0), Moment::Part(part), Moment::Late]
    }

    fn copy(&mut self) -> anyhow::Result<()> {
        for suffix in SUFFIXES {
            let [from, to] = [Place::App, Place::Copy].map(|place| self.file(place, suffix));
            remove(&to)?;
            if from.exists() {
                fs::copy(from, to)?;
            }
        }
        Ok(())
    }

    fn is_writing(&mut self, _: Place, process: u32) -> anyhow::Result<bool> {
        Ok(holds_write_lock(&fs::read_to_string("/proc/locks")?, process))
    }

    fn lie_in_wait(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    /// The log was empty, for whoever closes a file last removes it: what is in it comes
    /// from the one process that has it open.
    fn is_late(&mut self) -> anyhow::Result<bool> {
        Ok(fs::metadata(self.file(Place::App, "-wal")).is_ok_and(|log| log.len() > 0))
    }

    fn settle(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    fn schema(&mut self, place: Place) -> anyhow::Result<Vec<String>> {
        let mut lines: Vec<String> =
            self.ask(place, SCHEMA)?.iter().map(|line| without_number(line)).collect();
        lines.sort();
        Ok(lines)
    }

    fn rows(&mut self, place: Place) -> anyhow::Result<Vec<String>> {
        let mut lines = self.ask(place, "PRAGMA integrity_check; PRAGMA foreign_key_check")?;
        for table in self.ask(place, TABLES)? {
            lines.extend(self.ask(place, &format!("SELECT '{table}', count(*) FROM {table}"))?);
            lines.extend(self.ask(place, &format!(".sha3sum {table}"))?);
        }
        Ok(lines)
    }
}

fn remove(file: &Path) -> std::io::Result<()> {
    if file.exists() { fs::remove_file(file) } else { Ok(()) }
}

/// Reads Linux's list of locks: `1: POSIX  ADVISORY  WRITE 3791 fe:00:770064 120 120`.
fn holds_write_lock(locks: &str, process: u32) -> bool {
    let process = process.to_string();
    locks.lines().any(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        matches!(words[..], [_, "POSIX", _, "WRITE", holder, _, first, last]
            if holder == process && first == WRITE_LOCK && last == WRITE_LOCK)
    })
}

const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table'
    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'mainstay\\_%' ESCAPE '\\'
    ORDER BY name";

/// The last part is of notes on columns that are not there.
const SCHEMA: &str = "
WITH tables AS (SELECT name FROM sqlite_schema WHERE type = 'table'
    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'mainstay\\_%' ESCAPE '\\')
SELECT 'column ' || t.name || '.' || c.name || ' ' || coalesce(m.type, 'unknown')
    || iif(c.\"notnull\" OR c.pk > 0, ' required', '') || iif(c.pk > 0, ' key', '')
FROM tables t JOIN pragma_table_info(t.name) c
LEFT JOIN mainstay_columns m ON m.table_name = t.name AND m.column_name = c.name
UNION ALL
SELECT iif(l.\"unique\", 'unique ', 'index ') || t.name || ' ' || l.name || ' '
    || (SELECT group_concat(x.name || iif(x.\"desc\", ' desc', ''), ', ')
        FROM (SELECT * FROM pragma_index_xinfo(l.name) WHERE key = 1 ORDER BY seqno) x)
FROM tables t JOIN pragma_index_list(t.name) l WHERE l.origin <> 'pk'
UNION ALL
SELECT 'ref ' || t.name || '.' || r.\"from\" || ' ' || r.\"table\" || '.' || coalesce(r.\"to\", 'id')
    || ' ' || lower(r.on_delete)
FROM tables t JOIN pragma_foreign_key_list(t.name) r
UNION ALL
SELECT 'gone ' || m.table_name || '.' || m.column_name FROM mainstay_columns m
WHERE NOT EXISTS (SELECT 1 FROM pragma_table_info(m.table_name) c WHERE c.name = m.column_name)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_of_whoever_writes_is_told_from_others() {
        let locks = "1: POSIX  ADVISORY  READ 77 fe:00:9 123 123\n\
                     2: POSIX  ADVISORY  WRITE 78 fe:00:9 120 120\n\
                     2: -> POSIX  ADVISORY  WRITE 79 fe:00:9 120 120\n\
                     3: FLOCK  ADVISORY  WRITE 77 fe:00:9 0 EOF\n";
        assert_eq!(
            [77, 78, 79].map(|process| holds_write_lock(locks, process)),
            [false, true, false]
        );
    }
}
