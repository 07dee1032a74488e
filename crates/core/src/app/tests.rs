//! What a developer sees of a folder: its mistakes as they are shown, and its
//! models as they are understood.
#![expect(clippy::too_many_lines, reason = "what a developer is shown is long")]

mod doubt;

use std::fmt::Write;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::{Colour, DefaultValue, Field, FieldKind, OnDelete, render_diagnostics};

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

fn mistakes(text: &str, environment: &[(&str, &str)], expected: Expect) {
    let files = files(text);
    let environment: Vec<(String, String)> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let found = match read_app(&files, &environment) {
        Ok(app) => app.warnings,
        Err(refused) => refused.found,
    };
    expected.assert_eq(&render_diagnostics(&found, &files, Colour::Plain));
}

fn app(text: &str) -> App {
    let files = files(text);
    read_app(&files, &[]).unwrap_or_else(|refused| {
        panic!("{}", render_diagnostics(&refused.found, &files, Colour::Plain));
    })
}

/// A catalog as a page of text.
fn understood(text: &str, expected: Expect) {
    let catalog = app(text).catalog;
    let mut out = String::new();
    for model in catalog.models() {
        let names = |ids: &[crate::FieldId]| {
            ids.iter().map(|id| &*model.field(*id).name).collect::<Vec<_>>().join(", ")
        };
        let junction = if model.junction { ", junction" } else { "" };
        writeln!(out, "{} ({:?}{junction}) in {}", model.name, model.id, model.table.table)
            .expect("written");
        for field in &model.fields {
            writeln!(out, "  {}", shown(field, &catalog)).expect("written");
        }
        for unique in &model.uniques {
            writeln!(out, "  unique {}: {}", unique.name, names(&unique.fields)).expect("written");
        }
        for index in &model.indexes {
            let fields: Vec<String> = index
                .fields
                .iter()
                .map(|(id, descends)| {
                    format!("{}{}", if *descends { "-" } else { "" }, model.field(*id).name)
                })
                .collect();
            writeln!(out, "  index {}: {}", index.name, fields.join(", ")).expect("written");
        }
    }
    expected.assert_eq(&out);
}

fn shown(field: &Field, catalog: &Catalog) -> String {
    let mut out = format!("{}: {}", field.name, field.value_type);
    match &field.kind {
        FieldKind::Plain => {}
        FieldKind::Enum { values } => write!(out, " of {}", values.join("|")).expect("written"),
        FieldKind::Ref { reference, blind } => {
            let reference = catalog.reference(*reference);
            let one = if reference.one_to_one { " one to one" } else { "" };
            let to = &catalog.model(reference.to).name;
            write!(out, " → {to} ({}, {:?}{one})", reference.name, reference.on_delete)
                .expect("written");
            if *blind {
                out.push_str(" blind");
            }
        }
    }
    if field.required {
        out.push_str(" required");
    }
    if field.server_set {
        out.push_str(" server_set");
    }
    match &field.default {
        None => {}
        Some(DefaultValue::Literal(value)) => {
            write!(out, " default {:?}", value.as_ref().to_text()).expect("written");
        }
        Some(other) => write!(out, " default {other:?}").expect("written"),
    }
    let constraints = &field.constraints;
    for (name, bound) in [("min", &constraints.min), ("max", &constraints.max)] {
        if let Some(bound) = bound {
            write!(out, " {name} {}", bound.as_ref().to_text()).expect("written");
        }
    }
    if let Some(pattern) = &constraints.pattern {
        write!(out, " pattern {pattern}").expect("written");
    }
    if let Some(format) = &constraints.format {
        write!(out, " format {format:?}").expect("written");
    }
    for (name, rule) in [("read", &field.rules.read), ("write", &field.rules.write)] {
        if let Some(rule) = rule {
            write!(out, " {name} if {}", rule.text).expect("written");
        }
    }
    out
}

const BLOG: &str = r#"
-- mainstay.toml
[app]
name = "blog"

[roles]
author = {}
editor = { inherits = ["author"], can = ["posts.publish"] }
-- models/users.toml
[fields]
name = { type = "text", required = true }
-- models/posts.toml
[model]                                   # optional table
id = "uuid"
timestamps = true

[fields]
title     = { type = "text", required = true, max = 200 }
slug      = { type = "text", unique = true, pattern = "^[a-z0-9-]+$" }
body      = { type = "text", default = "" }
views     = { type = "int", default = 0, min = 0, write = "false" }
published = { type = "bool", default = false }
author    = { type = "ref", to = "users", required = true, default = "auth.id", on_delete = "cascade" }
mood      = { type = "enum", values = ["happy", "sad"] }
extra     = { type = "json" }
notes     = { type = "text", read = "author == auth.id" }

[rules]
read   = "published || author == auth.id"
create = "author == auth.id"
update = "author == auth.id || 'editor' in auth.roles"
check  = "author == old.author"
delete = "author == auth.id"

[[index]]
fields = ["published", "-created_at"]
-- models/tags.toml
[model]
id = "int"
timestamps = false
[fields]
name = "text"
-- models/post_tags.toml
[model]
timestamps = false
[fields]
post = { type = "ref", to = "posts", required = true, on_delete = "cascade" }
tag  = { type = "ref", to = "tags", required = true, on_delete = "cascade" }
"#;

