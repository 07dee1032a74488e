//! Guards: what must hold of rows before and after a write, or none is written.

use expect_test::{Expect, expect};
use mainstay_plan::WriteRequest;

use super::harness::*;

const USERS: &str = "[model]\nid = \"text\"\n[fields]\nhidden = { type = \"bool\", default = false }\n[rules]\nread = \"!hidden\"\n";
const POSTS: &str = r#"
[model]
id = "int"
[fields]
owner = { type = "text" }
title = { type = "text" }
locked = { type = "bool", default = false, write = "owner == 'root'" }
reviewer = { type = "ref", to = "users" }
second = { type = "ref", to = "users" }
blind = { type = "ref", to = "users", blind = true }
slug = { type = "text", unique = true }
replies = { type = "int", default = 0 }
above = { type = "ref", to = "posts" }
[rules]
read = "owner == auth.id || title == 'public'"
create = "owner == auth.id && !posts_above.exists(other, other.title == 'stop')"
update = "owner == auth.id"
check = "owner == auth.id && replies >= old.replies"
delete = "owner == auth.id && title != 'kept'"
"#;

async fn posts() -> App {
    let posts = POSTS.replace("posts_above", "posts");
    let app = App::of(&[("users", USERS), ("posts", &posts)]).await;
    app.write(
        &insert("users", &[&[("id", "seen")], &[("id", "unseen"), ("hidden", "true")]], ""),
        &service(),
    )
    .await;
    let rows: [&[(&str, &str)]; 4] = [
        &[("owner", "ada"), ("title", "mine"), ("replies", "2"), ("slug", "taken")],
        &[("owner", "bob"), ("title", "public")],
        &[("owner", "bob"), ("title", "secret")],
        &[("owner", "ada"), ("title", "kept")],
    ];
    let done = app.write(&insert("posts", &rows, ""), &service()).await;
    assert_eq!(done, "[1 2 3 4] 4 new");
    app
}

async fn check(app: &App, request: &WriteRequest<'_>, expected: Expect) {
    expected.assert_eq(&app.write(request, &user("ada")).await);
}

fn denied() -> Expect {
    expect!["42501: permission denied for model posts / a rule does not allow a row of this write"]
}

async fn count(app: &App) -> usize {
    app.read(&read("posts", "id"), &service()).await.split(' ').count()
}

#[tokio::test]
async fn one_row_that_fails_create_takes_the_others_with_it() {
    let app = posts().await;
    check(&app, &insert("posts", &[&[("owner", "ada")], &[("owner", "bob")]], ""), denied()).await;
    check(&app, &insert("posts", &[&[("owner", "ada")], &[]], ""), denied()).await;
    assert_eq!(count(&app).await, 4);
    let two = insert("posts", &[&[("owner", "ada")], &[("owner", "ada")]], "");
    assert_eq!(without_keys(&app.write(&two, &user("ada")).await), "2 new");
}

