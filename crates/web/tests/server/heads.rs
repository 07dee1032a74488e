//! What happens before a request is one: late, large and unreadable heads.

use axum::{Router, routing::get};
use mainstay_web::{middleware::StackSettings, server::ServerSettings};

use crate::socket::{Server, get as get_text};

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

#[tokio::test]
async fn a_head_that_is_not_finished_in_time_is_answered_408_and_closed() {
    let settings = ServerSettings { header_ms: 30, ..ServerSettings::default() };
    let server = Server::start_with(hello(), StackSettings::default(), settings).await;
    let mut caller = server.connect().await;
    caller.send("GET / HTTP/1.1\r\nhost: local").await;
    let answer = caller.answer().await;
    assert_eq!(answer.status, 408);
    assert_eq!(answer.code(), "57014");
    assert_eq!(answer.header("connection"), Some("close"));
    answer.assert_guarded();
    assert!(caller.is_closed().await);
}

#[tokio::test]
async fn a_late_head_after_an_answered_request_is_late_as_well() {
    let settings = ServerSettings { header_ms: 30, ..ServerSettings::default() };
    let server = Server::start_with(hello(), StackSettings::default(), settings).await;
    let mut caller = server.connect().await;
    caller.send(get_text("/", &[])).await;
    assert_eq!(caller.answer().await.text(), "hello");
    caller.send("GET / HT").await;
    assert_eq!(caller.answer().await.status, 408);
    assert!(caller.is_closed().await);
}

#[tokio::test]
async fn a_caller_that_says_nothing_is_let_go_without_a_word() {
    let settings = ServerSettings { header_ms: 30, ..ServerSettings::default() };
    let server = Server::start_with(hello(), StackSettings::default(), settings).await;
    assert!(server.connect().await.is_closed().await);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_the_idle_time_out() {
    let settings = ServerSettings { idle_ms: 30, ..ServerSettings::default() };
    let server = Server::start_with(hello(), StackSettings::default(), settings).await;
    let mut caller = server.connect().await;
    caller.send(get_text("/", &[])).await;
    assert_eq!(caller.answer().await.status, 200);
    assert!(caller.is_closed().await);
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_answered_431() {
    let settings = ServerSettings { header_bytes_max: 8192, ..ServerSettings::default() };
    let server = Server::start_with(hello(), StackSettings::default(), settings).await;
    let mut caller = server.connect().await;
    // The server may close before all of it is sent.
    let _ = caller.try_send(get_text("/", &[&format!("x-filler: {}", "a".repeat(200_000))])).await;
    let answer = caller.answer().await;
    assert_eq!(answer.status, 431);
    assert_eq!(answer.code(), "54000");
    assert!(answer.text().contains("8192"), "{}", answer.text());
    answer.assert_guarded();
    assert!(caller.is_closed().await);
}

#[tokio::test]
async fn a_head_with_too_many_headers_is_answered_431() {
    let server = Server::start(hello()).await;
    let lines: Vec<String> = (0..200).map(|count| format!("x-{count}: y")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let answer = server.get("/", &lines).await;
    assert_eq!((answer.status, answer.code().as_str()), (431, "54000"));
}

#[tokio::test]
async fn a_target_is_measured_to_the_byte() {
    let settings = StackSettings { url_bytes_max: 100, ..StackSettings::default() };
    let server = Server::start_with(hello(), settings, ServerSettings::default()).await;
    let fits = format!("/?{}", "a".repeat(98));
    assert_eq!(server.get(&fits, &[]).await.status, 200);
    let answer = server.get(&format!("{fits}a"), &[]).await;
    assert_eq!(answer.status, 414);
    assert_eq!(answer.code(), "54000");
    assert!(answer.text().contains("url_bytes_max"));
    answer.assert_guarded();
}

#[tokio::test]
async fn what_is_not_http_is_answered_400() {
    let server = Server::start(hello()).await;
    for nonsense in
        ["\x16\x03\x01 hello\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n", "\0\0\0\0\r\n\r\n"]
    {
        let mut caller = server.connect().await;
        caller.send(nonsense).await;
        let answer = caller.answer().await;
        assert_eq!(answer.status, 400, "{nonsense:?}");
        assert_eq!(answer.code(), "request_malformed");
        answer.assert_guarded();
        assert!(caller.is_closed().await);
    }
}

#[tokio::test]
async fn garbage_behind_a_good_request_does_not_spoil_its_answer() {
    let server = Server::start(hello()).await;
    let mut caller = server.connect().await;
    caller.send(get_text("/", &[])).await;
    assert_eq!(caller.answer().await.text(), "hello");
    caller.send("garbage\r\n\r\n").await;
    let answer = caller.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "request_malformed"));
    assert!(caller.is_closed().await);
}

#[tokio::test]
async fn requests_sent_all_at_once_are_answered_in_order() {
    let router = Router::new()
        .route("/a", get(|| async { "a" }))
        .route("/b", get(|| async { "b".repeat(100_000) }));
    let server = Server::start(router).await;
    let mut caller = server.connect().await;
    caller.send([get_text("/a", &[]), get_text("/b", &[]), get_text("/a", &[])].concat()).await;
    assert_eq!(caller.answer().await.text(), "a");
    assert_eq!(caller.answer().await.body.len(), 100_000);
    assert_eq!(caller.answer().await.text(), "a");
}
