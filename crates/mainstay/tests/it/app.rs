//! The framework: routes and layers of a Rust program's own, beside the app's.

use axum::{
    extract::Request,
    http::HeaderValue,
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use mainstay::{App, Mode, axum, testing::TestApp};

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
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    let url = app.url();
    assert_ne!(url, format!("http://{address}"));
    let mut socket = tokio::net::TcpStream::connect(address).await.expect("it listens");
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let request = b"GET /rest/v1/posts HTTP/1.1\r\nHost: any.example\r\nConnection: close\r\n\r\n";
    socket.write_all(request).await.expect("written");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("[]"), "{answer}");
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
