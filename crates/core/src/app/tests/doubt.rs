//! One mistake is told once: what follows from it alone is not told beside it, and is
//! known to be in doubt.

use super::*;

/// The messages of a folder's mistakes, each with its place.
fn told(text: &str, expected: Expect) {
    let found = read_app(&[], &files(text), &[]).expect_err("mistakes").found;
    let lines: Vec<String> = found
        .iter()
        .map(|it| format!("{}:{}:{} {}\n", it.file, it.line, it.column, it.message))
        .collect();
    expected.assert_eq(&lines.concat());
}

/// What is not known of each model.
fn in_doubt(text: &str, expected: Expect) {
    let partial = read_app(&[], &files(text), &[]).expect_err("mistakes").for_rules;
    let declared = partial.declarations();
    let mut out = String::new();
    for id in declared.model_ids() {
        let model = declared.model(id);
        write!(out, "{}:", model.name).expect("written");
        for field in model.field_ids().filter(|field| declared.is_field_in_doubt(id, *field)) {
            write!(out, " {}", model.field(field).name).expect("written");
        }
        let unknown = ["title", "posts", "tags", "tags_by_post", "nothing"];
        let known = |name: &str| declared.may_have(id, name);
        let may_have: Vec<&str> = unknown.into_iter().filter(|name| known(name)).collect();
        if !may_have.is_empty() {
            write!(out, "; may have {}", may_have.join(" ")).expect("written");
        }
        if declared.is_junction_in_doubt(id) {
            out.push_str("; may be a junction");
        }
        out.push('\n');
    }
    expected.assert_eq(&out);
}

#[test]
fn a_ref_finds_a_model_whose_file_is_misnamed_misplaced_or_unreadable() {
    told(
        r#"
-- models/posts.toml
[fields]
author = { type = "ref", to = "users", default = "anybody" }
team = { type = "ref", to = "team_members" }
tag = { type = "ref", to = "tags" }
[[index]]
fields = ["author", "tag"]
-- models/users.toml
[model]
id = "txt"
-- models/TeamMembers.toml
-- models/old/tags.toml
[fields]
name = { type = "txt" }
-- models/broken.toml
[fields
"#,
        expect![[r#"
            models/TeamMembers.toml:1:1 `TeamMembers` cannot name a model: a name is snake_case: it begins with a letter and has `a` to `z`, digits and `_`
            models/broken.toml:1:8 not valid TOML: unclosed table, expected `]`
            models/old/tags.toml:1:1 a model's file lies directly in `models/`
            models/old/tags.toml:2:17 `txt` is not a type
            models/users.toml:2:6 an id cannot be of type `txt`
        "#]],
    );
}

#[test]
fn a_file_in_its_place_is_read_before_one_that_is_not() {
    told(
        r#"
-- models/old/tags.toml
[fields]
name = { type = "txt" }
-- models/tags.toml
[fields]
name = { type = "textt" }
"#,
        expect![[r#"
            models/old/tags.toml:1:1 a model's file lies directly in `models/`
            models/tags.toml:2:17 `textt` is not a type
        "#]],
    );
}

#[test]
fn an_index_may_name_what_is_declared_wrongly() {
    told(
        r#"
-- models/posts.toml
[modle]
timestamps = false
[feilds]
title = "text"
[[index]]
fields = ["title"]
-- models/tags.toml
[model]
timestamps = "no"
junction = true
[fields]
post = { typ = "ref", to = "posts" }
tag = { type = "ref", to = "tags" }
created_at = "date"
label = { type = "txt" }
[[index]]
fields = ["label", "lable"]
"#,
        expect![[r#"
            models/posts.toml:1:2 `modle` is not a key of a model file
            models/posts.toml:3:2 `feilds` is not a key of a model file
            models/tags.toml:2:14 `timestamps` wants `true` or `false`
            models/tags.toml:5:1 the field `post` has no `type`
            models/tags.toml:5:10 `typ` is not a key of a field
            models/tags.toml:8:18 `txt` is not a type
            models/tags.toml:10:20 the model `tags` has no field `lable`
        "#]],
    );
}

#[test]
fn a_default_is_not_held_to_what_is_declared_wrongly() {
    told(
        r#"
-- models/things.toml
[fields]
price = { type = "decimal", scal = 3, min = "0.001", default = 0.005 }
mood = { type = "enum", values = ["a", 5], default = "b" }
size = { type = "int", requird = true, default = "b" }
"#,
        expect![[r#"
            models/things.toml:2:29 `scal` is not a key of a decimal field
            models/things.toml:3:40 `values` wants a text
            models/things.toml:4:24 `requird` is not a key of an int field
            models/things.toml:4:50 `default` wants a whole number of 64 bits
        "#]],
    );
}

#[test]
fn a_field_is_in_doubt_where_its_type_is_and_not_where_its_default_is() {
    in_doubt(
        r#"
-- models/things.toml
[fields]
kind = { type = "txt" }
price = { type = "decimal", scal = 2 }
mood = { type = "enum", values = ["a", "a"] }
must = { type = "text", required = "yes" }
Title = "text"
body = { type = "text", default = 5 }
name = { type = "text", max = "5", pattern = "(", unique = 1 }
notes = { type = "text", read = "", description = 5 }
"#,
        expect![[r#"
            things: kind price mood must Title; may have title
        "#]],
    );
}

#[test]
fn what_may_be_a_ref_may_relate_and_what_may_be_a_junction_may_join() {
    in_doubt(
        r#"
-- models/posts.toml
[fields]
tag = { type = "ref", to = "tagz" }
extra = "int"
-- models/tags.toml
-- models/users.toml
-- models/owners.toml
[fields]
user = { type = "ref", to = "users" }
id = "int"
"#,
        expect![[r#"
            owners: id; may have posts
            posts: tag; may have posts
            tags:; may have posts
            users:; may have posts
        "#]],
    );
    in_doubt(
        r#"
-- models/posts.toml
-- models/tags.toml
[fields]
post = { type = "ref" }
user = { type = "ref", to = "users" }
-- models/users.toml
"#,
        expect![[r#"
            posts:; may have posts tags tags_by_post
            tags: post; may have posts tags tags_by_post; may be a junction
            users:; may have posts tags tags_by_post
        "#]],
    );
    in_doubt(
        r#"
-- models/posts.toml
-- models/tags.toml
[fields]
post = {
-- models/users.toml
[fields]
tag = { type = "ref", to = "tags" }
"#,
        expect![[r#"
            posts:; may have posts tags tags_by_post
            tags: id created_at updated_at; may have title posts tags tags_by_post nothing; may be a junction
            users: tag; may have posts tags tags_by_post
        "#]],
    );
}
