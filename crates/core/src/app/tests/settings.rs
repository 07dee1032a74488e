//! Settings, roles and variables: what they are, and their mistakes.

use super::*;

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
[mail]
from = "Blog"
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

            error: `[mail] from` wants an address such as `no-reply@example.com` or `Blog <no-reply@example.com>`
              --> mainstay.toml:20:8
               |
            20 | from = "Blog"
               |        ^^^^^^
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
    let settings = read_app(&[], &files, &environment).expect("no mistakes").settings;
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
    let app = read_app(&[], &[], &[]).expect("no mistakes");
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
        [database] lanes = 8
        [database] pool_max = 16
        [database] pooler = false
        [redis] url = 
        [auth] issuer = 
        [auth] audience = "authenticated"
        [auth] signing_key = 
        [auth] site_url = 
        [auth] redirect_urls = []
        [auth] sign_up = true
        [auth] anonymous = true
        [auth] totp = true
        [auth] confirm_email = true
        [auth] access_token_s = 3600
        [auth] session_idle_s = 1209600
        [auth] session_max_s = 7776000
        [auth] reauthenticate_s = 86400
        [auth] reuse_s = 10
        [auth] otp_s = 3600
        [auth] mail_every_s = 60
        [auth] session_check_s = 5
        [auth] sessionless_tokens = 
        [auth] requests_max = 30
        [auth] tokens_max = 150
        [auth] admin_requests_max = 3000
        [auth] password_memory_kib = 19456
        [auth] password_iterations = 2
        [auth] password_threads = 2
        [mail] smtp = 
        [mail] from = 
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
        let app = read_app(&[], &files, &[]).expect("a default is valid");
        assert_eq!(app.settings, Settings::default(), "{key:?}");
    }
}
