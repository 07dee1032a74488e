//! The rules of a folder that has other mistakes: their own are found, and nothing is
//! said of what is declared wrongly.

use expect_test::{Expect, expect};
use mainstay_core::{SourceFile, read_app};
use mainstay_rules::{compile, find_mistakes};

/// Files from one text: each begins with a line `-- path`.
fn files(text: &str) -> Vec<SourceFile> {
    text.split("-- ")
        .skip(1)
        .map(|part| {
            let (path, text) = part.split_once('\n').unwrap_or((part, ""));
            SourceFile { path: path.trim().to_owned(), text: text.to_owned() }
        })
        .collect()
}

/// The mistakes in the rules of a folder that has others, each under its rule.
fn found(text: &str, expected: Expect) {
    let refused = read_app(&[], &files(text), &[]).expect_err("a folder with mistakes");
    let mistakes = find_mistakes(&refused.for_rules);
    let shown: Vec<String> =
        mistakes.iter().map(|it| format!("{}\n{it}\n", it.rule.file)).collect();
    expected.assert_eq(&shown.join("\n"));
}

#[test]
fn mistakes_in_rules_are_found_beside_those_in_settings_models_and_the_same_file() {
    found(
        r#"
-- mainstay.toml
[server]
listn = "x"
-- models/posts.toml
[fields]
title = { type = "text", max = "long" }
kind = { type = "txt", read = "titel == 'b'" }
author = { type = "ref", to = "users" }
[rules]
read = "titel == 'a' || kind == 5"
delete = "author.name == 5"
-- models/users.toml
[fields]
name = "text"
[rules]
read = "posts.exists(p, p.titel == 'a' && p.kind < 5)"
update = "name =="
"#,
        expect![[r#"
            models/posts.toml
            titel == 'a' || kind == 5
            ^^^^^ `posts` has no field or relation `titel`; did you mean `title`?

            models/posts.toml
            author.name == 5
                           ^ `5` is not a text; write `'5'`

            models/posts.toml
            titel == 'b'
            ^^^^^ `posts` has no field or relation `titel`; did you mean `title`?

            models/users.toml
            posts.exists(p, p.titel == 'a' && p.kind < 5)
                              ^^^^^ `posts` has no field or relation `titel`; did you mean `title`?

            models/users.toml
            name ==
                   ^ the rule ends where more was expected
        "#]],
    );
}

#[test]
fn a_name_that_is_declared_wrongly_is_no_mistake_of_the_rule_that_names_it() {
    found(
        r#"
-- models/posts.toml
[fields]
kind = { type = "txt" }
mood = { type = "enum", values = ["a", "a"] }
price = { type = "decimal", scal = 3 }
author = { type = "ref", to = "usrs" }
editor = { type = "ref", too = "users" }
reviewer = { type = "ref", to = "users" }
Title = "text"
[rules]
read = "kind > 5 || kind.contains('a') || kind == kind.x || mood == 'c' || price < 1.005"
create = "author.name == 5 || editor.nme == 'a' || author.id == auth.id || author == 5"
update = "reviewer == 5 || reviewer.id == 5 || reviewer.nme == 'a' || title == 5 || Title == 5"
check = "old.kind == 5 && size(kind) == 3 && kind in ['a'] && (kind ? mood : price) && nothing"
-- models/users.toml
[model]
id = "integer"
[rules]
read = "posts.exists(p, p.kind == 5) || posts_by_author.exists(p, p.mood == 4) || size(posts_by_editor) < 4"
create = "id == 5 && created_at == 4 && posts_by_kind.exists(p, true)"
update = "posts_by_price.exists(p, true) || posts_by_nothing.exists(p, true)"
"#,
        expect![[r#"
            models/posts.toml
            old.kind == 5 && size(kind) == 3 && kind in ['a'] && (kind ? mood : price) && nothing
                                                                                          ^^^^^^^ `posts` has no field or relation `nothing`

            models/users.toml
            posts_by_price.exists(p, true) || posts_by_nothing.exists(p, true)
            ^^^^^^^^^^^^^^ `users` has no field or relation `posts_by_price`

            models/users.toml
            posts_by_price.exists(p, true) || posts_by_nothing.exists(p, true)
                                              ^^^^^^^^^^^^^^^^ `users` has no field or relation `posts_by_nothing`
        "#]],
    );
}

#[test]
fn of_a_model_that_cannot_be_read_nothing_is_said() {
    found(
        r#"
-- models/posts.toml
[fields
-- models/users.toml
[fields]
post = { type = "ref", to = "posts" }
[rules]
read = "posts.exists(p, p.title == 5) || post.title == 5 || post == 5 || posts_by_user.exists(p, p.x)"
create = "tags.exists(t, t.name == 'a') || tag.exists(t, true)"
-- models/tags.toml
[feilds]
name = "text"
[rules]
read = "name == 5 || auth.idd == 'a'"
"#,
        expect![[r#"
            models/tags.toml
            name == 5 || auth.idd == 'a'
                              ^^^ `auth` has no `idd`; did you mean `id`?

            models/users.toml
            tags.exists(t, t.name == 'a') || tag.exists(t, true)
                                             ^^^ `users` has no field or relation `tag`
        "#]],
    );
}

#[test]
fn what_a_junction_in_doubt_joins_is_not_said_to_be_unrelated() {
    let text = r#"
-- models/posts.toml
[rules]
read = "tags.exists(t, t.name == 'a')"
-- models/post_tags.toml
[fields]
post = { type = "ref", to = "posts" }
tag = { type = "ref", to = "tgs" }
-- models/tags.toml
[fields]
name = "text"
[rules]
read = "posts.exists(p, true) || size(posts) == 1 || users.exists(u, true) || nothing"
-- models/users.toml
"#;
    found(
        text,
        expect![[r#"
        models/tags.toml
        posts.exists(p, true) || size(posts) == 1 || users.exists(u, true) || nothing
                                                                              ^^^^^^^ `tags` has no field or relation `nothing`
    "#]],
    );
    // Whether counting the junction's rows counts posts hangs on what `requird` was to be.
    let text = text.replace("\"posts\" }", "\"posts\", requird = true }").replace("tgs", "tags");
    found(
        &text,
        expect![[r#"
        models/tags.toml
        posts.exists(p, true) || size(posts) == 1 || users.exists(u, true) || nothing
                                                     ^^^^^ `tags` has no field or relation `users`

        models/tags.toml
        posts.exists(p, true) || size(posts) == 1 || users.exists(u, true) || nothing
                                                                              ^^^^^^^ `tags` has no field or relation `nothing`
    "#]],
    );
}

const SHOP: &str = r#"
-- models/users.toml
[model]
id = "int"
[fields]
name = { type = "text", max = 9 }
[rules]
read = "posts_by_author.exists(p, p.title == name) && id == 5 && size(tags) > 1"
-- models/posts.toml
[model]
id = "text"
timestamps = false
[fields]
title = { type = "text", required = true, unique = true }
price = { type = "decimal", precision = 9, scale = 3, min = 0 }
mood = { type = "enum", values = ["happy", "sad"], default = "sad" }
author = { type = "ref", to = "users", required = true, on_delete = "cascade" }
editor = { type = "ref", to = "users", blind = true, default = 5 }
created_at = { type = "date", default = "now" }
extra = { type = "json" }
[rules]
read = "title == 'a' || price == 1.005 || mood == 'happy' || author.name == editor.name"
create = "author == 5 && editor.id == 5 && created_at == '2026-01-01' && id == 'a'"
update = "tags.exists(t, t.label == 'a') && post_tags.exists(p, p.tag == 5) && size(tags) > 1"
check = "extra.a.b == 5 && old.title == title && post_tags_by_post.exists(t, t.tag.label == 'a')"
-- models/post_tags.toml
[model]
timestamps = false
[fields]
post = { type = "ref", to = "posts", required = true }
tag = { type = "ref", to = "tags", required = true }
[rules]
read = "post.author.name == tag.label"
-- models/tags.toml
[model]
id = "int"
[fields]
label = { type = "text" }
[rules]
read = "posts.exists(p, p.author.name == 'a') && users.exists(u, true) && created_at < now"
-- models/user_tags.toml
[model]
junction = true
[fields]
user = { type = "ref", to = "users", required = true }
tag = { type = "ref", to = "tags", required = true }
since = { type = "timestamp" }
[rules]
read = "now - since < duration('24h')"
"#;

#[test]
fn one_slip_outside_a_right_rule_makes_no_mistake_in_it() {
    let app = read_app(&[], &files(SHOP), &[]).expect("a good folder");
    if let Err(mistakes) = compile(&app.catalog) {
        panic!("{}", mistakes.iter().map(|it| format!("{it}\n")).collect::<String>());
    }
    let mut refused = 0;
    let mut is_rule = false;
    let mut line_start = 0;
    for line in SHOP.split_inclusive('\n') {
        if line.starts_with(['[', '-']) {
            is_rule = line.starts_with("[rules]");
        }
        // A field that is renamed is another one, so only what is said of it is touched.
        let said = if line.starts_with('[') { 0 } else { line.find('=').unwrap_or(line.len()) };
        let slips = if is_rule && !line.starts_with('[') { 0..0 } else { said..line.len() };
        for at in slips.step_by(3) {
            let mut text = SHOP.to_owned();
            let slip = if at % 2 == 0 { "" } else { "x" };
            text.replace_range(line_start + at..=line_start + at, slip);
            let Err(mistakes) = read_app(&[], &files(&text), &[]) else { continue };
            refused += 1;
            let in_rules = find_mistakes(&mistakes.for_rules);
            let told: String = in_rules.iter().map(|it| format!("{it}\n")).collect();
            assert_eq!(told, "", "{line} with `{slip}` at {at}: {:?}", mistakes.found);
        }
        line_start += line.len();
    }
    assert!(refused > 100, "{refused} slips were mistakes");
}
