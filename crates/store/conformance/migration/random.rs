//! Models that nobody wrote become others that nobody wrote, with rows in their tables:
//! either the tables are as the models want them, or nothing was done.

use expect_test::expect;
use mainstay_store::{Choices, CompareError, compare, differences};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

use super::chain::Chain;
use crate::conformance::harness::*;

/// Chains that are tried, and changes in each.
const CHAINS: usize = 12;
const CHANGES: usize = 6;

/// The models there may be, each with its kind of key: two of them alike, so that one may
/// become the other.
const MODELS: [(&str, &str); 4] =
    [("ants", "int"), ("bees", "text"), ("cats", "uuid"), ("dogs", "int")];
const FIELDS: [&str; 4] = ["one", "two", "three", "four"];

/// What rows that are there may say against a change: they have the same values, lack one,
/// have one that is no value of another type, or point at nothing.
const REFUSALS: [&str; 7] = [
    "share the same values",
    "have no value for it",
    "cannot be read as the type",
    "cannot cast type",
    "invalid input syntax",
    "out of range",
    "point at rows",
];

#[derive(Clone, Debug)]
struct FieldDraft {
    kind: u8,
    to: usize,
    required: bool,
    default: bool,
    unique: bool,
    on_delete: u8,
}

fn field() -> impl Strategy<Value = Option<FieldDraft>> {
    let draft = (0..9_u8, 0..MODELS.len(), any::<bool>(), any::<bool>(), any::<bool>(), 0..3_u8);
    let draft = draft.prop_map(|(kind, to, required, default, unique, on_delete)| FieldDraft {
        kind,
        to,
        required,
        default,
        unique: unique && kind % 2 == 0,
        on_delete,
    });
    proptest::option::weighted(0.7, draft)
}

type Drafts = Vec<Option<Vec<Option<FieldDraft>>>>;

fn models() -> impl Strategy<Value = Drafts> {
    let fields = proptest::collection::vec(field(), FIELDS.len());
    proptest::collection::vec(proptest::option::weighted(0.8, fields), MODELS.len())
}

/// The files of these models.
fn texts(drafts: &Drafts) -> Vec<(&'static str, String)> {
    let is_there = |model: usize| drafts[model].is_some();
    let mut texts = Vec::new();
    for ((name, id), fields) in MODELS.iter().zip(drafts) {
        let Some(fields) = fields else { continue };
        let mut text = format!("[model]\nid = \"{id}\"\ntimestamps = false\n[fields]\n");
        for (name, field) in FIELDS.iter().zip(fields) {
            if let Some(field) = field {
                text.push_str(&line(name, field, is_there(field.to)));
            }
        }
        texts.push((*name, text));
    }
    texts
}

fn line(name: &str, field: &FieldDraft, target_is_there: bool) -> String {
    let (kind, default) = match field.kind {
        0 | 1 => ("type = \"text\"", "\"x\""),
        2 => ("type = \"int\"", "7"),
        3 => ("type = \"decimal\", precision = 8, scale = 2", "1.5"),
        4 => ("type = \"float\"", "0.25"),
        5 => ("type = \"bool\"", "true"),
        6 => ("type = \"timestamp\"", "\"now\""),
        _ if !target_is_there => ("type = \"json\"", "[1]"),
        _ => {
            let required = if field.required { ", required = true" } else { "" };
            let on_delete = match (field.on_delete, field.required) {
                (0, _) => "restrict",
                (1, _) | (_, true) => "cascade",
                _ => "set_null",
            };
            let to = MODELS[field.to].0;
            return format!(
                "{name} = {{ type = \"ref\", to = \"{to}\", on_delete = \"{on_delete}\"{required} }}\n"
            );
        }
    };
    let required = if field.required { ", required = true" } else { "" };
    let default = if field.default { format!(", default = {default}") } else { String::new() };
    let unique = if field.unique && field.kind != 8 { ", unique = true" } else { "" };
    format!("{name} = {{ {kind}{required}{default}{unique} }}\n")
}

/// Everything said that has to be, at random: what is renamed, what goes.
fn decided(app: &App, chain: &Chain, renames: bool) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    loop {
        let mut choices = Choices::default();
        for said in &said {
            match said.parse() {
                Ok(rename) => choices.rename(rename),
                Err(_) => choices.drop(said),
            }
        }
        let before = chain.read();
        match compare(before.snapshot(), app.planner.catalog(), &choices) {
            Ok(_) => return said,
            Err(CompareError::Undecided(questions)) => {
                let question = &questions[0];
                said.push(match renames {
                    true => format!("{}={}", question.gone, question.came[0]),
                    false => question.gone.clone(),
                });
            }
            Err(CompareError::Impossible(faults)) => {
                for fault in faults {
                    let field = fault.split_once(" cannot become ").map(|(field, _)| field);
                    let field = field.unwrap_or_else(|| panic!("{fault}")).to_owned();
                    assert!(!said.contains(&field), "{field} is asked for twice");
                    said.push(field);
                }
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// What became of a change: `.` where there was none to write, `+` where it was made, `-`
/// where a row spoke against it.
async fn change(app: &mut App, chain: &mut Chain, drafts: &Drafts, renames: bool) -> char {
    let texts = texts(drafts);
    let models: Vec<(&str, &str)> =
        texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    app.remodel(&models);
    let said = decided(app, chain, renames);
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    if !chain.try_write(app.planner.catalog(), &said) {
        return '.';
    }
    let before = app.store.introspect().await.unwrap();
    let migration = chain.read().all().last().unwrap().clone();
    let done = app.store.migrate(migration, cx()).await;
    let after = app.store.introspect().await.unwrap();
    match done {
        Ok(_) => {
            let wanted = app.store.wanted_schema(app.planner.catalog());
            let found = differences(&wanted, &after);
            assert!(found.is_empty(), "{found:?}\n{}", chain.last());
        }
        Err(error) => {
            let is_known = REFUSALS.iter().any(|known| error.message().contains(known));
            assert!(is_known, "{}\n{}", super::chain::told(&error), chain.last());
            assert_eq!(after, before, "{}", chain.last());
            chain.forget_last();
            return '-';
        }
    }
    app.store.adopt(std::sync::Arc::clone(app.planner.catalog()));
    for (model, _) in texts {
        // A model whose rows must have what is not said here stays empty.
        for row in [&[][..], &[("one", "3")]] {
            if let Ok(plan) = app.plan(&insert(model, &[row], ""), &service()) {
                let _ = app.carry_out(vec![plan], mainstay_store::End::Commit).await;
            }
        }
    }
    '+'
}

#[tokio::test]
async fn models_that_nobody_wrote_become_others_as_a_whole_or_not_at_all() {
    let mut runner = TestRunner::deterministic();
    let strategy = proptest::collection::vec((models(), any::<bool>()), CHANGES);
    let mut verdicts = Vec::new();
    for _ in 0..CHAINS {
        let changes = strategy.new_tree(&mut runner).unwrap().current();
        let mut app = App::of(&[]).await;
        let mut chain = Chain::default();
        let mut told = String::new();
        for (drafts, renames) in &changes {
            told.push(change(&mut app, &mut chain, drafts, *renames).await);
        }
        verdicts.push(told);
    }
    // The same on every engine.
    expect!["+----+ +---+- ++++-- +++--- ++-+-+ +----- ++---+ ++-+-- +++--- ++-+++ +-+++- +++---"]
        .assert_eq(&verdicts.join(" "));
}
