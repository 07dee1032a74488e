//! A visitor with a browser: somebody who keeps one cookie and sends it back.

use mainstay::testing::{Response, TestApp};

use super::factors::{Factor, Which};

pub(super) const EMAIL: &str = "ada@example.com";
pub(super) const PASSWORD: &str = "a long enough passphrase";

/// What a page's form is sent as.
pub(super) const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Makes an account, by the API that programs use.
pub(super) async fn sign_up(app: &TestApp) -> serde_json::Value {
    let body = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    let res = app.request("POST", "/auth/v1/signup", &[JSON], body.as_bytes()).await;
    assert_eq!(res.status, 200, "{}", res.body);
    res.json()
}

/// Signs in; `cookie` is what the browser had before.
pub(super) async fn sign_in(app: &TestApp, cookie: Option<&str>) -> Response {
    let body = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    send(app, "POST", "/auth/v1/session", cookie, &body).await
}

/// Adds a second factor of a name in the session of a cookie: the answer to its first code,
/// and what shows others.
pub(super) async fn factor_shown(app: &TestApp, cookie: &str, name: &str) -> (Response, Factor) {
    let post = async |path: &str, body: &str| {
        let path = format!("/auth/v1/factors{path}");
        let res = send(app, "POST", &path, Some(cookie), body).await;
        assert_eq!(res.status, 200, "{}", res.body);
        res
    };
    let body = format!(r#"{{"factor_type":"totp","friendly_name":"{name}"}}"#);
    let factor = Factor::of(&post("", &body).await.json());
    let asked = post(&format!("/{}/challenge", factor.id), "{}").await.json();
    let (challenge, code) = (&asked["id"], factor.code(Which::Now));
    let body = format!(r#"{{"challenge_id":{challenge},"code":"{code}"}}"#);
    (post(&format!("/{}/verify", factor.id), &body).await, factor)
}

/// Sends JSON, with a cookie where there is one.
pub(super) async fn send(
    app: &TestApp,
    method: &str,
    path: &str,
    cookie: Option<&str>,
    body: &str,
) -> Response {
    let mut headers = vec![JSON];
    headers.extend(cookie.map(|cookie| ("Cookie", cookie)));
    app.request(method, path, &headers, body.as_bytes()).await
}

/// Sends a form, with a cookie where there is one.
pub(super) async fn submit(
    app: &TestApp,
    path: &str,
    cookie: Option<&str>,
    body: &str,
) -> Response {
    let mut headers = vec![FORM, ("Sec-Fetch-Site", "same-origin")];
    headers.extend(cookie.map(|cookie| ("Cookie", cookie)));
    app.request("POST", path, &headers, body.as_bytes()).await
}

/// The cookie that an answer gives, as a browser sends it back.
pub(super) fn cookie_of(res: &Response) -> String {
    let set = res.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {res:?}"));
    let pair = set.split(';').next().expect("a pair").to_owned();
    assert!(!pair.ends_with('='), "{set} takes a cookie away");
    pair
}

/// The status of asking who one is.
pub(super) async fn status_of(app: &TestApp, cookie: &str) -> u16 {
    send(app, "GET", "/auth/v1/user", Some(cookie), "").await.status
}
