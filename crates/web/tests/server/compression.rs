//! Compression: for those who ask, where it pays.

use axum::{Router, http::header, routing::get};
use mainstay_web::{middleware::StackSettings, server::ServerSettings};

use crate::socket::Server;

fn router() -> Router {
    let json = |length: usize| {
        move || async move { ([(header::CONTENT_TYPE, "application/json")], "1".repeat(length)) }
    };
    let png = || async { ([(header::CONTENT_TYPE, "image/png")], "1".repeat(50_000)) };
    Router::new()
        .route("/large", get(json(50_000)))
        .route("/small", get(json(1023)))
        .route("/png", get(png))
}

#[tokio::test]
async fn a_large_text_is_compressed_for_those_who_ask() {
    let server = Server::start(router()).await;
    let answer = server.get("/large", &["accept-encoding: br, gzip"]).await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert!(answer.header("vary").unwrap().contains("accept-encoding"));
    assert_eq!(answer.body[..2], [0x1f, 0x8b]);
    assert!(answer.body.len() < 1000, "{}", answer.body.len());
    answer.assert_guarded();
}

#[tokio::test]
async fn nobody_else_gets_gzip() {
    let server = Server::start(router()).await;
    for headers in [&[][..], &["accept-encoding: gzip;q=0"], &["accept-encoding: br"]] {
        let answer = server.get("/large", headers).await;
        assert_eq!(answer.header("content-encoding"), None, "{headers:?}");
        assert_eq!(answer.body.len(), 50_000);
        assert_eq!(answer.header("content-length"), Some("50000"));
    }
}

#[tokio::test]
async fn small_answers_and_pictures_are_left_alone() {
    let server = Server::start(router()).await;
    for path in ["/small", "/png"] {
        let answer = server.get(path, &["accept-encoding: gzip"]).await;
        assert_eq!(answer.header("content-encoding"), None, "{path}");
    }
}

#[tokio::test]
async fn compression_can_be_switched_off() {
    let settings = StackSettings { compression: false, ..StackSettings::default() };
    let server = Server::start_with(router(), settings, ServerSettings::default()).await;
    let answer = server.get("/large", &["accept-encoding: gzip"]).await;
    assert_eq!(answer.header("content-encoding"), None);
}
