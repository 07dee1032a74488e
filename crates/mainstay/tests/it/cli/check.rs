//! `mainstay check` and `mainstay routes`.

use serde_json::Value as Json;

use super::{folder, run, text};

const WRONG: &[(&str, &str)] = &[
    ("mainstay.toml", "[server]\nlisten = \"nowhere\"\n"),
    ("models/posts.toml", "[fields]\ntitle = { type = \"txet\", requird = true }\n"),
];

#[test]
fn every_mistake_is_shown_with_its_place_and_the_command_fails() {
    let directory = folder(WRONG);
    let checked = run(&["check", text(&directory)]);
    assert_eq!((checked.code, checked.out.as_str()), (Some(1), ""));
    for part in [
        "--> mainstay.toml:2:",
        "--> models/posts.toml:2:",
        "^^^^^^",
        "did you mean `required`?",
        "did you mean `text`?",
        "3 mistakes",
    ] {
        assert!(checked.err.contains(part), "no {part} in:\n{}", checked.err);
    }
    assert!(!checked.err.contains('\u{1b}'), "a pipe gets no colours");
}

#[test]
fn roles_and_permissions_that_nobody_can_have_are_warned_of() {
    let rules = "[fields]\nopen = { type = \"bool\", read = \"'edtior' in auth.roles\" }\n[rules]\n\
                 read = \"auth.can('notes.publsh') || 'editor' in auth.roles\"\n\
                 create = \"auth.can('notes.publish')\"\n";
    let model = ("models/notes.toml", rules);
    let roles = ("mainstay.toml", "[roles]\neditor = { can = [\"notes.publish\"] }\n");
    let checked = run(&["check", text(&folder(&[model, roles]))]);
    assert_eq!(checked.code, Some(0), "{}", checked.err);
    for part in [
        "`[roles]` declares no role `edtior`",
        "did you mean `editor`?",
        "no role of `[roles]` can `notes.publsh`",
        "did you mean `notes.publish`?",
        "--> models/notes.toml:2:",
        "--> models/notes.toml:4:",
    ] {
        assert!(checked.err.contains(part), "no {part} in:\n{}", checked.err);
    }
    assert_eq!(checked.err.matches("warning").count(), 2, "{}", checked.err);
    let elsewhere = run(&["check", text(&folder(&[model, ("mainstay.toml", "")]))]);
    assert_eq!((elsewhere.code, elsewhere.err.as_str()), (Some(0), ""));
}

#[test]
fn an_address_that_no_redirect_may_have_is_a_mistake() {
    for (line, part) in [
        ("redirect_urls = [\"https://*.example.com/\"]", "matches nothing else"),
        ("redirect_urls = [\"/welcome\"]", "expected an absolute URL"),
        ("site_url = \"foo\"", "expected an absolute URL"),
    ] {
        let settings = format!("[auth]\n{line}\n");
        let checked = run(&["check", text(&folder(&[("mainstay.toml", &settings)]))]);
        assert_eq!(checked.code, Some(1), "{line}");
        assert!(checked.err.contains(part), "{line}: {}", checked.err);
    }
}

#[test]
fn mistakes_in_mails_are_shown_and_the_password_of_their_server_is_not() {
    let mails = ("mails/invite.txt", "Subject: Come in\n\n{{ lnk }}\n");
    let settings = ("mainstay.toml", "[mail]\nsmtp = \"smtp://ada:sesame@mail.example\"\n");
    let rule = ("models/posts.toml", "[rules]\nread = \"titel == 'a'\"\n");
    for files in [vec![mails, settings, rule], vec![mails, ("mainstay.toml", "[cach]\n")]] {
        let checked = run(&["check", text(&folder(&files))]);
        assert_eq!(checked.code, Some(1));
        assert!(checked.err.contains("--> mails/invite.txt:3:4"), "{}", checked.err);
        assert!(checked.err.contains("did you mean `link`?"), "{}", checked.err);
        let others = match files.len() {
            3 => ["`[mail] smtp` wants `smtps://`", "--> models/posts.toml:2:9"],
            _ => ["--> mainstay.toml:1:2", "did you mean `cache`?"],
        };
        for other in others {
            assert!(checked.err.contains(other), "no {other} in:\n{}", checked.err);
        }
        assert!(!checked.err.contains("sesame"), "{}", checked.err);
    }
}

