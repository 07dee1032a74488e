//! The corpus of the crate `rules`: hostile rows × rules × callers, and generated
//! conditions. The ids that SQL admits must be those the reference interpreter does.

use std::{collections::BTreeMap, sync::Arc};

use mainstay_core::{Actor, Filter, Limits, Operand, Path, Value};
use mainstay_plan::{
    Features, InsertRequest, OrderTerm, PayloadRow, PayloadValue, Planner, ReadRequest, Return,
    WriteAction, WriteRequest,
};
use mainstay_rules::{
    RuleKind, Rulebook,
    corpus::{Breadth, Corpus, conditions, corpus_rules, hand_decided},
};
use mainstay_store::{Migration, Rows, Store, WriteSet, differences, steps};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Runtime;

use crate::engine::Engine;

use super::harness::{Lines, Text, cx, expr, fields, service};

/// Conditions that are generated. With each, every caller reads.
const GENERATED_CASES: u32 = 10_000;

/// The corpus's rows in a store of their own.
struct Loaded {
    corpus: Corpus,
    catalog: Arc<mainstay_core::Catalog>,
    store: Arc<dyn Store>,
    runtime: Runtime,
    _engine: Engine,
}

impl Loaded {
    fn new() -> Self {
        let corpus = Corpus::new();
        let catalog = Arc::new(corpus.catalog_with_rule("true"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let engine = runtime.block_on(Engine::open());
        let store = engine.store();
        let loaded = Self { corpus, catalog, store, runtime, _engine: engine };
        loaded.runtime.block_on(loaded.load());
        loaded
    }

    async fn load(&self) {
        let wanted = self.store.wanted_schema(&self.catalog);
        let actual = self.store.introspect().await.unwrap();
        let (steps, _) = steps(&self.catalog, &differences(&wanted, &actual), Rows::Possible);
        self.store.migrate(Migration::unrecorded(steps), cx()).await.unwrap();
        self.store.adopt(Arc::clone(&self.catalog));
        let rulebook = mainstay_rules::compile(&self.catalog).unwrap();
        let planner = self.planner(rulebook);
        for model in self.corpus.insertion_order() {
            let declared = self.catalog.model(model);
            // A row comes after the one its ref to its own model points at.
            let by_key: BTreeMap<String, &Vec<Value>> = self.corpus.rows[model.index()]
                .iter()
                .map(|row| (format!("{:?}", row[0]), row))
                .collect();
            let parent = declared.field_id("parent");
            let depth = |row: &Vec<Value>| {
                let mut at = row;
                let mut depth = 0;
                while let Some(field) = parent
                    && let Some(above) = by_key.get(&format!("{:?}", at[field.index()]))
                    && depth < by_key.len()
                {
                    at = above;
                    depth += 1;
                }
                depth
            };
            let mut rows: Vec<&Vec<Value>> = self.corpus.rows[model.index()].iter().collect();
            rows.sort_by_key(|row| depth(row));
            for row in rows {
                let payload = payload(declared, row);
                let request = inserting(&declared.name, payload);
                let plan = planner
                    .write(&request, &service(), self.corpus.now, &mut || unreachable!())
                    .map_err(|error| format!("{error} {:?}", error.details()))
                    .unwrap();
                let set = WriteSet { plans: vec![plan], end: mainstay_store::End::Commit };
                let done = self.store.write(set, cx(), Box::new(Lines::default())).await;
                done.map(drop).unwrap();
            }
        }
    }

    fn planner(&self, rulebook: Rulebook) -> Planner {
        let limits = Limits::default();
        let features = Features { aggregates: true };
        Planner::new(Arc::clone(&self.catalog), Arc::new(rulebook), limits, features)
    }

    /// The ids of the posts a caller reads under these rules.
    fn read(&self, planner: &Planner, actor: &Actor) -> Result<Vec<i64>, String> {
        let mut request =
            ReadRequest { model: "posts".into(), select: fields("id"), ..ReadRequest::default() };
        request.clauses.order = vec![OrderTerm {
            relation: None,
            field: expr("id"),
            descending: false,
            nulls_first: None,
        }];
        let plan = planner.read(&request, actor, self.corpus.now).map_err(|e| e.to_string())?;
        let read = self.store.read(Arc::new(plan), cx(), Box::new(Lines::default()));
        let answer = self.runtime.block_on(read).map_err(|error| {
            format!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string))
        })?;
        let text = answer.sink.text();
        Ok(text
            .split_whitespace()
            .map(|row| row.trim_matches(['(', ')']).parse().unwrap())
            .collect())
    }
}

