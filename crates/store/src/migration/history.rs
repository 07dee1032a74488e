//! The migrations of a folder, and which of them a database has seen.
//!
//! Those that are built into Mainstay are lineages of their own, each numbered from 1:
//! they are applied before an app's, which are read as what comes after them.

use std::fmt;

use mainstay_core::SourceFile;
use sha2::{Digest as _, Sha256};

use super::{Migration, Snapshot, read::read};

/// The lineage of an app's own migrations.
pub const APP_LINEAGE: &str = "app";

/// What is noted of a migration that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationRecord {
    /// Whose it is: [`APP_LINEAGE`], or that of what is built in.
    pub lineage: String,
    /// Its number within its lineage, counted from 1.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// The SHA-256 of its text, its lines ended by a line feed alone, in hexadecimal
    /// digits.
    pub hash: String,
    /// Whether the app as it was before can go on beside it.
    pub compatible: bool,
}

/// A migration that a database has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedMigration {
    /// What was noted.
    pub record: MigrationRecord,
    /// When, as RFC 3339 writes it.
    pub applied_at: String,
}

/// The migrations of one lineage, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrations {
    lineage: String,
    all: Vec<Migration>,
    after: Snapshot,
}

/// What is wrong with a migration's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationMistake {
    /// The file.
    pub file: String,
    /// The line, counted from 1; 0 where it is about the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// Where a database stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Those it has not seen, in order.
    pub pending: Vec<Migration>,
    /// Those it has seen and the folder does not have.
    pub ahead: Vec<AppliedMigration>,
}

/// Why a folder's migrations are not those that a database has seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// A file that was applied says something else now.
    #[error(
        "{file} was changed after it was applied on {applied_at}: put it back as it was, and \
         write what is to be otherwise as a new migration"
    )]
    Changed {
        /// The file.
        file: String,
        /// When it was applied.
        applied_at: String,
    },
    /// Another file of the same number was applied.
    #[error(
        "the database has seen {seen}, and this folder has {file} in its place: it is another \
         app's database, or another branch's; give {file} the next number, or use a database of \
         its own"
    )]
    Other {
        /// The file.
        file: String,
        /// The one that was applied.
        seen: String,
    },
    /// A file that is to be applied comes before one that was.
    #[error(
        "{file} was not applied, and {after}, which comes after it, was: give it the next \
         number, as though it had been written today"
    )]
    OutOfOrder {
        /// The file.
        file: String,
        /// The one that was applied.
        after: String,
    },
}

impl fmt::Display for MigrationMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, message } = self;
        match line {
            0 => write!(f, "{file}: {message}"),
            line => write!(f, "{file}:{line}: {message}"),
        }
    }
}

impl std::error::Error for MigrationMistake {}

impl MigrationRecord {
    /// The name of its file: `0001_start.toml`; of one that is built in, where it is said
    /// to lie: `built-in/auth/0001_identity.toml`.
    #[must_use]
    pub fn file(&self) -> String {
        let file = file_name(self.number, &self.name);
        match self.is_built_in() {
            true => format!("built-in/{}/{file}", self.lineage),
            false => file,
        }
    }

    /// Whether it is Mainstay's, and no app's.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.lineage != APP_LINEAGE
    }
}

impl Migrations {
    /// Reads an app's files, as [`of`](Self::of) does, where nothing is built in.
    ///
    /// # Errors
    /// The first mistake: what comes after it cannot be judged.
    pub fn read(files: &[SourceFile]) -> Result<Self, MigrationMistake> {
        Self::of(APP_LINEAGE, &Snapshot::default(), files)
    }

    /// Reads the files of a lineage, whose names are `NNNN_name.toml`, numbered from 1
    /// without a gap. `before` are the tables that are there before the first of them.
    ///
    /// # Errors
    /// The first mistake: what comes after it cannot be judged.
    pub fn of(
        lineage: &str,
        before: &Snapshot,
        files: &[SourceFile],
    ) -> Result<Self, MigrationMistake> {
        let mut numbered = files
            .iter()
            .map(|file| Ok((number_and_name(&file.path)?, file)))
            .collect::<Result<Vec<_>, MigrationMistake>>()?;
        numbered.sort_by_key(|((number, _), _)| *number);
        let mut migrations =
            Self { lineage: lineage.to_owned(), all: Vec::new(), after: before.clone() };
        for ((number, name), file) in numbered {
            let expected = migrations.next_number();
            if number != expected {
                let message = match number < expected {
                    true => format!("the number {number} is another migration's already"),
                    false => format!("there is no migration {expected} before it"),
                };
                return Err(MigrationMistake { file: file.path.clone(), line: 0, message });
            }
            migrations.push(number, name, file)?;
        }
        Ok(migrations)
    }

