//! The database behind Mainstay, looked at with its own tool.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};

use crate::{process::output, services::Postgres, test::kills::copied};

const ROWS: &str = "SELECT id, attempts, state FROM mainstay_mails";
/// The work of those who died, and what failed once: anybody's from now on.
const OPEN: &str = "WHERE state IN ('sending', 'waiting')";

/// A mail, as the queue has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MailRow {
    pub(super) id: String,
    pub(super) attempts: usize,
    pub(super) state: String,
}

/// Where accounts, sessions and mails are kept.
pub(super) enum Database<'p> {
    /// The directory it is in, and one for copies of it.
    Sqlite { directory: PathBuf, copy: PathBuf },
    /// A server of our own.
    Postgres(&'p Postgres),
}

impl Database<'_> {
    pub(super) fn sqlite(directory: PathBuf, copy: PathBuf) -> Self {
        Self::Sqlite { directory, copy }
    }

    /// What Mainstay is told of it.
    pub(super) fn environment(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres(postgres) => Some(("MAINSTAY_DATABASE__URL", postgres.url())),
        }
    }

    /// The queue, as the server left it that was last killed or stopped.
    pub(super) fn mails(&self) -> anyhow::Result<Vec<MailRow>> {
        let rows = match self {
            Self::Sqlite { directory, copy } => {
                let file = copied(directory, copy)?;
                let integrity = ask(&file, "PRAGMA integrity_check")?;
                ensure!(integrity.trim() == "ok", "integrity_check says: {integrity}");
                ask(&file, &ROWS.replace("id,", "lower(hex(id)),"))?
            }
            Self::Postgres(postgres) => postgres.ask(ROWS)?,
        };
        rows.lines().map(row).collect()
    }

    /// Has every claim and every wait run out.
    pub(super) fn expire_claims(&self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite { directory, .. } => {
                let file = super::super::database(directory)?;
                ask(&file, &format!("UPDATE mainstay_mails SET next_at = 1 {OPEN}")).map(drop)
            }
            Self::Postgres(postgres) => {
                let past = "SET next_at = now() - interval '1 day'";
                postgres.ask(&format!("UPDATE mainstay_mails {past} {OPEN}")).map(drop)
            }
        }
    }
}

fn ask(file: &Path, sql: &str) -> anyhow::Result<String> {
    let exists = fs::exists(file)?;
    ensure!(exists, "{} is not there", file.display());
    output(Command::new("sqlite3").arg(file).arg(sql))
}

fn row(line: &str) -> anyhow::Result<MailRow> {
    let mut cells = line.split('|');
    let mut cell = || cells.next().with_context(|| format!("a row without a cell: {line}"));
    let id = cell()?.replace('-', "");
    Ok(MailRow { id, attempts: cell()?.parse()?, state: cell()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_whatever_the_engine_writes_an_id_like() {
        let read = row("0190-ab|2|sent").unwrap();
        assert_eq!((read.id.as_str(), read.attempts, read.state.as_str()), ("0190ab", 2, "sent"));
        assert!(row("0190|x|sent").is_err());
        assert!(row("0190").is_err());
    }
}
