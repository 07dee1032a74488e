//! The conformance suite: what every store does alike, behind the real planner.
//!
//! It is not a library but the same source in the tests of each `store-*` crate, which
//! takes it in by its path and says in a module `engine` beside it how an empty database
//! is opened. So each test goes by its own name for each engine, and what an engine
//! answers is compared with one expectation.
//!
//! `Engine` has `open()`, `store()` and `number(sql)`.

mod built_in;
mod cascades;
mod corpus;
mod embeds;
mod guards;
pub(crate) mod harness;
mod migration;
mod races;
mod reads;
mod upsert;
mod writes;