/// An engine may carry out such a write by a shorter way than others.
#[tokio::test]
async fn a_lone_row_whose_guard_looks_at_nothing_else_is_asked_it_too() {
    let app = App::of(&[(
        "logs",
        "[fields]\nowner = { type = \"text\" }\n[rules]\nread = \"true\"\ncreate = \"owner == auth.id\"\n",
    )])
    .await;
    check(
        &app,
        &insert("logs", &[&[("owner", "bob")]], ""),
        expect![
            "42501: permission denied for model logs / a rule does not allow a row of this write"
        ],
    )
    .await;
    // An absent value is unknown, and unknown is no.
    check(
        &app,
        &insert("logs", &[&[("owner", "null")]], ""),
        expect![
            "42501: permission denied for model logs / a rule does not allow a row of this write"
        ],
    )
    .await;
    let mine = insert("logs", &[&[("owner", "ada")]], "");
    assert_eq!(without_keys(&app.write(&mine, &user("ada")).await), "1 new");
    expect![[r#"("ada")"#]].assert_eq(&app.read(&read("logs", "owner"), &service()).await);
    assert_eq!(app.changes(1).await.len(), 1);
}

#[tokio::test]
async fn a_guard_sees_every_row_of_its_own_write() {
    let app = posts().await;
    // The second row of the payload is above the first, and says stop.
    check(
        &app,
        &insert(
            "posts",
            &[
                &[("id", "10"), ("owner", "ada")],
                &[("owner", "ada"), ("above", "10"), ("title", "stop")],
            ],
            "",
        ),
        denied(),
    )
    .await;
    assert_eq!(count(&app).await, 4);
}

#[tokio::test]
async fn rows_one_may_not_read_or_change_are_not_there_to_be_changed() {
    let app = posts().await;
    check(&app, &update("posts", vec![], &[("title", "x")], "id"), expect!["[1 4] 0 new (1) (4)"])
        .await;
    check(&app, &delete("posts", vec![equal("id", "3")], ""), expect!["[] 0 new"]).await;
    check(&app, &delete("posts", vec![], ""), expect!["[1 4] 0 new"]).await;
    assert_eq!(count(&app).await, 2);
}

#[tokio::test]
async fn a_check_compares_with_the_row_before_it_changed() {
    let app = posts().await;
    check(
        &app,
        &update("posts", vec![equal("id", "1")], &[("replies", "3")], ""),
        expect!["[1] 0 new"],
    )
    .await;
    check(&app, &update("posts", vec![equal("id", "1")], &[("replies", "2")], ""), denied()).await;
    check(&app, &update("posts", vec![equal("id", "1")], &[("owner", "bob")], ""), denied()).await;
    expect!["(3)"].assert_eq(&{
        let mut request = read("posts", "replies");
        request.clauses.filters = vec![equal("id", "1")];
        app.read(&request, &service()).await
    });
}

#[tokio::test]
async fn a_field_is_written_only_where_its_rule_holds_before_and_after() {
    let app = posts().await;
    check(&app, &update("posts", vec![equal("id", "1")], &[("locked", "true")], ""), denied())
        .await;
    check(&app, &insert("posts", &[&[("owner", "ada"), ("locked", "false")]], ""), denied()).await;
}

#[tokio::test]
async fn an_answer_holds_no_row_its_caller_may_not_read() {
    let app = App::of(&[(
        "logs",
        "[model]\nid = \"int\"\n[fields]\nopen = { type = \"bool\" }\n[rules]\nread = \"open\"\ncreate = \"true\"\nupdate = \"true\"\n",
    )])
    .await;
    check(&app, &insert("logs", &[&[("open", "false")]], ""), expect!["[1] 1 new"]).await;
    check(
        &app,
        &insert("logs", &[&[("open", "false")]], "id"),
        expect![
            "42501: permission denied for model logs / a rule does not allow a row of this write"
        ],
    )
    .await;
    let told = app.write(&insert("logs", &[&[("open", "true")]], "open"), &user("ada")).await;
    assert_eq!(without_keys(&told), "1 new (true)");
    check(
        &app,
        &update("logs", vec![], &[("open", "null")], "id"),
        expect![
            "42501: permission denied for model logs / a rule does not allow a row of this write"
        ],
    )
    .await;
}

fn missing(field: &str) -> String {
    format!(
        "23503: insert or update on table \"posts\" violates foreign key constraint \"posts_{field}_fkey\" / Key ({field}) is not present in table \"users\"."
    )
}

#[tokio::test]
async fn a_ref_to_a_hidden_row_is_refused_exactly_like_one_to_no_row() {
    let app = posts().await;
    // Whatever else is wrong with the write, the two cannot be told apart.
    for faults in [
        vec![],
        vec![("owner", "bob")],
        vec![("slug", "taken")],
        vec![("second", "nobody")],
        vec![("blind", "nobody")],
    ] {
        for target in ["unseen", "nobody"] {
            let mut row = vec![("owner", "ada"), ("reviewer", target)];
            row.retain(|(name, _)| !faults.iter().any(|(fault, _)| fault == name));
            row.extend(&faults);
            let told = app.write(&insert("posts", &[&row], ""), &user("ada")).await;
            assert_eq!(told, missing("reviewer"), "{row:?}");
            let told = app
                .write(
                    &insert(
                        "posts",
                        &[&[("owner", "ada"), ("reviewer", target)], &[("owner", "bob")], &row],
                        "",
                    ),
                    &user("ada"),
                )
                .await;
            assert_eq!(told, missing("reviewer"), "{row:?}");
        }
    }
    for target in ["unseen", "nobody"] {
        let change = [("reviewer", target), ("slug", "taken"), ("owner", "bob")];
        let told =
            app.write(&update("posts", vec![equal("id", "4")], &change, ""), &user("ada")).await;
        assert_eq!(told, missing("reviewer"));
    }
    let seen = insert("posts", &[&[("owner", "ada"), ("reviewer", "seen")]], "");
    assert_eq!(without_keys(&app.write(&seen, &user("ada")).await), "1 new");
}

#[tokio::test]
async fn a_blind_ref_may_name_a_hidden_row_but_not_a_missing_one() {
    let app = posts().await;
    check(
        &app,
        &insert("posts", &[&[("owner", "ada"), ("blind", "unseen")]], ""),
        expect!["[5] 1 new"],
    )
    .await;
    let told = app
        .write(&insert("posts", &[&[("owner", "ada"), ("blind", "nobody")]], ""), &user("ada"))
        .await;
    assert_eq!(told, missing("blind"));
}
