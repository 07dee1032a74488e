//! What rules compile to: the condition, then the terms folding depends on, then the
//! guard class.

use expect_test::{Expect, expect};
use mainstay_rules::{Rule, RuleKind, Term, corpus::Corpus};

use crate::shown::{caller, shown};

fn line(corpus: &Corpus, rule: &Rule) -> String {
    let terms: Vec<String> = rule
        .terms()
        .iter()
        .map(|term| match term {
            Term::Condition(filter) => shown(&corpus.catalog, corpus.posts, filter),
            Term::Present(term, kind) => format!("{}:{kind}?", caller(term)),
            Term::PresentList(term, kind) => format!("[{}:{kind}]?", caller(term)),
        })
        .collect();
    let filter = shown(&corpus.catalog, corpus.posts, rule.filter());
    let old = if rule.mentions_old() { " old" } else { "" };
    format!("{filter} | {} | {:?}{old}", terms.join(" "), rule.class())
}

fn check(text: &str, expected: Expect) {
    check_kind(text, RuleKind::Read, expected);
}

fn check_kind(text: &str, kind: RuleKind, expected: Expect) {
    let corpus = Corpus::new();
    match corpus.compile(text, kind) {
        Ok(rule) => expected.assert_eq(&line(&corpus, &rule)),
        Err(mistakes) => panic!("{}", mistakes[0]),
    }
}

#[test]
fn a_rule_without_the_caller_is_folded_once() {
    check("true", expect!["true |  | RowLocal"]);
    check("!(1 < 2) || 'a' == 'b'", expect!["false |  | RowLocal"]);
    check("published && true", expect!["(is published) |  | RowLocal"]);
    check("'a'.size() == 1 ? published : false", expect!["(is published) |  | RowLocal"]);
    check(
        "timestamp('2026-01-01') + duration('1h') == timestamp('2026-01-01T01:00:00Z')",
        expect!["true |  | RowLocal"],
    );
    check(
        "title == null || null != title",
        expect!["(or (null title) (not (null title))) |  | RowLocal"],
    );
}

#[test]
fn literals_and_the_callers_values_take_the_type_beside_them() {
    check(
        "views == 5 && rating == 5 && price == 5 && price < 9.90",
        expect![
            "(and (views = 5) (rating = float5) (price = decimal5.00) (price < decimal9.90)) |  | RowLocal"
        ],
    );
    check(
        "views == 5.0 && rating > 0.5",
        expect!["(and (views = 5) (rating > float0.5)) |  | RowLocal"],
    );
    check(
        "token == '22222222-2222-7222-8222-22222222ABCD'",
        expect!["(token = uuid22222222-2222-7222-8222-22222222abcd) |  | RowLocal"],
    );
    check(
        "day < '2026-12-01' && mood == 'sad'",
        expect!["(and (day < date2026-12-01) (mood = 'sad')) |  | RowLocal"],
    );
    check(
        "author == auth.id && team == auth.claims.team",
        expect![
            "(and (author = auth.id:text) (team = auth.claims.team:int)) | auth.id:text? auth.claims.team:int? | RowLocal"
        ],
    );
    check(
        "auth.claims.n == views && auth.claims.s == 'x' && auth.claims.b",
        expect![
            "(and (auth.claims.n:int = views) (auth.claims.s:text = 'x') (is auth.claims.b:bool)) | auth.claims.n:int? (auth.claims.s:text = 'x') (is auth.claims.b:bool) | RowLocal"
        ],
    );
    check(
        "auth.claims.a == auth.claims.b",
        expect![
            "(auth.claims.a:text = auth.claims.b:text) | (auth.claims.a:text = auth.claims.b:text) | RowLocal"
        ],
    );
    check(
        "token in auth.claims.tokens && mood in auth.roles",
        expect![
            "(and (token in auth.claims.tokens:uuid) (mood in auth.roles:text)) | [auth.claims.tokens:uuid]? | RowLocal"
        ],
    );
    check(
        "views in [1, 2.0] && mood in ['happy', 'sad']",
        expect!["(and (views in [1, 2]) (mood in ['happy', 'sad'])) |  | RowLocal"],
    );
    check(
        "auth.id in ['a', 'b'] && auth.claims.n in [1]",
        expect![
            "(and (auth.id:text in ['a', 'b']) (auth.claims.n:int in [1])) | (and (auth.id:text in ['a', 'b']) (auth.claims.n:int in [1])) | RowLocal"
        ],
    );
    check(
        "-5 < views && views > -9223372036854775808",
        expect!["(and (-5 < views) (views > -9223372036854775808)) |  | RowLocal"],
    );
}

