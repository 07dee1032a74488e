//! Why a rule admits a row, or does not.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use mainstay_core::Filter;
use mainstay_rules::{
    RuleKind,
    corpus::{Corpus, corpus_rules},
    interpret::{Explained, Situation, World, explain},
};

fn explained(corpus: &Corpus, filter: &Filter, post: i64, caller: usize) -> Explained {
    let row = corpus.post(post).expect("a post of this id");
    let world = World { catalog: &corpus.catalog, rows: &corpus.rows };
    let (_, actor) = &corpus.actors[caller];
    let (old, now) = (Some(row.as_slice()), corpus.now);
    let situation = Situation { world: Some(world), row, old, actor, now, slots: &[] };
    explain(&corpus.catalog, corpus.posts, filter, &situation)
}

fn check(text: &str, post: i64, caller: usize, expected: Expect) {
    let corpus = Corpus::new();
    let rule = corpus.compile(text, RuleKind::Check).expect("a rule");
    let mut shown = String::new();
    show(&explained(&corpus, rule.filter(), post, caller), 0, &mut shown);
    expected.assert_eq(&shown);
}

fn show(part: &Explained, depth: usize, out: &mut String) {
    let row = part.row.as_ref().map(|row| format!("{row}: ")).unwrap_or_default();
    let values: Vec<String> =
        part.values.iter().map(|(name, value)| format!(" [{name} is {value}]")).collect();
    let indent = "  ".repeat(depth);
    let truth = format!("{:?}", part.truth).to_lowercase();
    let _ = writeln!(out, "{indent}{truth} {row}{}{}", part.text, values.concat());
    part.parts.iter().for_each(|inner| show(inner, depth + 1, out));
    if part.more > 0 {
        let _ = writeln!(out, "{indent}  and {} more", part.more);
    }
}

#[test]
fn every_part_says_what_it_came_to_and_what_it_saw() {
    check(
        "published || author == auth.id && views > 5",
        1,
        2,
        expect![[r#"
        true published || (author == auth.id && views > 5)
          true published
          false author == auth.id && views > 5
            false author == auth.id [author is 'alice'] [auth.id is 'bob']
            true views > 5 [views is 10]
    "#]],
    );
    check(
        "token == auth.id || auth.claims.org == views",
        1,
        2,
        expect![[r#"
        unknown token == auth.id || auth.claims.org == views
          unknown token == auth.id [token is '22222222-2222-7222-8222-22222222abcd'] [auth.id is no uuid, so absent]
          false auth.claims.org == views [auth.claims.org is 7] [views is 10]
    "#]],
    );
}

#[test]
fn related_rows_are_named_and_those_that_decide_come_first() {
    check(
        "members.exists(m, m.user == auth.id)",
        1,
        2,
        expect![[r#"
        unknown members.exists(m, m.user == auth.id)
          unknown members 2: m.user == auth.id [m.user is absent] [auth.id is 'bob']
          false members 1: m.user == auth.id [m.user is 'alice'] [auth.id is 'bob']
    "#]],
    );
    check(
        "!bans.exists(b, b.user == auth.id)",
        1,
        0,
        expect![[r#"
        unknown !bans.exists(b, b.user == auth.id)
          unknown bans 1: b.user == auth.id [b.user is 'bob'] [auth.id is absent]
    "#]],
    );
    check(
        "tags.all(t, !t.secret)",
        1,
        0,
        expect![[r#"
        false !tags.exists(t, t.secret)
          true tags 'private': t.secret
          false tags 'rust': t.secret
    "#]],
    );
    check(
        "published ? members.size() > 1 : false",
        1,
        0,
        expect![[r#"
        true published ? members.size() > 1 : false
          true published
          true members.size() > 1 [members.size() is 2]
    "#]],
    );
}

#[test]
fn a_rule_explained_comes_to_what_the_rule_comes_to() {
    let corpus = Corpus::new();
    for rule in corpus_rules() {
        let compiled = corpus.compile(rule.text, RuleKind::Check).expect("a rule");
        for row in &corpus.rows[corpus.posts.index()] {
            let Some(mainstay_core::Value::Int(id)) = row.first() else { continue };
            for (at, (name, actor)) in corpus.actors.iter().enumerate() {
                let explained = explained(&corpus, compiled.filter(), *id, at);
                let truth = corpus.truth(compiled.filter(), row, actor);
                assert_eq!(explained.truth, truth, "{} of {id} as {name}", rule.name);
            }
        }
    }
}
