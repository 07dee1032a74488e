//! A rule for all callers of a role at once, and its text.

use expect_test::{Expect, expect};
use mainstay_core::{Actor, Filter, Truth};
use mainstay_rules::{
    Callers, RuleKind,
    corpus::{Corpus, corpus_rules},
    rule_text,
};

/// All callers who are to the rules what this one is, but for the id and the claims.
fn callers_like(actor: &Actor) -> Callers {
    if actor.is_anonymous() {
        return Callers::anonymous();
    }
    let permissions = ["posts.publish", "posts.%"];
    let permissions = permissions.into_iter().filter(|what| actor.can(what)).map(Into::into);
    Callers::with_roles(actor.roles().to_vec(), permissions.collect())
}

fn check(text: &str, expected: Expect) {
    let corpus = Corpus::new();
    let rule = match corpus.compile(text, RuleKind::Check) {
        Ok(rule) => rule,
        Err(mistakes) => panic!("{}", mistakes[0]),
    };
    let of_role = |roles: &[&str], can: &[&str]| {
        let boxed = |texts: &[&str]| texts.iter().map(|text| Box::from(*text)).collect();
        Callers::with_roles(boxed(roles), boxed(can))
    };
    let lines: Vec<String> = [
        ("anon", Callers::anonymous()),
        ("authenticated", of_role(&[], &[])),
        ("editor", of_role(&["editor"], &["posts.publish"])),
    ]
    .iter()
    .map(|(name, callers)| {
        let folded = rule.fold_for(callers);
        format!("{name}: {}\n", rule_text(&corpus.catalog, corpus.posts, &folded))
    })
    .collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn what_a_role_decides_is_gone_and_the_rest_stays_in_the_rules_words() {
    check(
        "published || author == auth.id || 'editor' in auth.roles",
        expect![[r#"
            anon: published
            authenticated: published || author == auth.id
            editor: true
        "#]],
    );
    check(
        "auth.id != null && (auth.claims.org == views || auth.can('posts.publish') && published)",
        expect![[r#"
            anon: false
            authenticated: auth.claims.org == views
            editor: auth.claims.org == views || published
        "#]],
    );
    check(
        "now > timestamp('2026-01-01T00:00:00Z') && auth.email.endsWith('@example.com')",
        expect![[r#"
            anon: false
            authenticated: now > timestamp('2026-01-01T00:00:00+00:00') && auth.email.endsWith('@example.com')
            editor: now > timestamp('2026-01-01T00:00:00+00:00') && auth.email.endsWith('@example.com')
        "#]],
    );
}

#[test]
fn related_rows_have_names_that_mean_nothing_else() {
    check(
        "!bans.exists(row, row.user == auth.id && row.active) && parent.members.size() > 1",
        expect![[r#"
            anon: !bans.exists(b, b.active) && parent.members.size() > 1
            authenticated: !bans.exists(b, b.user == auth.id && b.active) && parent.members.size() > 1
            editor: !bans.exists(b, b.user == auth.id && b.active) && parent.members.size() > 1
        "#]],
    );
    check(
        "members.exists(m, m.user.posts_by_author.exists(p, p.tags.all(t, !t.secret)))",
        expect![[r#"
            anon: members.exists(m, m.user.posts_by_author.exists(p, !p.tags.exists(t, t.secret)))
            authenticated: members.exists(m, m.user.posts_by_author.exists(p, !p.tags.exists(t, t.secret)))
            editor: members.exists(m, m.user.posts_by_author.exists(p, !p.tags.exists(t, t.secret)))
        "#]],
    );
    check(
        "members.exists(x, x.user.posts_by_author.exists(y, y.members.exists(z, z.user == x.user)))",
        expect![[r#"
            anon: members.exists(m, m.user.posts_by_author.exists(p, p.members.exists(me, me.user == m.user)))
            authenticated: members.exists(m, m.user.posts_by_author.exists(p, p.members.exists(me, me.user == m.user)))
            editor: members.exists(m, m.user.posts_by_author.exists(p, p.members.exists(me, me.user == m.user)))
        "#]],
    );
}

#[test]
fn a_comparison_that_is_unknown_where_it_decides_is_said_to_be() {
    check(
        "(published || author == auth.id) ? views > 5 : true",
        expect![[r#"
            anon: (published || unknown) ? views > 5 : true
            authenticated: (published || author == auth.id) ? views > 5 : true
            editor: (published || author == auth.id) ? views > 5 : true
        "#]],
    );
}

#[test]
fn the_text_for_a_role_admits_what_the_rule_admits_to_each_of_its_callers() {
    let corpus = Corpus::new();
    let mut read_again = 0;
    for rule in corpus_rules() {
        let compiled = corpus.compile(rule.text, RuleKind::Check).expect("a rule");
        for (name, actor) in &corpus.actors {
            let folded = compiled.fold_for(&callers_like(actor));
            let text = rule_text(&corpus.catalog, corpus.posts, &folded);
            let place = format!("{} as {name}: {text}", rule.name);
            let expected = corpus.admitted(compiled.filter(), actor);
            assert_eq!(corpus.admitted(&folded, actor), expected, "{place}");
            if text.contains("unknown") {
                continue;
            }
            let again = match corpus.compile(&text, RuleKind::Check) {
                Ok(again) => again,
                Err(mistakes) => panic!("{place}: {}", mistakes[0]),
            };
            read_again += 1;
            for row in &corpus.rows[corpus.posts.index()] {
                let truth = corpus.truth(again.filter(), row, actor);
                assert_eq!(truth, corpus.truth(&folded, row, actor), "{place} of {:?}", row[0]);
            }
        }
    }
    assert!(read_again > 600, "only {read_again} texts were read again");
}

#[test]
fn what_is_always_or_never_for_a_role_is_so_for_each_of_its_callers() {
    let corpus = Corpus::new();
    let (mut always, mut never) = (0, 0);
    for rule in corpus_rules() {
        let compiled = corpus.compile(rule.text, RuleKind::Read).expect("a rule");
        for (name, actor) in &corpus.actors {
            let for_one = compiled.fold(&|term| term.evaluate(actor, corpus.now));
            if let Filter::Const(truth) = compiled.fold_for(&callers_like(actor)) {
                assert_eq!(for_one, Filter::Const(truth), "{} as {name}", rule.name);
                *(if truth == Truth::True { &mut always } else { &mut never }) += 1;
            }
        }
    }
    assert!(always >= 8 && never >= 40, "{always} always, {never} never");
}

#[test]
fn the_roles_a_rule_names_are_known() {
    let corpus = Corpus::new();
    let rule =
        corpus.compile("'a' in auth.roles || !('b' in auth.roles && published)", RuleKind::Read);
    assert_eq!(rule.expect("a rule").roles().collect::<Vec<_>>(), ["a", "b"]);
}
