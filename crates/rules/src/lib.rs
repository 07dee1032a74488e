//! Rules: from the text a developer writes to a condition every store can compile.
//!
//! A rule is a CEL expression. [`compile`] type-checks the rules of a catalog into
//! [`Rule`]s; [`Rule::fold`] decides beforehand what the caller and the time decide, and
//! [`Rule::fold_for`] what the callers of one role have in common;
//! [`interpret`] says what a condition means, and every store is measured against it.
//! [`find_mistakes`] looks at the rules of a folder that is no app for other mistakes.
//!
//! A missing value makes a comparison *unknown* (Kleene's logic, which is SQL's), and
//! unknown admits no row. A rule follows refs and related rows with the eyes of the
//! developer who wrote it: it sees them all.
//!
//! This crate reads no file, no clock and no store, and knows neither SQL nor HTTP.

mod caller;
mod callers;
mod compile;
#[cfg(feature = "corpus")]
pub mod corpus;
mod fold;
mod guard;
pub mod interpret;
mod mistake;
mod rule;
mod rulebook;
mod source;
mod term;
mod text;
mod together;
mod verdicts;
mod visit;

pub use caller::caller_value;
pub use callers::Callers;
pub use compile::compile_rule;
pub use guard::GuardClass;
pub use mistake::RuleMistake;
pub use rule::{Rule, RuleKind};
pub use rulebook::{FieldRuleSet, ModelRuleSet, Rulebook, compile, find_mistakes};
pub use source::{RULE_BYTES_MAX, RULE_DEPTH_MAX};
pub use term::Term;
pub use text::rule_text;
pub use together::{AskedRole, AskedTogether, asked_together};
pub use verdicts::{both, either, is_same};
