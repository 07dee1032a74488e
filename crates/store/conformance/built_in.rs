//! Tables that are built in: their migrations are a lineage of their own before an app's,
//! and their rows go with those they belong to.

use expect_test::expect;
use mainstay_core::{Actor, BuiltIn, Catalog, SourceFile};
use mainstay_store::{
    APP_LINEAGE, Choices, End, Migrations, Snapshot, compare, differences, render,
};

use super::harness::*;
use crate::engine::Engine;

const BUILT_IN: [BuiltIn; 3] = [
    BuiltIn {
        path: "built-in/users.toml",
        text: "[model]\ntable = \"mainstay_users\"\n\
               [fields]\nemail = { type = \"text\", unique = true, read = \"false\" }\n\
               about = { type = \"json\", required = true, default = {} }\n",
    },
    BuiltIn {
        path: "built-in/mainstay_sessions.toml",
        text: "[fields]\n\
               user = { type = \"ref\", to = \"users\", required = true, on_delete = \"cascade\" }\n\
               hash = { type = \"bytes\", unique = true }\n",
    },
    BuiltIn {
        path: "built-in/mainstay_audit.toml",
        text: "[model]\nappend_only = true\n[fields]\nevent = { type = \"text\" }\n",
    },
];

/// What the app adds: a field that must have a value, and one that points at a model.
const MODELS: [(&str, &str); 2] = [
    (
        "users",
        "[fields]\nname = { type = \"text\", required = true, unique = true }\n\
         team = { type = \"ref\", to = \"teams\", required = true }\n\
         [rules]\nread = \"true\"\ndelete = \"name == auth.id\"\n",
    ),
    ("teams", "[model]\nid = \"int\"\n[fields]\nname = { type = \"text\" }\n"),
];

fn system() -> Actor {
    Actor::system("tests arrange rows")
}

/// One lineage's migrations: a file that leads from what is there to these models.
fn lineage(name: &str, before: &Snapshot, catalog: &Catalog) -> Migrations {
    let steps = compare(before, catalog, &Choices::default()).unwrap();
    let file = SourceFile { path: "0001_start.toml".to_owned(), text: render(&steps) };
    Migrations::of(name, before, &[file]).map_err(|found| found.to_string()).unwrap()
}

/// An app of both on an empty database, brought there by the migrations of both.
async fn app() -> App {
    let built_in = App::empty(Engine::open().await, &BUILT_IN, &[]);
    let first = lineage("auth", &Snapshot::default(), built_in.planner.catalog());
    let app = App::empty(Engine::open().await, &BUILT_IN, &MODELS);
    let then = lineage(APP_LINEAGE, first.snapshot(), app.planner.catalog());
    for migrations in [&first, &then, &first] {
        let applied = app.store.migrations().await.unwrap();
        for migration in migrations.standing(&applied).unwrap().pending {
            app.store.migrate(migration, cx()).await.unwrap();
        }
    }
    app.store.adopt(std::sync::Arc::clone(app.planner.catalog()));
    app
}

#[tokio::test]
async fn a_lineage_is_numbered_for_itself_and_an_apps_holds_what_it_adds() {
    let app = app().await;
    let wanted = app.store.wanted_schema(app.planner.catalog());
    let found = differences(&wanted, &app.store.introspect().await.unwrap());
    assert!(found.is_empty(), "{found:?}");
    let noted = app.store.migrations().await.unwrap();
    let files: Vec<String> = noted.iter().map(|it| it.record.file()).collect();
    assert_eq!(files, ["0001_start.toml", "built-in/auth/0001_start.toml"]);
    // What another lineage has seen says nothing of this one.
    let other = lineage("mail", &Snapshot::default(), app.planner.catalog());
    let standing = other.standing(&noted).unwrap();
    assert_eq!((standing.pending.len(), standing.ahead.len()), (1, 0));
}

#[tokio::test]
async fn rows_of_internal_models_are_written_and_go_with_the_user_they_belong_to() {
    let app = app().await;
    app.write(&insert("teams", &[&[("name", "a")]], ""), &service()).await;
    let user_row: Object<'_> = &[("name", "ada"), ("email", "a@example.com"), ("team", "1")];
    let written = app.write(&insert("users", &[user_row], "email,about"), &service()).await;
    expect![[r#"[#1] 1 new ("a@example.com" {})"#]].assert_eq(&written);
    let id = "00000000-0000-0000-0000-000000000001";
    let session: Object<'_> = &[("user", id), ("hash", "\\x01")];
    let plans = vec![
        app.plan(&insert("mainstay_sessions", &[session], ""), &system()).unwrap(),
        app.plan(&insert("mainstay_audit", &[&[("event", "login")]], ""), &system()).unwrap(),
    ];
    app.carry_out(plans, End::Commit).await.unwrap();
    let sessions = read("mainstay_sessions", "hash,user");
    expect![[r#"(\x01 #1)"#]].assert_eq(&app.read(&sessions, &system()).await);
    expect![[r#"PGRST205: could not find the model "mainstay_sessions" in this app"#]]
        .assert_eq(&app.read(&sessions, &service()).await);

    // Whoever may delete the user may, though the sessions are there for nobody.
    let gone = app.write(&delete("users", vec![equal("name", "ada")], ""), &user("ada")).await;
    expect!["[#1] 0 new"].assert_eq(&gone);
    expect![[r##""##]].assert_eq(&app.read(&sessions, &system()).await);
    let catalog = app.planner.catalog();
    let told: Vec<String> = app
        .changes(6)
        .await
        .iter()
        .map(|event| {
            format!(
                "{} {} {}",
                event.op.name(),
                catalog.model(event.model).name,
                event.key[0].as_ref().to_text()
            )
        })
        .collect();
    expect![[r#"
        insert teams 1
        insert users 00000000-0000-0000-0000-000000000001
        insert mainstay_sessions 00000000-0000-0000-0000-000000000002
        insert mainstay_audit 00000000-0000-0000-0000-000000000003
        delete mainstay_sessions 00000000-0000-0000-0000-000000000002
        delete users 00000000-0000-0000-0000-000000000001"#]]
    .assert_eq(&told.join("\n"));
}
