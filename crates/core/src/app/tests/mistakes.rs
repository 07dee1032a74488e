//! Mistakes in models, as a developer is shown them.

use super::*;

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
[cache]
size = 5
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

            error: `[cache]` has no keys in this version
             --> mainstay.toml:8:1
              |
            8 | size = 5
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
