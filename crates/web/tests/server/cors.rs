//! CORS: which pages of other origins may read answers.

use axum::{Router, routing::get};
use mainstay_web::{
    middleware::{CorsPolicy, StackSettings},
    server::ServerSettings,
};

use crate::socket::{Answer, Server};

async fn server(cors: CorsPolicy) -> Server {
    let router = Router::new().route("/", get(|| async { "hello" }));
    let settings = StackSettings { cors, ..StackSettings::default() };
    Server::start_with(router, settings, ServerSettings::default()).await
}

fn app() -> CorsPolicy {
    CorsPolicy::origins(["https://app.example.com"]).unwrap()
}

async fn preflight(server: &Server, origin: &str) -> Answer {
    let text = format!(
        "OPTIONS /rest/v1/posts HTTP/1.1\r\nhost: localhost\r\norigin: {origin}\r\n\
         access-control-request-method: PATCH\r\n\
         access-control-request-headers: apikey, prefer\r\n\r\n"
    );
    server.ask(&text).await
}

#[tokio::test]
async fn a_listed_origin_may_read_answers_and_errors() {
    let server = server(app()).await;
    for (path, status) in [("/", 200), ("/nothing", 404)] {
        let answer = server.get(path, &["origin: https://app.example.com"]).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example.com"));
        assert_eq!(answer.header("vary"), Some("origin"));
        let exposed = answer.header("access-control-expose-headers").unwrap();
        for name in ["Content-Range", "Preference-Applied", "Location", "ETag", "Retry-After"] {
            assert!(exposed.contains(name), "{exposed}");
        }
        answer.assert_guarded();
    }
}

#[tokio::test]
async fn an_origin_that_only_resembles_a_listed_one_gets_no_permission() {
    let server = server(app()).await;
    for origin in ["https://app.example.com.evil.example", "https://evilapp.example.com", "null"] {
        let answer = server.get("/", &[&format!("origin: {origin}")]).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        assert_eq!(answer.header("vary"), Some("origin"));
        let refused = preflight(&server, origin).await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "origin_not_allowed"));
        assert_eq!(refused.header("access-control-allow-origin"), None);
        refused.assert_guarded();
    }
}

#[tokio::test]
async fn a_preflight_of_a_listed_origin_is_answered_before_the_router() {
    let server = server(app()).await;
    let answer = preflight(&server, "https://app.example.com").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example.com"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("apikey, prefer"));
    assert_eq!(
        answer.header("access-control-allow-methods"),
        Some("GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS")
    );
    assert!(answer.header("vary").unwrap().contains("origin"));
    answer.assert_guarded();
}

#[tokio::test]
async fn any_port_of_this_machine_is_allowed_where_that_is_chosen() {
    let server = server(CorsPolicy::default().and_loopback()).await;
    let answer = server.get("/", &["origin: http://localhost:5173"]).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost:5173"));
    let answer = server.get("/", &["origin: http://localhost.evil.example"]).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn without_an_origin_nothing_is_permitted_and_without_cors_nothing_varies() {
    let on = server(app()).await;
    let answer = on.get("/", &[]).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("vary"), Some("origin"));
    let off = server(CorsPolicy::default()).await;
    let answer = off.get("/", &["origin: https://app.example.com"]).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("vary"), None);
    // An OPTIONS that CORS does not ask for is the router's, here a 405.
    assert_eq!(off.ask("OPTIONS / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.status, 405);
}
