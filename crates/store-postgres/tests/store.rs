//! The PostgreSQL store behind the real planner: the conformance suite, and what is
//! this engine's alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

#[path = "../../store/conformance/suite.rs"]
mod conformance;
#[path = "store/engine.rs"]
mod engine;

mod store {
    mod pooler;
    mod tls;
}
