//! The corpus: hostile rows, rules and callers, with verdicts decided by hand.
//!
//! Each rule is asked of each row for each caller, by the interpreter here and by
//! every store in its own tests, which load [`Corpus::rows`] into their tables and
//! compare the ids a caller sees with [`Corpus::admitted`]. Since a mistake that two
//! of them share would agree with itself, [`hand_decided`] holds verdicts worked out
//! on paper. [`conditions`] extends all of it with generated ones.

mod actors;
mod generator;
mod hand;
mod rows;
mod rules;
mod schema;

use mainstay_core::{Actor, Catalog, Filter, ModelId, RuleText, Timestamp, Truth, Value};

pub use self::{
    generator::{Breadth, conditions},
    hand::{HandDecided, hand_decided},
    rules::{CorpusRule, corpus_rules},
};
use crate::{
    Rule, RuleKind, RuleMistake, Rulebook, compile_rule,
    interpret::{self, Row, Situation, World},
};

/// The models, rows and callers that rules are asked about.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// The models; none has a rule.
    pub catalog: Catalog,
    /// The rows of each model, in the models' order. Refs lead to rows that exist.
    pub rows: Vec<Vec<Row>>,
    /// The callers, each with a name.
    pub actors: Vec<(&'static str, Actor)>,
    /// The request's time.
    pub now: Timestamp,
    /// The model whose rows the rules are asked of; its key is an int and its first field.
    pub posts: ModelId,
}

impl Corpus {
    /// The corpus.
    #[must_use]
    pub fn new() -> Self {
        let catalog = schema::catalog(None);
        let posts = catalog.model_id("posts").expect("BUG: the corpus has posts");
        let rows = rows::rows(&catalog);
        Self { rows, actors: actors::actors(), now: rows::now(), posts, catalog }
    }

    /// The models in an order in which their rows can be inserted, refs checked.
    #[must_use]
    pub fn insertion_order(&self) -> Vec<ModelId> {
        ["users", "teams", "tags", "posts", "members", "bans", "post_tags"]
            .iter()
            .filter_map(|name| self.catalog.model_id(name))
            .collect()
    }

    /// The same models where this text is the read rule of posts and every other
    /// model may be read by everyone.
    #[must_use]
    pub fn catalog_with_rule(&self, text: &str) -> Catalog {
        schema::catalog(Some(text))
    }

    /// A rule of posts.
    ///
    /// # Errors
    /// With its mistakes.
    pub fn compile(&self, text: &str, kind: RuleKind) -> Result<Rule, Vec<RuleMistake>> {
        compile_rule(&self.catalog, self.posts, &rule_text(text), kind)
    }

    /// Rules by which posts are read under this condition and all else by everyone,
    /// to make plans of conditions that no text was written for.
    #[must_use]
    pub fn rulebook_with(&self, filter: Filter) -> Rulebook {
        Rulebook::of_reads(&self.catalog, self.posts, filter)
    }

    /// What a condition comes to for one row of posts.
    #[must_use]
    pub fn truth(&self, filter: &Filter, row: &Row, actor: &Actor) -> Truth {
        let world = World { catalog: &self.catalog, rows: &self.rows };
        let situation =
            Situation { world: Some(world), row, old: Some(row), actor, now: self.now, slots: &[] };
        interpret::evaluate(filter, &situation)
    }

    /// The ids of the posts for which a condition is true, in their order.
    #[must_use]
    pub fn admitted(&self, filter: &Filter, actor: &Actor) -> Vec<i64> {
        let rows = self.rows[self.posts.index()].iter();
        rows.filter(|row| self.truth(filter, row, actor) == Truth::True)
            .filter_map(|row| match row.first() {
                Some(Value::Int(id)) => Some(*id),
                _ => None,
            })
            .collect()
    }

    /// The post with this id.
    #[must_use]
    pub fn post(&self, id: i64) -> Option<&Row> {
        self.rows[self.posts.index()].iter().find(|row| row.first() == Some(&Value::Int(id)))
    }
}

impl Default for Corpus {
    fn default() -> Self {
        Self::new()
    }
}

/// A text as a rule of the corpus's file of posts.
#[must_use]
pub fn rule_text(text: &str) -> RuleText {
    RuleText { text: text.into(), file: "models/posts.toml".into(), offset: 0 }
}
