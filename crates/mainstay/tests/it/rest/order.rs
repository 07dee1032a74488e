//! In which order, and how much of it.

use super::{answers, refuses, shelf};
use crate::support::{App, Caller};

#[tokio::test]
async fn rows_come_in_the_order_asked_for_with_ties_broken_by_key() {
    let app = shelf().await;
    answers(
        &app,
        &[
            ("posts?select=id&order=views", r#"[{"id":1},{"id":4},{"id":2},{"id":3}]"#),
            ("posts?select=id&order=views.desc", r#"[{"id":3},{"id":2},{"id":4},{"id":1}]"#),
            ("posts?select=id&order=views.nullsfirst", r#"[{"id":3},{"id":1},{"id":4},{"id":2}]"#),
            ("posts?select=id&order=views.desc.nullslast", r#"[{"id":2},{"id":4},{"id":1},{"id":3}]"#),
            ("posts?select=id&order=views.asc,id.desc", r#"[{"id":4},{"id":1},{"id":2},{"id":3}]"#),
            ("posts?select=title&order=title", r#"[{"title":"Alpha"},{"title":"Gamma_ray"},{"title":"alphabet"},{"title":"beta"}]"#),
            ("posts?select=id&order=extra->>kind.desc.nullslast,id", r#"[{"id":2},{"id":1},{"id":4},{"id":3}]"#),
            (
                "posts?select=id,author(name)&order=author(name).desc.nullslast,id",
                r#"[{"id":2,"author":{"name":"Bob"}},{"id":1,"author":{"name":"Ada"}},{"id":3,"author":{"name":"Ada"}},{"id":4,"author":null}]"#,
            ),
        ],
    )
    .await;
    refuses(
        &app,
        &[
            ("posts?order=nothing", 400, "42703"),
            ("posts?order=id.down", 400, "PGRST100"),
            ("posts?order=author(name)", 400, "PGRST108"),
        ],
    )
    .await;
}

async fn range(app: &App, query: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
    let path = format!("/rest/v1/posts?select=id{query}");
    let res = app.send("GET", &path, &Caller::Anonymous, headers, "").await;
    let range = res.header("content-range").unwrap_or("none").to_owned();
    (res.status, range, res.body)
}

#[tokio::test]
async fn a_page_says_where_it_lies_and_of_how_many() {
    let app = shelf().await;
    let exact = ("Prefer", "count=exact");
    for (query, headers, status, content_range, body) in [
        ("", &[][..], 200, "0-3/*", r#"[{"id":1},{"id":2},{"id":3},{"id":4}]"#),
        ("&limit=2", &[][..], 200, "0-1/*", r#"[{"id":1},{"id":2}]"#),
        ("&limit=2&offset=2", &[][..], 200, "2-3/*", r#"[{"id":3},{"id":4}]"#),
        ("&limit=2", &[exact][..], 206, "0-1/4", r#"[{"id":1},{"id":2}]"#),
        ("", &[exact][..], 200, "0-3/4", r#"[{"id":1},{"id":2},{"id":3},{"id":4}]"#),
        ("", &[("Range", "1-2"), exact][..], 206, "1-2/4", r#"[{"id":2},{"id":3}]"#),
        ("", &[("Range", "2-")][..], 200, "2-3/*", r#"[{"id":3},{"id":4}]"#),
        ("&id=gt.9", &[exact][..], 200, "*/0", "[]"),
        ("&limit=0", &[][..], 200, "*/*", "[]"),
    ] {
        let answer = range(&app, query, headers).await;
        assert_eq!(
            answer,
            (status, content_range.to_owned(), body.to_owned()),
            "{query} {headers:?}"
        );
    }
    let (status, content_range, body) = range(&app, "&offset=9", &[exact]).await;
    assert_eq!((status, content_range.as_str()), (416, "*/4"));
    assert!(body.contains("PGRST103"), "{body}");
}

#[tokio::test]
async fn head_answers_the_headers_of_get_alone() {
    let app = shelf().await;
    let exact = [("Prefer", "count=exact")];
    let res = app.send("HEAD", "/rest/v1/posts?limit=1", &Caller::Anonymous, &exact, "").await;
    assert_eq!((res.status, res.header("content-range")), (206, Some("0-0/4")));
    assert_eq!(res.body, "");
}
