//! Requests through the router, answered by a store that says what it is told to.
//!
//! What a real store makes of a plan is tested where one is; here it is statuses,
//! headers, and the errors of what cannot be decoded.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Instant,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, Response},
};
use expect_test::{Expect, expect};
use mainstay_auth::{
    Identity, IdentitySettings, Keyring, Outgoing, RedirectTargets, Rows, TokenSettings, Verifier,
};
use mainstay_core::{Catalog, Error, Limits, SourceFile, Value, ValueRef, read_app};
use mainstay_mail::Templates;
use mainstay_plan::{Features, Planner, Query, ReadPlan, Source};
use mainstay_store::{
    Answer, Applied, AppliedMigration, Capabilities, Committed, Cx, End, Event, Health, Migration,
    Mismatch, ReadDone, RowSink, Schema, Seq, Store, StoreFuture, WriteError, WriteSet,
};
use tower::{Service, ServiceExt};

use crate::{
    App, Rehearsal, ServerTiming, Settings, State,
    middleware::{Stack, StackSettings},
    router,
};

const POSTS: &str = r#"
[model]
id = "int"
timestamps = false
[fields]
title = { type = "text" }
[rules]
read = "true"
create = "true"
update = "true"
delete = "true"
"#;

const SECRETS: &str = r#"
[fields]
title = { type = "text" }
"#;

/// What the store answers, whatever it is asked.
#[derive(Clone, Copy, Default)]
struct Told {
    rows: u64,
    total: Option<u64>,
    inserted: u64,
}

struct ToldStore {
    told: Told,
    capabilities: Capabilities,
    ended: Mutex<Vec<End>>,
}

fn fill(told: Told, query: &Query, sink: &mut dyn RowSink) -> Result<(), Error> {
    for row in 1..=told.rows {
        sink.begin_row();
        for column in &query.columns {
            match &column.source {
                Source::Value(_, mainstay_core::Type::Int) => {
                    sink.value(ValueRef::Int(i64::try_from(row).unwrap()));
                }
                _ => sink.value(ValueRef::Text("t")),
            }
        }
        sink.end_row()?;
    }
    Ok(())
}

impl Store for ToldStore {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn check(&self, _: &Catalog) -> Vec<Mismatch> {
        Vec::new()
    }

    fn wanted_schema(&self, _: &Catalog) -> Schema {
        Schema::default()
    }

    fn adopt(&self, _: Arc<Catalog>) {}

    fn read(
        &self,
        plan: Arc<ReadPlan>,
        _: Cx,
        mut sink: Box<dyn RowSink>,
    ) -> StoreFuture<'_, Result<Answer<ReadDone>, Error>> {
        Box::pin(async move {
            fill(self.told, plan.shape().root(), &mut *sink)?;
            let total = self.told.total.filter(|_| plan.shape().count());
            Ok(Answer { done: ReadDone { rows: self.told.rows, total }, sink })
        })
    }

    fn write(
        &self,
        set: WriteSet,
        _: Cx,
        mut sink: Box<dyn RowSink>,
    ) -> StoreFuture<'_, Result<Answer<Committed>, WriteError>> {
        Box::pin(async move {
            self.ended.lock().unwrap().push(set.end);
            if let Some(query) = set.plans[0].shape().returning() {
                fill(self.told, query, &mut *sink).map_err(WriteError::Refused)?;
            }
            let keys = (1..=self.told.rows).map(|row| [Value::Int(i64::try_from(row).unwrap())]);
            let affected = keys.map(|key| Box::new(key) as Box<[Value]>).collect();
            let done = Committed {
                mark: None,
                affected: vec![affected],
                inserted: vec![self.told.inserted],
            };
            Ok(Answer { done, sink })
        })
    }

    fn changes(&self, _: Seq, _: u32) -> StoreFuture<'_, Result<Vec<Event>, Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn introspect(&self) -> StoreFuture<'_, Result<Schema, Error>> {
        Box::pin(async { Ok(Schema::default()) })
    }

    fn migrate(&self, _: Migration, _: Cx) -> StoreFuture<'_, Result<Applied, Error>> {
        Box::pin(async { Err(Error::unavailable("no schema changes here")) })
    }

    fn migrations(&self) -> StoreFuture<'_, Result<Vec<AppliedMigration>, Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn health(&self, _: Cx) -> StoreFuture<'_, Health> {
        Box::pin(async { Health::Away("/secret/path is gone".to_owned()) })
    }

    fn close(&self, _: Instant) -> StoreFuture<'_, ()> {
        Box::pin(async {})
    }
}

