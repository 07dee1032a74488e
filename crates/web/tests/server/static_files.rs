//! `public/`: what is served, and what is not however one asks.

use std::{fs, path::Path};

use axum::{Router, routing::get};
use mainstay_web::static_files::StaticFiles;
use tempfile::TempDir;

use crate::socket::{Answer, Server};

/// A server over a folder with something to steal beside it.
async fn server() -> (Server, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let public = dir.path().join("public");
    for folder in ["public/docs", "public/.git", "public/.well-known", "public/rest/v1", "public-2"]
    {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    let write = |path: &str, text: &str| fs::write(dir.path().join(path), text).unwrap();
    write("secret.txt", "SECRET");
    write("public-2/secret.txt", "SECRET");
    write("public/.env", "SECRET");
    write("public/.git/config", "SECRET");
    write("public/rest/v1/posts", "SECRET");
    write("public/index.html", "<h1>home</h1>");
    write("public/app.js", "let a = 1;");
    write("public/docs/index.html", "<h1>docs</h1>");
    write("public/.well-known/security.txt", "Contact: us");
    link("../secret.txt", &public.join("leak.txt"));
    link("..", &public.join("up"));
    link("../public-2", &public.join("sibling"));
    link(".env", &public.join("env.txt"));
    link("app.js", &public.join("alias.js"));
    let router = Router::new()
        .route("/rest/v1/{model}", get(|| async { "rows" }))
        .fallback_service(StaticFiles::open(&public).unwrap());
    (Server::start(router).await, dir)
}

fn link(target: &str, at: &Path) {
    std::os::unix::fs::symlink(target, at).unwrap();
}

fn is_absent(answer: &Answer) {
    assert_eq!(answer.status, 404, "{answer:?}");
    assert_eq!(answer.code(), "PGRST125");
    assert!(!answer.text().contains("SECRET"));
    answer.assert_guarded();
}

#[tokio::test]
async fn files_and_folders_are_served_with_their_types() {
    let (server, _dir) = server().await;
    for (path, content_type, body) in [
        ("/", "text/html; charset=utf-8", "<h1>home</h1>"),
        ("/index.html", "text/html; charset=utf-8", "<h1>home</h1>"),
        ("/docs/", "text/html; charset=utf-8", "<h1>docs</h1>"),
        ("/app.js", "text/javascript; charset=utf-8", "let a = 1;"),
        ("/alias.js", "text/javascript; charset=utf-8", "let a = 1;"),
        ("/.well-known/security.txt", "text/plain; charset=utf-8", "Contact: us"),
    ] {
        let answer = server.get(path, &[]).await;
        assert_eq!((answer.status, answer.text()), (200, body), "{path}");
        assert_eq!(answer.header("content-type"), Some(content_type), "{path}");
        assert!(!answer.header("content-security-policy").unwrap().contains("default-src 'none'"));
        answer.assert_guarded();
    }
    assert_eq!(server.get("/rest/v1/posts", &[]).await.text(), "rows");
}

#[tokio::test]
async fn a_folder_without_its_slash_is_redirected_here_and_nowhere_else() {
    let (server, _dir) = server().await;
    let answer = server.get("/docs", &[]).await;
    assert_eq!((answer.status, answer.header("location")), (307, Some("/docs/")));
    let absolute = "GET http://evil.example/docs HTTP/1.1\r\nhost: evil.example\r\n\r\n";
    assert_eq!(server.ask(absolute).await.header("location"), Some("/docs/"));
    is_absent(&server.get("//evil.example/docs", &[]).await);
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let (server, _dir) = server().await;
    let first = server.get("/app.js", &[]).await;
    let tag = format!("if-none-match: {}", first.header("etag").unwrap());
    let since = format!("if-modified-since: {}", first.header("last-modified").unwrap());
    for condition in [tag, since] {
        let again = server.get("/app.js", &[&condition]).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{condition}");
        again.assert_guarded();
    }
    let other = server.get("/app.js", &["if-none-match: \"other\""]).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn a_range_is_a_part_and_head_is_a_head() {
    let (server, _dir) = server().await;
    let part = server.get("/app.js", &["range: bytes=0-4"]).await;
    assert_eq!((part.status, part.text()), (206, "let a"));
    assert_eq!(part.header("content-range"), Some("bytes 0-4/10"));
    let mut caller = server.connect().await;
    caller.send("HEAD /app.js HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    let head = caller.head().await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("10")));
    assert!(caller.is_closed().await);
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let (server, _dir) = server().await;
    for path in [
        "/../secret.txt",
        "/docs/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E%2Fsecret.txt",
        "/..%2fsecret.txt",
        "/docs/%2e%2e/%2e%2e/secret.txt",
        "/%252e%252e/secret.txt",
        "/..%5csecret.txt",
        "/..%00/secret.txt",
        "/app.js%00.html",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/etc/passwd",
    ] {
        is_absent(&server.get(path, &[]).await);
    }
}

#[tokio::test]
async fn links_out_of_the_folder_and_to_hidden_files_lead_nowhere() {
    let (server, _dir) = server().await;
    for path in ["/leak.txt", "/up/secret.txt", "/sibling/secret.txt", "/env.txt", "/up/"] {
        is_absent(&server.get(path, &[]).await);
        let mut caller = server.connect().await;
        caller.send(format!("HEAD {path} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
        assert_eq!(caller.head().await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn hidden_files_and_the_apis_own_paths_are_not_served() {
    let (server, _dir) = server().await;
    for path in ["/.env", "/%2eenv", "/.git/config", "/.git/", "/docs/.hidden", "/rest/v1/posts/"] {
        is_absent(&server.get(path, &[]).await);
    }
}

#[tokio::test]
async fn a_browser_gets_a_page_where_there_is_nothing_and_a_program_gets_json() {
    let (server, dir) = server().await;
    let browser = ["accept: text/html,*/*;q=0.8"];
    let ours = server.get("/nothing", &browser).await;
    assert_eq!(ours.status, 404);
    assert_eq!(ours.header("content-type"), Some("text/html; charset=utf-8"));
    fs::write(dir.path().join("public/404.html"), "<h1>lost?</h1>").unwrap();
    let theirs = server.get("/nothing", &browser).await;
    assert_eq!((theirs.status, theirs.text()), (404, "<h1>lost?</h1>"));
    assert_eq!(theirs.header("etag"), None);
    theirs.assert_guarded();
    is_absent(&server.get("/nothing", &[]).await);
    is_absent(&server.get("/rest/v1/a/b", &browser).await);
    is_absent(&server.ask("POST /app.js HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").await);
    is_absent(&server.ask("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n").await);
}

#[tokio::test]
async fn without_a_folder_everything_is_a_404() {
    let router = Router::new().fallback_service(StaticFiles::none());
    is_absent(&Server::start(router).await.get("/index.html", &[]).await);
    let missing = tempfile::tempdir().unwrap().path().join("public");
    assert!(StaticFiles::open(&missing).is_err());
}
