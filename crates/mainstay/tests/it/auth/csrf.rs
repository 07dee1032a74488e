//! What a page of another site has a visitor's browser send.

use mainstay::testing::{Response, TestApp};

use super::visitor::{FORM, cookie_of, sign_in, sign_up, status_of};

const NOTES: (&str, &str) = (
    "models/notes.toml",
    "[fields]\ntext = { type = \"text\" }\n[rules]\nread = \"true\"\ncreate = \"auth.id != null\"\n",
);
const EVIL: (&str, &str) = ("Origin", "https://evil.test");
const CROSS: (&str, &str) = ("Sec-Fetch-Site", "cross-site");
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn is_refused(res: &Response) -> bool {
    res.status == 403 && res.header("set-cookie").is_none()
}

#[tokio::test]
async fn another_site_can_do_nothing_with_a_visitors_cookie() {
    let app = TestApp::start(&[NOTES]).await;
    sign_up(&app).await;
    let cookie = cookie_of(&sign_in(&app, None).await);
    let cookie = ("Cookie", cookie.as_str());
    let own = format!("http://{}", app.address());
    let post = async |headers: &[(&str, &str)]| {
        let headers = [headers, &[cookie, JSON]].concat();
        app.request("POST", "/rest/v1/notes", &headers, br#"{"text":"x"}"#).await
    };
    for headers in [&[CROSS, EVIL][..], &[EVIL], &[CROSS], &[("Sec-Fetch-Site", "same-site")]] {
        let res = post(headers).await;
        assert!(is_refused(&res), "{headers:?}: {res:?}");
        assert_eq!(res.json()["code"], "origin_not_allowed");
    }
    assert_eq!(app.get("/rest/v1/notes").await.body, "[]");
    for headers in [
        &[("Sec-Fetch-Site", "same-origin"), ("Origin", own.as_str())][..],
        &[("Origin", own.as_str())],
        &[],
    ] {
        assert_eq!(post(headers).await.status, 201, "{headers:?}");
    }
    for (method, path) in [
        ("POST", "/auth/v1/session/end"),
        ("DELETE", "/auth/v1/session"),
        ("POST", "/auth/v1/sessions/019aa8f0-0000-7000-8000-00000000b0b0/revoke"),
        ("PUT", "/auth/v1/user"),
        ("POST", "/auth/v1/logout"),
    ] {
        let res = app.request(method, path, &[cookie, EVIL, FORM], b"").await;
        assert!(is_refused(&res), "{path}: {res:?}");
        assert_eq!(res.json()["code"], "cross_site_request");
    }
    assert_eq!(status_of(&app, cookie.1).await, 200);
    app.close().await;
}

#[tokio::test]
async fn another_site_has_no_code_mailed_to_a_visitor() {
    let app = TestApp::start(&[NOTES]).await;
    sign_up(&app).await;
    let cookie = cookie_of(&sign_in(&app, None).await);
    let cookie = ("Cookie", cookie.as_str());
    let path = "/auth/v1/reauthenticate";
    for from in [CROSS, EVIL, ("Sec-Fetch-Site", "same-site")] {
        let res = app.request("GET", path, &[cookie, from], b"").await;
        assert!(is_refused(&res), "{from:?}: {res:?}");
    }
    let own = ("Sec-Fetch-Site", "same-origin");
    assert_eq!(app.request("GET", path, &[cookie, own], b"").await.status, 200);
    app.close().await;
}

#[tokio::test]
async fn another_site_signs_nobody_in() {
    let app = TestApp::start(&[NOTES]).await;
    sign_up(&app).await;
    let body = b"email=ada%40example.com&password=a+long+enough+passphrase";
    for path in ["/auth/v1/session", "/auth/v1/signup", "/auth/v1/verify", "/auth/v1/recover"] {
        let res = app.request("POST", path, &[FORM, CROSS, EVIL], body).await;
        assert!(is_refused(&res), "{path}: {res:?}");
        assert!(res.body.contains("Another site"), "{}", res.body);
    }
    // The same as text, which a page may send unasked.
    let json = br#"{"email":"ada@example.com","password":"a long enough passphrase","x":"="}"#;
    let text = ("Content-Type", "text/plain");
    assert!(is_refused(&app.request("POST", "/auth/v1/session", &[text, CROSS], json).await));
    app.close().await;
}

#[tokio::test]
async fn a_bearer_token_may_come_from_an_origin_that_is_allowed() {
    let settings = ("mainstay.toml", "[server]\ncors_origins = [\"https://app.test\"]\n");
    let app = TestApp::start(&[NOTES, settings]).await;
    let token = sign_up(&app).await["access_token"].as_str().expect("a token").to_owned();
    let bearer = format!("Bearer {token}");
    let cookie = cookie_of(&sign_in(&app, None).await);
    let origin = ("Origin", "https://app.test");
    let sent = [origin, CROSS, JSON, ("Authorization", bearer.as_str())];
    let both = [&sent[..], &[("Cookie", cookie.as_str())]].concat();
    for headers in [&sent[..], &both] {
        let res = app.request("POST", "/rest/v1/notes", headers, br#"{"text":"x"}"#).await;
        assert_eq!(res.status, 201, "{}", res.body);
        assert_eq!(res.header("access-control-allow-origin"), Some("https://app.test"));
    }
    let body = br#"{"email":"ada@example.com","password":"a long enough passphrase"}"#;
    let path = "/auth/v1/token?grant_type=password";
    let res = app.request("POST", path, &[origin, CROSS, JSON], body).await;
    assert_eq!(res.status, 200, "{}", res.body);
    app.close().await;
}
