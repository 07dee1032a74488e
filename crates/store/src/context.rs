//! What travels with a call besides the plan.

use std::time::Instant;

/// A point in a store's history; a read may ask for a store that has reached it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(pub u64);

/// The circumstances of one call.
///
/// Dropping a read's future cancels it. A write's does not: once begun it ends.
#[derive(Clone, Debug)]
pub struct Cx {
    /// When the caller stops waiting. A write that has not begun by then does not.
    pub deadline: Instant,
    /// A read sees at least what was written by then.
    pub at_least: Option<Mark>,
    /// The request this is for, for the log.
    pub request_id: Option<Box<str>>,
}

impl Cx {
    /// A call that may take until then.
    #[must_use]
    pub fn until(deadline: Instant) -> Self {
        Self { deadline, at_least: None, request_id: None }
    }
}
