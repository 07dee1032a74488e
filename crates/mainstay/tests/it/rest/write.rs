//! Creating, changing and deleting rows.

use super::{answers, shelf};
use crate::support::{App, Caller, json};

const RETURN: (&str, &str) = ("Prefer", "return=representation");

async fn send(app: &App, method: &str, path: &str, prefer: &str, body: &str) -> (u16, String) {
    let headers = [("Prefer", prefer)];
    let res =
        app.send(method, &format!("/rest/v1/{path}"), &Caller::Anonymous, &headers, body).await;
    (res.status, res.body)
}

#[tokio::test]
async fn rows_are_created_one_or_many_at_a_time() {
    let app = shelf().await;
    let all = Caller::Anonymous;
    let made = app.post(&all, "/rest/v1/authors", r#"{"id":"eve","name":"Eve"}"#).await;
    assert_eq!((made.status, made.body.as_str()), (201, ""));
    let made = app
        .send(
            "POST",
            "/rest/v1/posts?select=id,title",
            &all,
            &[RETURN],
            r#"[{"title":"five"},{"title":"six"}]"#,
        )
        .await;
    assert_eq!(
        (made.status, made.body.as_str()),
        (201, r#"[{"id":5,"title":"five"},{"id":6,"title":"six"}]"#)
    );
    let made = app
        .send(
            "POST",
            "/rest/v1/posts",
            &all,
            &[("Prefer", "return=headers-only")],
            r#"{"title":"seven"}"#,
        )
        .await;
    assert_eq!((made.status, made.header("location")), (201, Some("/rest/v1/posts?id=eq.7")));
    // A generated id is above every id the model has held.
    assert_eq!(app.delete(&all, "/rest/v1/posts?id=eq.7").await.status, 204);
    let made =
        app.send("POST", "/rest/v1/posts?select=id", &all, &[RETURN], r#"{"title":"eight"}"#).await;
    assert_eq!(made.body, r#"[{"id":8}]"#);
    let made = app
        .send(
            "POST",
            "/rest/v1/posts?select=title,author(name)",
            &all,
            &[RETURN],
            r#"{"title":"nine","author":"ada"}"#,
        )
        .await;
    assert_eq!(made.body, r#"[{"title":"nine","author":{"name":"Ada"}}]"#);
}

#[tokio::test]
async fn columns_and_missing_decide_what_a_row_takes() {
    let app = shelf().await;
    let made = send(
        &app,
        "POST",
        "authors?columns=id,name&select=id,born",
        "return=representation",
        r#"{"id":"x","name":"X","born":"2000-01-01"}"#,
    )
    .await;
    assert_eq!(made, (201, r#"[{"id":"x","born":null}]"#.to_owned()));
    let refused = send(
        &app,
        "POST",
        "tags?columns=id,colour",
        "",
        r#"[{"id":"a","colour":"a"},{"colour":"b"}]"#,
    )
    .await;
    assert_eq!(refused.0, 400, "{}", refused.1);
    let made = send(
        &app,
        "POST",
        "tags?columns=id,colour",
        "missing=default",
        r#"[{"id":"a","colour":"a"},{"colour":"b"}]"#,
    )
    .await;
    assert_eq!(made.0, 201, "{}", made.1);
}

#[tokio::test]
async fn a_row_that_is_there_is_merged_or_left_as_asked() {
    let app = shelf().await;
    let merge = "resolution=merge-duplicates,return=representation";
    let ignore = "resolution=ignore-duplicates,return=representation";
    let taken = send(&app, "POST", "authors", "", r#"{"id":"ada","name":"Other"}"#).await;
    assert_eq!(taken.0, 409);
    assert!(taken.1.contains("23505") && !taken.1.contains("Other"), "{}", taken.1);
    let merged = send(
        &app,
        "POST",
        "authors",
        merge,
        r#"[{"id":"ada","name":"Ada L."},{"id":"new","name":"New"}]"#,
    )
    .await;
    assert_eq!(
        merged.1,
        r#"[{"id":"ada","name":"Ada L.","born":"1815-12-10"},{"id":"new","name":"New","born":null}]"#
    );
    let ignored = send(
        &app,
        "POST",
        "authors?select=id",
        ignore,
        r#"[{"id":"bob","name":"Rob"},{"id":"newer","name":"N"}]"#,
    )
    .await;
    assert_eq!(ignored.1, r#"[{"id":"newer"}]"#);
    let by_title = send(
        &app,
        "POST",
        "posts?on_conflict=title&select=id,views",
        merge,
        r#"{"title":"Alpha","views":11}"#,
    )
    .await;
    assert_eq!(by_title.1, r#"[{"id":1,"views":11}]"#);
    let twice =
        send(&app, "POST", "authors", merge, r#"[{"id":"t","name":"1"},{"id":"t","name":"2"}]"#)
            .await;
    assert!(twice.1.contains("21000"), "{} {}", twice.0, twice.1);
    let target =
        send(&app, "POST", "posts?on_conflict=views", merge, r#"{"title":"x","views":1}"#).await;
    assert!(target.1.contains("42P10"), "{} {}", target.0, target.1);
    answers(&app, &[("authors?id=in.(bob,t)&select=id,name", r#"[{"id":"bob","name":"Bob"}]"#)])
        .await;
}

#[tokio::test]
async fn rows_are_changed_and_deleted_by_filter() {
    let app = shelf().await;
    let changed = send(
        &app,
        "PATCH",
        "posts?views=eq.10&select=id,views",
        "return=representation,count=exact",
        r#"{"views":12}"#,
    )
    .await;
    assert_eq!(changed, (200, r#"[{"id":1,"views":12},{"id":4,"views":12}]"#.to_owned()));
    let none =
        send(&app, "PATCH", "posts?id=eq.99", "return=representation", r#"{"views":12}"#).await;
    assert_eq!(none, (200, "[]".to_owned()));
    let deleted =
        send(&app, "DELETE", "posts?id=eq.1&select=id,comments(id)", "return=representation", "")
            .await;
    assert_eq!(deleted, (200, r#"[{"id":1,"comments":[{"id":1},{"id":2}]}]"#.to_owned()));
    answers(
        &app,
        &[("comments?select=id", r#"[{"id":3}]"#), ("post_tags?select=post", r#"[{"post":4}]"#)],
    )
    .await;
    let restricted = send(&app, "DELETE", "tags?id=eq.red", "", "").await;
    assert_eq!(restricted.0, 409, "{}", restricted.1);
    assert!(restricted.1.contains("23503"), "{}", restricted.1);
    let cleared = send(&app, "DELETE", "authors?id=eq.bob", "", "").await;
    assert_eq!(cleared.0, 204, "{}", cleared.1);
    answers(&app, &[("posts?id=eq.2&select=author", r#"[{"author":null}]"#)]).await;
}

#[tokio::test]
async fn a_write_without_a_filter_is_refused() {
    let app = shelf().await;
    for (method, body) in [("PATCH", r#"{"views":1}"#), ("DELETE", "")] {
        let refused = send(&app, method, "posts", "", body).await;
        assert_eq!(refused.0, 400);
        assert!(refused.1.contains("21000"), "{}", refused.1);
    }
    let bounded =
        send(&app, "PATCH", "posts", "handling=strict,max-affected=3", r#"{"views":1}"#).await;
    assert!(bounded.1.contains("PGRST124"), "{} {}", bounded.0, bounded.1);
    let bounded =
        send(&app, "PATCH", "posts", "handling=strict,max-affected=4", r#"{"views":1}"#).await;
    assert_eq!(bounded.0, 204, "{}", bounded.1);
}

#[tokio::test]
async fn a_rehearsal_answers_and_leaves_nothing() {
    let app = shelf().await;
    let made = send(
        &app,
        "POST",
        "authors?select=id",
        "tx=rollback,return=representation",
        r#"{"id":"gone","name":"G"}"#,
    )
    .await;
    assert_eq!(made, (201, r#"[{"id":"gone"}]"#.to_owned()));
    answers(&app, &[("authors?id=eq.gone", "[]")]).await;
}

#[tokio::test]
async fn what_a_field_may_not_hold_is_refused_before_it_is_stored() {
    let app = shelf().await;
    for (body, status, code) in [
        (r#"{"views":1}"#, 400, "23502"),
        (r#"{"title":null}"#, 400, "23502"),
        (r#"{"title":"a title that is far too long"}"#, 400, "23514"),
        (r#"{"title":"x","views":-1}"#, 400, "23514"),
        (r#"{"title":"x","mood":"bored"}"#, 400, "23514"),
        (r#"{"title":"x","views":"ten"}"#, 400, "22P02"),
        (r#"{"title":"x","views":1.5}"#, 400, "22P02"),
        (r#"{"title":"x","price":1000000}"#, 400, "22003"),
        (r#"{"title":"x","author":"nobody"}"#, 409, "23503"),
        (r#"{"title":"Alpha"}"#, 409, "23505"),
        (r#"{"title":"x","colour":"red"}"#, 400, "PGRST204"),
        (r#"{"title":"x\u0000"}"#, 400, "22P02"),
        (r#"{"title":"#, 400, "PGRST102"),
        (r#"7"#, 400, "PGRST102"),
    ] {
        let res = app.post(&Caller::Anonymous, "/rest/v1/posts", body).await;
        assert_eq!(
            (res.status, json(&res)["code"].as_str()),
            (status, Some(code)),
            "{body}: {}",
            res.body
        );
    }
    answers(&app, &[("posts?select=count()", r#"[{"count":4}]"#)]).await;
}

#[tokio::test]
async fn a_key_never_changes() {
    let app = shelf().await;
    let refused = send(&app, "PATCH", "posts?id=eq.1", "", r#"{"id":9}"#).await;
    assert_eq!(refused.0, 400, "{}", refused.1);
    assert!(refused.1.contains("428C9"), "{}", refused.1);
}

#[tokio::test]
async fn one_object_asked_for_and_not_sent_bounds_the_write() {
    let app = shelf().await;
    let object = [("Accept", "application/vnd.pgrst.object+json")];
    for (method, path, body) in [
        ("POST", "/rest/v1/authors", r#"[{"id":"x","name":"X"},{"id":"y","name":"Y"}]"#),
        ("PATCH", "/rest/v1/posts?views=eq.10", r#"{"views":99}"#),
        ("DELETE", "/rest/v1/posts?views=eq.10", ""),
    ] {
        let refused = app.send(method, path, &Caller::Anonymous, &object, body).await;
        assert_eq!(
            (refused.status, json(&refused)["code"].as_str()),
            (406, Some("PGRST116")),
            "{method}: {}",
            refused.body
        );
    }
    answers(
        &app,
        &[("posts?views=eq.10&select=id", r#"[{"id":1},{"id":4}]"#), ("authors?id=in.(x,y)", "[]")],
    )
    .await;
}
