//! Going down: nothing new, everything begun is finished, for a while.

use std::sync::Arc;

use axum::{Router, routing::get};
use mainstay_web::{
    middleware::StackSettings,
    server::{Drained, ServerSettings},
};
use tokio::{net::TcpStream, sync::Notify};

use crate::socket::{Server, get as get_text};

/// A router whose `/wait` says when it has begun and ends when it is told to.
fn waiting() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (says_begun, waits) = (Arc::clone(&begun), Arc::clone(&go));
    let wait = move || async move {
        says_begun.notify_one();
        waits.notified().await;
        "waited"
    };
    let router = Router::new().route("/wait", get(wait)).route("/", get(|| async { "hello" }));
    (router, begun, go)
}

#[tokio::test]
async fn a_request_in_flight_is_finished_while_new_connections_are_refused() {
    let (router, begun, go) = waiting();
    let server = Server::start(router).await;
    let address = server.address;
    let mut idle = server.connect().await;
    idle.send(get_text("/", &[])).await;
    assert_eq!(idle.answer().await.header("connection"), None);
    let mut untouched = server.connect().await;
    let mut caller = server.connect().await;
    caller.send(get_text("/wait", &[])).await;
    begun.notified().await;

    let ended = server.stop();
    assert!(idle.is_closed().await);
    assert!(untouched.is_closed().await);
    // Idle connections hear of the end when the listener is closed or about to be.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!ended.is_finished());

    go.notify_one();
    let answer = caller.answer().await;
    assert_eq!((answer.status, answer.text()), (200, "waited"));
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(caller.is_closed().await);
    assert_eq!(ended.await.unwrap(), Drained { connections_cut: 0 });
}

#[tokio::test]
async fn a_request_that_outlasts_the_drain_is_cut_off_and_counted() {
    let (router, begun, _go) = waiting();
    let settings = ServerSettings { drain_ms: 30, ..ServerSettings::default() };
    let server = Server::start_with(router, StackSettings::default(), settings).await;
    let mut caller = server.connect().await;
    caller.send(get_text("/wait", &[])).await;
    begun.notified().await;
    let ended = server.stop();
    assert!(caller.is_closed().await);
    assert_eq!(ended.await.unwrap(), Drained { connections_cut: 1 });
}

#[tokio::test]
async fn a_server_without_connections_stops_at_once() {
    let server = Server::start(Router::new()).await;
    assert_eq!(server.stop().await.unwrap(), Drained { connections_cut: 0 });
}
