//! `mainstay serve`: on which database it starts, and how it stops.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use super::{Server, end_of, folder, mainstay, run, text, write};

const POSTS: &str = "[fields]\ntitle = { type = \"text\" }\n[rules]\nread = \"true\"\n";

#[test]
fn an_empty_database_is_made_an_equal_one_is_taken_and_another_is_refused() {
    let directory = folder(&[("models/posts.toml", POSTS), ("seed/posts.json", "[{}]")]);
    let server = Server::start("serve", directory.path());
    let answer = server.get("/rest/v1/posts", "");
    assert!(answer.ends_with("[]"), "production is not seeded: {answer}");
    assert_eq!(server.stop().code, Some(0));
    assert_eq!(Server::start("serve", directory.path()).stop().code, Some(0));

    let more = POSTS.replace("[rules]", "body = { type = \"text\" }\n[rules]");
    write(directory.path(), "models/posts.toml", &more);
    let refused = run(&["serve", text(&directory), "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("posts.body"), "{}", refused.err);

    // What is only missing is for `dev` to add; then production takes it.
    assert_eq!(Server::start("dev", directory.path()).stop().code, Some(0));
    assert_eq!(Server::start("serve", directory.path()).stop().code, Some(0));
}

#[test]
fn a_signing_key_from_the_environment_is_used_and_none_is_kept() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    let other = folder(&[("models/posts.toml", POSTS)]);
    let kept = run(&["keys", text(&other), "--json"]);
    let pem = std::fs::read_to_string(other.path().join(".mainstay/signing_key.pem"));
    let one_line = pem.expect("made at first need").replace('\n', "\\n");
    let mut command = mainstay(&["keys", text(&directory), "--json"]);
    let given = end_of(command.env("MAINSTAY_AUTH__SIGNING_KEY", one_line));
    assert_eq!((given.code, &given.out), (Some(0), &kept.out));
    assert!(!directory.path().join(".mainstay").exists());
}

#[test]
fn a_request_under_way_is_answered_before_it_stops() {
    let rules = format!("{POSTS}create = \"true\"\n");
    let directory = folder(&[("models/posts.toml", &rules)]);
    let server = Server::start("serve", directory.path());
    let address = server.url.strip_prefix("http://").expect("a URL").to_owned();
    let mut socket = TcpStream::connect(&address).expect("it listens");
    let body = r#"{"title":"last"}"#;
    let head = format!(
        "POST /rest/v1/posts HTTP/1.1\r\nHost: {address}\r\nExpect: 100-continue\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).expect("written");
    // The server has the request once it asks for its body.
    let mut asked = [0_u8; 25];
    socket.read_exact(&mut asked).expect("asked for the body");
    assert!(asked.starts_with(b"HTTP/1.1 100"));
    let stopping = std::thread::spawn(move || server.stop());
    // A port that is closed says that the server has heard.
    while TcpStream::connect(&address).is_ok() {
        std::thread::yield_now();
    }
    socket.write_all(body.as_bytes()).expect("written");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(stopping.join().expect("it stops").code, Some(0));
    let again = Server::start("serve", directory.path());
    assert!(again.get("/rest/v1/posts?select=title", "").ends_with(r#"[{"title":"last"}]"#));
}

#[test]
fn an_app_with_mistakes_is_not_served() {
    let directory = folder(&[("models/posts.toml", "[fields]\ntitle = { type = \"txet\" }\n")]);
    let refused = run(&["serve", text(&directory), "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("models/posts.toml:2:"), "{}", refused.err);
    assert!(!directory.path().join(".mainstay").exists());
}

#[test]
fn serve_without_a_mail_server_is_refused_and_makes_nothing() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    let mut command = mainstay(&["serve", text(&directory), "--listen", "127.0.0.1:0"]);
    let refused = end_of(command.env("MAINSTAY_AUTH__CONFIRM_EMAIL", "true"));
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{}", refused.err);
    assert!(refused.err.contains("`[mail] smtp` names no server"), "{}", refused.err);
    assert!(!directory.path().join(".mainstay").exists());
}

#[test]
fn in_a_pipe_a_slow_request_is_an_event_of_the_log_as_json_where_asked_for() {
    let settings = "[log]\nformat = \"json\"\nslow_ms = 0\n";
    let directory = folder(&[("mainstay.toml", settings), ("models/posts.toml", POSTS)]);
    let server = Server::start("serve", directory.path());
    server.get("/rest/v1/posts?title=eq.secret", "");
    let ended = server.stop();
    let events: Vec<serde_json::Value> = ended
        .err
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .collect();
    let slow = events.iter().find(|event| event["path"] == "/rest/v1/posts").expect("recorded");
    assert_eq!((slow["status"].as_u64(), &slow["method"]), (Some(200), &"GET".into()));
    assert!(slow["request_id"].is_string() && slow["duration_us"].is_u64(), "{slow}");
    assert!(!ended.err.contains("secret"), "filters hold people's data");
}
