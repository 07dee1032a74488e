//! Related rows.

use super::{answers, refuses, shelf};

#[tokio::test]
async fn a_ref_is_embedded_by_field_and_by_model_name() {
    let app = shelf().await;
    answers(
        &app,
        &[
            ("posts?id=eq.1&select=id,author(name)", r#"[{"id":1,"author":{"name":"Ada"}}]"#),
            ("posts?id=eq.1&select=id,authors(name)", r#"[{"id":1,"authors":{"name":"Ada"}}]"#),
            (
                "posts?id=eq.1&select=id,writer:author(name)",
                r#"[{"id":1,"writer":{"name":"Ada"}}]"#,
            ),
            ("posts?id=eq.4&select=id,author(name)", r#"[{"id":4,"author":null}]"#),
            (
                "posts?id=eq.1&select=id,authors!author(name)",
                r#"[{"id":1,"authors":{"name":"Ada"}}]"#,
            ),
            (
                "posts?id=eq.1&select=id,authors!posts_author_fkey(name)",
                r#"[{"id":1,"authors":{"name":"Ada"}}]"#,
            ),
            (
                "comments?id=eq.1&select=*,by(name)",
                r#"[{"id":1,"post":1,"text":"first","by":{"name":"Bob"}}]"#,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn rows_that_point_here_are_embedded_as_a_list() {
    let app = shelf().await;
    answers(
        &app,
        &[
            (
                "posts?id=lte.3&select=id,comments(id,text)",
                r#"[{"id":1,"comments":[{"id":1,"text":"first"},{"id":2,"text":"second"}]},{"id":2,"comments":[{"id":3,"text":"third"}]},{"id":3,"comments":[]}]"#,
            ),
            (
                "authors?select=id,posts(id,comments(id,by(id)))&id=eq.ada",
                r#"[{"id":"ada","posts":[{"id":1,"comments":[{"id":1,"by":{"id":"bob"}},{"id":2,"by":null}]},{"id":3,"comments":[]}]}]"#,
            ),
            (
                "posts?id=eq.1&select=id,comments(id)&comments.order=id.desc&comments.limit=1",
                r#"[{"id":1,"comments":[{"id":2}]}]"#,
            ),
            (
                "posts?id=eq.1&select=id,comments(id)&comments.offset=1",
                r#"[{"id":1,"comments":[{"id":2}]}]"#,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_junction_joins_many_to_many() {
    let app = shelf().await;
    answers(
        &app,
        &[
            (
                "posts?id=eq.1&select=id,tags(id)&tags.order=id",
                r#"[{"id":1,"tags":[{"id":"blue"},{"id":"red"}]}]"#,
            ),
            ("tags?id=eq.red&select=id,posts(id)", r#"[{"id":"red","posts":[{"id":1},{"id":4}]}]"#),
            (
                "posts?select=id,tags!inner(id)&tags.id=eq.blue",
                r#"[{"id":1,"tags":[{"id":"blue"}]}]"#,
            ),
            ("posts?id=eq.4&select=id,tags!post_tags(id)", r#"[{"id":4,"tags":[{"id":"red"}]}]"#),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_to_one_row_is_spread_into_the_row_above() {
    let app = shelf().await;
    answers(
        &app,
        &[
            ("posts?id=eq.1&select=id,...author(name)", r#"[{"id":1,"name":"Ada"}]"#),
            (
                "posts?id=eq.4&select=id,...author(who:name,born)",
                r#"[{"id":4,"who":null,"born":null}]"#,
            ),
            (
                "comments?id=eq.1&select=id,...post(title,...author(name))",
                r#"[{"id":1,"title":"Alpha","name":"Ada"}]"#,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_relation_that_is_not_there_or_not_the_only_one_is_refused() {
    let app = shelf().await;
    refuses(
        &app,
        &[
            ("posts?select=id,tagz(id)", 400, "PGRST200"),
            ("posts?select=id,author!nothing(id)", 400, "PGRST200"),
            ("posts?select=id,...comments(id)", 400, "PGRST118"),
            ("posts?select=id,comments(id)&order=comments(id)", 400, "PGRST118"),
        ],
    )
    .await;
}
