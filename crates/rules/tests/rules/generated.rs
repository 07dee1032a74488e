//! Generated conditions.

use mainstay_core::{Filter, Truth};
use mainstay_rules::{
    GuardClass, Rule,
    corpus::{Breadth, Corpus, conditions},
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, TestCaseError, TestRunner},
};

fn rule_of(corpus: &Corpus, filter: Filter) -> Rule {
    let rulebook = corpus.rulebook_with(filter);
    rulebook.model(corpus.posts).read.clone().expect("the rulebook reads posts")
}

fn check(breadth: Breadth) {
    let corpus = Corpus::new();
    let posts = &corpus.rows[corpus.posts.index()];
    let cases = (conditions(breadth), 0..posts.len(), 0..corpus.actors.len());
    let mut runner =
        TestRunner::new(Config { cases: 10_000, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&cases, |(filter, row, actor)| {
        let (row, actor) = (&posts[row], &corpus.actors[actor].1);
        let rule = rule_of(&corpus, filter.clone());
        let truth = corpus.truth(&filter, row, actor);
        let exact = rule.fold_exactly(&|term| term.evaluate(actor, corpus.now));
        let verdict = rule.fold(&|term| term.evaluate(actor, corpus.now));
        let folded = corpus.truth(&exact, row, actor);
        if folded != truth {
            return Err(TestCaseError::fail(format!("{truth:?}, folded {folded:?}: {exact:?}")));
        }
        let admitted = corpus.truth(&verdict, row, actor) == Truth::True;
        if admitted != (truth == Truth::True) {
            return Err(TestCaseError::fail(format!(
                "{truth:?}, admitted {admitted}: {verdict:?}"
            )));
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn folding_10_000_generated_rules_changes_no_verdict() {
    check(Breadth::Rules);
}

#[test]
fn folding_10_000_generated_conditions_of_queries_changes_no_verdict() {
    check(Breadth::Queries);
}

#[test]
fn generated_conditions_are_of_every_truth_and_every_guard_class() {
    let corpus = Corpus::new();
    let mut truths = [0_usize; 3];
    let mut classes = [0_usize; 3];
    let mut runner = TestRunner::deterministic();
    for _ in 0..1_000 {
        let tree = conditions(Breadth::Queries).new_tree(&mut runner).expect("a condition");
        let filter = tree.current();
        for row in &corpus.rows[corpus.posts.index()] {
            for (_, actor) in &corpus.actors {
                truths[match corpus.truth(&filter, row, actor) {
                    Truth::True => 0,
                    Truth::False => 1,
                    Truth::Unknown => 2,
                }] += 1;
            }
        }
        classes[match rule_of(&corpus, filter).class() {
            GuardClass::RowLocal => 0,
            GuardClass::PositiveRelations => 1,
            GuardClass::Counting => 2,
        }] += 1;
    }
    assert!(truths.iter().all(|seen| *seen > 10_000), "{truths:?}");
    assert!(classes.iter().all(|seen| *seen > 50), "{classes:?}");
}
