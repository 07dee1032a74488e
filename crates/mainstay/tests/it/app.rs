//! The framework: routes and layers of a Rust program's own, beside the app's.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::Request,
    http::HeaderValue,
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use mainstay::{App, Mode, axum, testing::TestApp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const POSTS: &str = "[fields]\ntitle = { type = \"text\" }\n[rules]\nread = \"true\"\n";

async fn mark(req: Request, next: Next) -> Response {
    let mut res = next.run(req).await;
    res.headers_mut().insert("x-marked", HeaderValue::from_static("yes"));
    res
}

fn extend(app: App) -> App {
    app.route("/hello/{name}", get(|name: axum::extract::Path<String>| async move { name.0 }))
        .layer(from_fn(mark))
}

#[tokio::test]
async fn a_programs_own_routes_and_layers_stand_beside_the_apps() {
    let app = TestApp::start_with(&[("models/posts.toml", POSTS)], extend).await;
    let hello = app.get("/hello/ada").await;
    assert_eq!((hello.status, hello.body.as_str()), (200, "ada"));
    assert_eq!(hello.header("x-content-type-options"), Some("nosniff"));
    let posts = app.get("/rest/v1/posts").await;
    assert_eq!((posts.body.as_str(), posts.header("x-marked")), ("[]", Some("yes")));
    app.close().await;
}

#[tokio::test]
async fn a_handler_that_panics_is_a_500_and_the_server_lives() {
    async fn break_down() -> &'static str {
        panic!("the handler's own fault")
    }
    let app = TestApp::start_with(&[("models/posts.toml", POSTS)], |app| {
        app.route("/broken", get(break_down))
    })
    .await;
    let broken = app.get("/broken").await;
    assert_eq!((broken.status, &broken.json()["code"]), (500, &"internal".into()));
    let id = broken.header("x-request-id").expect("an id");
    assert!(broken.body.contains(id) && !broken.body.contains("own fault"), "{}", broken.body);
    assert_eq!(app.get("/rest/v1/posts").await.status, 200);
}

#[tokio::test]
async fn an_app_is_a_router_for_a_server_of_ones_own() {
    let settings = ("mainstay.toml", "[auth]\nconfirm_email = false\n");
    let app = TestApp::start(&[settings, ("models/posts.toml", POSTS)]).await;
    let folder = app.folder().to_owned();
    let router = App::load(folder).expect("no mistakes").router().await.expect("it opens");
    let address = served_by_axum(router).await;
    assert_ne!(app.url(), format!("http://{address}"));
    let answer = ask(address, "GET /rest/v1/posts", "").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("[]"), "{answer}");
}

#[tokio::test]
async fn what_goes_on_beside_answering_goes_on_under_a_server_of_ones_own() {
    let settings = ("mainstay.toml", "[auth]\nconfirm_email = false\n");
    // One that sends no mail: none is set up, and it is none of development.
    let app = TestApp::start_as(Mode::Production, &[settings]).await;
    let opened = App::load(app.folder()).expect("no mistakes").development();
    let address = served_by_axum(opened.router().await.expect("it opens")).await;
    let account = r#"{"email":"ana@example.com","password":"a horse of its own"}"#;
    ask(address, "POST /auth/v1/signup", account).await;
    ask(address, "POST /auth/v1/recover", r#"{"email":"ana@example.com"}"#).await;
    let began = Instant::now();
    while !ask(address, "GET /_dev/mail", "").await.contains("ana@example.com") {
        assert!(began.elapsed() < Duration::from_secs(20), "the mail does not leave");
    }
}

/// Where a server of axum's answers by this router.
async fn served_by_axum(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// The whole answer to a method and a path, and a body of JSON.
async fn ask(address: SocketAddr, what: &str, body: &str) -> String {
    let mut socket = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let length = body.len();
    let request = format!(
        "{what} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    socket.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("an answer");
    answer
}

#[tokio::test]
async fn rehearsals_and_aggregates_are_for_development_unless_switched_on() {
    let files = [("models/posts.toml", POSTS)];
    let statuses = async |mode| {
        let app = TestApp::start_as(mode, &files).await;
        let aggregated = app.get("/rest/v1/posts?select=count()").await.status;
        let prefer = [("Prefer", "tx=rollback")];
        let rehearsed = app.request("GET", "/rest/v1/posts", &prefer, b"").await.status;
        (aggregated, rehearsed)
    };
    assert_eq!(statuses(Mode::Development).await, (200, 200));
    assert_eq!(statuses(Mode::Production).await, (400, 400));
}
