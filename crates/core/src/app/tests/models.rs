//! Models as they are understood.

use super::*;

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
fn equal_folders_have_equal_versions_and_changed_rules_another() {
    let version = |text: &str| app(text).catalog.version();
    assert_eq!(version(BLOG), version(BLOG));
    let mut reversed = files(BLOG);
    reversed.reverse();
    assert_eq!(read_app(&[], &reversed, &[]).expect("the same").catalog.version(), version(BLOG));
    assert_ne!(version(BLOG), version(&BLOG.replace("published ||", "!published ||")));
    assert_ne!(version(BLOG), version(&BLOG.replace("max = 200", "max = 201")));
    let limits = "name = \"blog\"\n[limits]\npage_rows_max = 5\n";
    assert_ne!(version(BLOG), version(&BLOG.replace("name = \"blog\"\n", limits)));
}