#[test]
fn a_blog_is_understood_as_it_is_written() {
    understood(
        BLOG,
        expect![[r#"
        post_tags (Uuid, junction) in post_tags
          id: uuid required default NewUuid
          post: uuid → posts (post_tags_post_fkey, Cascade) required
          tag: int → tags (post_tags_tag_fkey, Cascade) required
          unique post_tags_post_tag_key: post, tag
          index post_tags_tag_idx: tag
        posts (Uuid) in posts
          id: uuid required default NewUuid
          title: text required max 200
          slug: text pattern ^[a-z0-9-]+$
          body: text default ""
          views: int default "0" min 0 write if false
          published: bool default "false"
          author: uuid → users (posts_author_fkey, Cascade) required default CallerId
          mood: text of happy|sad
          extra: json
          notes: text read if author == auth.id
          created_at: timestamp required server_set default Now
          updated_at: timestamp required server_set default Now
          unique posts_slug_key: slug
          index posts_published_created_at_idx: published, -created_at
          index posts_author_idx: author
        tags (Int) in tags
          id: int required default NextInt
          name: text
        users (Uuid) in users
          id: uuid required default NewUuid
          name: text required
          created_at: timestamp required server_set default Now
          updated_at: timestamp required server_set default Now
    "#]],
    );
    let app = app(BLOG);
    assert_eq!(app.settings.app.name, "blog");
    assert_eq!(app.settings.issuer(), "blog");
    assert!(app.warnings.is_empty());
    let (roles, can) = app.settings.roles.expand(&["editor"]);
    assert_eq!((roles.join(" "), can.join(" ")), ("author editor".into(), "posts.publish".into()));
    let posts = app.catalog.model(app.catalog.model_id("posts").expect("there"));
    let rule = posts.rules.read.as_ref().expect("there");
    let file = files(BLOG).into_iter().find(|file| *file.path == *rule.file).expect("there");
    assert!(file.text[rule.offset..].starts_with("published || author"));
}

#[test]
fn every_type_takes_its_options_and_defaults() {
    understood(
        r#"
-- models/things.toml
[model]
id = "text"
table = "all_things"
description = "Everything there is"
[fields]
text      = { type = "text", min = 1, max = 3, default = "äöü", format = "slug" }
expression = { type = "text", default = "auth.id" }
literal   = { type = "text", default = { value = "now" } }
int       = { type = "int", min = -5, max = 0x10, default = 1_0 }
float     = { type = "float", min = 0, max = 1.5, default = 1e-3 }
decimal   = { type = "decimal", precision = 6, scale = 2, min = "0.01", max = 999, default = 9.90 }
money     = { type = "decimal" }
bool      = { type = "bool", default = true }
uuid      = { type = "uuid", default = "01890a5d-ac96-774b-bcce-b302099a8057" }
caller    = { type = "uuid", default = "auth.id" }
moment    = { type = "timestamp", default = 1979-05-27T07:32:00-07:00 }
now_at    = { type = "timestamp", default = "now" }
day       = { type = "date", default = 1979-05-27 }
today     = { type = "date", default = "now" }
json      = { type = "json", default = { b = [1, 2.5, "x"], a = {} } }
wrapped   = { type = "json", default = { value = "auth.id" } }
bytes     = { type = "bytes", default = '\x00ff' }
mood      = { type = "enum", values = ["happy", "sad"], default = "sad" }
[fields.parent]
type = "ref"
to = "things"
on_delete = "set_null"
blind = true
unique = true
default = "root"
"#,
        expect![[r#"
            things (Text) in all_things
              id: text required default NewUuid
              text: text default "äöü" min 1 max 3 format Slug
              expression: text default CallerId
              literal: text default "now"
              int: int default "10" min -5 max 16
              float: float default "0.001" min 0 max 1.5
              decimal: decimal default "9.90" min 0.01 max 999.00
              money: decimal
              bool: bool default "true"
              uuid: uuid default "01890a5d-ac96-774b-bcce-b302099a8057"
              caller: uuid default CallerId
              moment: timestamp default "1979-05-27T14:32:00+00:00"
              now_at: timestamp default Now
              day: date default "1979-05-27"
              today: date default Now
              json: json default "{\"a\":{},\"b\":[1,2.5,\"x\"]}"
              wrapped: json default "\"auth.id\""
              bytes: bytes default "\\x00ff"
              mood: text of happy|sad default "sad"
              parent: text → things (all_things_parent_fkey, SetNull one to one) blind default "root"
              created_at: timestamp required server_set default Now
              updated_at: timestamp required server_set default Now
              unique all_things_parent_key: parent
        "#]],
    );
}

#[test]
fn a_misspelt_key_shows_the_nearest_one() {
    mistakes(
        r#"
-- mainstay.toml
[ap]
name = "blog"
[server]
listn = "127.0.0.1:8000"
[limits]
body_byte_max = 5
[mail]
from = "a@b.c"
-- models/posts.toml
[modle]
id = "uuid"
[fields]
title = { type = "text", requird = true }
body = { type = "text", max_length = 5 }
price = { type = "int", scale = 2 }
kind = { type = "string" }
other = { type = "txet" }
none = { max = 3 }
to_user = { to = "users" }
wrong = 5
[rules]
reed = "true"
write = "true"
[[index]]
field = ["title"]
[model]
idd = "uuid"
"#,
        &[],
        expect![[r#"
            error: `[ap]` is not a section of the settings
             --> mainstay.toml:1:2
              |
            1 | [ap]
              |  ^^
              |
            help: did you mean `app`?

            error: `listn` is not a key of `[server]`
             --> mainstay.toml:4:1
              |
            4 | listn = "127.0.0.1:8000"
              | ^^^^^
              |
            help: did you mean `listen`?

            error: `body_byte_max` is not a key of `[limits]`
             --> mainstay.toml:6:1
              |
            6 | body_byte_max = 5
              | ^^^^^^^^^^^^^
              |
            help: did you mean `body_bytes_max`?

            error: `[mail]` has no keys in this version
             --> mainstay.toml:8:1
              |
            8 | from = "a@b.c"
              | ^^^^

            error: `modle` is not a key of a model file
             --> models/posts.toml:1:2
              |
            1 | [modle]
              |  ^^^^^
              |
            help: did you mean `model`?

            error: `requird` is not a key of a text field
             --> models/posts.toml:4:26
              |
            4 | title = { type = "text", requird = true }
              |                          ^^^^^^^
              |
            help: did you mean `required`?

            error: `max_length` is not a key of a text field
             --> models/posts.toml:5:25
              |
            5 | body = { type = "text", max_length = 5 }
              |                         ^^^^^^^^^^
              |
            help: did you mean `max`?

            error: `scale` is not a key of an int field
             --> models/posts.toml:6:25
              |
            6 | price = { type = "int", scale = 2 }
              |                         ^^^^^
              |
            help: it belongs to fields of type `decimal`

            error: `string` is not a type
             --> models/posts.toml:7:17
              |
            7 | kind = { type = "string" }
              |                 ^^^^^^^^
              |
            help: did you mean `text`?

            error: `txet` is not a type
             --> models/posts.toml:8:18
              |
            8 | other = { type = "txet" }
              |                  ^^^^^^
              |
            help: did you mean `text`?

            error: the field `none` has no `type`
             --> models/posts.toml:9:1
              |
            9 | none = { max = 3 }
              | ^^^^
              |
            help: the types are `text`, `int`, `float`, `decimal`, `bool`, `uuid`, `timestamp`, `date`, `json`, `bytes`, `enum` and `ref`

            error: the field `to_user` has no `type`
              --> models/posts.toml:10:1
               |
            10 | to_user = { to = "users" }
               | ^^^^^^^
               |
            help: a field that points at a model has `type = "ref"`

            error: `wrong` wants a table such as `{ type = "text" }`
              --> models/posts.toml:11:9
               |
            11 | wrong = 5
               |         ^ this is a whole number

            error: `reed` is not a key of `[rules]`
              --> models/posts.toml:13:1
               |
            13 | reed = "true"
               | ^^^^
               |
            help: did you mean `read`?

            error: `write` is not a key of `[rules]`
              --> models/posts.toml:14:1
               |
            14 | write = "true"
               | ^^^^^
               |
            help: its keys are `read`, `create`, `update`, `check` and `delete`

            error: the index has no `fields`
              --> models/posts.toml:15:1
               |
            15 | [[index]]
               | ^^^^^^^^^
               |
            help: list them: `fields = ["published", "-created_at"]`

            error: `field` is not a key of `[[index]]`
              --> models/posts.toml:16:1
               |
            16 | field = ["title"]
               | ^^^^^
               |
            help: did you mean `fields`?

            error: `idd` is not a key of `[model]`
              --> models/posts.toml:18:1
               |
            18 | idd = "uuid"
               | ^^^
               |
            help: did you mean `id`?
        "#]],
    );
}

#[test]
fn values_of_the_wrong_type_are_shown_with_what_was_wanted() {
    mistakes(
        r#"
-- models/posts.toml
[model]
id = "uid"
timestamps = "yes"
store = "other"
table = "sqlite_posts"
[fields]
a = { type = "text", required = "yes" }
b = { type = "text", min = 5, max = 2 }
c = { type = "text", pattern = "[a-z" }
d = { type = "text", format = "emial" }
e = { type = "int", default = "5" }
f = { type = "int", min = 1, default = 0 }
g = { type = "int", default = "now" }
h = { type = "text", default = "now" }
i = { type = "decimal", precision = 19 }
j = { type = "decimal", precision = 4, scale = 5 }
k = { type = "decimal", scale = 2, default = 0.005 }
l = { type = "enum" }
m = { type = "enum", values = ["a", "a", ""] }
n = { type = "enum", values = ["a"], default = "b" }
o = { type = "json", unique = true }
p = { type = "uuid", default = "x" }
q = { type = "bool", read = false }
r = { type = "text", read = "" }
s = { type = "text", max = 2, default = "äöü" }
t = { type = "text", pattern = "^x$", default = "y" }
u = { type = "float", default = inf }
v = { type = "int", default = 99999999999999999999 }
w = { type = "text", max = -1 }
x = { type = "bool", default = "auth.id" }
"#,
        &[],
        expect![[r#"
            error: an id cannot be of type `uid`
             --> models/posts.toml:2:6
              |
            2 | id = "uid"
              |      ^^^^^
              |
            help: did you mean `uuid`?

            error: `timestamps` wants `true` or `false`
             --> models/posts.toml:3:14
              |
            3 | timestamps = "yes"
              |              ^^^^^ this is a text

            error: a store for one model is not available in this version
             --> models/posts.toml:4:1
              |
            4 | store = "other"
              | ^^^^^
              |
            help: leave it out: every model lives in `[database]`

            error: this cannot name a table: names that begin with `sqlite_` are the database's own
             --> models/posts.toml:5:9
              |
            5 | table = "sqlite_posts"
              |         ^^^^^^^^^^^^^^

            error: `required` wants `true` or `false`
             --> models/posts.toml:7:33
              |
            7 | a = { type = "text", required = "yes" }
              |                                 ^^^^^ this is a text

            error: `min` is above `max`, so no value would do
             --> models/posts.toml:8:28
              |
            8 | b = { type = "text", min = 5, max = 2 }
              |                            ^

            error: this is not a regular expression
             --> models/posts.toml:9:32
              |
            9 | c = { type = "text", pattern = "[a-z" }
              |                                ^^^^^^ unclosed character class
              |
            help: the syntax is that of the Rust crate `regex`: no look-around, no back-references

            error: `format` cannot be `emial`
              --> models/posts.toml:10:31
               |
            10 | d = { type = "text", format = "emial" }
               |                               ^^^^^^^
               |
            help: did you mean `email`?

            error: `default` wants a whole number of 64 bits
              --> models/posts.toml:11:31
               |
            11 | e = { type = "int", default = "5" }
               |                               ^^^ this is a text

            error: the default is below `min`, 1
              --> models/posts.toml:12:40
               |
            12 | f = { type = "int", min = 1, default = 0 }
               |                                        ^

            error: `now` cannot be the default of a field of type int
              --> models/posts.toml:13:31
               |
            13 | g = { type = "int", default = "now" }
               |                               ^^^^^

            error: `now` cannot be the default of a field of type text
              --> models/posts.toml:14:32
               |
            14 | h = { type = "text", default = "now" }
               |                                ^^^^^
               |
            help: the literal text is `{ value = "now" }`

            error: `precision` wants a whole number from 1 to 18
              --> models/posts.toml:15:37
               |
            15 | i = { type = "decimal", precision = 19 }
               |                                     ^^

            error: `scale` wants a whole number from 0 to 4
              --> models/posts.toml:16:48
               |
            16 | j = { type = "decimal", precision = 4, scale = 5 }
               |                                                ^

            error: `default` wants a number of at most 18 digits, 2 of them after the point
              --> models/posts.toml:17:46
               |
            17 | k = { type = "decimal", scale = 2, default = 0.005 }
               |                                              ^^^^^

            error: the enum `l` has no `values`
              --> models/posts.toml:18:1
               |
            18 | l = { type = "enum" }
               | ^
               |
            help: list them: `values = ["draft", "published"]`

            error: the value `a` is listed twice
              --> models/posts.toml:19:37
               |
            19 | m = { type = "enum", values = ["a", "a", ""] }
               |                                     ^^^

            error: a value has 1 to 200 bytes
              --> models/posts.toml:19:42
               |
            19 | m = { type = "enum", values = ["a", "a", ""] }
               |                                          ^^

            error: the default is not one of `values`
              --> models/posts.toml:20:48
               |
            20 | n = { type = "enum", values = ["a"], default = "b" }
               |                                                ^^^

            error: a json field cannot be unique: no store indexes it alike
              --> models/posts.toml:21:22
               |
            21 | o = { type = "json", unique = true }
               |                      ^^^^^^

            error: `default` wants a uuid as a text
              --> models/posts.toml:22:32
               |
            22 | p = { type = "uuid", default = "x" }
               |                                ^^^

            error: `read` wants a rule, which is a text
              --> models/posts.toml:23:29
               |
            23 | q = { type = "bool", read = false }
               |                             ^^^^^ this is `true` or `false`
               |
            help: write `read = "false"`

            error: a rule is not empty
              --> models/posts.toml:24:29
               |
            24 | r = { type = "text", read = "" }
               |                             ^^
               |
            help: a rule that never holds is `"false"`

            error: the default is above `max`, 2 characters
              --> models/posts.toml:25:41
               |
            25 | s = { type = "text", max = 2, default = "äöü" }
               |                                         ^^^^^

            error: the default does not match `pattern`
              --> models/posts.toml:26:49
               |
            26 | t = { type = "text", pattern = "^x$", default = "y" }
               |                                                 ^^^

            error: `default` wants a number
              --> models/posts.toml:27:33
               |
            27 | u = { type = "float", default = inf }
               |                                 ^^^

            error: `default` wants a whole number of 64 bits
              --> models/posts.toml:28:31
               |
            28 | v = { type = "int", default = 99999999999999999999 }
               |                               ^^^^^^^^^^^^^^^^^^^^

            error: `max` wants a count of characters
              --> models/posts.toml:29:28
               |
            29 | w = { type = "text", max = -1 }
               |                            ^^ this is a whole number

            error: `auth.id` cannot be the default of a field of type bool
              --> models/posts.toml:30:32
               |
            30 | x = { type = "bool", default = "auth.id" }
               |                                ^^^^^^^^^
        "#]],
    );
}

#[test]
fn names_that_cannot_be_are_refused() {
    mistakes(
        r#"
-- models/Posts.toml
[fields]
firstName = "text"
auth = "text"
_version = "text"
in = "bool"
id = "text"
created_at = "timestamp"
"quoted key" = "text"
-- models/deep/nested.toml
-- models/mainstay_jobs.toml
-- models/rpc.toml
"#,
        &[],
        expect![[r#"
            error: `Posts` cannot name a model: a name is snake_case: it begins with a letter and has `a` to `z`, digits and `_`
             --> models/Posts.toml:1:1
              |
            1 | [fields]
              | ^
              |
            help: did you mean `models/posts.toml`?

            error: this cannot name a field: a name is snake_case: it begins with a letter and has `a` to `z`, digits and `_`
             --> models/Posts.toml:2:1
              |
            2 | firstName = "text"
              | ^^^^^^^^^
              |
            help: did you mean `first_name`?

            error: this cannot name a field: `auth` is reserved: `auth`, `now`, `old` and `rpc` are
             --> models/Posts.toml:3:1
              |
            3 | auth = "text"
              | ^^^^

            error: this cannot name a field: names that begin with `_` or `mainstay_` are the server's own
             --> models/Posts.toml:4:1
              |
            4 | _version = "text"
              | ^^^^^^^^
              |
            help: did you mean `version`?

            error: this cannot name a field: `in` is a word of the rule language
             --> models/Posts.toml:5:1
              |
            5 | in = "bool"
              | ^^

            error: the field `id` is made by the server
             --> models/Posts.toml:6:1
              |
            6 | id = "text"
              | ^^
              |
            help: `[model] id` chooses its type

            error: the field `created_at` is made by the server
             --> models/Posts.toml:7:1
              |
            7 | created_at = "timestamp"
              | ^^^^^^^^^^
              |
            help: `[model] timestamps = false` leaves it to you

            error: this cannot name a field: a name is snake_case: it begins with a letter and has `a` to `z`, digits and `_`
             --> models/Posts.toml:8:1
              |
            8 | "quoted key" = "text"
              | ^^^^^^^^^^^^
              |
            help: did you mean `quoted_key`?

            error: a model's file lies directly in `models/`
             --> models/deep/nested.toml:1:1
              |
            1 |
              | ^
              |
            help: the file's name is the model's, so there are no folders between

            error: `mainstay_jobs` cannot name a model: names that begin with `_` or `mainstay_` are the server's own
             --> models/mainstay_jobs.toml:1:1
              |
            1 |
              | ^

            error: `rpc` cannot name a model: `rpc` is reserved: `auth`, `now`, `old` and `rpc` are
             --> models/rpc.toml:1:1
              |
            1 |
              | ^
        "#]],
    );
}

#[test]
fn refs_and_indexes_must_lead_somewhere() {
    mistakes(
        r#"
-- models/users.toml
[model]
id = "int"
-- models/posts.toml
[model]
junction = true
[fields]
author = { type = "ref", to = "user" }
editor = { type = "ref" }
owner  = { type = "ref", to = "users", required = true, on_delete = "set_null" }
other  = { type = "ref", to = "users", on_delete = "delete", default = "me" }
data   = { type = "json" }
[[index]]
fields = ["auther", "-created_at"]
[[index]]
fields = ["owner", "owner"]
[[index]]
fields = ["data"]
[[index]]
fields = []
[[index]]
fields = ["owner"]
[[index]]
fields = ["owner"]
[[index]]
fields = ["-owner"]
unique = true
-- models/solo.toml
[model]
junction = true
table = "users"
[fields]
one = { type = "ref", to = "posts" }
"#,
        &[],
        expect![[r#"
            error: there is no model `user`
             --> models/posts.toml:4:31
              |
            4 | author = { type = "ref", to = "user" }
              |                               ^^^^^^
              |
            help: did you mean `users`?

            error: the ref `editor` does not say which model it points at
             --> models/posts.toml:5:1
              |
            5 | editor = { type = "ref" }
              | ^^^^^^
              |
            help: name the model: `to = "users"`

            error: a required ref cannot become null
             --> models/posts.toml:6:69
              |
            6 | owner  = { type = "ref", to = "users", required = true, on_delete = "set_null" }
              |                                                                     ^^^^^^^^^^
              |
            help: drop `required`, or delete the row too with `on_delete = "cascade"`

            error: `on_delete` cannot be `delete`
             --> models/posts.toml:7:52
              |
            7 | other  = { type = "ref", to = "users", on_delete = "delete", default = "me" }
              |                                                    ^^^^^^^^
              |
            help: it is `restrict`, `cascade` or `set_null`

            error: `default` wants a whole number of 64 bits
             --> models/posts.toml:7:72
              |
            7 | other  = { type = "ref", to = "users", on_delete = "delete", default = "me" }
              |                                                                        ^^^^ this is a text

            error: the model `posts` has no field `auther`
              --> models/posts.toml:10:11
               |
            10 | fields = ["auther", "-created_at"]
               |           ^^^^^^^^
               |
            help: did you mean `author`?

            error: the index names `owner` twice
              --> models/posts.toml:12:20
               |
            12 | fields = ["owner", "owner"]
               |                    ^^^^^^^

            error: the json field `data` cannot be indexed
              --> models/posts.toml:14:11
               |
            14 | fields = ["data"]
               |           ^^^^^^

            error: an index has at least one field
              --> models/posts.toml:16:10
               |
            16 | fields = []
               |          ^^

            error: this index is declared twice
              --> models/posts.toml:20:10
               |
            20 | fields = ["owner"]
               |          ^^^^^^^^^

            error: a unique index has no direction
              --> models/posts.toml:22:11
               |
            22 | fields = ["-owner"]
               |           ^^^^^^^^
               |
            help: write `owner`

            error: a junction has at least two refs; this model has 1
             --> models/solo.toml:2:12
              |
            2 | junction = true
              |            ^^^^

            error: two models name the table `users`
             --> models/solo.toml:3:9
              |
            3 | table = "users"
              |         ^^^^^^^
        "#]],
    );
}

#[test]
fn syntax_mistakes_hide_nothing_of_other_files() {
    mistakes(
        r#"
-- models/users.toml
[fields
name = "text"
-- models/posts.toml
[fields]
author = { type = "ref", to = "users" }
author = { type = "ref", to = "users" }
title = "unclosed
-- models/tags.toml
[fields]
name = { type = "tex" }
"#,
        &[],
        expect![[r#"
            error: not valid TOML: duplicate key
             --> models/posts.toml:3:1
              |
            3 | author = { type = "ref", to = "users" }
              | ^^^^^^

            error: not valid TOML: invalid basic string, expected `"`
             --> models/posts.toml:4:18
              |
            4 | title = "unclosed
              |                  ^

            error: `tex` is not a type
             --> models/tags.toml:2:17
              |
            2 | name = { type = "tex" }
              |                 ^^^^^
              |
            help: did you mean `text`?

            error: not valid TOML: unclosed table, expected `]`
             --> models/users.toml:1:8
              |
            1 | [fields
              |        ^
        "#]],
    );
}

#[test]
fn a_byte_order_mark_moves_no_place() {
    mistakes(
        "-- models/tags.toml\n\u{feff}[fields]\r\nname = { type = \"tex\" }\r\n",
        &[],
        expect![[r#"
            error: `tex` is not a type
             --> models/tags.toml:2:17
              |
            2 | name = { type = "tex" }
              |                 ^^^^^
              |
            help: did you mean `text`?
        "#]],
    );
}

#[test]
fn settings_say_what_they_want() {
    mistakes(
        r#"
-- mainstay.toml
[server]
listen = "8000"
cors_origins = ["*"]
trusted_proxies = "10.0.0.0/8"
connections_max = 0
compression = "on"
[database]
durability = "ful"
readers = -1
[limits]
json_depth_max = 1000
request_ms = 1.5
[log]
level = "loud"
[app]
name = ""
[auth]
signing_key = 5
"#,
        &[],
        expect![[r#"
            error: `[server] listen` wants an IP address and a port, such as `127.0.0.1:8000` or `[::]:8000`
             --> mainstay.toml:2:10
              |
            2 | listen = "8000"
              |          ^^^^^^

            error: `[server] cors_origins` wants an origin such as `https://app.example.com`: scheme, host and port, no path and no `*`
             --> mainstay.toml:3:16
              |
            3 | cors_origins = ["*"]
              |                ^^^^^

            error: `[server] trusted_proxies` wants a list of texts: `["…", "…"]`
             --> mainstay.toml:4:19
              |
            4 | trusted_proxies = "10.0.0.0/8"
              |                   ^^^^^^^^^^^^

            error: `[server] connections_max` wants a whole number from 1 to 1000000
             --> mainstay.toml:5:19
              |
            5 | connections_max = 0
              |                   ^

            error: `[server] compression` wants `true` or `false`
             --> mainstay.toml:6:15
              |
            6 | compression = "on"
              |               ^^^^

            error: `[database] durability` wants `full` or `process`
             --> mainstay.toml:8:14
              |
            8 | durability = "ful"
              |              ^^^^^

            error: `[database] readers` wants a whole number from 1 to 256
             --> mainstay.toml:9:11
              |
            9 | readers = -1
              |           ^^

            error: `[limits] json_depth_max` wants a whole number from 1 to 100
              --> mainstay.toml:11:18
               |
            11 | json_depth_max = 1000
               |                  ^^^^

            error: `[limits] request_ms` wants a whole number from 1 to 3600000
              --> mainstay.toml:12:14
               |
            12 | request_ms = 1.5
               |              ^^^

            error: `[log] level` wants `error`, `warn`, `info`, `debug` or `trace`
              --> mainstay.toml:14:9
               |
            14 | level = "loud"
               |         ^^^^^^

            error: `[app] name` wants a text that is not empty
              --> mainstay.toml:16:8
               |
            16 | name = ""
               |        ^^

            error: `[auth] signing_key` wants a text that is not empty
              --> mainstay.toml:18:15
               |
            18 | signing_key = 5
               |               ^
        "#]],
    );
}

#[test]
fn roles_are_known_and_inherit_without_circles() {
    mistakes(
        r#"
-- mainstay.toml
[roles]
author = { inherits = ["writter"] }
writer = { can = ["posts write"] }
a = { inherits = ["b"] }
b = { inherits = ["a"] }
c = { inherits = ["c"], cann = [] }
service_role = {}
Editor = {}
d = { can = "all" }
"#,
        &[],
        expect![[r#"
            error: there is no role `writter`
             --> mainstay.toml:2:24
              |
            2 | author = { inherits = ["writter"] }
              |                        ^^^^^^^^^
              |
            help: did you mean `writer`?

            error: a permission is one word of at most 100 bytes, such as `posts.publish`
             --> mainstay.toml:3:19
              |
            3 | writer = { can = ["posts write"] }
              |                   ^^^^^^^^^^^^^

            error: the role `a` inherits itself: a → b → a
             --> mainstay.toml:4:1
              |
            4 | a = { inherits = ["b"] }
              | ^

            error: the role `c` inherits itself: c → c
             --> mainstay.toml:6:1
              |
            6 | c = { inherits = ["c"], cann = [] }
              | ^

            error: `cann` is not a key of a role
             --> mainstay.toml:6:25
              |
            6 | c = { inherits = ["c"], cann = [] }
              |                         ^^^^
              |
            help: did you mean `can`?

            error: `service_role` names a kind of caller and cannot be declared
             --> mainstay.toml:7:1
              |
            7 | service_role = {}
              | ^^^^^^^^^^^^

            error: `Editor` cannot name a role: it begins with a letter and has `a` to `z`, digits, `_` and `-`
             --> mainstay.toml:8:1
              |
            8 | Editor = {}
              | ^^^^^^

            error: `can` wants a list
             --> mainstay.toml:9:13
              |
            9 | d = { can = "all" }
              |             ^^^^^ this is a text
        "#]],
    );
}

#[test]
fn a_misspelt_variable_is_a_mistake_and_shows_no_value() {
    mistakes(
        "-- mainstay.toml\n",
        &[
            ("PATH", "/bin"),
            ("MAINSTAY_BIN", "mainstay"),
            ("MAINSTAY_TEST_ALL", "1"),
            ("MAINSTAY_DATABSE__URL", "postgres://secret"),
            ("MAINSTAY_SERVER__LISTEN", "secret"),
            ("MAINSTAY_ROLES__EDITOR__INHERITS", "authr"),
            ("MAINSTAY_ROLES__EDITOR__CANN", "x"),
            ("MAINSTAY_LISTEN", "secret"),
            ("MAINSTAY_NONSENSE", "secret"),
        ],
        expect![[r#"
            error: the variable `MAINSTAY_DATABSE__URL` is not a setting
            --> environment
             |
            help: did you mean `MAINSTAY_DATABASE__URL`?

            error: `MAINSTAY_SERVER__LISTEN` wants an IP address and a port, such as `127.0.0.1:8000` or `[::]:8000`
            --> environment

            error: the variable `MAINSTAY_ROLES__EDITOR__CANN` is not a setting
            --> environment
             |
            help: `MAINSTAY_SECTION__KEY` sets `[section] key`

            error: the variable `MAINSTAY_LISTEN` is not a setting
            --> environment
             |
            help: did you mean `MAINSTAY_SERVER__LISTEN`?

            error: the variable `MAINSTAY_NONSENSE` is not a setting
            --> environment
             |
            help: `MAINSTAY_SECTION__KEY` sets `[section] key`

            error: MAINSTAY_ROLES__EDITOR__INHERITS: there is no role `authr`
            --> environment
        "#]],
    );
}

#[test]
fn variables_override_the_file() {
    let files = files(
        "-- mainstay.toml\n[server]\nlisten = '0.0.0.0:1'\ncompression = true\n[roles]\nauthor = {}\n",
    );
    let environment = [
        ("MAINSTAY_SERVER__LISTEN", "127.0.0.1:9"),
        ("MAINSTAY_SERVER__COMPRESSION", "false"),
        ("MAINSTAY_SERVER__CORS_ORIGINS", "https://a.example, https://b.example:8443"),
        ("MAINSTAY_SERVER__TRUSTED_PROXIES", ""),
        ("MAINSTAY_DATABASE__DURABILITY", "process"),
        ("MAINSTAY_LIMITS__PAGE_ROWS_MAX", "50"),
        ("MAINSTAY_AUTH__SIGNING_KEY", "-----BEGIN PRIVATE KEY-----\nabc\n"),
        ("MAINSTAY_REST__AGGREGATES", "true"),
        ("MAINSTAY_ROLES__EDITOR__INHERITS", "author"),
        ("MAINSTAY_ROLES__EDITOR__CAN", "posts.publish, posts.pin"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = read_app(&files, &environment).expect("no mistakes").settings;
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:9");
    assert!(!settings.server.compression);
    let origins: Vec<&str> = settings.server.cors_origins.iter().map(WebOrigin::as_str).collect();
    assert_eq!(origins, ["https://a.example", "https://b.example:8443"]);
    assert!(settings.server.trusted_proxies.is_empty());
    assert_eq!(settings.database.durability, Durability::Process);
    assert_eq!(settings.limits.page_rows_max, 50);
    assert!(settings.auth.signing_key.expect("set").expose().contains("abc"));
    assert_eq!(settings.rest.aggregates, Some(true));
    let (roles, can) = settings.roles.expand(&["editor"]);
    assert_eq!(roles.join(" "), "author editor");
    assert_eq!(can.join(" "), "posts.pin posts.publish");
}

#[test]
fn an_empty_folder_is_an_app_and_every_key_has_a_default() {
    let app = read_app(&[], &[]).expect("no mistakes");
    assert_eq!(app.settings, Settings::default());
    assert!(app.catalog.models().is_empty());
    let table: String = Settings::describe()
        .iter()
        .map(|key| format!("[{}] {} = {}\n", key.section, key.key, key.default))
        .collect();
    expect![[r#"
        [app] name = "app"
        [server] listen = "127.0.0.1:8000"
        [server] public_url = 
        [server] cors_origins = []
        [server] trusted_proxies = []
        [server] connections_max = 4096
        [server] header_timeout_ms = 10000
        [server] body_timeout_ms = 30000
        [server] idle_timeout_ms = 75000
        [server] drain_timeout_ms = 10000
        [server] compression = true
        [database] url = "sqlite:.mainstay/data.db"
        [database] durability = "full"
        [database] readers = 4
        [database] write_queue_max = 1024
        [redis] url = 
        [auth] issuer = 
        [auth] audience = "authenticated"
        [auth] signing_key = 
        [rest] tx_rollback = 
        [rest] aggregates = 
        [limits] body_bytes_max = 2097152
        [limits] url_bytes_max = 16384
        [limits] response_bytes_max = 33554432
        [limits] json_depth_max = 32
        [limits] filter_nodes_max = 500
        [limits] filter_depth_max = 10
        [limits] embed_depth_max = 5
        [limits] embeds_max = 20
        [limits] select_items_max = 200
        [limits] page_rows_max = 1000
        [limits] write_rows_max = 1000
        [limits] pattern_bytes_max = 256
        [limits] request_ms = 10000
        [limits] plan_cache_bytes_max = 16777216
        [limits] unfiltered_writes = false
        [log] format = "text"
        [log] level = "info"
        [log] slow_ms = 500
    "#]]
    .assert_eq(&table);
    for key in Settings::describe() {
        assert!(key.doc.ends_with('.') && !key.doc.contains("  "), "{key:?}");
    }
}

#[test]
fn every_default_in_the_documentation_is_read_back_as_itself() {
    for key in Settings::describe().iter().filter(|key| !key.default.is_empty()) {
        let text = format!("[{}]\n{} = {}\n", key.section, key.key, key.default);
        let files = [SourceFile { path: SETTINGS_FILE.into(), text }];
        let app = read_app(&files, &[]).expect("a default is valid");
        assert_eq!(app.settings, Settings::default(), "{key:?}");
    }
}

#[test]
fn what_has_no_effect_or_will_surprise_is_a_warning() {
    mistakes(
        "-- mainstay.toml\n[redis]\nurl = 'redis://localhost'\n-- models/items.toml\n[fields]\norder = 'int'\n",
        &[],
        expect![[r#"
            warning: `[redis]` has no effect in this version: one process serves the app
             --> mainstay.toml:1:2
              |
            1 | [redis]
              |  ^^^^^

            warning: no filter can name the field `order`: `?order=` means something else
             --> models/items.toml:2:1
              |
            2 | order = 'int'
              | ^^^^^
        "#]],
    );
}

#[test]
fn equal_folders_have_equal_versions_and_changed_rules_another() {
    let version = |text: &str| app(text).catalog.version();
    assert_eq!(version(BLOG), version(BLOG));
    let mut reversed = files(BLOG);
    reversed.reverse();
    assert_eq!(read_app(&reversed, &[]).expect("the same").catalog.version(), version(BLOG));
    assert_ne!(version(BLOG), version(&BLOG.replace("published ||", "!published ||")));
    assert_ne!(version(BLOG), version(&BLOG.replace("max = 200", "max = 201")));
    let limits = "name = \"blog\"\n[limits]\npage_rows_max = 5\n";
    assert_ne!(version(BLOG), version(&BLOG.replace("name = \"blog\"\n", limits)));
}

#[test]
fn a_junction_with_fields_of_its_own_may_hold_a_pair_twice() {
    let text = r#"
-- models/users.toml
-- models/visits.toml
[fields]
host = { type = "ref", to = "users" }
guest = { type = "ref", to = "users", unique = true }
-- models/follows.toml
[model]
junction = true
[fields]
from_user = { type = "ref", to = "users" }
to_user = { type = "ref", to = "users" }
weight = "int"
-- models/pairs.toml
[model]
junction = false
timestamps = false
[fields]
one = { type = "ref", to = "users", on_delete = "cascade" }
two = { type = "ref", to = "users" }
[[index]]
fields = ["two", "-id"]
"#;
    understood(
        text,
        expect![[r#"
        follows (Uuid, junction) in follows
          id: uuid required default NewUuid
          from_user: uuid → users (follows_from_user_fkey, Restrict)
          to_user: uuid → users (follows_to_user_fkey, Restrict)
          weight: int
          created_at: timestamp required server_set default Now
          updated_at: timestamp required server_set default Now
          index follows_from_user_idx: from_user
          index follows_to_user_idx: to_user
        pairs (Uuid) in pairs
          id: uuid required default NewUuid
          one: uuid → users (pairs_one_fkey, Cascade)
          two: uuid → users (pairs_two_fkey, Restrict)
          index pairs_two_id_idx: two, -id
          index pairs_one_idx: one
        users (Uuid) in users
          id: uuid required default NewUuid
          created_at: timestamp required server_set default Now
          updated_at: timestamp required server_set default Now
        visits (Uuid, junction) in visits
          id: uuid required default NewUuid
          host: uuid → users (visits_host_fkey, Restrict)
          guest: uuid → users (visits_guest_fkey, Restrict one to one)
          created_at: timestamp required server_set default Now
          updated_at: timestamp required server_set default Now
          unique visits_guest_key: guest
          unique visits_host_guest_key: host, guest
    "#]],
    );
    let catalog = app(text).catalog;
    let references = catalog.references();
    assert!(references.iter().any(|reference| reference.on_delete == OnDelete::Cascade));
}

#[test]
fn what_is_too_much_is_refused() {
    let big = SourceFile { path: "models/big.toml".into(), text: "#".repeat(FILE_BYTES_MAX + 1) };
    let mut wide = String::from("[fields]\n");
    for at in 0..=FIELDS_MAX {
        writeln!(wide, "f{at} = 'text'").expect("written");
    }
    let wide = SourceFile { path: "models/wide.toml".into(), text: wide };
    let deep = format!(
        "[fields]\na = {{ type = 'json', default = {}{} }}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let deep = SourceFile { path: "models/deep.toml".into(), text: deep };
    let keys: String = (0..500).map(|at| format!("x{at} = 1\n")).collect();
    let many = SourceFile { path: "models/many.toml".into(), text: keys };
    let found = |file: SourceFile| read_app(&[file], &[]).expect_err("too much").found;
    assert_eq!(found(big)[0].message, "the file is larger than 262144 bytes");
    assert_eq!(found(wide)[0].message, "a model has at most 500 fields");
    assert_eq!(found(many).len(), DIAGNOSTICS_MAX);
    expect!["not valid TOML: cannot recurse further; max recursion depth met"]
        .assert_eq(&found(deep)[0].message);
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(
        settings in "[\\[\\]{}=\"'a-z0-9_.,# \n-]{0,120}",
        model in "[\\[\\]{}=\"'a-z0-9_.,# \n\u{0}é-]{0,200}",
    ) {
        let files = [("mainstay.toml", settings), ("models/posts.toml", model)]
            .map(|(path, text)| SourceFile { path: path.into(), text });
        if let Err(refused) = read_app(&files, &[]) {
            prop_assert!(!refused.found.is_empty());
            let _ = render_diagnostics(&refused.found, &files, Colour::Ansi);
        }
    }

    #[test]
    fn no_change_to_a_good_folder_makes_reading_panic(
        at in 0..BLOG.len(), length in 0_usize..40, with in "[\\[\\]{}=\"'a-z0-9.,\n-]{0,12}",
    ) {
        let end = (at + length).min(BLOG.len());
        let mut text = BLOG.to_owned();
        text.replace_range(at..end, &with);
        let files = files(&text);
        if let Err(refused) = read_app(&files, &[]) {
            let _ = render_diagnostics(&refused.found, &files, Colour::Plain);
        }
    }
}

#[test]
fn patterns_are_bounded_together_however_small_each_of_them_is_written() {
    let faults = |pattern: &str, count: usize| {
        let fields: String = (0..count)
            .map(|at| format!("f{at} = {{ type = \"text\", pattern = '{pattern}' }}\n"))
            .collect();
        let files = files(&format!("-- models/things.toml\n[fields]\n{fields}"));
        let found = read_app(&files, &[]).map_or_else(|refused| refused.found, |app| app.warnings);
        let mut labels: Vec<String> = found.into_iter().filter_map(|it| it.label).collect();
        labels.dedup();
        labels.join("; ")
    };
    let left = "larger than what the app's other patterns leave, when compiled";
    assert_eq!(faults("^[a-z0-9-]+$", 500), "");
    assert_eq!(faults(r"^[\w.-]+@[\w-]+$", 5), "");
    assert_eq!(faults(r"^\pL{15}$", 4), "");
    assert_eq!(faults(r"^\pL{15}$", 100), left);
    assert_eq!(faults(r"\pL{30}{30}", 1), "too large when compiled");
    assert_eq!(
        faults(&format!("[{}]", r"\pL".repeat(40)), 1),
        "more than 32 classes of characters"
    );
    // Small when compiled, and each letter of each class is looked at on the way.
    let folded = format!("(?i)[{}]", r"\pL".repeat(30));
    assert_eq!(faults(&folded, 1), "");
    assert_eq!(faults(&folded, 5), left);
}
