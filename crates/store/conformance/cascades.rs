//! What a delete does to the rows that point at what goes.

use expect_test::expect;

use super::harness::*;

fn model(fields: &str) -> String {
    format!(
        "[model]\nid = \"int\"\n[fields]\nname = {{ type = \"text\" }}\n{fields}\n[rules]\nread = \"true\"\n"
    )
}

/// Writes rows of `(model, fields)` as the app itself.
async fn arrange(app: &App, rows: &[(&'static str, &[(&'static str, &'static str)])]) {
    for (model, row) in rows {
        let done = app.write(&insert(model, &[row], ""), &service()).await;
        assert!(done.ends_with("1 new"), "{done}");
    }
}

/// The last so many of all events.
async fn events(app: &App, all: usize, last: usize) -> String {
    let catalog = app.planner.catalog();
    let events = app.changes(all).await;
    assert_eq!(events.len(), all);
    let shown: Vec<String> = events[all - last..]
        .iter()
        .map(|event| {
            let model = catalog.model(event.model);
            let fields: Vec<&str> =
                event.fields.iter().map(|field| &*model.field(*field).name).collect();
            let key = event.key[0].as_ref().to_text();
            format!("{} {} {key} {}", event.op.name(), model.name, fields.join("+"))
                .trim_end()
                .to_owned()
        })
        .collect();
    shown.join("\n")
}

#[tokio::test]
async fn rows_that_cascade_go_and_rows_that_do_not_lose_their_ref_each_with_its_event() {
    let app = App::of(&[
        ("teams", &model("")),
        ("people", &model("team = { type = \"ref\", to = \"teams\", on_delete = \"cascade\" }")),
        ("chairs", &model("owner = { type = \"ref\", to = \"people\", on_delete = \"set_null\" }")),
    ])
    .await;
    arrange(
        &app,
        &[
            ("teams", &[]),
            ("teams", &[]),
            ("people", &[("team", "1")]),
            ("people", &[("team", "1")]),
            ("people", &[("team", "2")]),
            ("chairs", &[("owner", "2")]),
            ("chairs", &[("owner", "3")]),
        ],
    )
    .await;
    let done = app.write(&delete("teams", vec![equal("id", "1")], ""), &service()).await;
    expect!["[1] 0 new"].assert_eq(&done);
    expect!["(3 2)"].assert_eq(&app.read(&read("people", "id,team"), &service()).await);
    expect!["(1 null) (2 3)"].assert_eq(&app.read(&read("chairs", "id,owner"), &service()).await);
    expect![[r#"
        update chairs 1 owner
        delete people 2
        delete people 1
        delete teams 1"#]]
    .assert_eq(&events(&app, 11, 4).await);
    let version = app.engine.number("SELECT _version FROM chairs WHERE id = 1").await;
    assert_eq!(version, 2);
}

#[tokio::test]
async fn a_row_that_restricts_keeps_everything_as_it_is() {
    let app = App::of(&[
        ("teams", &model("")),
        ("people", &model("team = { type = \"ref\", to = \"teams\", on_delete = \"cascade\" }")),
        ("badges", &model("owner = { type = \"ref\", to = \"people\" }")),
    ])
    .await;
    arrange(&app, &[("teams", &[]), ("people", &[("team", "1")]), ("badges", &[("owner", "1")])])
        .await;
    let done = app.write(&delete("teams", vec![equal("id", "1")], ""), &service()).await;
    expect![[r#"23503: update or delete on table "people" violates foreign key constraint "badges_owner_fkey" on table "badges" / Key (id) is still referenced from table "badges"."#]]
        .assert_eq(&done);
    expect!["(1 1)"].assert_eq(&app.read(&read("people", "id,team"), &service()).await);
}

#[tokio::test]
async fn rows_that_restrict_each_other_go_together() {
    let app = App::of(&[("nodes", &model("parent = { type = \"ref\", to = \"nodes\" }"))]).await;
    arrange(&app, &[("nodes", &[]), ("nodes", &[("parent", "1")]), ("nodes", &[("parent", "2")])])
        .await;
    let one = app.write(&delete("nodes", vec![equal("id", "1")], ""), &service()).await;
    expect![[r#"23503: update or delete on table "nodes" violates foreign key constraint "nodes_parent_fkey" on table "nodes" / Key (id) is still referenced from table "nodes"."#]]
        .assert_eq(&one);
    let all = app.write(&delete("nodes", vec![], ""), &service()).await;
    expect!["[1 2 3] 0 new"].assert_eq(&all);
}

#[tokio::test]
async fn a_ring_of_cascades_goes_as_one() {
    let app = App::of(&[(
        "nodes",
        &model("next = { type = \"ref\", to = \"nodes\", on_delete = \"cascade\" }"),
    )])
    .await;
    arrange(&app, &[("nodes", &[]), ("nodes", &[("next", "1")]), ("nodes", &[("next", "2")])])
        .await;
    app.write(&update("nodes", vec![equal("id", "1")], &[("next", "3")], ""), &service()).await;
    let done = app.write(&delete("nodes", vec![equal("id", "2")], ""), &service()).await;
    expect!["[2] 0 new"].assert_eq(&done);
    expect![""].assert_eq(&app.read(&read("nodes", "id"), &service()).await);
    let deleted = events(&app, 7, 3).await;
    assert_eq!(deleted.lines().filter(|line| line.starts_with("delete")).count(), 3, "{deleted}");
}