#[test]
fn refs_are_followed_and_their_keys_are_not() {
    check("author.name == 'x'", expect!["(author.name = 'x') |  | PositiveRelations"]);
    check("author.id == auth.id", expect!["(author = auth.id:text) | auth.id:text? | RowLocal"]);
    check("parent.parent.id == 5", expect!["(parent.parent = 5) |  | PositiveRelations"]);
    check(
        "parent.author.id == parent.author",
        expect!["(parent.author = parent.author) |  | PositiveRelations"],
    );
    check("author == null", expect!["(null author) |  | RowLocal"]);
}

#[test]
fn related_rows_are_asked_for_by_model_by_ref_and_through_junctions() {
    check(
        "members.exists(m, m.user == auth.id)",
        expect![
            "(exists <members_post_fkey (1.user = auth.id:text)) | auth.id:text? | PositiveRelations"
        ],
    );
    check(
        "members_by_post.all(m, m.level > 1)",
        expect!["(not (exists <members_post_fkey (not (1.level > 1)))) |  | Counting"],
    );
    check(
        "posts_by_parent.exists(p, p.views > views)",
        expect!["(exists <posts_parent_fkey (1.views > views)) |  | PositiveRelations"],
    );
    check(
        "tags.exists(t, t.id == title)",
        expect![
            "(exists <post_tags_post_fkey (exists 1.>post_tags_tag_fkey (2.id = title))) |  | PositiveRelations"
        ],
    );
    check(
        "parent.tags.all(t, t.secret)",
        expect![
            "(not (exists parent.<post_tags_post_fkey (exists 1.>post_tags_tag_fkey (not (is 2.secret))))) |  | Counting"
        ],
    );
    check(
        "members.exists(m, m.user.bans.exists(b, b.post == m.post && b.post == id))",
        expect![
            "(exists <members_post_fkey (exists 1.user.<bans_user_fkey (and (2.post = 1.post) (2.post = id)))) |  | PositiveRelations"
        ],
    );
    check(
        "members.size() > size(tags)",
        expect!["(count(<members_post_fkey) > count(<post_tags_post_fkey)) |  | Counting"],
    );
    check(
        "!members.exists(m, !m.post.published)",
        expect!["(not (exists <members_post_fkey (not (is 1.post.published)))) |  | Counting"],
    );
}

#[test]
fn bools_are_conditions_in_both_polarities() {
    check(
        "published == true && published != true",
        expect!["(and (is published) (not (is published))) |  | RowLocal"],
    );
    check("false == published", expect!["(not (is published)) |  | RowLocal"]);
    check(
        "published == parent.published",
        expect!["(published = parent.published) |  | PositiveRelations"],
    );
    check(
        "published == (views > 5)",
        expect![
            "(or (and (is published) (views > 5)) (and (not (is published)) (not (views > 5)))) |  | RowLocal"
        ],
    );
    check(
        "(views > 5) != (price > 5)",
        expect![
            "(or (and (views > 5) (not (price > decimal5.00))) (and (not (views > 5)) (price > decimal5.00))) |  | RowLocal"
        ],
    );
    check(
        "(published ? views : 3) == 4",
        expect!["((if (is published) views 3) = 4) |  | RowLocal"],
    );
    check(
        "published ? title == 'a' : views == 1",
        expect!["(if (is published) (title = 'a') (views = 1)) |  | RowLocal"],
    );
    check(
        "(published ? parent.published : true) == true",
        expect!["(if (is published) (is parent.published) true) |  | PositiveRelations"],
    );
}

#[test]
fn moments_move_by_durations() {
    check(
        "born > now - duration('24h') && born + duration('1h') - duration('30m') < now",
        expect![
            "(and (born > (now + -86400000000us)) ((born + 1800000000us) < now)) |  | RowLocal"
        ],
    );
    check(
        "now - born >= duration('1h30m') - duration('30m')",
        expect!["((now - born) >= 3600000000) |  | RowLocal"],
    );
    check(
        "born == timestamp('2026-01-01T00:00:00+01:00')",
        expect!["(born = timestamp2025-12-31T23:00:00+00:00) |  | RowLocal"],
    );
}

