//! Mistakes: what they say, where their caret stands, what was meant.

use expect_test::{Expect, expect};
use mainstay_core::{Catalog, CatalogVersion, RuleText};
use mainstay_rules::{
    RuleKind, RuleMistake, compile,
    corpus::{Corpus, rule_text},
};

fn check(text: &str, expected: Expect) {
    check_kind(text, RuleKind::Read, expected);
}

fn check_kind(text: &str, kind: RuleKind, expected: Expect) {
    let shown = match Corpus::new().compile(text, kind) {
        Ok(_) => "no mistake".to_owned(),
        Err(mistakes) => {
            let lines: Vec<String> = mistakes.iter().map(RuleMistake::to_string).collect();
            lines.join("\n") + "\n"
        }
    };
    expected.assert_eq(&shown);
}

#[test]
fn a_misspelt_name_finds_the_nearest() {
    check(
        "autor == auth.id",
        expect![[r#"
        autor == auth.id
        ^^^^^ `posts` has no field or relation `autor`; did you mean `author`?
    "#]],
    );
    check(
        "author.nam == 'x'",
        expect![[r#"
        author.nam == 'x'
               ^^^ `users` has no field or relation `nam`; did you mean `name`?
    "#]],
    );
    check(
        "auth.idd == author",
        expect![[r#"
        auth.idd == author
             ^^^ `auth` has no `idd`; did you mean `id`?
    "#]],
    );
    check(
        "member.exists(m, true)",
        expect![[r#"
        member.exists(m, true)
        ^^^^^^ `posts` has no field or relation `member`; did you mean `members`?
    "#]],
    );
    check(
        "members.exists(m, m.levle == 1)",
        expect![[r#"
        members.exists(m, m.levle == 1)
                            ^^^^^ `members` has no field or relation `levle`; did you mean `level`?
    "#]],
    );
    check(
        "title.startswith('a')",
        expect![[r#"
        title.startswith('a')
              ^^^^^^^^^^ there is no function `startswith`; did you mean `startsWith`?
    "#]],
    );
    check(
        "mood == 'hapy'",
        expect![[r#"
        mood == 'hapy'
                ^^^^^^ `hapy` is not one of the enum's values; did you mean `happy`?
    "#]],
    );
    check(
        "mood in ['happy', 'saad']",
        expect![[r#"
        mood in ['happy', 'saad']
                          ^^^^^^ `saad` is not one of the enum's values; did you mean `sad`?
    "#]],
    );
    check(
        "nwo > born",
        expect![[r#"
        nwo > born
        ^^^ `posts` has no field or relation `nwo`; did you mean `now`?
    "#]],
    );
    check(
        "wholly_else",
        expect![[r#"
        wholly_else
        ^^^^^^^^^^^ `posts` has no field or relation `wholly_else`
    "#]],
    );
}

#[test]
fn every_mistake_of_a_rule_is_found_at_once() {
    check(
        "autor == auth.id && (title > 5 || vews == 1) && !mood",
        expect![[r#"
        autor == auth.id && (title > 5 || vews == 1) && !mood
        ^^^^^ `posts` has no field or relation `autor`; did you mean `author`?
        autor == auth.id && (title > 5 || vews == 1) && !mood
                                     ^ `5` is not a text; write `'5'`
        autor == auth.id && (title > 5 || vews == 1) && !mood
                                          ^^^^ `posts` has no field or relation `vews`; did you mean `views`?
        autor == auth.id && (title > 5 || vews == 1) && !mood
                                                         ^^^^ a condition was expected here, not an enum
    "#]],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn values_of_different_types_are_not_compared() {
    check(
        "title == 5",
        expect![[r#"
        title == 5
                 ^ `5` is not a text; write `'5'`
    "#]],
    );
    check(
        "views == 'x'",
        expect![[r#"
        views == 'x'
                 ^^^ `'x'` is not an int
    "#]],
    );
    check(
        "views == 1.5",
        expect![[r#"
        views == 1.5
                 ^^^ `1.5` is not exactly an int
    "#]],
    );
    check(
        "price == 9.999",
        expect![[r#"
        price == 9.999
                 ^^^^^ `9.999` is not exactly a decimal of 8 digits with 2 after the point
    "#]],
    );
    check(
        "price < 99999999",
        expect![[r#"
        price < 99999999
                ^^^^^^^^ `99999999` is not exactly a decimal of 8 digits with 2 after the point
    "#]],
    );
    check(
        "rating == 9007199254740993",
        expect![[r#"
        rating == 9007199254740993
                  ^^^^^^^^^^^^^^^^ `9007199254740993` is not exactly a float
    "#]],
    );
    check(
        "views == price",
        expect![[r#"
        views == price
        ^^^^^^^^^^^^^^ an int cannot be compared with a decimal
    "#]],
    );
    check(
        "born == '2026-01-01'",
        expect![[r#"
        born == '2026-01-01'
                ^^^^^^^^^^^^ a moment is compared with a moment, not with a text; write `timestamp('2026-01-01')`
    "#]],
    );
    check(
        "born == day",
        expect![[r#"
        born == day
        ^^^^^^^^^^^ a timestamp cannot be compared with a date
    "#]],
    );
    check(
        "day == 'tomorrow'",
        expect![[r#"
        day == 'tomorrow'
               ^^^^^^^^^^ `'tomorrow'` is not exactly a date, `YYYY-MM-DD`
    "#]],
    );
    check(
        "token == 'x'",
        expect![[r#"
        token == 'x'
                 ^^^ `'x'` is not exactly a uuid
    "#]],
    );
    check(
        "author == 5",
        expect![[r#"
        author == 5
                  ^ `5` is not a text; write `'5'`
    "#]],
    );
    check(
        "author == team",
        expect![[r#"
        author == team
        ^^^^^^^^^^^^^^ a ref to a text key cannot be compared with a ref to an int key
    "#]],
    );
    check(
        "data == 'x'",
        expect![[r#"
        data == 'x'
                ^^^ `'x'` is not bytes
    "#]],
    );
    check(
        "extra.n > 5",
        expect![[r#"
        extra.n > 5
        ^^^^^^^ JSON values have no order
    "#]],
    );
    check(
        "extra == views",
        expect![[r#"
        extra == views
        ^^^^^^^^^^^^^^ a JSON value cannot be compared with an int
    "#]],
    );
    check(
        "mood < 'sad'",
        expect![[r#"
        mood < 'sad'
        ^^^^ an enum's values have no order
    "#]],
    );
    check(
        "published < true",
        expect![[r#"
        published < true
        ^^^^^^^^^ conditions have no order
    "#]],
    );
    check(
        "title < null",
        expect![[r#"
        title < null
                ^^^^ `null` has no order
    "#]],
    );
    check(
        "null == null",
        expect![[r#"
        null == null
        ^^^^^^^^^^^^ `null` is compared with itself
    "#]],
    );
    check(
        "members == null",
        expect![[r#"
        members == null
        ^^^^^^^ the rows of `members` cannot be absent
    "#]],
    );
    check(
        "views + 1 == 2",
        expect![[r#"
        views + 1 == 2
        ^^^^^^^^^ arithmetic is for moments and durations; rules have no other
    "#]],
    );
    check(
        "views * 2 == 2",
        expect![[r#"
        views * 2 == 2
        ^^^^^^^^^ arithmetic is not part of rules
    "#]],
    );
    check(
        "-views == 2",
        expect![[r#"
        -views == 2
        ^^^^^^ arithmetic is not part of rules
    "#]],
    );
    check(
        "title + 'x' == 'y'",
        expect![[r#"
        title + 'x' == 'y'
        ^^^^^^^^^^^ arithmetic is for moments and durations; rules have no other
    "#]],
    );
    check(
        "born + 5 == now",
        expect![[r#"
        born + 5 == now
        ^^^^^^^^ a moment is moved by a duration, not by an int; write `duration('24h')`
    "#]],
    );
    check(
        "born - title == now",
        expect![[r#"
        born - title == now
        ^^^^^^^^^^^^ a moment is moved by a duration, not by a text; write `duration('24h')`
    "#]],
    );
    check(
        "now - born == 5",
        expect![[r#"
        now - born == 5
        ^^^^^^^^^^^^^^^ a duration cannot be compared with an int
    "#]],
    );
    check(
        "auth == 'x'",
        expect![[r#"
        auth == 'x'
        ^^^^ the caller cannot be compared; name what of it: `auth.id`
    "#]],
    );
    check(
        "auth.roles == 'x'",
        expect![[r#"
        auth.roles == 'x'
        ^^^^^^^^^^ the caller's roles cannot be compared; ask `'…' in auth.roles`
    "#]],
    );
    check(
        "auth.claims == 'x'",
        expect![[r#"
        auth.claims == 'x'
        ^^^^^^^^^^^ all of the caller's claims cannot be compared; name one: `auth.claims.…`
    "#]],
    );
    check(
        "members.exists(m, m == auth.id)",
        expect![[r#"
        members.exists(m, m == auth.id)
                          ^ a whole row cannot be compared; compare one of its fields: `m.id`
    "#]],
    );
    check(
        "(published ? title : views) == 'a'",
        expect![[r#"
        (published ? title : views) == 'a'
         ^^^^^^^^^^^^^^^^^^^^^^^^^ an int cannot be compared with a text
    "#]],
    );
}

#[test]
fn a_condition_is_expected_where_one_is() {
    check(
        "title",
        expect![[r#"
        title
        ^^^^^ a condition was expected here, not a text
    "#]],
    );
    check(
        "5",
        expect![[r#"
        5
        ^ a condition was expected here, not an int
    "#]],
    );
    check(
        "null",
        expect![[r#"
        null
        ^^^^ a condition was expected here, not `null`
    "#]],
    );
    check(
        "auth.id",
        expect![[r#"
        auth.id
        ^^^^^^^ a condition was expected here, not the caller's id
    "#]],
    );
    check(
        "author",
        expect![[r#"
        author
        ^^^^^^ a condition was expected here, not a ref to a text key
    "#]],
    );
    check(
        "members",
        expect![[r#"
        members
        ^^^^^^^ a condition was expected here, not the rows of `members`; whether there are any is `members.exists(row, true)`
    "#]],
    );
    check(
        "published && views",
        expect![[r#"
        published && views
                     ^^^^^ a condition was expected here, not an int
    "#]],
    );
    check(
        "duration('1h')",
        expect![[r#"
        duration('1h')
        ^^^^^^^^^^^^^^ a condition was expected here, not a duration
    "#]],
    );
    check(
        "['a']",
        expect![[r#"
        ['a']
        ^^^^^ a condition was expected here, not a list
    "#]],
    );
    check(
        "title ? published : published",
        expect![[r#"
        title ? published : published
        ^^^^^ a condition was expected here, not a text
    "#]],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn lists_hold_values_and_only_lists_are_looked_into() {
    check(
        "title in []",
        expect![[r#"
        title in []
                 ^^ nothing is in an empty list
    "#]],
    );
    check(
        "title in ['a', null]",
        expect![[r#"
        title in ['a', null]
                       ^^^^ `null` is in no list, since what is absent equals nothing; ask for it apart: `… == null`
    "#]],
    );
    check(
        "title in ['a', mood]",
        expect![[r#"
        title in ['a', mood]
                       ^^^^ a list holds values written in the rule, not an enum
    "#]],
    );
    check(
        "title in ['a', 5]",
        expect![[r#"
        title in ['a', 5]
                       ^ `5` is not a text; write `'5'`
    "#]],
    );
    check(
        "title in 'abc'",
        expect![[r#"
        title in 'abc'
                 ^^^^^ a list was expected here, not a text
    "#]],
    );
    check(
        "views in auth.roles",
        expect![[r#"
        views in auth.roles
        ^^^^^ a text was expected here, not an int
    "#]],
    );
    check(
        "author in members",
        expect![[r#"
        author in members
        ^^^^^^^^^^^^^^^^^ related rows are asked with `exists`; write `members.exists(row, row.… == …)`
    "#]],
    );
    check(
        "title in extra.tags",
        expect![[r#"
        title in extra.tags
        ^^^^^ what is looked for in a JSON array is written in the rule
    "#]],
    );
    check(
        "members in ['a']",
        expect![[r#"
        members in ['a']
        ^^^^^^^ the rows of `members` is in no list
    "#]],
    );
    check(
        "title[0] == 'a'",
        expect![[r#"
        title[0] == 'a'
        ^^^^^^^^ a text has no places to look into with `[…]`
    "#]],
    );
    check(
        "extra[title] == 'a'",
        expect![[r#"
        extra[title] == 'a'
              ^^^^^ a place in a JSON value is a text or a whole number that is written here
    "#]],
    );
    check(
        "extra[99999999999] == 'a'",
        expect![[r#"
        extra[99999999999] == 'a'
              ^^^^^^^^^^^ a place in a JSON value is a text or a whole number that is written here
    "#]],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn functions_are_called_as_they_are_written() {
    check(
        "title.matches('a.*')",
        expect![[r#"
        title.matches('a.*')
              ^^^^^^^ regular expressions are not part of rules; use `contains`, `startsWith` or `endsWith`
    "#]],
    );
    check(
        "has(author.name)",
        expect![[r#"
        has(author.name)
        ^^^ `has` is not part of rules; ask `… != null`
    "#]],
    );
    check(
        "members.exists_one(m, true)",
        expect![[r#"
        members.exists_one(m, true)
                ^^^^^^^^^^ `exists_one` is not part of rules; of related rows, ask `exists`, `all` or `size()`
    "#]],
    );
    check(
        "members.map(m, m.user) == title",
        expect![[r#"
        members.map(m, m.user) == title
                ^^^ `map` is not part of rules; of related rows, ask `exists`, `all` or `size()`
    "#]],
    );
    check(
        "members.exists(m.user, true)",
        expect![[r#"
        members.exists(m.user, true)
                       ^^^^^^ a name for each row was expected here
    "#]],
    );
    check(
        "members.exists(true)",
        expect![[r#"
        members.exists(true)
                ^^^^^^ `exists` is not called so; write `rows.exists(row, condition)`
    "#]],
    );
    check(
        "members.exists(title, true)",
        expect![[r#"
        members.exists(title, true)
                       ^^^^^ `title` means something here already; choose another name for the row
    "#]],
    );
    check(
        "members.exists(auth, true)",
        expect![[r#"
        members.exists(auth, true)
                       ^^^^ `auth` means something here already; choose another name for the row
    "#]],
    );
    check(
        "members.exists(m, m.user.bans.exists(m, true))",
        expect![[r#"
        members.exists(m, m.user.bans.exists(m, true))
                                             ^ `m` means something here already; choose another name for the row
    "#]],
    );
    check(
        "title.exists(t, true)",
        expect![[r#"
        title.exists(t, true)
        ^^^^^ related rows were expected here, not a text
    "#]],
    );
    check(
        "auth.roles.exists(r, r == 'a')",
        expect![[r#"
        auth.roles.exists(r, r == 'a')
        ^^^^^^^^^^ the caller's roles are asked with `in`; write `'…' in auth.roles`
    "#]],
    );
    check(
        "auth.roles.size() > 1",
        expect![[r#"
        auth.roles.size() > 1
        ^^^^^^^^^^ the caller's roles have no size in rules; ask for members with `in`
    "#]],
    );
    check(
        "views.size() == 1",
        expect![[r#"
        views.size() == 1
        ^^^^^ a text was expected here, not an int
    "#]],
    );
    check(
        "members.level == 1",
        expect![[r#"
        members.level == 1
                ^^^^^ `members` are several rows, so they have no one `level`; ask `members.exists(row, row.level == …)`
    "#]],
    );
    check(
        "title.level == 1",
        expect![[r#"
        title.level == 1
              ^^^^^ a text has no member `level`
    "#]],
    );
    check(
        "timestamp(title) == born",
        expect![[r#"
        timestamp(title) == born
                  ^^^^^ `timestamp` takes a text that is written in the rule
    "#]],
    );
    check(
        "timestamp('soon') == born",
        expect![[r#"
        timestamp('soon') == born
                  ^^^^^^ `soon` is not a moment; write `timestamp('2026-01-31T00:00:00Z')`
    "#]],
    );
    check(
        "duration('1d') == now - born",
        expect![[r#"
        duration('1d') == now - born
                 ^^^^ `1d` is not a duration in whole microseconds; its units are h, m, s, ms and us: `duration('1h30m')`
    "#]],
    );
    check(
        "auth.can == true",
        expect![[r#"
        auth.can == true
             ^^^ `auth.can` is asked with a permission: `auth.can('posts.publish')`
    "#]],
    );
    check(
        "auth.can(title)",
        expect![[r#"
        auth.can(title)
                 ^^^^^ `auth.can` takes a text that is written in the rule
    "#]],
    );
    check(
        "title.can('x')",
        expect![[r#"
        title.can('x')
              ^^^ `can` is asked of `auth` alone
    "#]],
    );
    check(
        "timestamp('2026-01-01').getFullYear() == 2026",
        expect![[r#"
        timestamp('2026-01-01').getFullYear() == 2026
                                ^^^^^^^^^^^ there is no function `getFullYear`
    "#]],
    );
    check(
        "views.contains('a')",
        expect![[r#"
        views.contains('a')
        ^^^^^ a text was expected here, not an int
    "#]],
    );
    check(
        "title.contains('\\000')",
        expect![[r#"
        title.contains('\000')
                       ^^^^^^ a text may not hold U+0000
    "#]],
    );
    check(
        ".title == 'a'",
        expect![[r#"
        .title == 'a'
         ^^^^^ `posts` has no field or relation `.title`; did you mean `title`?
    "#]],
    );
}

#[test]
fn the_old_row_is_out_of_sight_outside_check() {
    check(
        "old.author == author",
        expect![[r#"
        old.author == author
        ^^^ `old` is in sight in `check` alone; a bare name is the row as it is
    "#]],
    );
    check_kind(
        "old.author == author",
        RuleKind::FieldWrite,
        expect![[r#"
        old.author == author
        ^^^ `old` is in sight in `check` alone; a bare name is the row as it is
    "#]],
    );
    check_kind(
        "old == author",
        RuleKind::Check,
        expect![[r#"
        old == author
        ^^^ a whole row cannot be compared; compare one of its fields: `old.id`
    "#]],
    );
    check_kind(
        "old.members.exists(m, true)",
        RuleKind::Check,
        expect![[r#"
        old.members.exists(m, true)
            ^^^^^^^ what was related to the old row is not known: `members`; `old` has the old row's fields and refs
    "#]],
    );
}

#[test]
fn related_rows_have_one_meaning() {
    // Users have posts as authors and as reviewers.
    check(
        "author.posts.exists(p, true)",
        expect![[r#"
        author.posts.exists(p, true)
               ^^^^^ `posts` is related in more than one way; say `posts_by_author` or `posts_by_reviewer`
    "#]],
    );
    check("author.posts_by_reviewer.exists(p, p.published)", expect!["no mistake"]);
    let nested = |times: usize| {
        let mut rule = "true".to_owned();
        for at in (0..times).rev() {
            let of = if at == 0 { String::new() } else { format!("p{}.", at - 1) };
            rule = format!("{of}posts_by_parent.exists(p{at}, {rule})");
        }
        rule
    };
    check(&nested(8), expect!["no mistake"]);
    check(
        &nested(9),
        expect![[r#"
        posts_by_parent.exists(p0, p0.posts_by_parent.exists(p1, p1.posts_by_parent.exists(p2, p2.posts_by_parent.exists(p3, p3.posts_by_parent.exists(p4, p4.posts_by_parent.exists(p5, p5.posts_by_parent.exists(p6, p6.posts_by_parent.exists(p7, p7.posts_by_parent.exists(p8, true)))))))))
                                                                                                                                                                                                                                                     ^^^^^^^^^^^^^^^^^^ `exists` and `all` nest deeper than 8 models
    "#]],
    );
}

#[test]
fn the_deepest_and_longest_rules_are_checked_or_refused_without_a_crash() {
    let corpus = Corpus::new();
    let chain = |link: &str| link.repeat(20);
    let nested = |inner: &str, open: &str, close: &str| {
        (0..15).fold(inner.to_owned(), |inner, _| format!("{open}{inner}{close}"))
    };
    for (text, is_rule) in [
        (nested("published", "!(", ")"), true),
        ((0..6).fold("published".to_owned(), |inner, _| format!("({inner}) == published")), true),
        (nested("published", "(", ") == published"), false),
        (nested("published", "(", &format!("){}", chain(" == published"))), false),
        (
            nested("parent.published", "(", &format!(") && parent{}.published", chain(".parent"))),
            true,
        ),
        (nested("title", "(", &format!("){}", chain(".lowerAscii()"))), false),
        (
            (0..7).fold("title".to_owned(), |inner, _| format!("(published ? {inner} : title)"))
                + " == 'a'",
            true,
        ),
        (format!("born == now{}", " - duration('1h')".repeat(8)), true),
        (format!("title in [{}'a']", "'a', ".repeat(800)), true),
        ("published || ".repeat(300) + "published", true),
    ] {
        let compiled = corpus.compile(&text, RuleKind::Read);
        assert_eq!(
            compiled.is_ok(),
            is_rule,
            "{text:.80} {:?}",
            compiled.err().map(|found| found[0].message.clone())
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(2_000))]

    #[test]
    fn no_row_of_words_makes_the_compiler_panic(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "published", "title", "views", "author", "parent", "extra", "born", "price", "old",
                "auth", "auth.id", "auth.roles", "auth.claims.x", "now", "members", "tags", "m",
                "members.exists(m,", "bans.all(b,", "duration('1h')", "timestamp('2026-01-01')",
                ".size()", ".contains(", ".name", "'x'", "5", "-1", "1.5", "null", "true", "[", "]",
                "(", ")", ",", "==", "!=", "<", "in", "&&", "||", "!", "+", "-", "?", ":", "b'x'",
            ]),
            1..16,
        ),
    ) {
        // A panic within would be reported as a rule that cannot be read.
        let text = words.join(" ");
        if let Err(mistakes) = Corpus::new().compile(&text, RuleKind::Check) {
            proptest::prop_assert!(!mistakes.is_empty());
            for mistake in mistakes {
                proptest::prop_assert_ne!(mistake.message.as_str(), "the rule cannot be read");
                proptest::prop_assert!(text.get(mistake.span.clone()).is_some());
            }
        }
    }
}

#[test]
fn all_rules_of_a_catalog_are_checked_before_any_is_refused() {
    let corpus = Corpus::new();
    let mut models = corpus.catalog.models().to_vec();
    let text = |text: &str, offset| Some(RuleText { offset, ..rule_text(text) });
    models[3].rules.read = text("titel == 'x'", 100);
    models[3].rules.delete = text("published", 200);
    models[3].fields[1].rules.write = text("nobody", 300);
    models[6].rules.create = text("id = auth.id", 400);
    let references = corpus.catalog.references().to_vec();
    let catalog = Catalog::new(CatalogVersion(1), models, references);
    let mistakes = compile(&catalog).expect_err("three mistakes");
    let places: Vec<String> = mistakes
        .iter()
        .map(|mistake| {
            let (file, bytes) = mistake.place();
            format!("{file} {bytes:?} {}\n", mistake.message)
        })
        .collect();
    expect![[r#"
        models/posts.toml 100..105 `posts` has no field or relation `titel`
        models/posts.toml 300..306 `posts` has no field or relation `nobody`
        models/posts.toml 403..404 `=` is not an operator; equality is `==`
    "#]]
    .assert_eq(&places.concat());
}

#[test]
fn a_missing_rule_is_missing_in_the_rulebook() {
    let corpus = Corpus::new();
    let rulebook = compile(&corpus.catalog).expect("no rules, no mistakes");
    let rules = rulebook.model(corpus.posts);
    assert!(rules.read.is_none() && rules.create.is_none() && rules.update.is_none());
    assert!(rules.check.is_none() && rules.delete.is_none());
    assert_eq!(rules.fields.len(), corpus.catalog.model(corpus.posts).fields.len());
    assert!(rules.fields.iter().all(|field| field.read.is_none() && field.write.is_none()));
}