#[test]
fn a_rule_that_names_no_field_is_a_mistake_at_its_place() {
    let directory = folder(&[(
        "models/posts.toml",
        "[fields]\ntitle = { type = \"text\" }\n[rules]\nread = \"titel == 'a'\"\n",
    )]);
    let checked = run(&["check", text(&directory)]);
    assert_eq!(checked.code, Some(1));
    assert!(checked.err.contains("--> models/posts.toml:4:9"), "{}", checked.err);
    assert!(checked.err.contains("title"), "{}", checked.err);
}

#[test]
fn mistakes_of_settings_models_and_rules_are_shown_in_one_run_and_nothing_follows_from_them() {
    let directory = folder(&[
        ("mainstay.toml", "[server]\nlistn = \"127.0.0.1:1\"\n"),
        (
            "models/posts.toml",
            "[fields]\ntitle = { type = \"text\" }\nkind = { type = \"txet\" }\n\
             [rules]\nread = \"kind > 5\"\ncreate = \"titel == 'a'\"\n",
        ),
        (
            "models/users.toml",
            "[fields]\npost = { type = \"ref\", to = \"posts\" }\n\
             [rules]\nread = \"post.kind == 'a' || pots.title == 'b'\"\n",
        ),
    ]);
    let checked = run(&["check", text(&directory), "--json"]);
    let report: Json = serde_json::from_str(&checked.out).expect("JSON");
    let told: Vec<String> = report["mistakes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|found| {
            let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
            format!("{}:{} {}", text("file"), found["line"], text("message"))
        })
        .collect();
    assert_eq!(
        told,
        [
            "mainstay.toml:2 `listn` is not a key of `[server]`",
            "models/posts.toml:3 `txet` is not a type",
            "models/posts.toml:6 `posts` has no field or relation `titel`",
            "models/users.toml:4 `users` has no field or relation `pots`",
        ]
    );
    let shown = run(&["check", text(&directory)]);
    assert_eq!((shown.code, shown.out.as_str()), (Some(1), ""));
    assert!(shown.err.contains("did you mean `title`?"), "{}", shown.err);
    assert!(shown.err.contains("4 mistakes"), "{}", shown.err);
}

#[test]
fn mistakes_are_printed_as_json_where_asked_for() {
    let directory = folder(WRONG);
    let checked = run(&["check", text(&directory), "--json"]);
    assert_eq!((checked.code, checked.err.as_str()), (Some(1), ""));
    let report: Json = serde_json::from_str(&checked.out).expect("JSON");
    assert_eq!(report["ok"], false);
    assert_eq!(report["mistakes"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["mistakes"][0]["file"], "mainstay.toml");
    assert_eq!(report["mistakes"][0]["line"], 2);

    let good = folder(&[("mainstay.toml", "")]);
    let checked = run(&["check", text(&good), "--json"]);
    let report: Json = serde_json::from_str(&checked.out).expect("JSON");
    assert_eq!((checked.code, &report["ok"]), (Some(0), &Json::Bool(true)));
}

#[test]
fn routes_say_which_of_them_no_rule_opens() {
    let directory = folder(&[(
        "models/posts.toml",
        "[fields]\ntitle = { type = \"text\" }\n[rules]\nread = \"true\"\n",
    )]);
    let listed = run(&["routes", text(&directory), "--json"]);
    let listed: Json = serde_json::from_str(&listed.out).expect("JSON");
    let of = |method: &str| {
        let routes = listed["routes"].as_array().expect("a list");
        let found = routes
            .iter()
            .find(|route| route["path"] == "/rest/v1/posts" && route["methods"][0] == method);
        found.expect("listed")["denied"].clone()
    };
    assert_eq!((of("GET"), of("DELETE")), (Json::Bool(false), Json::Bool(true)));
    let shown = run(&["routes", text(&directory)]).out;
    assert!(shown.contains("DELETE") && shown.contains("denied: there is no rule"), "{shown}");
}
