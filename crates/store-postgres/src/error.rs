//! What PostgreSQL says, as the caller may hear it.
//!
//! PostgreSQL's own text names tables, columns and values, and is kept as the cause
//! for the log; what is sent is written here, from its SQLSTATE.

use mainstay_core::{Code, Error};
use mainstay_store::refusal::deadline_exceeded;
use tokio_postgres::error::{DbError, SqlState};

/// What went wrong, by what can be done about it.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// A unique constraint or primary key, by its name.
    Unique(String),
    /// A reference, by its name.
    Reference(String),
    /// The value or the limit at fault is the caller's: said as it is.
    Caller(Error),
    /// Another transaction was in the way, and this one is gone: done again it may
    /// succeed.
    Conflict(Error),
    /// The statement or a lock took too long.
    Deadline,
    /// The server cannot do it now; nothing was written.
    Unavailable(Error),
    /// The connection is gone, and with it what becomes of what was asked.
    Lost(Error),
    /// A fault of ours, or of the database's.
    Internal(Error),
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(said) => {
                of_server(said).unwrap_or_else(|| Self::Internal(Error::internal(said.clone())))
            }
            None => Self::Lost(away().with_source(error)),
        }
    }
}

fn of_server(said: &DbError) -> Option<Trouble> {
    let constraint = || said.constraint().unwrap_or_default().to_owned();
    let caller = |code, message: &str| {
        Some(Trouble::Caller(Error::new(code, message).with_source(said.clone())))
    };
    let unavailable =
        |what: &str| Some(Trouble::Unavailable(Error::unavailable(what).with_source(said.clone())));
    match said.code() {
        &SqlState::UNIQUE_VIOLATION => Some(Trouble::Unique(constraint())),
        &SqlState::FOREIGN_KEY_VIOLATION => Some(Trouble::Reference(constraint())),
        &SqlState::NOT_NULL_VIOLATION => {
            caller(Code::RequiredViolation, "null value in a field violates not-null constraint")
        }
        &SqlState::T_R_SERIALIZATION_FAILURE
        | &SqlState::T_R_DEADLOCK_DETECTED
        | &SqlState::LOCK_NOT_AVAILABLE => {
            let busy = Error::unavailable("too many writes to the same rows at once");
            Some(Trouble::Conflict(busy.with_source(said.clone())))
        }
        &SqlState::QUERY_CANCELED => Some(Trouble::Deadline),
        &SqlState::NUMERIC_VALUE_OUT_OF_RANGE
        | &SqlState::DATETIME_FIELD_OVERFLOW
        | &SqlState::INTERVAL_FIELD_OVERFLOW => {
            caller(Code::ValueOutOfRange, &plain_type(said.message()))
        }
        &SqlState::INVALID_TEXT_REPRESENTATION
        | &SqlState::INVALID_DATETIME_FORMAT
        | &SqlState::INVALID_BINARY_REPRESENTATION => {
            caller(Code::ValueUnreadable, &unreadable(said.message()))
        }
        &SqlState::INVALID_REGULAR_EXPRESSION => {
            caller(Code::PatternInvalid, "invalid regular expression")
        }
        &SqlState::INVALID_PARAMETER_VALUE | &SqlState::CANNOT_COERCE => {
            caller(Code::CastInvalid, &cast(said.message()))
        }
        &SqlState::PROGRAM_LIMIT_EXCEEDED | &SqlState::STATEMENT_TOO_COMPLEX => {
            caller(Code::LimitExceeded, "a value is larger than the database can hold")
        }
        &SqlState::DISK_FULL => unavailable("the database's disk is full"),
        &SqlState::TOO_MANY_CONNECTIONS => unavailable("the database is busy"),
        &SqlState::OUT_OF_MEMORY => unavailable("the database is out of memory"),
        &SqlState::READ_ONLY_SQL_TRANSACTION
        | &SqlState::ADMIN_SHUTDOWN
        | &SqlState::CRASH_SHUTDOWN
        | &SqlState::CANNOT_CONNECT_NOW => Some(Trouble::Lost(away().with_source(said.clone()))),
        other if other.code().starts_with("08") => {
            Some(Trouble::Lost(away().with_source(said.clone())))
        }
        other if other.code().starts_with("53") => unavailable("the database is busy"),
        _ => None,
    }
}

impl Trouble {
    /// The error for a caller who only read, or who has no constraint to be told of.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Unique(name) | Self::Reference(name) => {
                Error::internal(format!("constraint outside a write: {name}"))
            }
            Self::Deadline => deadline_exceeded(),
            Self::Caller(error)
            | Self::Conflict(error)
            | Self::Unavailable(error)
            | Self::Lost(error)
            | Self::Internal(error) => error,
        }
    }
}

/// The answer where the server cannot be reached.
pub(crate) fn away() -> Error {
    Error::unavailable("the database cannot be reached")
}

/// PostgreSQL's names of types, and ours.
const TYPES: [(&str, &str); 6] = [
    ("bigint", "int"),
    ("integer", "int"),
    ("double precision", "float"),
    ("boolean", "bool"),
    ("numeric", "decimal"),
    ("timestamp with time zone", "timestamp"),
];

/// `invalid input syntax for type bigint: "x"` with our name of the type. The text in
/// quotes is a value the caller may read: it was cast in its own expression.
fn unreadable(message: &str) -> String {
    const PREFIX: &str = "invalid input syntax for type ";
    let Some((name, value)) = message.strip_prefix(PREFIX).and_then(|rest| rest.split_once(": "))
    else {
        return "a value cannot be read as the type it is cast to".to_owned();
    };
    let value: String = value.trim_matches('"').chars().take(100).collect();
    format!("{PREFIX}{}: \"{value}\"", ours(name))
}

fn plain_type(message: &str) -> String {
    match message.strip_suffix(" out of range") {
        Some("bigint") => "bigint out of range".to_owned(),
        _ => "a value is out of range for its type".to_owned(),
    }
}

fn cast(message: &str) -> String {
    let parts =
        message.strip_prefix("cannot cast jsonb ").and_then(|rest| rest.split_once(" to type "));
    match parts {
        Some((kind, to)) => format!("cannot cast type json {kind} to {}", ours(to)),
        None => "a value cannot be cast to the type asked for".to_owned(),
    }
}

fn ours(name: &str) -> &str {
    TYPES.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| ours)
}
