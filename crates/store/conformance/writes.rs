//! Inserts, updates and deletes: what is stored, answered and written to the outbox.

use expect_test::{Expect, expect};
use mainstay_plan::{Operator, OrderTerm, WriteRequest};
use mainstay_store::End;

use super::harness::*;

const NOTES: &str = r#"
[model]
id = "int"
[fields]
title = { type = "text", required = true }
slug = { type = "text", unique = true }
rank = { type = "int", default = 7 }
about = { type = "ref", to = "notes" }
[rules]
read = "true"
create = "true"
update = "true"
delete = "true"
"#;

async fn notes() -> App {
    let app = App::of(&[("notes", NOTES)]).await;
    check(
        &app,
        &insert("notes", &[&[("title", "one"), ("slug", "a")], &[("title", "two")]], ""),
        expect!["[1 2] 2 new"],
    )
    .await;
    app
}

async fn check(app: &App, request: &WriteRequest<'_>, expected: Expect) {
    expected.assert_eq(&app.write(request, &user("ada")).await);
}

async fn all(app: &App) -> String {
    app.read(&read("notes", "id,title,slug,rank,about"), &user("ada")).await
}

#[tokio::test]
async fn a_row_is_answered_as_it_was_stored() {
    let app = notes().await;
    check(
        &app,
        &insert(
            "notes",
            &[&[("title", "three")], &[("title", "four"), ("rank", "null")]],
            "id,title,rank",
        ),
        expect![[r#"[3 4] 2 new (3 "three" 7) (4 "four" null)"#]],
    )
    .await;
}

#[tokio::test]
async fn a_generated_key_is_above_every_one_there_ever_was() {
    let app = notes().await;
    check(&app, &delete("notes", vec![equal("id", "2")], ""), expect!["[2] 0 new"]).await;
    check(&app, &insert("notes", &[&[("title", "x")]], ""), expect!["[3] 1 new"]).await;
    check(&app, &insert("notes", &[&[("title", "x"), ("id", "100")]], ""), expect!["[100] 1 new"])
        .await;
    check(&app, &delete("notes", vec![equal("id", "100")], ""), expect!["[100] 0 new"]).await;
    check(&app, &insert("notes", &[&[("title", "x")]], ""), expect!["[101] 1 new"]).await;
}

#[tokio::test]
async fn an_update_changes_what_matches_and_answers_it() {
    let app = notes().await;
    let mut request =
        update("notes", vec![compared("id", Operator::Gte, "1")], &[("rank", "9")], "id,rank");
    request.clauses.order =
        vec![OrderTerm { relation: None, field: expr("id"), descending: true, nulls_first: None }];
    check(&app, &request, expect!["[1 2] 0 new (2 9) (1 9)"]).await;
    check(
        &app,
        &update("notes", vec![equal("id", "77")], &[("rank", "1")], "id"),
        expect!["[] 0 new"],
    )
    .await;
    let twos = app.engine.number("SELECT count(*) FROM notes WHERE _version = 2").await;
    assert_eq!(twos, 2);
}

#[tokio::test]
async fn a_delete_answers_the_rows_that_went() {
    let app = notes().await;
    check(
        &app,
        &delete("notes", vec![equal("id", "1")], "id,title"),
        expect![[r#"[1] 0 new (1 "one")"#]],
    )
    .await;
    expect![[r#"(2 "two" null 7 null)"#]].assert_eq(&all(&app).await);
}

#[tokio::test]
async fn a_constraint_names_itself_and_never_a_value_and_takes_the_whole_write_back() {
    let app = notes().await;
    check(
        &app,
        &insert("notes", &[&[("title", "x")], &[("title", "y"), ("slug", "a")]], ""),
        expect![[r#"23505: duplicate key value violates unique constraint "notes_slug_key" / Key (slug) already exists."#]],
    )
    .await;
    check(
        &app,
        &insert("notes", &[&[("id", "1"), ("title", "x")]], ""),
        expect![[r#"23505: duplicate key value violates unique constraint "notes_pkey" / Key (id) already exists."#]],
    )
    .await;
    check(
        &app,
        &update("notes", vec![], &[("slug", "same")], ""),
        expect![[r#"23505: duplicate key value violates unique constraint "notes_slug_key" / Key (slug) already exists."#]],
    )
    .await;
    check(
        &app,
        &insert("notes", &[&[("title", "x"), ("about", "99")]], ""),
        expect![[r#"23503: insert or update on table "notes" violates foreign key constraint "notes_about_fkey" / Key (about) is not present in table "notes"."#]],
    )
    .await;
    check(
        &app,
        &update("notes", vec![equal("id", "2")], &[("about", "99")], ""),
        expect![[r#"23503: insert or update on table "notes" violates foreign key constraint "notes_about_fkey" / Key (about) is not present in table "notes"."#]],
    )
    .await;
    expect![[r#"(1 "one" "a" 7 null) (2 "two" null 7 null)"#]].assert_eq(&all(&app).await);
}

#[tokio::test]
async fn a_row_may_point_at_one_before_it_in_the_same_payload() {
    let app = notes().await;
    check(
        &app,
        &insert(
            "notes",
            &[&[("id", "10"), ("title", "x")], &[("title", "y"), ("about", "10")]],
            "id,about",
        ),
        expect!["[10 11] 2 new (10 null) (11 10)"],
    )
    .await;
}

#[tokio::test]
async fn a_write_touches_no_more_rows_than_was_allowed() {
    let app = notes().await;
    let mut request = update("notes", vec![], &[("rank", "1")], "");
    request.max_affected = Some(1);
    check(
        &app,
        &request,
        expect!["PGRST124: Query result exceeds max-affected preference constraint / The query affects more than 1 rows"],
    )
    .await;
    request.max_affected = Some(2);
    check(&app, &request, expect!["[1 2] 0 new"]).await;
    let mut request = delete("notes", vec![], "");
    request.max_affected = Some(1);
    check(
        &app,
        &request,
        expect!["PGRST124: Query result exceeds max-affected preference constraint / The query affects more than 1 rows"],
    )
    .await;
    expect![[r#"(1 "one" "a" 1 null) (2 "two" null 1 null)"#]].assert_eq(&all(&app).await);
}

#[tokio::test]
async fn a_rehearsal_answers_and_leaves_nothing_behind() {
    let app = notes().await;
    let done =
        app.end(&insert("notes", &[&[("title", "x")]], "id"), &user("ada"), End::RollBack).await;
    expect!["[3] 1 new (3)"].assert_eq(&done);
    expect![[r#"(1 "one" "a" 7 null) (2 "two" null 7 null)"#]].assert_eq(&all(&app).await);
    app.write(&delete("notes", vec![equal("id", "2")], ""), &service()).await;
    let events = app.changes(3).await;
    assert_eq!(events.len(), 3, "two notes and a delete: {events:?}");
}

#[tokio::test]
async fn plans_of_one_set_are_committed_or_refused_together() {
    let app = notes().await;
    let plan = |slug| {
        app.plan(&insert("notes", &[&[("title", "x"), ("slug", slug)]], "id"), &user("ada"))
            .unwrap()
    };
    let refused = app.carry_out(vec![plan("b"), plan("a")], End::Commit).await;
    assert!(refused.is_err());
    expect![[r#"(1 "one" "a" 7 null) (2 "two" null 7 null)"#]].assert_eq(&all(&app).await);
    let done = app.carry_out(vec![plan("b"), plan("c")], End::Commit).await.unwrap();
    assert_eq!(done.done.inserted, [1, 1]);
    let rows = done.sink.text();
    assert_eq!(rows.split(' ').count(), 2, "{rows}");
}

#[tokio::test]
async fn every_change_has_its_event_in_the_order_of_commits() {
    let app = notes().await;
    app.write(&update("notes", vec![equal("id", "1")], &[("rank", "1")], ""), &user("ada")).await;
    app.write(&delete("notes", vec![equal("id", "2")], ""), &user("ada")).await;
    let events = app.changes(4).await;
    let mut transactions: Vec<u64> = events.iter().map(|event| event.txid).collect();
    transactions.dedup();
    let shown: Vec<String> = events
        .iter()
        .map(|event| {
            let transaction = transactions.iter().position(|txid| *txid == event.txid).unwrap();
            let fields = event.fields.len();
            format!("tx{transaction} {} {:?} {fields} fields", event.op.name(), event.key)
        })
        .collect();
    expect![[r#"
        tx0 insert [Int(1)] 7 fields
        tx0 insert [Int(2)] 7 fields
        tx1 update [Int(1)] 2 fields
        tx2 delete [Int(2)] 0 fields"#]]
    .assert_eq(&shown.join("\n"));
    assert!(events.is_sorted_by(|one, next| one.seq < next.seq), "{events:?}");
    let later = app.store.changes(events[0].seq, 2).await.unwrap();
    assert_eq!(later, events[1..3]);
}

#[tokio::test]
async fn what_follows_a_change_is_written_where_there_was_one() {
    let app = notes().await;
    for (slug, title) in [("nowhere", "of none"), ("a", "of one")] {
        let change = update("notes", vec![equal("slug", slug)], &[("rank", "9")], "");
        let tell = insert("notes", &[&[("title", title)]], "");
        let change = app.plan(&change, &service()).unwrap();
        let tell = app.plan(&tell, &service()).unwrap().following_change();
        app.carry_out(vec![change, tell], End::Commit).await.unwrap();
    }
    let told = app.read(&read("notes", "title,rank"), &service()).await;
    assert!(told.contains("of one") && !told.contains("of none"), "{told}");
    assert!(told.contains(r#""one" 9"#), "{told}");
}