fn payload(model: &mainstay_core::Model, row: &[Value]) -> PayloadRow<'static> {
    model
        .fields
        .iter()
        .zip(row)
        .map(|(field, value)| {
            let text = value.as_ref().to_text();
            let value = match value {
                Value::Null => PayloadValue::Null,
                Value::Json(_) => PayloadValue::Nested(text.into()),
                _ => PayloadValue::String(text.into()),
            };
            (field.name.to_string().into(), value)
        })
        .collect()
}

fn inserting<'a>(model: &'a str, row: PayloadRow<'a>) -> WriteRequest<'a> {
    WriteRequest {
        model: model.into(),
        action: WriteAction::Insert(InsertRequest {
            payload: vec![row],
            columns: None,
            missing_default: true,
            resolution: None,
            on_conflict: Vec::new(),
        }),
        returning: Return::Minimal,
        select: Vec::new(),
        clauses: Default::default(),
        embedded: Vec::new(),
        max_affected: None,
        at_most: None,
    }
}

fn sorted(mut ids: Vec<i64>) -> Vec<i64> {
    ids.sort_unstable();
    ids
}

#[test]
fn sql_admits_the_posts_that_the_interpreter_does_for_every_rule_and_caller() {
    let loaded = Loaded::new();
    let corpus = &loaded.corpus;
    let mut differing = Vec::new();
    let mut admitted = 0;
    for rule in corpus_rules() {
        let compiled = corpus.compile(rule.text, RuleKind::Check).unwrap();
        let planner = loaded.planner(corpus.rulebook_with(compiled.filter().clone()));
        for (name, actor) in &corpus.actors {
            let expected = sorted(corpus.admitted(compiled.filter(), actor));
            admitted += expected.len();
            let found = loaded.read(&planner, actor);
            if found.as_ref() != Ok(&expected) {
                differing.push(format!(
                    "{} ({}) as {name}: {expected:?}, SQL {found:?}",
                    rule.name, rule.text
                ));
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(admitted > 500, "the corpus admits next to nothing: {admitted}");
}

#[test]
fn sql_agrees_with_the_verdicts_decided_by_hand() {
    let loaded = Loaded::new();
    let corpus = &loaded.corpus;
    let mut cells = 0;
    for decided in hand_decided() {
        let rule = corpus_rules().into_iter().find(|rule| rule.name == decided.rule).unwrap();
        let compiled = corpus.compile(rule.text, RuleKind::Check).unwrap();
        let planner = loaded.planner(corpus.rulebook_with(compiled.filter().clone()));
        for ((name, actor), truth) in corpus.actors.iter().zip(&decided.truths) {
            let found = loaded.read(&planner, actor).unwrap();
            let expected = *truth == mainstay_core::Truth::True;
            assert_eq!(
                found.contains(&decided.post),
                expected,
                "{} of post {} as {name}",
                rule.name,
                decided.post
            );
            cells += 1;
        }
    }
    assert!(cells >= 60, "{cells} cells decided by hand");
}

#[test]
fn a_condition_that_is_absent_for_every_row_is_a_condition_all_the_same() {
    let loaded = Loaded::new();
    let posts = loaded.catalog.model(loaded.catalog.model_id("posts").unwrap());
    let field = posts.field_id("views").unwrap();
    let unset = || Box::new(Filter::IsNull(Operand::Field(Path::of(field))));
    let nothing = || Box::new(Operand::Literal(Value::Null));
    let absent = Filter::Is(Operand::If(unset(), nothing(), nothing()));
    let chosen = Filter::If(unset(), Box::new(absent.clone()), Box::new(Filter::NEVER));
    for filter in [absent.clone(), Filter::Not(Box::new(absent)), chosen] {
        let planner = loaded.planner(loaded.corpus.rulebook_with(filter.clone()));
        for (name, actor) in &loaded.corpus.actors {
            assert_eq!(loaded.read(&planner, actor), Ok(Vec::new()), "{filter:?} as {name}");
        }
    }
}

#[test]
fn sql_admits_what_the_interpreter_does_for_conditions_nobody_wrote() {
    let loaded = Loaded::new();
    let corpus = &loaded.corpus;
    let mut runner = TestRunner::new(Config {
        cases: GENERATED_CASES,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&conditions(Breadth::Queries), |filter| {
        let planner = loaded.planner(corpus.rulebook_with(filter.clone()));
        for (name, actor) in &corpus.actors {
            let expected = sorted(corpus.admitted(&filter, actor));
            let found = loaded.read(&planner, actor);
            if found.as_ref() != Ok(&expected) {
                return Err(TestCaseError::fail(format!("as {name}: {expected:?}, SQL {found:?}")));
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
