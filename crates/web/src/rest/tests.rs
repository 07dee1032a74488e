//! Requests through the router, answered by a store that says what it is told to.
//!
//! What a real store makes of a plan is tested where one is; here it is statuses,
//! headers, and the errors of what cannot be decoded.

mod harness;
mod writes;

use axum::{body::Body, http::Request};
use expect_test::{Expect, expect};
use mainstay_auth::Keyring;
use tower::ServiceExt;

use self::harness::*;
use crate::{
    ServerTiming,
    middleware::{Stack, StackSettings},
    router,
};

async fn check(told: Told, request: &str, expected: Expect) {
    expected.assert_eq(&ask(serve(told).0, request).await);
}

const TWO: Told = Told { rows: 2, total: Some(5), inserted: 0 };
const ONE: Told = Told { rows: 1, total: Some(1), inserted: 1 };
const NONE: Told = Told { rows: 0, total: Some(0), inserted: 0 };

#[tokio::test]
async fn a_read_answers_its_rows_and_their_range() {
    check(
        TWO,
        "GET /rest/v1/posts?select=id&id=gt.0",
        expect![[r#"
            200
            content-length: 19
            content-range: 0-1/*
            [{"id":1},{"id":2}]"#]],
    )
    .await;
    check(
        TWO,
        "GET /rest/v1/posts?select=id&offset=2&limit=2\nprefer: count=exact",
        expect![[r#"
            206
            content-length: 19
            content-range: 2-3/5
            preference-applied: count=exact
            [{"id":1},{"id":2}]"#]],
    )
    .await;
    check(
        ONE,
        "GET /rest/v1/posts?select=id\nprefer: count=exact",
        expect![[r#"
            200
            content-length: 10
            content-range: 0-0/1
            preference-applied: count=exact
            [{"id":1}]"#]],
    )
    .await;
    check(NONE, "GET /rest/v1/posts?offset=9\nprefer: count=exact", expect![[r#"
        416
        content-length: 144
        content-range: */0
        proxy-status: Mainstay; error=PGRST103
        {"code":"PGRST103","message":"Requested range not satisfiable","details":"An offset of 9 was requested, but there are only 0 rows.","hint":null}"#]]).await;
    check(
        NONE,
        "GET /rest/v1/posts?select=id\naccept: text/csv",
        expect![[r#"
            200
            content-length: 2
            content-range: */*
            content-type: text/csv; charset=utf-8
            id"#]],
    )
    .await;
}

#[tokio::test]
async fn rows_are_answered_the_same_where_the_router_is_passed_by() {
    let posts = [("models/posts.toml", POSTS)];
    let (state, _) = state_of(ONE, &posts, ServerTiming::Off);
    let plain = Stack::new(router(state.clone()), StackSettings::default(), None);
    let passing = Stack::new(router(state.clone()), StackSettings::default(), None);
    let passing = passing.with_rows(state);
    for request in [
        "GET /rest/v1/posts?id=eq.1",
        "HEAD /rest/v1/posts",
        "GET /rest/v1/posts?offset=9\nprefer: count=exact",
        "GET /rest/v1/posts\naccept: text/csv\naccept-profile: public",
        "GET /rest/v1/posts\naccept: image/png",
        "GET /rest/v1/psots",
        "OPTIONS /rest/v1/posts",
        "GET /rest/v1/rpc/f",
        "GET /rest/v1/posts/1",
        "POST /rest/v1/posts\nprefer: return=minimal\n\n{\"title\":\"t\"}",
        "POST /rest/v1/posts\nprefer: return=headers-only\n\n{\"title\":\"t\"}",
        "POST /rest/v1/posts\nprefer: return=representation\n\n{\"title\":\"t\"}",
        "POST /rest/v1/posts\n\n{",
        "PUT /rest/v1/posts?id=eq.1\n\n{\"id\":1}",
        "PATCH /rest/v1/posts?id=eq.1\n\n{\"title\":\"t\"}",
        "DELETE /rest/v1/posts?id=eq.1",
    ] {
        let request = request.replacen('\n', "\nhost: here\n", 1);
        let request =
            if request.contains("host") { request } else { format!("{request}\nhost: here") };
        let named = |answer: String| {
            let (ids, others): (Vec<String>, Vec<String>) = answer
                .lines()
                // Where axum does not say the length, hyper will.
                .filter(|line| !line.starts_with("content-length: "))
                .map(str::to_owned)
                .partition(|line| line.starts_with("x-request-id: "));
            assert!(matches!(&ids[..], [id] if id.len() > 20), "{request}\n{answer}");
            assert!(answer.contains("x-content-type-options: nosniff"), "{request}\n{answer}");
            others
        };
        let expected = named(ask(plain.clone(), &request).await);
        assert_eq!(named(ask(passing.clone(), &request).await), expected, "{request}");
    }
}

#[tokio::test]
async fn each_stage_is_timed_where_that_is_told() {
    let posts = [("models/posts.toml", POSTS)];
    let (state, _) = state_of(ONE, &posts, ServerTiming::On);
    let req = Request::builder().uri("/rest/v1/posts").body(Body::empty()).unwrap();
    let res = router(state).oneshot(req).await.unwrap();
    let told = res.headers()["server-timing"].to_str().unwrap();
    let stages: Vec<&str> = told.split(", ").map(|it| it.split(';').next().unwrap()).collect();
    assert_eq!(stages, ["who", "decode", "plan", "store", "encode"]);
}

#[tokio::test]
async fn a_reload_replaces_the_app_for_the_next_request() {
    let (state, _) = state_of(ONE, &[("models/posts.toml", POSTS)], ServerTiming::Off);
    let routes = router(state.clone());
    assert!(ask(routes.clone(), "GET /rest/v1/posts").await.starts_with("200"));
    let pages = POSTS.replace("title", "heading");
    let (planner, _) = parts_of(&[("models/pages.toml", &pages)], &Keyring::generate());
    state.reload(planner, Box::new(|roles| (roles.to_vec(), Vec::new())));
    assert!(ask(routes.clone(), "GET /rest/v1/posts").await.starts_with("404"));
    assert!(
        ask(routes, "GET /rest/v1/pages?select=heading").await.ends_with(r#"[{"heading":"t"}]"#)
    );
}

#[tokio::test]
async fn a_head_has_no_body() {
    check(
        TWO,
        "HEAD /rest/v1/posts?select=id\nprefer: count=exact",
        expect![[r#"
            206
            content-range: 0-1/5
            preference-applied: count=exact"#]],
    )
    .await;
}

#[tokio::test]
async fn an_answer_says_what_it_depends_on() {
    for target in ["/rest/v1/posts", "/rest/v1/pots"] {
        let req = Request::builder().uri(target).body(Body::empty()).unwrap();
        let res = serve(ONE).0.oneshot(req).await.unwrap();
        let vary = res.headers()["vary"].to_str().unwrap();
        assert_eq!(vary, "accept, prefer, range, authorization, apikey, cookie");
    }
}

#[tokio::test]
async fn a_single_object_wants_exactly_one_row() {
    let accept = "accept: application/vnd.pgrst.object+json";
    check(
        ONE,
        &format!("GET /rest/v1/posts?select=id\n{accept}"),
        expect![[r#"
            200
            content-length: 8
            content-range: 0-0/*
            content-type: application/vnd.pgrst.object+json; charset=utf-8
            {"id":1}"#]],
    )
    .await;
    check(NONE, &format!("GET /rest/v1/posts\n{accept}"), expect![[r#"
        406
        content-length: 131
        proxy-status: Mainstay; error=PGRST116
        {"code":"PGRST116","message":"Cannot coerce the result to a single JSON object","details":"The result contains 0 rows","hint":null}"#]]).await;
    check(TWO, &format!("GET /rest/v1/posts\n{accept}"), expect![[r#"
        406
        content-length: 131
        proxy-status: Mainstay; error=PGRST116
        {"code":"PGRST116","message":"Cannot coerce the result to a single JSON object","details":"The result contains 2 rows","hint":null}"#]]).await;
    let patch = format!(
        "PATCH /rest/v1/posts?id=gt.0\n{accept}\nprefer: return=representation\n\n{{\"title\":\"x\"}}"
    );
    check(TWO, &patch, expect![[r#"
        406
        content-length: 141
        proxy-status: Mainstay; error=PGRST116
        {"code":"PGRST116","message":"Cannot coerce the result to a single JSON object","details":"The result contains more than 1 rows","hint":null}"#]]).await;
    check(NONE, &patch, expect![[r#"
        406
        content-length: 131
        proxy-status: Mainstay; error=PGRST116
        {"code":"PGRST116","message":"Cannot coerce the result to a single JSON object","details":"The result contains 0 rows","hint":null}"#]]).await;
}

#[tokio::test]
async fn a_model_without_rules_asks_for_a_credential() {
    check(ONE, "GET /rest/v1/secrets", expect![[r#"
        401
        content-length: 91
        proxy-status: Mainstay; error=42501
        www-authenticate: Bearer
        {"code":"42501","message":"permission denied for model secrets","details":null,"hint":null}"#]]).await;
    check(ONE, "GET /rest/v1/posts\nauthorization: Bearer nonsense", expect![[r#"
        401
        content-length: 89
        proxy-status: Mainstay; error=PGRST301
        www-authenticate: Bearer error="invalid_token"
        {"code":"PGRST301","message":"Expected 3 parts in JWT; got 1","details":null,"hint":null}"#]]).await;
    check(ONE, "GET /rest/v1/pots", expect![[r#"
        404
        content-length: 139
        proxy-status: Mainstay; error=PGRST205
        {"code":"PGRST205","message":"could not find the model \"pots\" in this app","details":null,"hint":"perhaps you meant the model \"posts\""}"#]]).await;
}

#[tokio::test]
async fn another_schema_is_refused() {
    check(
        ONE,
        "GET /rest/v1/posts?select=id\naccept-profile: public",
        expect![[r#"
            200
            content-length: 10
            content-profile: public
            content-range: 0-0/*
            [{"id":1}]"#]],
    )
    .await;
    check(ONE, "GET /rest/v1/posts\naccept-profile: private", expect![[r#"
        406
        content-length: 126
        proxy-status: Mainstay; error=PGRST106
        {"code":"PGRST106","message":"Invalid schema: private","details":null,"hint":"Only the following schemas are exposed: public"}"#]]).await;
    check(ONE, "POST /rest/v1/posts\ncontent-profile: private\n\n{}", expect![[r#"
        406
        content-length: 126
        proxy-status: Mainstay; error=PGRST106
        {"code":"PGRST106","message":"Invalid schema: private","details":null,"hint":"Only the following schemas are exposed: public"}"#]]).await;
}

#[tokio::test]
async fn options_lists_the_methods_of_a_model() {
    check(
        ONE,
        "OPTIONS /rest/v1/posts",
        expect![[r#"
        200
        allow: OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE
        content-length: 0"#]],
    )
    .await;
    check(ONE, "OPTIONS /rest/v1/pots", expect![[r#"
        404
        content-length: 104
        proxy-status: Mainstay; error=PGRST205
        {"code":"PGRST205","message":"could not find the model \"pots\" in this app","details":null,"hint":null}"#]]).await;
    check(ONE, "QUERY /rest/v1/posts", expect![[r#"
        405
        allow: OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE
        content-length: 89
        proxy-status: Mainstay; error=PGRST117
        {"code":"PGRST117","message":"Unsupported HTTP method: QUERY","details":null,"hint":null}"#]]).await;
}

#[tokio::test]
async fn what_is_not_there_is_404_as_json() {
    check(ONE, "GET /nothing/here", expect![[r#"
        404
        content-length: 128
        proxy-status: Mainstay; error=PGRST125
        {"code":"PGRST125","message":"Invalid path specified in request URL","details":"There is nothing at /nothing/here.","hint":null}"#]]).await;
    check(ONE, "GET /rest/v1/posts/1", expect![[r#"
        404
        content-length: 131
        proxy-status: Mainstay; error=PGRST125
        {"code":"PGRST125","message":"Invalid path specified in request URL","details":"There is nothing at /rest/v1/posts/1.","hint":null}"#]]).await;
    check(ONE, "POST /rest/v1/rpc/add\n\n{}", expect![[r#"
        404
        content-length: 185
        proxy-status: Mainstay; error=PGRST202
        {"code":"PGRST202","message":"Could not find the function public.add in the schema cache","details":"This server has no functions: its custom routes stand beside /rest/v1.","hint":null}"#]]).await;
    check(
        ONE,
        "GET /healthz",
        expect![[r#"
        200
        cache-control: no-store
        content-length: 15
        content-type: application/json
        {"status":"ok"}"#]],
    )
    .await;
    check(
        ONE,
        "GET /readyz",
        expect![[r#"
        503
        cache-control: no-store
        content-length: 23
        content-type: application/json
        {"status":"store_away"}"#]],
    )
    .await;
}

#[tokio::test]
async fn a_body_that_is_no_json_or_too_large_is_refused() {
    check(ONE, "POST /rest/v1/posts\n\nx", expect![[r#"
        400
        content-length: 111
        proxy-status: Mainstay; error=PGRST102
        {"code":"PGRST102","message":"Empty or invalid json","details":"expected value at line 1 column 1","hint":null}"#]]).await;
    check(ONE, "POST /rest/v1/posts\ncontent-type: text/xml\n\n<x/>", expect![[r#"
        400
        content-length: 163
        proxy-status: Mainstay; error=PGRST102
        {"code":"PGRST102","message":"Content-Type not acceptable: text/xml","details":null,"hint":"Send application/json, text/csv or application/x-www-form-urlencoded."}"#]]).await;
    let large = format!("POST /rest/v1/posts\n\n\"{}\"", "x".repeat(2 * 1024 * 1024));
    check(ONE, &large, expect![[r#"
        413
        content-length: 128
        proxy-status: Mainstay; error=body_too_large
        {"code":"body_too_large","message":"the body is larger than 2097152 bytes ([limits] body_bytes_max)","details":null,"hint":null}"#]]).await;
}

#[tokio::test]
async fn the_root_describes_every_exposed_model() {
    let text = ask(serve(ONE).0, "GET /rest/v1/").await;
    let body = text.lines().last().unwrap();
    let document: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/rest/v1/posts", "/rest/v1/secrets"]);
    let title = &document["components"]["schemas"]["posts"]["properties"]["title"];
    assert_eq!(title["type"], serde_json::json!(["string", "null"]));
    assert_eq!(ask(serve(ONE).0, "GET /openapi.json").await, text);
}

/// The models the requests of `postgrest-js.txt` are about.
const BLOG: &[(&str, &str)] = &[
    (
        "models/posts.toml",
        r#"
        model.id = "int"
        [fields]
        title = { type = "text" }
        slug = { type = "text", unique = true }
        views = { type = "int", default = 0 }
        published = { type = "bool" }
        mood = { type = "enum", values = ["happy", "sad"] }
        extra = { type = "json" }
        author = { type = "ref", to = "users" }
        [rules]
        read = "true"
        create = "true"
        update = "true"
        delete = "true"
        "#,
    ),
    ("models/users.toml", "fields.name = { type = \"text\" }\nrules.read = \"true\""),
    (
        "models/comments.toml",
        r#"
        model.id = "int"
        fields.body = { type = "text" }
        fields.post = { type = "ref", to = "posts" }
        rules.read = "true"
        "#,
    ),
    ("models/tags.toml", "fields.name = { type = \"text\" }\nrules.read = \"true\""),
    (
        "models/posts_tags.toml",
        r#"
        fields.post = { type = "ref", to = "posts", required = true }
        fields.tag = { type = "ref", to = "tags", required = true }
        rules.read = "true"
        "#,
    ),
];

/// `postgrest-js.txt` is what `@supabase/postgrest-js` 2.109.0 sends for each of its
/// builders, one request after the other.
#[tokio::test]
async fn every_request_of_postgrest_js_is_understood() {
    let (router, _) = serve_app(ONE, BLOG);
    let mut asked = 0;
    for request in include_str!("tests/postgrest-js.txt").split("\n---\n") {
        let answer = ask(router.clone(), request).await;
        assert!(answer.starts_with('2'), "{request}\n\n{answer}");
        asked += 1;
    }
    assert_eq!(asked, 61);
}
