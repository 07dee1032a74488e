//! Why a step was not taken, for whoever started the migration.

use mainstay_core::{Code, Error};
use mainstay_store::MigrationStep;

use crate::error::Trouble;

/// The error of a step.
pub(super) fn of_step(step: &MigrationStep, trouble: Trouble) -> Error {
    let what = step.described();
    let because = |why: &str| Error::new(Code::Internal, format!("cannot {what}: {why}"));
    match trouble {
        Trouble::Unavailable(error) | Trouble::Lost(error) => error,
        Trouble::Unique(_) => because("rows that are there share the same values"),
        Trouble::Reference(_) => because("rows that are there point at rows that are not"),
        Trouble::Caller(error) if error.code() == Code::RequiredViolation => {
            because("rows that are there have no value for it")
        }
        Trouble::Caller(error) => match std::error::Error::source(&error) {
            Some(_) => because(error.message()).with_source(error),
            None => because(error.message()),
        },
        other => {
            Error::new(Code::Internal, format!("cannot {what}")).with_source(other.into_error())
        }
    }
}
