//! `mainstay dev`: who may reach it, and how it follows its folder.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
};

use mainstay::testing::TestApp;

use super::{Server, end_of, folder, mainstay, run, text, write};

const POSTS: &str = "[fields]\ntitle = { type = \"text\" }\n[rules]\nread = \"true\"\n";

#[test]
fn only_this_machine_reaches_it_under_its_own_names() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    let refused = run(&["dev", text(&directory), "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.contains("this machine alone"), "{}", refused.err);

    // What the file says of production's address counts for its port alone.
    write(directory.path(), "mainstay.toml", "[server]\nlisten = \"0.0.0.0:8000\"\n");
    let server = Server::start("dev", directory.path());
    assert!(server.url.starts_with("http://127.0.0.1:"), "{}", server.url);
    let answer = server.get("/rest/v1/posts", "");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let rebound = server.get("/rest/v1/posts", "Host: evil.example\r\n");
    assert!(rebound.starts_with("HTTP/1.1 421 "), "{rebound}");
    let other = server.get("/rest/v1/posts", "Origin: http://localhost:5173\r\n");
    assert!(other.contains("access-control-allow-origin: http://localhost:5173"), "{other}");
    let page = server.get("/rest/v1/posts", "Origin: http://evil.example\r\n");
    assert!(!page.contains("access-control-allow-origin"), "{page}");
}

#[test]
fn a_pipe_gets_plain_lines_without_keys_and_answers_without_timings() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    let server = Server::start("dev", directory.path());
    let answer = server.get("/rest/v1/posts", "");
    assert!(!answer.to_ascii_lowercase().contains("server-timing"), "{answer}");
    server.get("/nothing", "");
    let began = server.began.clone();
    let ended = server.stop();
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (Some(0), "", ""));
    assert!(!began.contains("eyJ") && !began.contains('\u{1b}'), "{began}");
}

#[test]
fn a_port_that_is_taken_is_said_before_anything_is_made() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let refused = run(&["dev", text(&directory), "--listen", &address]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains(&address) && refused.err.contains("taken"), "{}", refused.err);
    assert!(!directory.path().join(".mainstay").exists());
}

#[test]
fn a_database_that_cannot_be_opened_is_named() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    let path = directory.path().join("no/such/place/app.db");
    let url = format!("sqlite:{}", path.display());
    let mut command = mainstay(&["dev", text(&directory), "--listen", "127.0.0.1:0"]);
    let refused = end_of(command.env("MAINSTAY_DATABASE__URL", url));
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains(path.to_str().expect("UTF-8")), "{}", refused.err);
}

#[test]
fn what_is_added_to_the_models_is_served_and_mistakes_leave_it_as_it_was() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    let mut server = Server::start("dev", directory.path());
    assert!(server.began.contains("create table posts"), "{}", server.began);
    assert!(server.get("/rest/v1/notes", "").starts_with("HTTP/1.1 404 "));

    write(directory.path(), "models/posts.toml", "[fields]\ntitle = { type = \"txet\" }\n");
    write(directory.path(), "models/notes.toml", "[fields]\ntext = { type = \"text\" }\n");
    assert!(server.get("/rest/v1/posts", "").starts_with("HTTP/1.1 200 "));
    write(
        directory.path(),
        "models/posts.toml",
        &POSTS.replace("[rules]", "body = { type = \"text\" }\n[rules]"),
    );
    server.until("reloaded");
    let mut steps = [server.line(), server.line()];
    steps.sort();
    assert_eq!(
        steps.map(|step| step.trim().to_owned()),
        ["+ add column posts.body", "+ create table notes"]
    );
    assert!(server.get("/rest/v1/posts?select=body", "").starts_with("HTTP/1.1 200 "));
    assert!(server.get("/rest/v1/notes", "").starts_with("HTTP/1.1 401 "));
}

#[test]
fn what_counts_from_the_next_start_on_is_named() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    let mut server = Server::start("dev", directory.path());
    let mut errors = BufReader::new(server.child.stderr.take().expect("piped")).lines();
    let mut note = || errors.next().expect("it goes on").expect("UTF-8");
    write(directory.path(), "mails/confirmation.txt", "Subject: Yours?\n\n{{ link }}\n");
    server.until("reloaded");
    assert!(note().contains("what changed in mails/ counts from the next start on"));
    write(directory.path(), "mainstay.toml", "[auth]\nsign_up = false\n");
    server.until("reloaded");
    assert!(note().contains("what changed in [auth], mails/ counts from the next start on"));
}

