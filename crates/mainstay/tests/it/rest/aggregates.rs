//! Computing over groups.

use super::{answers, refuses, shelf};

#[tokio::test]
async fn rows_are_counted_summed_and_compared() {
    let app = shelf().await;
    answers(
        &app,
        &[
            ("posts?select=count()", r#"[{"count":4}]"#),
            ("posts?select=views.count()", r#"[{"count":3}]"#),
            (
                "posts?select=views.sum(),views.max(),views.min()",
                r#"[{"sum":40,"max":20,"min":10}]"#,
            ),
            ("posts?select=total:price.sum()", r#"[{"total":13.75}]"#),
            ("posts?select=score.avg()", r#"[{"avg":0.5}]"#),
            ("posts?select=first:title.min()", r#"[{"first":"Alpha"}]"#),
            ("posts?select=views.sum()&id=gt.99", r#"[{"sum":null}]"#),
            ("posts?select=views.sum()::text&id=eq.1", r#"[{"sum":"10"}]"#),
        ],
    )
    .await;
}

#[tokio::test]
async fn plain_fields_beside_an_aggregate_make_the_groups() {
    let app = shelf().await;
    answers(
        &app,
        &[
            (
                "posts?select=author,count()&order=author.nullslast",
                r#"[{"author":"ada","count":2},{"author":"bob","count":1},{"author":null,"count":1}]"#,
            ),
            (
                "posts?select=published,views.sum()&order=published.desc.nullslast",
                r#"[{"published":true,"sum":20},{"published":false,"sum":20},{"published":null,"sum":null}]"#,
            ),
            ("posts?id=lte.2&select=id,comments(count)", r#"[{"id":1,"comments":[{"count":2}]},{"id":2,"comments":[{"count":1}]}]"#),
            (
                "posts?author=eq.ada&select=...author(name),count()",
                r#"[{"name":"Ada","count":2}]"#,
            ),
            ("authors?id=eq.ada&select=id,posts(views.sum(),count())", r#"[{"id":"ada","posts":[{"sum":10,"count":2}]}]"#),
        ],
    )
    .await;
    refuses(
        &app,
        &[
            ("posts?select=*,count()", 400, "42803"),
            ("posts?select=title.sum()", 404, "42883"),
            ("posts?select=count()&order=id", 400, "42803"),
        ],
    )
    .await;
}
