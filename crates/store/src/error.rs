//! What can become of a write.

use mainstay_core::Error;
use thiserror::Error as ThisError;

/// Why a write was not acknowledged.
#[derive(Debug, ThisError)]
pub enum WriteError {
    /// A guard, a constraint or a limit refused it; nothing was written, and trying
    /// the same again is refused again while the data stays as it is.
    #[error("refused: {0}")]
    Refused(Error),
    /// The store could not do it now (busy, full, away, past the deadline); nothing
    /// was written, and trying again may help.
    #[error("not applied: {0}")]
    NotApplied(Error),
    /// The connection died during commit: it may or may not have been written.
    #[error("outcome unknown: {0}")]
    Unknown(Error),
}

impl WriteError {
    /// The error as the caller sees it.
    #[must_use]
    pub fn into_error(self) -> Error {
        match self {
            Self::Refused(error) | Self::NotApplied(error) | Self::Unknown(error) => error,
        }
    }
}
