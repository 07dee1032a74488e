//! A handler that panics takes its own request down and nothing else.

use axum::{Router, routing::get};

use crate::socket::{Server, get as get_text};

async fn panics_late() -> &'static str {
    tokio::task::yield_now().await;
    panic!("the secret text of a panic")
}

#[tokio::test]
async fn a_panic_is_a_500_with_the_requests_id_and_the_connection_lives_on() {
    let router =
        Router::new().route("/panics", get(panics_late)).route("/", get(|| async { "hello" }));
    let server = Server::start(router).await;
    let mut caller = server.connect().await;
    for _ in 0..2 {
        caller.send(get_text("/panics", &[])).await;
        let answer = caller.answer().await;
        assert_eq!((answer.status, answer.code().as_str()), (500, "internal"));
        answer.assert_guarded();
        let id = answer.header("x-request-id").unwrap();
        assert!(answer.text().contains(id), "{}", answer.text());
        assert!(!answer.text().contains("secret"));
        caller.send(get_text("/", &[])).await;
        assert_eq!(caller.answer().await.text(), "hello");
    }
}
