//! How many connections there may be, and what a slow one may hold.

use axum::{Router, body::Bytes, routing::get, routing::post};
use mainstay_web::{middleware::StackSettings, server::ServerSettings};

use tokio::time::timeout;

use crate::socket::{PATIENCE, Server, get as get_text};

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

#[tokio::test]
async fn a_connection_over_the_limit_is_answered_503_and_a_closed_one_makes_room() {
    let settings = ServerSettings { connections_max: 1, ..ServerSettings::default() };
    let server = Server::start_with(hello(), StackSettings::default(), settings).await;
    let mut first = server.connect().await;
    first.send(get_text("/", &[])).await;
    assert_eq!(first.answer().await.status, 200);

    let mut second = server.connect().await;
    let refused = second.answer().await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.code(), "unavailable");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("connection"), Some("close"));
    refused.assert_guarded();
    assert!(second.is_closed().await);

    first.send(get_text("/", &["connection: close"])).await;
    assert_eq!(first.answer().await.status, 200);
    assert!(first.is_closed().await);
    // The server has closed; its place is free as soon as the task has ended.
    while server.get("/", &[]).await.status == 503 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_caller_that_does_not_read_its_answer_is_given_up() {
    let router = Router::new().route("/", get(|| async { vec![b'a'; 32 * 1024 * 1024] }));
    let settings = ServerSettings { write_ms: 50, connections_max: 1, ..ServerSettings::default() };
    let server = Server::start_with(router, StackSettings::default(), settings).await;
    let mut slow = server.connect().await;
    slow.send(get_text("/", &[])).await;
    assert_eq!(slow.head().await.status, 200);
    // Its place is free again once the server has given it up.
    let given_up = async {
        loop {
            let mut next = server.connect().await;
            next.send(get_text("/", &[])).await;
            if next.head().await.status == 200 {
                break;
            }
        }
    };
    timeout(PATIENCE, given_up).await.expect("the server waits for a reader for ever");
    assert!(slow.rest().await.len() < 32 * 1024 * 1024);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_answered_408() {
    let router = Router::new().route("/", post(|body: Bytes| async move { body }));
    let stack = StackSettings { body_ms: 30, ..StackSettings::default() };
    let server = Server::start_with(router, stack, ServerSettings::default()).await;
    let mut caller = server.connect().await;
    caller.send("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf").await;
    let answer = caller.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (408, "57014"));
    assert!(answer.text().contains("body_ms"));
    answer.assert_guarded();
    assert!(caller.is_closed().await);
}
