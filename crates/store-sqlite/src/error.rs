//! What SQLite says, as the caller may hear it.
//!
//! SQLite's own text names tables and columns, and is kept as the cause for the
//! log; what is sent is written here.

use mainstay_core::{Code, Error};
use mainstay_store::refusal::deadline_exceeded;
use rusqlite::ffi;
use thiserror::Error as ThisError;

/// Marks the message of an error that one of our own SQL functions raised, so that
/// it is known again on its way out of SQLite.
const RAISED: &str = "mainstay\u{1f}";

/// An error of one of our own SQL functions: a code and a message for the caller.
#[derive(Debug, ThisError)]
#[error("{RAISED}{code}\u{1f}{message}")]
pub(crate) struct Raised {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl From<Raised> for rusqlite::Error {
    fn from(raised: Raised) -> Self {
        Self::UserFunctionError(Box::new(raised))
    }
}

/// What went wrong, by what can be done about it.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// A progress handler stopped the statement.
    Interrupted,
    /// A unique constraint or primary key; SQLite's list of its columns.
    Unique(String),
    /// A reference, without saying which.
    Reference,
    /// The value or the limit at fault is the caller's: said as it is.
    Caller(Error),
    /// The disk is full, the file locked or the memory gone: nothing was written.
    Unavailable(Error),
    /// The disk failed: whether a commit was written is not known.
    Disk(Error),
    /// A fault of ours, or of the file's.
    Internal(Error),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(code, message) = &error else {
            return Self::Internal(Error::internal(error));
        };
        let message = message.as_deref().unwrap_or_default();
        match code.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                let columns = message.strip_prefix("UNIQUE constraint failed: ");
                return Self::Unique(columns.unwrap_or_default().to_owned());
            }
            ffi::SQLITE_CONSTRAINT_ROWID => return Self::Unique(String::new()),
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return Self::Reference,
            ffi::SQLITE_CONSTRAINT_NOTNULL => {
                return Self::Caller(
                    Error::new(
                        Code::RequiredViolation,
                        "null value in a field violates not-null constraint",
                    )
                    .with_source(error),
                );
            }
            _ => {}
        }
        let unavailable = |what: &str| Error::unavailable(what);
        match code.extended_code & 0xff {
            ffi::SQLITE_INTERRUPT => Self::Interrupted,
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => {
                Self::Unavailable(unavailable("the database is busy").with_source(error))
            }
            ffi::SQLITE_FULL => {
                Self::Unavailable(unavailable("the database's disk is full").with_source(error))
            }
            ffi::SQLITE_NOMEM => {
                Self::Unavailable(unavailable("the database is out of memory").with_source(error))
            }
            ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN | ffi::SQLITE_READONLY => {
                Self::Disk(unavailable("the database's disk failed").with_source(error))
            }
            ffi::SQLITE_TOOBIG => Self::Caller(
                Error::new(Code::LimitExceeded, "a value is larger than the database can hold")
                    .with_source(error),
            ),
            ffi::SQLITE_ERROR if message == "integer overflow" => Self::Caller(
                Error::new(Code::ValueOutOfRange, "bigint out of range").with_source(error),
            ),
            ffi::SQLITE_ERROR => match raised(message) {
                Some(raised) => Self::Caller(raised),
                None => Self::Internal(Error::internal(error)),
            },
            _ => Self::Internal(Error::internal(error)),
        }
    }
}

impl Trouble {
    /// The error for a caller who only read, or who has no constraint to be told of.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Interrupted => deadline_exceeded(),
            Self::Unique(columns) => Error::internal(format!("unique constraint: {columns}")),
            Self::Reference => Error::internal("a reference failed outside a write"),
            Self::Caller(error)
            | Self::Unavailable(error)
            | Self::Disk(error)
            | Self::Internal(error) => error,
        }
    }
}

fn raised(message: &str) -> Option<Error> {
    let (code, message) = message.strip_prefix(RAISED)?.split_once('\u{1f}')?;
    let code = Code::ALL.iter().copied().find(|known| known.as_str() == code)?;
    Some(Error::new(code, message))
}
