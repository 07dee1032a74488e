//! What of each row.

use super::{answers, refuses, shelf};
use crate::support::Caller;

#[tokio::test]
async fn every_type_is_answered_in_its_own_form() {
    let app = shelf().await;
    answers(
        &app,
        &[
            (
                "posts?id=eq.1",
                r#"[{"id":1,"title":"Alpha","views":10,"price":1.50,"published":true,"author":"ada","extra":{"n":5,"deep":{"x":[1,2]},"kind":"a"},"mood":"happy","at":"2026-01-02T03:04:05.5+00:00","score":0.5,"token":"00000000-0000-0000-0000-00000000000a","blob":"\\x00ff"}]"#,
            ),
            (
                "posts?id=eq.3",
                r#"[{"id":3,"title":"Gamma_ray","views":null,"price":null,"published":null,"author":"ada","extra":null,"mood":null,"at":null,"score":null,"token":null,"blob":null}]"#,
            ),
            ("authors?id=eq.ada", r#"[{"id":"ada","name":"Ada","born":"1815-12-10"}]"#),
        ],
    )
    .await;
}

#[tokio::test]
async fn fields_are_chosen_renamed_and_cast() {
    let app = shelf().await;
    answers(
        &app,
        &[
            ("posts?id=eq.1&select=title,id", r#"[{"title":"Alpha","id":1}]"#),
            ("posts?id=eq.1&select=heading:title", r#"[{"heading":"Alpha"}]"#),
            ("posts?id=eq.1&select=views::text", r#"[{"views":"10"}]"#),
            ("posts?id=eq.1&select=n:views::float", r#"[{"n":10}]"#),
            (
                "posts?id=eq.1&select=price::text,at::date",
                r#"[{"price":"1.50","at":"2026-01-02"}]"#,
            ),
            ("posts?id=eq.1&select=published::text", r#"[{"published":"true"}]"#),
            (
                "authors?id=eq.ada&select=*,name:id",
                r#"[{"id":"ada","born":"1815-12-10","name":"ada"}]"#,
            ),
        ],
    )
    .await;
}

/// As in PostgREST: its "empty root select" gives all columns, an empty embed beside
/// nothing gives an empty object, and `json_agg` writes each column it is given.
#[tokio::test]
async fn an_empty_select_answers_every_field_and_a_name_given_twice_is_answered_twice() {
    let app = shelf().await;
    let ada = r#"[{"id":"ada","name":"Ada","born":"1815-12-10"}]"#;
    answers(
        &app,
        &[
            ("authors?id=eq.ada&select=", ada),
            ("authors?id=eq.ada&select=%20", ada),
            ("authors?id=eq.ada&select=*", ada),
            ("authors?id=eq.ada&select=posts()", "[{}]"),
            ("authors?id=eq.ada&select=id,id,id:name", r#"[{"id":"ada","id":"ada","id":"Ada"}]"#),
        ],
    )
    .await;
}

#[tokio::test]
async fn json_is_taken_apart_by_path() {
    let app = shelf().await;
    answers(
        &app,
        &[
            ("posts?id=eq.1&select=extra->kind", r#"[{"kind":"a"}]"#),
            ("posts?id=eq.1&select=extra->>n", r#"[{"n":"5"}]"#),
            ("posts?id=eq.1&select=extra->n", r#"[{"n":5}]"#),
            ("posts?id=eq.1&select=extra->deep", r#"[{"deep":{"x":[1,2]}}]"#),
            ("posts?id=eq.1&select=second:extra->deep->x->1", r#"[{"second":2}]"#),
            ("posts?id=eq.1&select=last:extra->deep->x->-1", r#"[{"last":2}]"#),
            ("posts?id=eq.2&select=extra->deep->x", r#"[{"x":null}]"#),
            ("posts?id=eq.1&select=extra->n::int", r#"[{"n":5}]"#),
        ],
    )
    .await;
}

#[tokio::test]
async fn one_object_is_answered_where_one_is_asked_for() {
    let app = shelf().await;
    let object = [("Accept", "application/vnd.pgrst.object+json")];
    let one =
        app.send("GET", "/rest/v1/posts?id=eq.1&select=id", &Caller::Anonymous, &object, "").await;
    assert_eq!((one.status, one.body.as_str()), (200, r#"{"id":1}"#));
    for query in ["id=eq.99", "views=eq.10"] {
        let path = format!("/rest/v1/posts?select=id&{query}");
        let refused = app.send("GET", &path, &Caller::Anonymous, &object, "").await;
        assert_eq!(refused.status, 406, "{}", refused.body);
        assert_eq!(crate::support::json(&refused)["code"], "PGRST116");
    }
}

#[tokio::test]
async fn rows_are_answered_as_csv() {
    let app = shelf().await;
    let csv = [("Accept", "text/csv")];
    let path = "/rest/v1/posts?select=id,title,price,published&id=lte.3";
    let res = app.send("GET", path, &Caller::Anonymous, &csv, "").await;
    assert_eq!(res.status, 200);
    assert_eq!(
        res.body,
        "id,title,price,published\n1,Alpha,1.50,true\n2,beta,2.25,false\n3,Gamma_ray,,"
    );
}

#[tokio::test]
async fn a_select_that_cannot_be_read_or_found_is_refused() {
    let app = shelf().await;
    refuses(
        &app,
        &[
            ("posts?select=id,", 400, "PGRST100"),
            ("posts?select=id,,title", 400, "PGRST100"),
            ("posts?select=nothing", 400, "42703"),
            ("posts?select=id::cake", 400, "42704"),
            ("posts?select=token::int", 400, "42846"),
            ("posts?select=nothing(id)", 400, "PGRST200"),
        ],
    )
    .await;
}
