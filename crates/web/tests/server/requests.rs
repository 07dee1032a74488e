//! What holds for each request: its id, its caller's address, the bounds of its
//! body, the headers of its answer, its line in the log.

use std::sync::mpsc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::DefaultBodyLimit,
    http::StatusCode,
    routing::{get, post},
};
use mainstay_web::{
    middleware::{
        ClientAddress, LogEntry, LogPolicy, RequestContext, RequestId, RequestLog, StackSettings,
    },
    server::ServerSettings,
};

use crate::socket::Server;

fn router() -> Router {
    let address = |client: ClientAddress| async move { client.0.to_string() };
    let id = |id: RequestId| async move { id.to_string() };
    let scheme = |context: RequestContext| async move { context.https.to_string() };
    let length = |body: Body| async move {
        match to_bytes(body, usize::MAX).await {
            Ok(bytes) => Ok(bytes.len().to_string()),
            Err(_) => Err((StatusCode::BAD_REQUEST, "the body cannot be read")),
        }
    };
    Router::new()
        .route("/address", get(address))
        .route("/id", get(id))
        .route("/https", get(scheme))
        .route("/length", post(length))
        .route("/fails", get(|| async { StatusCode::BAD_GATEWAY }))
        .layer(DefaultBodyLimit::disable())
}

async fn behind(proxies: &[&str]) -> Server {
    let trusted_proxies = proxies.iter().map(|text| text.parse().unwrap()).collect();
    let settings = StackSettings { trusted_proxies, ..StackSettings::default() };
    Server::start_with(router(), settings, ServerSettings::default()).await
}

#[tokio::test]
async fn errors_carry_the_same_headers_as_answers() {
    let server = Server::start(router()).await;
    for (path, status) in [("/address", 200), ("/nothing", 404), ("/fails", 502)] {
        let answer = server.get(path, &[]).await;
        assert_eq!(answer.status, status);
        answer.assert_guarded();
    }
}

#[tokio::test]
async fn browsers_are_told_to_insist_on_https_only_where_it_is_configured() {
    let settings = StackSettings { https: true, ..StackSettings::default() };
    let server = Server::start_with(router(), settings, ServerSettings::default()).await;
    let answer = server.get("/nothing", &[]).await;
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
}

#[tokio::test]
async fn the_id_on_the_answer_is_the_one_the_handler_saw_and_no_other_requests() {
    let server = Server::start(router()).await;
    let first = server.get("/id", &[]).await;
    let second = server.get("/id", &[]).await;
    assert_eq!(first.header("x-request-id"), Some(first.text()));
    assert_ne!(first.text(), second.text());
}

#[tokio::test]
async fn a_stranger_can_choose_neither_its_address_nor_its_requests_id() {
    let server = behind(&["10.0.0.0/8"]).await;
    let spoof = ["x-forwarded-for: 1.2.3.4", "x-request-id: mine", "x-forwarded-proto: https"];
    assert_eq!(server.get("/address", &spoof).await.text(), "127.0.0.1");
    assert_ne!(server.get("/id", &spoof).await.text(), "mine");
    assert_eq!(server.get("/https", &spoof).await.text(), "false");
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_as_far_as_it_can_know() {
    let server = behind(&["127.0.0.1", "10.0.0.0/8"]).await;
    let headers = [
        "x-forwarded-for: 1.2.3.4, 203.0.113.9, 10.0.0.7",
        "x-forwarded-proto: https",
        "x-request-id: edge-7f3a",
    ];
    assert_eq!(server.get("/address", &headers).await.text(), "203.0.113.9");
    assert_eq!(server.get("/https", &headers).await.text(), "true");
    let answer = server.get("/id", &headers).await;
    assert_eq!(answer.text(), "edge-7f3a");
    assert_eq!(answer.header("x-request-id"), Some("edge-7f3a"));
    let odd = server.get("/id", &["x-request-id: two words"]).await;
    assert_ne!(odd.text(), "two words");
}

#[tokio::test]
async fn a_body_is_measured_to_the_byte_whether_its_length_is_announced_or_not() {
    let settings = StackSettings { body_bytes_max: 1000, ..StackSettings::default() };
    let server = Server::start_with(router(), settings, ServerSettings::default()).await;
    let announced = |length: usize| {
        let body = "a".repeat(length);
        format!(
            "POST /length HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let chunked = |length: usize| {
        let half = "a".repeat(length / 2);
        let rest = "a".repeat(length - length / 2);
        format!(
            "POST /length HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n\
             {:x}\r\n{half}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n",
            half.len(),
            rest.len()
        )
    };
    for request in [announced(1000), chunked(1000)] {
        let answer = server.ask(&request).await;
        assert_eq!((answer.status, answer.text()), (200, "1000"));
    }
    for request in [announced(1001), chunked(1001)] {
        let answer = server.ask(&request).await;
        assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"));
        assert!(answer.text().contains("1000 bytes"), "{}", answer.text());
        assert!(answer.text().contains("body_bytes_max"));
        assert_eq!(answer.header("connection"), Some("close"));
        answer.assert_guarded();
    }
}

#[tokio::test]
async fn a_body_announced_as_too_large_is_refused_before_it_is_sent() {
    let server = Server::start(router()).await;
    let mut caller = server.connect().await;
    let head = "POST /length HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9999999\r\n\r\n";
    caller.send(head).await;
    assert_eq!(caller.answer().await.status, 413);
}

#[tokio::test]
async fn a_caller_that_is_still_sending_reads_the_413_all_the_same() {
    let server = Server::start(router()).await;
    let mut caller = server.connect().await;
    let length = 7 * 1024 * 1024;
    let head =
        format!("POST /length HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
    caller.send(head).await;
    caller.send("a".repeat(length)).await;
    assert_eq!(caller.answer().await.status, 413);
    assert!(caller.is_closed().await);
}

#[tokio::test]
async fn tunnels_and_traces_are_refused() {
    let server = Server::start(router()).await;
    for head in [
        "CONNECT localhost:1 HTTP/1.1\r\nhost: localhost:1\r\n\r\n",
        "TRACE / HTTP/1.1\r\nhost: a\r\n\r\n",
    ] {
        let answer = server.ask(head).await;
        assert_eq!((answer.status, answer.code().as_str()), (405, "PGRST117"), "{head}");
    }
}

#[tokio::test]
async fn the_log_hears_of_each_request_without_its_query() {
    let (seen, entries) = mpsc::channel();
    let (log, thread) =
        RequestLog::start(LogPolicy::All, move |entry| seen.send(entry).unwrap()).unwrap();
    let server = Server::start_logging(
        router(),
        StackSettings::default(),
        ServerSettings::default(),
        Some(log),
    )
    .await;
    let answer = server.get("/id?secret=1", &[]).await;
    server.stop().await.unwrap();
    thread.join().unwrap();
    let entries: Vec<LogEntry> = entries.iter().collect();
    let [LogEntry::Request(event)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(event.path.as_ref(), "/id");
    assert_eq!(event.method, "GET");
    assert_eq!(event.status, StatusCode::OK);
    assert_eq!(event.request_id.as_str(), answer.text());
    assert_eq!(event.bytes, Some(answer.body.len() as u64));
}
