//! The corpus, decided by the interpreter and by hand.

use mainstay_core::{Filter, Truth};
use mainstay_rules::{
    Rule, RuleKind,
    corpus::{Corpus, CorpusRule, corpus_rules, hand_decided},
};

fn compiled(corpus: &Corpus) -> Vec<(CorpusRule, Rule)> {
    corpus_rules()
        .into_iter()
        .map(|rule| match corpus.compile(rule.text, RuleKind::Read) {
            Ok(compiled) => (rule, compiled),
            Err(mistakes) => panic!("{}:\n{}", rule.name, mistakes[0]),
        })
        .collect()
}

#[test]
fn the_corpus_is_as_large_and_as_hostile_as_was_asked() {
    let corpus = Corpus::new();
    let cells: usize = hand_decided().iter().map(|line| line.truths.len()).sum();
    assert!(corpus_rules().len() >= 30);
    assert!(corpus.rows[corpus.posts.index()].len() >= 20);
    assert_eq!(corpus.actors.len(), 6);
    assert!(cells >= 60, "{cells}");
    let under_negation = ["not_banned", "all_bans_others", "not_all_bans_mine", "not_member"];
    for rule in under_negation {
        assert!(hand_decided().iter().any(|line| line.rule == rule && line.truths.len() == 6));
    }
}

#[test]
fn the_interpreter_agrees_with_every_verdict_decided_by_hand() {
    let corpus = Corpus::new();
    let rules = compiled(&corpus);
    let mut wrong = String::new();
    for line in hand_decided() {
        let (_, rule) = rules
            .iter()
            .find(|(rule, _)| rule.name == line.rule)
            .unwrap_or_else(|| panic!("no rule is called {}", line.rule));
        let row = corpus.post(line.post).expect("a post of this id");
        for ((name, actor), expected) in corpus.actors.iter().zip(&line.truths) {
            let truth = corpus.truth(rule.filter(), row, actor);
            if truth != *expected {
                wrong += &format!(
                    "{} of post {} for {name}: {truth:?}, by hand {expected:?}\n",
                    line.rule, line.post
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_folded_rule_admits_the_rows_the_rule_admits_and_keeps_its_truth_until_the_verdict() {
    let corpus = Corpus::new();
    for (rule, compiled) in compiled(&corpus) {
        for (name, actor) in &corpus.actors {
            let exact = compiled.fold_exactly(&|term| term.evaluate(actor, corpus.now));
            let verdict = compiled.fold(&|term| term.evaluate(actor, corpus.now));
            for row in &corpus.rows[corpus.posts.index()] {
                let truth = corpus.truth(compiled.filter(), row, actor);
                let place = (rule.name, name, &row[0]);
                assert_eq!(corpus.truth(&exact, row, actor), truth, "{place:?}");
                let admitted = corpus.truth(&verdict, row, actor) == Truth::True;
                assert_eq!(admitted, truth == Truth::True, "{place:?}");
            }
        }
    }
}

#[test]
fn no_rule_admits_every_row_to_everyone_or_none_to_anyone_but_those_that_say_so() {
    let corpus = Corpus::new();
    let posts = corpus.rows[corpus.posts.index()].len();
    for (rule, compiled) in compiled(&corpus) {
        let admitted = |filter: &Filter| -> usize {
            corpus.actors.iter().map(|(_, actor)| corpus.admitted(filter, actor).len()).sum()
        };
        let admitted = admitted(compiled.filter());
        assert_eq!(admitted == posts * 6, rule.name == "everyone", "{}", rule.name);
        assert_eq!(admitted == 0, rule.name == "no_one", "{}: it shows nothing", rule.name);
    }
}