#[test]
fn json_is_text_beside_text_and_json_beside_all_else() {
    check(
        "extra.kind == 'note' && extra['a b'][0].c != 'x'",
        expect!["(and (extra->>{kind} = 'note') (extra->>{a b,0,c} <> 'x')) |  | RowLocal"],
    );
    check(
        "extra.n == 1 && extra.n != 1.5 && extra.flag == true && !extra.flag",
        expect![
            "(and (extra->{n} = json'1') (extra->{n} <> json'1.5') (extra->{flag} = json'true') (not (extra->{flag} = json'true'))) |  | RowLocal"
        ],
    );
    check(
        "extra.owner == auth.id && extra.kind.startsWith('a')",
        expect![
            "(and (extra->>{owner} = auth.id:text) (extra->>{kind} StartsWith 'a')) | auth.id:text? | RowLocal"
        ],
    );
    check(
        "'a' in extra.tags && extra.kind in ['a', 'b'] && extra.n in [1, 2]",
        expect![[
            r#"(and (extra->{tags} @> json'["a"]') (extra->>{kind} in ['a', 'b']) (extra->{n} in [json'1', json'2'])) |  | RowLocal"#
        ]],
    );
    check(
        "extra.kind == null && extra != null && extra.a == extra.b",
        expect![
            "(and (null extra->>{kind}) (not (null extra->>{})) (extra->{a} = extra->{b})) |  | RowLocal"
        ],
    );
}

#[test]
fn the_old_row_is_in_sight_in_check() {
    check_kind(
        "author == old.author",
        RuleKind::Check,
        expect!["(author = old.author) |  | RowLocal old"],
    );
    check_kind(
        "old.parent.author != auth.id",
        RuleKind::Check,
        expect!["(old.parent.author <> auth.id:text) | auth.id:text? | PositiveRelations old"],
    );
}

#[test]
fn what_depends_on_the_caller_alone_is_one_term() {
    check(
        "published || 'editor' in auth.roles && auth.can('x')",
        expect![
            "(or (is published) (and ('editor' in auth.roles:text) (is auth.can(x):bool))) | (and ('editor' in auth.roles:text) (is auth.can(x):bool)) | RowLocal"
        ],
    );
    check(
        "auth.email.endsWith('@x.org') && now > timestamp('2026-01-01')",
        expect![
            "(and (auth.email:text EndsWith '@x.org') (now > timestamp2026-01-01T00:00:00+00:00)) | (and (auth.email:text EndsWith '@x.org') (now > timestamp2026-01-01T00:00:00+00:00)) | RowLocal"
        ],
    );
    check(
        "members.exists(m, auth.id == 'a' && m.level > 1)",
        expect![
            "(exists <members_post_fkey (and (auth.id:text = 'a') (1.level > 1))) | (auth.id:text = 'a') | PositiveRelations"
        ],
    );
    check(
        "title.contains(auth.id) || title.lowerAscii() == auth.email.lowerAscii()",
        expect![
            "(or (title Contains auth.id:text) (lower(title) = lower(auth.email:text))) | auth.id:text? auth.email:text? | RowLocal"
        ],
    );
}

#[test]
fn the_guard_class_says_what_a_write_must_hold_still() {
    check(
        "published && !(views > 5)",
        expect!["(and (is published) (not (views > 5))) |  | RowLocal"],
    );
    check("!parent.published", expect!["(not (is parent.published)) |  | PositiveRelations"]);
    check(
        "!(!members.exists(m, m.level == 1))",
        expect!["(exists <members_post_fkey (1.level = 1)) |  | PositiveRelations"],
    );
    check(
        "members.exists(m, !m.user.bans.exists(b, true))",
        expect![
            "(exists <members_post_fkey (not (exists 1.user.<bans_user_fkey true))) |  | Counting"
        ],
    );
    check(
        "members.exists(m, true) ? published : true",
        expect!["(if (exists <members_post_fkey true) (is published) true) |  | Counting"],
    );
    check(
        "members.exists(m, true) == published",
        expect![
            "(or (and (exists <members_post_fkey true) (is published)) (and (not (exists <members_post_fkey true)) (not (is published)))) |  | Counting"
        ],
    );
    check(
        "members.all(m, m.level == 1)",
        expect!["(not (exists <members_post_fkey (not (1.level = 1)))) |  | Counting"],
    );
    check("members.size() == 0", expect!["(count(<members_post_fkey) = 0) |  | Counting"]);
}
