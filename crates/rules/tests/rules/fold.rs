//! What is left of a rule once it is known who asks.

use expect_test::{Expect, expect};
use mainstay_rules::{RuleKind, corpus::Corpus};

use crate::shown::shown;

/// The folded rule for each of the six callers; callers with the same one share a line.
fn check(text: &str, expected: Expect) {
    let corpus = Corpus::new();
    let rule = match corpus.compile(text, RuleKind::Read) {
        Ok(rule) => rule,
        Err(mistakes) => panic!("{}", mistakes[0]),
    };
    let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, actor) in &corpus.actors {
        let folded = rule.fold(&|term| term.evaluate(actor, corpus.now));
        let line = shown(&corpus.catalog, corpus.posts, &folded);
        match lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, names)) => names.push(name),
            None => lines.push((line, vec![name])),
        }
    }
    let lines: Vec<String> =
        lines.iter().map(|(line, names)| format!("{}: {line}\n", names.join(" "))).collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn what_an_anonymous_caller_lacks_is_gone_before_a_row_is_read() {
    check(
        "published || author == auth.id",
        expect![[r#"
        anonymous: (is published)
        alice bob empty ohara dave: (or (is published) (author = auth.id:text))
    "#]],
    );
    check(
        "published && author == auth.id",
        expect![[r#"
        anonymous: false
        alice bob empty ohara dave: (and (is published) (author = auth.id:text))
    "#]],
    );
    check(
        "!(author == auth.id)",
        expect![[r#"
        anonymous: false
        alice bob empty ohara dave: (not (author = auth.id:text))
    "#]],
    );
    check(
        "!(published && author == auth.id)",
        expect![[r#"
        anonymous: (not (is published))
        alice bob empty ohara dave: (not (and (is published) (author = auth.id:text)))
    "#]],
    );
    check(
        "published ? author == auth.id : views > 5",
        expect![[r#"
        anonymous: (if (is published) false (views > 5))
        alice bob empty ohara dave: (if (is published) (author = auth.id:text) (views > 5))
    "#]],
    );
    check(
        "title.startsWith(auth.email.lowerAscii())",
        expect![[r#"
        anonymous alice: false
        bob empty ohara dave: (title StartsWith lower(auth.email:text))
    "#]],
    );
}

#[test]
fn a_role_decides_whole_branches() {
    check(
        "'editor' in auth.roles || published",
        expect![[r#"
        anonymous alice empty ohara dave: (is published)
        bob: true
    "#]],
    );
    check(
        "!('editor' in auth.roles) && published",
        expect![[r#"
        anonymous alice empty ohara dave: (is published)
        bob: false
    "#]],
    );
    check(
        "auth.can('posts.publish') ? true : views > 5",
        expect![[r#"
        anonymous alice empty ohara dave: (views > 5)
        bob: true
    "#]],
    );
    check(
        "auth.id == null || now < timestamp('2026-01-01')",
        expect![[r#"
        anonymous: true
        alice bob empty ohara dave: false
    "#]],
    );
}

#[test]
fn unknown_means_no_for_related_rows_however_often_they_are_negated() {
    check(
        "members.exists(m, m.user == auth.id)",
        expect![[r#"
        anonymous: false
        alice bob empty ohara dave: (exists <members_post_fkey (1.user = auth.id:text))
    "#]],
    );
    check(
        "!bans.exists(b, b.user == auth.id)",
        expect![[r#"
        anonymous: (not (exists <bans_post_fkey true))
        alice bob empty ohara dave: (not (exists <bans_post_fkey (1.user = auth.id:text)))
    "#]],
    );
    check(
        "bans.all(b, b.user != auth.id)",
        expect![[r#"
        anonymous: (not (exists <bans_post_fkey true))
        alice bob empty ohara dave: (not (exists <bans_post_fkey (not (1.user <> auth.id:text))))
    "#]],
    );
    check(
        "!(!bans.exists(b, b.user == auth.id))",
        expect![[r#"
        anonymous: false
        alice bob empty ohara dave: (exists <bans_post_fkey (1.user = auth.id:text))
    "#]],
    );
    check(
        "!bans.exists(b, b.active && b.user == auth.id)",
        expect![[r#"
        anonymous: (not (exists <bans_post_fkey (is 1.active)))
        alice bob empty ohara dave: (not (exists <bans_post_fkey (and (is 1.active) (1.user = auth.id:text))))
    "#]],
    );
    check(
        "!members.exists(m, !m.user.bans.exists(b, b.user == auth.id))",
        expect![[r#"
        anonymous: (not (exists <members_post_fkey true))
        alice bob empty ohara dave: (not (exists <members_post_fkey (not (exists 1.user.<bans_user_fkey (2.user = auth.id:text)))))
    "#]],
    );
}

#[test]
fn a_claim_of_another_type_is_absent() {
    check(
        "views == auth.claims.org",
        expect![[r#"
        anonymous alice empty: false
        bob ohara dave: (views = auth.claims.org:int)
    "#]],
    );
    check(
        "price != auth.claims.price",
        expect![[r#"
        anonymous alice empty dave: false
        bob ohara: (price <> auth.claims.price:decimal)
    "#]],
    );
    check(
        "!(views in auth.claims.orgs)",
        expect![[r#"
        anonymous alice ohara: false
        bob empty dave: (not (views in auth.claims.orgs:int))
    "#]],
    );
    check(
        "auth.claims.admin",
        expect![[r#"
        anonymous alice empty ohara dave: false
        bob: true
    "#]],
    );
    check(
        "token == auth.id",
        expect![[r#"
        anonymous alice bob empty ohara: false
        dave: (token = auth.id:uuid)
    "#]],
    );
}