    fn push(&mut self, number: u32, name: &str, file: &SourceFile) -> Result<(), MigrationMistake> {
        let read = read(&file.text, &mut self.after).map_err(|fault| MigrationMistake {
            file: file.path.clone(),
            line: file.text.get(..fault.at.start).unwrap_or_default().matches('\n').count() + 1,
            message: fault.message,
        })?;
        let record = MigrationRecord {
            lineage: self.lineage.clone(),
            number,
            name: name.to_owned(),
            hash: hash(&file.text),
            compatible: read.compatible,
        };
        self.all.push(Migration { record: Some(record), steps: read.steps });
        Ok(())
    }

    /// Whose they are.
    #[must_use]
    pub fn lineage(&self) -> &str {
        &self.lineage
    }

    /// The migrations in order.
    #[must_use]
    pub fn all(&self) -> &[Migration] {
        &self.all
    }

    /// What they come to, with what was there before them.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.after
    }

    /// The number of the next one.
    #[must_use]
    pub fn next_number(&self) -> u32 {
        u32::try_from(self.all.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The name of the file of the next one.
    ///
    /// # Errors
    /// Where the name is none: lower-case letters, digits and `_`.
    pub fn next_file(&self, name: &str) -> Result<String, String> {
        if !is_name(name) {
            return Err(format!(
                "`{name}` cannot name a migration: lower-case letters, digits and `_` do"
            ));
        }
        Ok(file_name(self.next_number(), name))
    }

    /// Where a database that has seen these stands. Those of other lineages do not count.
    ///
    /// # Errors
    /// Where it has seen another text of one, or one that comes after one it has not seen.
    pub fn standing(&self, applied: &[AppliedMigration]) -> Result<Standing, HistoryError> {
        let mut standing = Standing::default();
        let applied: Vec<&AppliedMigration> =
            applied.iter().filter(|it| it.record.lineage == self.lineage).collect();
        let last = applied.last();
        for migration in &self.all {
            let Some(record) = migration.record() else { continue };
            let seen = applied.iter().find(|it| it.record.number == record.number);
            match (seen, last) {
                (Some(seen), _) if seen.record.hash == record.hash => {}
                (Some(seen), _) if seen.record.name != record.name => {
                    return Err(HistoryError::Other {
                        file: record.file(),
                        seen: seen.record.file(),
                    });
                }
                (Some(seen), _) => {
                    return Err(HistoryError::Changed {
                        file: record.file(),
                        applied_at: seen.applied_at.clone(),
                    });
                }
                (None, Some(last)) if last.record.number > record.number => {
                    return Err(HistoryError::OutOfOrder {
                        file: record.file(),
                        after: last.record.file(),
                    });
                }
                (None, _) => standing.pending.push(migration.clone()),
            }
        }
        let last = self.next_number() - 1;
        let ahead = applied.into_iter().filter(|it| it.record.number > last);
        standing.ahead = ahead.cloned().collect();
        Ok(standing)
    }
}

/// `migrations/0001_start.toml` is number 1, `start`.
fn number_and_name(path: &str) -> Result<(u32, &str), MigrationMistake> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let parts = file.strip_suffix(".toml").and_then(|stem| stem.split_once('_'));
    parts
        .filter(|(digits, name)| digits.len() >= 4 && is_name(name))
        .and_then(|(digits, name)| Some((digits.parse().ok()?, name)))
        .filter(|(number, _)| *number > 0)
        .ok_or_else(|| MigrationMistake {
            file: path.to_owned(),
            line: 0,
            message: "a migration's file is named as 0001_what_it_does.toml".to_owned(),
        })
}

fn file_name(number: u32, name: &str) -> String {
    format!("{number:04}_{name}.toml")
}

fn is_name(name: &str) -> bool {
    const BYTES_MAX: usize = 100;
    !name.is_empty()
        && name.len() <= BYTES_MAX
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// Whoever checks the files out may end their lines otherwise.
fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.replace("\r\n", "\n").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
