//! `Host`: the names a server answers to.

use axum::{Router, routing::get};
use mainstay_web::{
    middleware::{HostPolicy, StackSettings},
    server::ServerSettings,
};

use crate::socket::Server;

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

#[tokio::test]
async fn a_server_for_this_machine_refuses_a_strangers_name() {
    let settings = StackSettings { hosts: HostPolicy::loopback(), ..StackSettings::default() };
    let server = Server::start_with(hello(), settings, ServerSettings::default()).await;
    for host in ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"] {
        let answer = server.ask(&format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
        assert_eq!(answer.status, 200, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example:8000"] {
        let answer = server.ask(&format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
        assert_eq!((answer.status, answer.code().as_str()), (421, "host_not_allowed"), "{host}");
        answer.assert_guarded();
    }
    let answer = server.ask("GET http://evil.example/ HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert_eq!(answer.status, 421);
}

#[tokio::test]
async fn a_preflight_is_held_to_the_same_names() {
    let settings = StackSettings {
        hosts: HostPolicy::loopback(),
        cors: mainstay_web::middleware::CorsPolicy::default().and_loopback(),
        ..StackSettings::default()
    };
    let server = Server::start_with(hello(), settings, ServerSettings::default()).await;
    let preflight = "OPTIONS / HTTP/1.1\r\nhost: evil.example\r\norigin: http://localhost:1\r\n\
                     access-control-request-method: GET\r\n\r\n";
    assert_eq!(server.ask(preflight).await.status, 421);
}

#[tokio::test]
async fn a_request_has_exactly_one_host() {
    let server = Server::start(hello()).await;
    for head in ["GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n"] {
        let answer = server.ask(head).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "request_malformed"));
    }
    assert_eq!(server.ask("GET / HTTP/1.1\r\nhost: any.example\r\n\r\n").await.status, 200);
    assert_eq!(server.ask("GET / HTTP/1.0\r\n\r\n").await.status, 200);
}