#[test]
fn a_migration_is_told_of_as_it_is_written_and_applied_at_the_next_start() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    assert_eq!(run(&["migrate", "new", "start", text(&directory)]).code, Some(0));
    let mut server = Server::start("dev", directory.path());
    let mut errors = BufReader::new(server.child.stderr.take().expect("piped")).lines();
    let mut told = |wanted: &str| loop {
        let line = errors.next().expect("it goes on").expect("UTF-8");
        if line.contains(wanted) {
            break;
        }
    };
    let file = "migrations/0002_by_hand.toml";
    write(directory.path(), file, "[[step]]\nkind = \"sqll\"\n");
    told("unknown variant `sqll`");
    told("the app goes on as it was");
    // Whoever goes on writing is told each time, and nothing of it is applied.
    for title in ["One", "Two"] {
        let sql = format!("INSERT INTO posts VALUES (randomblob(16), '{title}', 0, 0, 1)");
        let step = format!("[[step]]\nkind = \"sql\"\nsql.sqlite = \"{sql}\"\n");
        write(directory.path(), file, &step);
        server.until("0002_by_hand.toml  pending");
        assert!(server.get("/rest/v1/posts", "").ends_with("[]"));
    }
    drop(server);
    let server = Server::start("dev", directory.path());
    assert!(server.get("/rest/v1/posts?select=title", "").ends_with(r#"[{"title":"Two"}]"#));
}

#[test]
fn what_would_drop_data_is_refused_at_the_next_start() {
    let directory = folder(&[("models/posts.toml", POSTS)]);
    assert_eq!(Server::start("dev", directory.path()).stop().code, Some(0));
    write(directory.path(), "models/posts.toml", &POSTS.replace("text", "int"));
    let refused = run(&["dev", text(&directory), "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("posts.title"), "{}", refused.err);
    assert!(refused.err.contains("never drops"), "{}", refused.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_dropped_while_the_app_is_taken_over() {
    let app = std::sync::Arc::new(TestApp::start(&[("models/posts.toml", POSTS)]).await);
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (app, done) = (app.clone(), done.clone());
            tokio::spawn(async move {
                let mut answered = 0_u32;
                while !done.load(std::sync::atomic::Ordering::Relaxed) || answered == 0 {
                    let res = app.get("/rest/v1/posts?select=title").await;
                    assert_eq!((res.status, res.body.as_str()), (200, "[]"));
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for round in 0..20 {
        let more = format!("extra{round} = {{ type = \"text\" }}\n[rules]");
        app.write_file("models/posts.toml", &POSTS.replace("[rules]", &more));
        app.reload().await.expect("it is taken over");
    }
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    for caller in callers {
        assert!(caller.await.expect("every request is answered") > 0);
    }
}

#[tokio::test]
async fn a_reload_puts_rules_and_roles_in_force_and_refuses_mistakes() {
    let app = TestApp::start(&[
        ("mainstay.toml", "[roles]\neditor = { can = [\"posts.read\"] }\n"),
        ("models/posts.toml", &POSTS.replace("true", "auth.can('posts.read')")),
    ])
    .await;
    let bearer = format!("Bearer {}", app.token("ada", &["chief"]));
    let headers = [("Authorization", bearer.as_str())];
    let open = |body: &str| body.contains("Alpha");
    let service = format!("Bearer {}", app.service_key());
    let row = br#"{"title":"Alpha"}"#;
    let service = [("Authorization", service.as_str()), ("Content-Type", "application/json")];
    assert_eq!(app.request("POST", "/rest/v1/posts", &service, row).await.status, 201);
    assert!(!open(&app.request("GET", "/rest/v1/posts", &headers, b"").await.body));

    let roles =
        "[roles]\neditor = { can = [\"posts.read\"] }\nchief = { inherits = [\"editor\"] }\n";
    app.write_file("mainstay.toml", roles);
    app.reload().await.expect("it is taken over");
    assert!(open(&app.request("GET", "/rest/v1/posts", &headers, b"").await.body));

    app.write_file("models/posts.toml", "[fields]\ntitle = 5\n");
    assert!(app.reload().await.is_err());
    assert!(open(&app.request("GET", "/rest/v1/posts", &headers, b"").await.body));
}
