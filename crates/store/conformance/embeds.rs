//! Embeds: to one, to many, through a junction, spread, nested, inner.

use expect_test::{Expect, expect};
use mainstay_plan::{Clauses, Count, Join, OrderTerm, ReadRequest, SelectEmbed, SelectItem};

use super::harness::*;

const MODELS: [(&str, &str); 4] = [
    (
        "users",
        "[model]\nid = \"text\"\n[fields]\nname = { type = \"text\" }\nhidden = { type = \"bool\", default = false }\n[rules]\nread = \"!hidden\"\n",
    ),
    (
        "posts",
        "[model]\nid = \"int\"\n[fields]\ntitle = { type = \"text\" }\nauthor = { type = \"ref\", to = \"users\" }\n[rules]\nread = \"true\"\n",
    ),
    (
        "tags",
        "[model]\nid = \"text\"\n[fields]\nlabel = { type = \"text\" }\n[rules]\nread = \"true\"\n",
    ),
    (
        "post_tags",
        "[model]\nid = \"int\"\n[fields]\npost = { type = \"ref\", to = \"posts\" }\ntag = { type = \"ref\", to = \"tags\" }\n[rules]\nread = \"post != 3\"\n",
    ),
];

async fn blog() -> App {
    let app = App::of(&MODELS).await;
    let rows: [(&str, &[Object<'_>]); 4] = [
        (
            "users",
            &[
                &[("id", "ada"), ("name", "Ada")],
                &[("id", "eve"), ("name", "Eve"), ("hidden", "true")],
            ],
        ),
        (
            "posts",
            &[
                &[("title", "one"), ("author", "ada")],
                &[("title", "two"), ("author", "eve")],
                &[("title", "three")],
                &[("title", "four"), ("author", "ada")],
            ],
        ),
        ("tags", &[&[("id", "a"), ("label", "A")], &[("id", "b"), ("label", "B")]]),
        (
            "post_tags",
            &[
                &[("post", "1"), ("tag", "b")],
                &[("post", "1"), ("tag", "a")],
                &[("post", "3"), ("tag", "a")],
            ],
        ),
    ];
    for (model, rows) in rows {
        let done = app.write(&insert(model, rows, ""), &service()).await;
        assert!(done.ends_with("new"), "{done}");
    }
    app
}

fn embed(target: &'static str, select: Vec<SelectItem<'static>>) -> SelectEmbed<'static> {
    SelectEmbed {
        alias: None,
        target: target.into(),
        hint: None,
        join: Join::Left,
        spread: false,
        select,
    }
}

fn with(
    model: &'static str,
    names: &'static str,
    embeds: Vec<SelectEmbed<'static>>,
) -> ReadRequest<'static> {
    let mut request = read(model, names);
    request.select.extend(embeds.into_iter().map(SelectItem::Embed));
    request
}

async fn check(app: &App, request: &ReadRequest<'_>, expected: Expect) {
    expected.assert_eq(&app.read(request, &user("ada")).await);
}

#[tokio::test]
async fn a_hidden_or_missing_to_one_row_is_null() {
    let app = blog().await;
    check(
        &app,
        &with("posts", "id", vec![embed("users", fields("name"))]),
        expect![[r#"(1 {"Ada"}) (2 null) (3 null) (4 {"Ada"})"#]],
    )
    .await;
}

#[tokio::test]
async fn a_spread_lifts_its_columns_or_as_many_nulls() {
    let app = blog().await;
    let mut spread = embed("users", fields("id,name"));
    spread.spread = true;
    check(
        &app,
        &with("posts", "id", vec![spread]),
        expect![[r#"(1 "ada" "Ada") (2 null null) (3 null null) (4 "ada" "Ada")"#]],
    )
    .await;
}

#[tokio::test]
async fn rows_that_point_here_come_in_their_own_order_and_page() {
    let app = blog().await;
    let mut request = with("users", "id", vec![embed("posts", fields("id"))]);
    check(&app, &request, expect![[r#"("ada" [(1) (4)])"#]]).await;
    request.embedded = vec![(
        vec!["posts".into()],
        Clauses {
            order: vec![OrderTerm {
                relation: None,
                field: expr("title"),
                descending: false,
                nulls_first: None,
            }],
            limit: Some(1),
            ..Clauses::default()
        },
    )];
    check(&app, &request, expect![[r#"("ada" [(4)])"#]]).await;
}

#[tokio::test]
async fn rows_a_junction_joins_come_by_its_own_rule() {
    let app = blog().await;
    check(
        &app,
        &with("posts", "id", vec![embed("tags", fields("id"))]),
        expect![[r#"(1 [("a") ("b")]) (2 []) (3 []) (4 [])"#]],
    )
    .await;
}

#[tokio::test]
async fn embeds_nest() {
    let app = blog().await;
    let mut posts = embed("posts", fields("title"));
    posts.select.push(SelectItem::Embed(embed("tags", fields("label"))));
    posts.select.push(SelectItem::Embed(embed("users", fields("name"))));
    check(
        &app,
        &with("users", "name", vec![posts]),
        expect![[r#"("Ada" [("one" [("A") ("B")] {"Ada"}) ("four" [] {"Ada"})])"#]],
    )
    .await;
}

#[tokio::test]
async fn an_inner_embed_leaves_rows_without_it_out_of_page_and_count() {
    let app = blog().await;
    let mut users = embed("users", fields("name"));
    users.join = Join::Inner;
    let mut request = with("posts", "id", vec![users]);
    request.count = Count::Exact;
    check(&app, &request, expect![[r#"(1 {"Ada"}) (4 {"Ada"}) of 2"#]]).await;
    let mut tags = embed("tags", fields("id"));
    tags.join = Join::Inner;
    check(&app, &with("posts", "id", vec![tags]), expect![[r#"(1 [("a") ("b")])"#]]).await;
}

#[tokio::test]
async fn rows_are_ordered_by_a_field_of_the_row_they_point_at() {
    let app = blog().await;
    let mut request = with("posts", "id", vec![embed("users", fields("name"))]);
    request.clauses.order = vec![OrderTerm {
        relation: Some("users".into()),
        field: expr("name"),
        descending: true,
        nulls_first: Some(false),
    }];
    check(&app, &request, expect![[r#"(4 {"Ada"}) (1 {"Ada"}) (3 null) (2 null)"#]]).await;
}

#[tokio::test]
async fn a_written_row_is_answered_with_its_embeds() {
    let app = blog().await;
    let mut request = update("posts", vec![], &[("title", "new")], "id");
    request.select.push(SelectItem::Embed(embed("users", fields("name"))));
    request.clauses.order =
        vec![OrderTerm { relation: None, field: expr("id"), descending: true, nulls_first: None }];
    expect![[r#"[1 2 3 4] 0 new (4 {"Ada"}) (3 null) (2 {"Eve"}) (1 {"Ada"})"#]]
        .assert_eq(&app.write(&request, &service()).await);
}
