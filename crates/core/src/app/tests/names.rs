//! Names that cannot be, and names that lead nowhere.

use super::*;

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
