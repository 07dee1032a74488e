//! Rules beside models that are there for Mainstay alone.

use expect_test::expect;
use mainstay_core::{BuiltIn, SourceFile, read_app};
use mainstay_rules::compile;

const BUILT_IN: [BuiltIn; 2] = [
    BuiltIn {
        path: "built-in/users.toml",
        text: "[model]\ntable = \"mainstay_users\"\n[fields]\nemail = { type = \"text\" }\n",
    },
    BuiltIn {
        path: "built-in/mainstay_sessions.toml",
        text: "[fields]\nuser = { type = \"ref\", to = \"users\", required = true }\n",
    },
];

#[test]
fn no_rule_names_an_internal_model_and_no_hint_suggests_one() {
    let told: Vec<String> = ["mainstay_sessions", "mainstay_sessions_by_user", "mainstay_session"]
        .into_iter()
        .map(|name| {
            let rule = format!("{name}.exists(s, s.user == id) || email == auth.email");
            let text = format!("[rules]\nread = \"{rule}\"\n");
            let file = SourceFile { path: "models/users.toml".to_owned(), text };
            let app = read_app(&BUILT_IN, &[file], &[]).expect("no other mistake");
            let mistakes = compile(&app.catalog).expect_err("a name that is not there");
            mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        })
        .collect();
    expect![[r#"
        mainstay_sessions.exists(s, s.user == id) || email == auth.email
        ^^^^^^^^^^^^^^^^^ `users` has no field or relation `mainstay_sessions`
        mainstay_sessions_by_user.exists(s, s.user == id) || email == auth.email
        ^^^^^^^^^^^^^^^^^^^^^^^^^ `users` has no field or relation `mainstay_sessions_by_user`
        mainstay_session.exists(s, s.user == id) || email == auth.email
        ^^^^^^^^^^^^^^^^ `users` has no field or relation `mainstay_session`"#]]
    .assert_eq(&told.join("\n"));
}
