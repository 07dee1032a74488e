//! What strangers and developers write, as far as the plan.
//!
//! Each target takes bytes and says whether they [`Reached`] a plan. A target panics
//! where the code behind it does, and where a plan from the cache is not the plan
//! that would be made afresh. `fuzz_targets/` gives the targets to libFuzzer; the
//! binary `short` runs them on a plain toolchain with mutations of its own, and
//! holds each input to its bounds of time and memory.
//!
//! No target does I/O or reads a clock that decides anything, so an input that was
//! found means the same the next time.

mod app;
mod empty;
pub mod heap;
mod identity;
pub mod mutate;
mod random;
pub mod seeds;
mod targets;

pub use app::prepare;
pub use targets::{
    TARGETS, Target, account::account, body::body, cookie::cookie, model::model, query::query,
    rule::rule, select::select, token::token,
};

/// How far an input came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// A plan was made of it for at least one caller; of what only stands for something
    /// else, as a cookie does, it was found.
    Plan,
    /// It was refused on the way, as most of what is sent by accident is.
    Refused,
}

impl Reached {
    /// What a caller's outcome amounts to.
    fn of<T, E>(outcome: &Result<T, E>) -> Self {
        if outcome.is_ok() { Self::Plan } else { Self::Refused }
    }

    /// The farther of two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self == Self::Plan { self } else { other }
    }
}