fn serve(told: Told) -> (Router, Arc<ToldStore>) {
    serve_app(told, &[("models/posts.toml", POSTS), ("models/secrets.toml", SECRETS)])
}

fn serve_app(told: Told, files: &[(&str, &str)]) -> (Router, Arc<ToldStore>) {
    let (state, store) = state_of(told, files, ServerTiming::Off);
    (router(state), store)
}

fn parts_of(files: &[(&str, &str)], keyring: &Keyring) -> (Arc<Planner>, Arc<Verifier>) {
    let file = |(path, text): &(&str, &str)| SourceFile {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    let catalog = Arc::new(read_app(&[], &files, &[]).expect("a good app").catalog);
    let rulebook = Arc::new(mainstay_rules::compile(&catalog).expect("good rules"));
    let planner = Planner::new(catalog, rulebook, Limits::default(), Features { aggregates: true });
    let verifier = Verifier::new(
        keyring,
        TokenSettings::new("test"),
        Box::new(|roles| (roles.to_vec(), Vec::new())),
    );
    (Arc::new(planner), Arc::new(verifier))
}

fn state_of(
    told: Told,
    files: &[(&str, &str)],
    server_timing: ServerTiming,
) -> (State, Arc<ToldStore>) {
    let capabilities = Capabilities {
        engine: "told",
        transactions: true,
        unique_constraints: true,
        relation_guards: true,
        counting_guards: true,
        embeds: true,
        aggregates: true,
    };
    let store = Arc::new(ToldStore { told, capabilities, ended: Mutex::default() });
    let keyring = Keyring::generate();
    let settings = Settings { rehearsal: Rehearsal::Allowed, server_timing, ..Settings::new() };
    let (planner, verifier) = parts_of(files, &keyring);
    let rows = Rows::new(Arc::clone(&store) as Arc<dyn Store>, Arc::clone(&planner));
    let identity = identity(rows, keyring, &verifier);
    let app = App::new("blog", planner, verifier);
    (State::new(app, Arc::clone(&store) as Arc<dyn Store>, Arc::new(identity), settings), store)
}

/// No account is ever asked for here; tokens are taken as they are.
fn identity(rows: Rows, keyring: Keyring, verifier: &Arc<Verifier>) -> Identity {
    let redirects = RedirectTargets::new("http://localhost", []).expect("a site");
    let settings = IdentitySettings {
        takes_tokens_without_session: true,
        ..IdentitySettings::new(TokenSettings::new("test"), "http://localhost", redirects)
    };
    let templates = Arc::new(Templates::read(&[]).expect("good templates"));
    let mails = Outgoing { templates, waker: None };
    Identity::new(Arc::new(rows), Arc::new(keyring), Arc::clone(verifier), settings, mails)
}

/// Headers that are the same on nearly every answer, and are shown where they differ.
const EVERYWHERE: &[&str] = &[
    "content-type: application/json; charset=utf-8",
    "vary: accept, prefer, range, authorization, apikey",
];

/// Sends `METHOD TARGET`, then a header on each line, then after an empty line the
/// body; and shows the answer.
async fn ask(
    service: impl Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    text: &str,
) -> String {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
    let mut req = Request::builder().method(method).uri(target);
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        req = req.header(name, value);
    }
    let res = service.oneshot(req.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    shown(res).await
}

async fn shown(res: Response<Body>) -> String {
    let (head, body) = res.into_parts();
    let mut headers: Vec<String> = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .filter(|header| !EVERYWHERE.contains(&header.as_str()))
        .collect();
    headers.sort();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let mut text = format!("{}\n{}", head.status.as_u16(), headers.join("\n"));
    text.push_str(&format!("\n{}", String::from_utf8_lossy(&body)));
    text.trim_end().lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

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
        assert_eq!(vary, "accept, prefer, range, authorization, apikey");
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
async fn an_insert_is_created_unless_all_of_it_was_there() {
    check(
        ONE,
        "POST /rest/v1/posts\n\n{\"title\":\"x\"}",
        expect![[r#"
            201
            content-length: 0
            content-range: */*"#]],
    )
    .await;
    check(ONE, "POST /rest/v1/posts?select=id\nprefer: return=representation,count=exact\n\n{\"title\":\"x\"}", expect![[r#"
        201
        content-length: 10
        content-range: */1
        preference-applied: return=representation, count=exact
        [{"id":1}]"#]]).await;
    check(
        ONE,
        "POST /rest/v1/posts\nprefer: return=headers-only\n\n{\"title\":\"x\"}",
        expect![[r#"
            201
            content-length: 0
            content-range: */*
            location: /rest/v1/posts?id=eq.1
            preference-applied: return=headers-only"#]],
    )
    .await;
    let merged = Told { inserted: 0, ..ONE };
    check(
        merged,
        "POST /rest/v1/posts\nprefer: resolution=merge-duplicates\n\n{\"id\":1,\"title\":\"x\"}",
        expect![[r#"
            200
            content-length: 0
            content-range: */*
            preference-applied: resolution=merge-duplicates"#]],
    )
    .await;
}

#[tokio::test]
async fn writes_of_nothing_are_not_errors() {
    check(
        NONE,
        "POST /rest/v1/posts\nprefer: return=representation\n\n[]",
        expect![[r#"
        201
        content-length: 2
        content-range: */*
        preference-applied: return=representation
        []"#]],
    )
    .await;
    check(
        NONE,
        "PATCH /rest/v1/posts?id=eq.1\nprefer: return=representation\n\n{}",
        expect![[r#"
        200
        content-length: 2
        content-range: */*
        preference-applied: return=representation
        []"#]],
    )
    .await;
    check(
        NONE,
        "PATCH /rest/v1/posts?id=eq.1\n\n[]",
        expect![[r#"
        204
        content-range: */*"#]],
    )
    .await;
    check(
        ONE,
        "POST /rest/v1/posts\n\n{}",
        expect![[r#"
        201
        content-length: 0
        content-range: */*"#]],
    )
    .await;
    check(
        ONE,
        "GET /rest/v1/posts?select=",
        expect![[r#"
        200
        content-length: 22
        content-range: 0-0/*
        [{"id":1,"title":"t"}]"#]],
    )
    .await;
    check(
        ONE,
        "GET /rest/v1/posts?",
        expect![[r#"
        200
        content-length: 22
        content-range: 0-0/*
        [{"id":1,"title":"t"}]"#]],
    )
    .await;
}

#[tokio::test]
async fn an_update_without_rows_is_no_content() {
    check(
        TWO,
        "PATCH /rest/v1/posts?id=gt.0\n\n{\"title\":\"x\"}",
        expect![[r#"
            204
            content-range: 0-1/*"#]],
    )
    .await;
    check(TWO, "PATCH /rest/v1/posts?id=gt.0&select=id\nprefer: return=representation\n\n{\"title\":\"x\"}", expect![[r#"
        200
        content-length: 19
        content-range: 0-1/*
        preference-applied: return=representation
        [{"id":1},{"id":2}]"#]]).await;
    check(
        TWO,
        "DELETE /rest/v1/posts?id=gt.0\nprefer: count=exact",
        expect![[r#"
            204
            content-range: */2
            preference-applied: count=exact"#]],
    )
    .await;
    check(
        TWO,
        "DELETE /rest/v1/posts?id=gt.0&select=id\nprefer: return=representation",
        expect![[r#"
            200
            content-length: 19
            content-range: */*
            preference-applied: return=representation
            [{"id":1},{"id":2}]"#]],
    )
    .await;
    check(TWO, "DELETE /rest/v1/posts", expect![[r#"
        400
        content-length: 150
        proxy-status: Mainstay; error=21000
        {"code":"21000","message":"DELETE requires a filter","details":null,"hint":"add a filter, or bound it with 'Prefer: handling=strict, max-affected=N'"}"#]]).await;
    check(TWO, "DELETE /rest/v1/posts?id=gt.0&limit=1", expect![[r#"
        400
        content-length: 212
        proxy-status: Mainstay; error=PGRST127
        {"code":"PGRST127","message":"limit/offset querystring parameters are not allowed for DELETE","details":null,"hint":"Name the rows by a filter; bound their number with 'Prefer: handling=strict, max-affected=N'."}"#]]).await;
    check(TWO, "PATCH /rest/v1/posts?id=gt.0\n\n[{},{}]", expect![[r#"
        400
        content-length: 95
        proxy-status: Mainstay; error=PGRST102
        {"code":"PGRST102","message":"the body of PATCH must be one object","details":null,"hint":null}"#]]).await;
}

#[tokio::test]
async fn put_addresses_the_row_in_its_body() {
    let put = |target: &str, body: &str| format!("PUT /rest/v1/posts{target}\n\n{body}");
    check(ONE, &put("?id=eq.1", "{\"id\":1,\"title\":\"x\"}"), expect!["204"]).await;
    check(ONE, "PUT /rest/v1/posts?id=eq.1&select=id\nprefer: return=representation\n\n{\"id\":\"01\",\"title\":\"x\"}", expect![[r#"
        201
        content-length: 10
        preference-applied: return=representation
        [{"id":1}]"#]]).await;
    check(ONE, &put("?id=eq.2", "{\"id\":1,\"title\":\"x\"}"), expect![[r#"
        400
        content-length: 115
        proxy-status: Mainstay; error=PGRST115
        {"code":"PGRST115","message":"Payload values do not match URL in primary key column(s)","details":null,"hint":null}"#]]).await;
    check(ONE, &put("?id=gt.1", "{\"id\":1,\"title\":\"x\"}"), expect![[r#"
        405
        allow: OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE
        content-length: 132
        proxy-status: Mainstay; error=PGRST105
        {"code":"PGRST105","message":"Filters must include all and only primary key columns with 'eq' operators","details":null,"hint":null}"#]]).await;
    check(ONE, &put("?id=eq.1&title=eq.x", "{\"id\":1,\"title\":\"x\"}"), expect![[r#"
        405
        allow: OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE
        content-length: 132
        proxy-status: Mainstay; error=PGRST105
        {"code":"PGRST105","message":"Filters must include all and only primary key columns with 'eq' operators","details":null,"hint":null}"#]]).await;
    check(ONE, &put("?id=eq.1&limit=1", "{\"id\":1,\"title\":\"x\"}"), expect![[r#"
        400
        content-length: 209
        proxy-status: Mainstay; error=PGRST114
        {"code":"PGRST114","message":"limit/offset querystring parameters are not allowed for PUT","details":null,"hint":"Name the rows by a filter; bound their number with 'Prefer: handling=strict, max-affected=N'."}"#]]).await;
    check(ONE, &put("?id=eq.1", "[]"), expect![[r#"
        400
        content-length: 93
        proxy-status: Mainstay; error=PGRST102
        {"code":"PGRST102","message":"the body of PUT must be one object","details":null,"hint":null}"#]]).await;
}

#[tokio::test]
async fn a_rehearsal_is_rolled_back() {
    let (router, store) = serve(ONE);
    let text = ask(router, "POST /rest/v1/posts\nprefer: tx=rollback\n\n{\"title\":\"x\"}").await;
    expect![[r#"
        201
        content-length: 0
        content-range: */*
        preference-applied: tx=rollback"#]]
    .assert_eq(&text);
    assert_eq!(*store.ended.lock().unwrap(), [End::RollBack]);
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
