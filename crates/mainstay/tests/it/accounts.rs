//! What keeps accounts their owners', over a real socket: one test for each protection,
//! which `docs/security.md` names with the switch that takes it out.

mod alike;
mod lockout;
mod meanwhile;
mod notices;

use mainstay::testing::{Response, TestApp};
use serde_json::{Value as Json, json};

use crate::{cli::audited, support::mailed};

/// No wait between mails, and callers behind a proxy, so that each has an address.
const SETTINGS: &str = r#"
[server]
trusted_proxies = ["127.0.0.1"]
[auth]
confirm_email = true
mail_every_s = 0
reuse_s = 0
password_memory_kib = 1024
password_iterations = 1
"#;
const PASSWORD: &str = "a horse of its own";

/// An app, asked from one address after another.
struct Asked {
    app: TestApp,
}

/// Who asks: from an address, with a token or without.
#[derive(Clone, Copy)]
struct From<'f> {
    address: &'f str,
    token: Option<&'f str>,
}

const HOME: From<'static> = From { address: "192.0.2.1", token: None };
const ELSEWHERE: From<'static> = From { address: "198.51.100.7", token: None };

impl Asked {
    async fn start(settings: &str) -> Self {
        Self::start_with(settings, &[]).await
    }

    async fn start_with(settings: &str, files: &[(&str, &str)]) -> Self {
        let environment = [("MAINSTAY_AUTH__CONFIRM_EMAIL", "true")];
        let mut all = vec![("mainstay.toml", settings)];
        all.extend(files);
        Self { app: TestApp::start_in(&environment, &all).await }
    }

    async fn call(&self, from: From<'_>, method: &str, path: &str, body: Json) -> Response {
        let bearer = from.token.map(|token| format!("Bearer {token}"));
        let mut headers =
            vec![("X-Forwarded-For", from.address), ("Content-Type", "application/json")];
        headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        let path = format!("/auth/v1{path}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.app.request(method, &path, &headers, body.as_bytes()).await
    }

    async fn post(&self, from: From<'_>, path: &str, body: Json) -> Response {
        self.call(from, "POST", path, body).await
    }

    /// The newest mail to an address: its code, and its link's token.
    async fn mail(&self, to: &str) -> (String, String) {
        self.mail_of(to, "confirmation").await
    }

    /// The same of one kind; it is sent in the background.
    async fn mail_of(&self, to: &str, kind: &str) -> (String, String) {
        let is_it = |mail: &Json| mail["to"] == to && mail["kind"] == kind;
        let mail = mailed(&self.app, is_it).await;
        let text = mail["text"].as_str().expect("a text");
        let is_code = |word: &&str| word.len() == 6 && word.parse::<u32>().is_ok();
        let code = text.split_whitespace().find(is_code).unwrap_or_default();
        let token = text.split("token=").nth(1).and_then(|rest| rest.split('&').next());
        (code.to_owned(), token.unwrap_or_default().to_owned())
    }

    /// Signs somebody up and confirms their address; what their session is.
    async fn member(&self, email: &str) -> Json {
        let told = self
            .post(HOME, "/signup", json!({ "email": email, "password": PASSWORD, "data": {} }))
            .await;
        assert_eq!(told.status, 200, "{}", told.body);
        let (code, _) = self.mail(email).await;
        let redeem = json!({ "email": email, "token": code, "type": "email" });
        let session = self.post(HOME, "/verify", redeem).await;
        assert_eq!(session.status, 200, "{}", session.body);
        session.json()
    }

    /// What the audit log tells, the earliest first.
    fn audited(&self) -> Vec<String> {
        let folder = self.app.folder();
        if let Some(url) = self.app.database_url() {
            crate::database::note(folder, url);
        }
        let line = |entry: &Json| format!("{} {}", text(entry, "event"), text(entry, "outcome"));
        audited(folder, &["--limit", "1000"]).iter().rev().map(line).collect()
    }

    async fn sign_in(&self, from: From<'_>, email: &str, password: &str) -> Response {
        let body = json!({ "email": email, "password": password });
        self.post(from, "/token?grant_type=password", body).await
    }
}

fn text<'j>(json: &'j Json, name: &str) -> &'j str {
    json[name].as_str().unwrap_or_else(|| panic!("{name} is no text of {json}"))
}

#[tokio::test]
async fn wrong_passwords_make_their_address_wait_and_not_the_owner() {
    let asked = Asked::start(SETTINGS).await;
    asked.member("ana@example.com").await;
    let mut refused = None;
    for _ in 0..8 {
        let told = asked.sign_in(ELSEWHERE, "ana@example.com", "not this one").await;
        if told.status == 429 {
            refused = Some(told);
            break;
        }
        assert_eq!(told.status, 400, "{}", told.body);
    }
    let refused = refused.expect("the wrong passwords are not bounded");
    assert_eq!(text(&refused.json(), "code"), "over_request_rate_limit");
    assert!(refused.header("retry-after").is_some());
    // Whoever knows the name of a victim does not lock them out.
    let owner = asked.sign_in(HOME, "ana@example.com", PASSWORD).await;
    assert_eq!(owner.status, 200, "{}", owner.body);
    asked.app.close().await;
}

#[tokio::test]
async fn one_address_may_ask_so_often_and_then_is_told_when_to_come_again() {
    let asked = Asked::start(&format!("{SETTINGS}requests_max = 3\n")).await;
    let recover = || json!({ "email": "nobody@example.com" });
    for _ in 0..3 {
        assert_eq!(asked.post(HOME, "/recover", recover()).await.status, 200);
    }
    let told = asked.post(HOME, "/recover", recover()).await;
    assert_eq!((told.status, text(&told.json(), "code")), (429, "over_request_rate_limit"));
    assert!(told.header("retry-after").is_some());
    assert_eq!(asked.post(ELSEWHERE, "/recover", recover()).await.status, 200);
    asked.app.close().await;
}

#[tokio::test]
async fn a_known_address_and_an_unknown_one_are_answered_alike() {
    let asked = Asked::start(SETTINGS).await;
    asked.member("ana@example.com").await;
    let names = |json: &Json| {
        let mut names: Vec<String> = json.as_object().expect("an object").keys().cloned().collect();
        names.sort();
        let identities = json["identities"].as_array().map_or(0, Vec::len);
        (names, json["role"].clone(), identities)
    };
    let sign_up = |email: &str| json!({ "email": email, "password": PASSWORD, "data": {} });
    let known = asked.post(HOME, "/signup", sign_up("ana@example.com")).await;
    let unknown = asked.post(HOME, "/signup", sign_up("bo@example.com")).await;
    assert_eq!((known.status, names(&known.json())), (unknown.status, names(&unknown.json())));
    for path in ["/recover", "/otp", "/resend"] {
        let body = |email: &str| json!({ "email": email, "type": "signup" });
        let known = asked.post(HOME, path, body("ana@example.com")).await;
        let unknown = asked.post(HOME, path, body("nobody@example.com")).await;
        assert_eq!((known.status, known.body), (unknown.status, unknown.body), "{path}");
    }
    let known = asked.sign_in(HOME, "ana@example.com", "not this one").await;
    let unknown = asked.sign_in(HOME, "cleo@example.com", "not this one").await;
    assert_eq!((known.status, known.body), (unknown.status, unknown.body));
    asked.app.close().await;
}

#[tokio::test]
async fn five_wrong_codes_void_the_right_one() {
    let asked = Asked::start(SETTINGS).await;
    asked.member("ana@example.com").await;
    asked.post(HOME, "/recover", json!({ "email": "ana@example.com" })).await;
    let redeem =
        |code: String| json!({ "email": "ana@example.com", "token": code, "type": "recovery" });
    let (code, _) = asked.mail_of("ana@example.com", "recovery").await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(asked.post(HOME, "/verify", redeem(wrong.to_owned())).await.status, 403);
    }
    let told = asked.post(HOME, "/verify", redeem(code)).await;
    assert_eq!((told.status, text(&told.json(), "code")), (403, "otp_expired"));
    asked.app.close().await;
}

#[tokio::test]
async fn a_refresh_token_that_was_used_before_ends_its_session() {
    let asked = Asked::start(SETTINGS).await;
    let session = asked.member("ana@example.com").await;
    let refresh = |token: &str| json!({ "refresh_token": token });
    let path = "/token?grant_type=refresh_token";
    let first = text(&session, "refresh_token");
    let next = asked.post(HOME, path, refresh(first)).await.json();
    let stolen = asked.post(ELSEWHERE, path, refresh(first)).await;
    assert_eq!(text(&stolen.json(), "code"), "refresh_token_already_used");
    let after = asked.post(HOME, path, refresh(text(&next, "refresh_token"))).await;
    assert_eq!(text(&after.json(), "code"), "refresh_token_not_found");
    let token = Some(text(&next, "access_token"));
    let user = asked.call(From { token, ..HOME }, "GET", "/user", Json::Null).await;
    assert_eq!((user.status, text(&user.json(), "code")), (403, "session_not_found"));
    asked.app.close().await;
}

#[tokio::test]
async fn another_password_ends_the_other_sessions() {
    let asked = Asked::start(SETTINGS).await;
    let session = asked.member("ana@example.com").await;
    let other = asked.sign_in(ELSEWHERE, "ana@example.com", PASSWORD).await.json();
    let here = From { token: Some(text(&session, "access_token")), ..HOME };
    let changed = asked.call(here, "PUT", "/user", json!({ "password": "another horse" })).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(asked.call(here, "GET", "/user", Json::Null).await.status, 200);
    let there = From { token: Some(text(&other, "access_token")), ..ELSEWHERE };
    let ended = asked.call(there, "GET", "/user", Json::Null).await;
    assert_eq!((ended.status, text(&ended.json(), "code")), (403, "session_not_found"));
    let rows = [("Authorization", format!("Bearer {}", text(&other, "access_token")))];
    let rows: Vec<(&str, &str)> = rows.iter().map(|(name, value)| (*name, &**value)).collect();
    let read = asked.app.request("GET", "/rest/v1/users", &rows, b"").await;
    assert_eq!(read.status, 401, "{}", read.body);
    asked.app.close().await;
}

#[tokio::test]
async fn who_signed_in_long_ago_shows_once_more_who_they_are() {
    let asked = Asked::start(&format!("{SETTINGS}reauthenticate_s = 0\n")).await;
    let session = asked.member("ana@example.com").await;
    let here = From { token: Some(text(&session, "access_token")), ..HOME };
    for change in [json!({ "password": "another horse" }), json!({ "email": "new@example.com" })] {
        let told = asked.call(here, "PUT", "/user", change).await;
        assert_eq!((told.status, text(&told.json(), "code")), (400, "reauthentication_needed"));
    }
    let wrong = json!({ "password": "another horse", "nonce": "123456" });
    let told = asked.call(here, "PUT", "/user", wrong).await;
    assert_eq!((told.status, text(&told.json(), "code")), (422, "reauthentication_not_valid"));
    let right = json!({ "password": "another horse", "current_password": PASSWORD });
    assert_eq!(asked.call(here, "PUT", "/user", right).await.status, 200);
    asked.app.close().await;
}

#[tokio::test]
async fn a_session_that_was_ended_is_none_from_the_next_request_on() {
    let asked = Asked::start(SETTINGS).await;
    let session = asked.member("ana@example.com").await;
    let here = From { token: Some(text(&session, "access_token")), ..HOME };
    assert_eq!(asked.call(here, "GET", "/user", Json::Null).await.status, 200);
    assert_eq!(asked.call(here, "POST", "/logout?scope=local", Json::Null).await.status, 204);
    let told = asked.call(here, "GET", "/user", Json::Null).await;
    assert_eq!((told.status, text(&told.json(), "code")), (403, "session_not_found"));
    let refresh = json!({ "refresh_token": text(&session, "refresh_token") });
    let told = asked.post(HOME, "/token?grant_type=refresh_token", refresh).await;
    assert_eq!(text(&told.json(), "code"), "refresh_token_not_found");
    asked.app.close().await;
}

#[tokio::test]
async fn an_address_whose_code_was_made_void_has_not_agreed_to_another() {
    let asked = Asked::start(SETTINGS).await;
    let session = asked.member("ana@example.com").await;
    let here = From { token: Some(text(&session, "access_token")), ..HOME };
    let told = asked.call(here, "PUT", "/user", json!({ "email": "eve@example.com" })).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let (code, _) = asked.mail_of("eve@example.com", "email_change_new").await;
    let redeem =
        |email: &str, code: &str| json!({ "email": email, "token": code, "type": "email_change" });
    for _ in 0..6 {
        let told = asked.post(ELSEWHERE, "/verify", redeem("ana@example.com", "abcdef")).await;
        assert_eq!(told.status, 403, "{}", told.body);
    }
    let told = asked.post(ELSEWHERE, "/verify", redeem("eve@example.com", &code)).await;
    assert_eq!((told.status, &told.json()["code"]), (200, &json!("200")), "{}", told.body);
    let user = asked.call(here, "GET", "/user", Json::Null).await.json();
    assert_eq!(text(&user, "email"), "ana@example.com");
    asked.app.close().await;
}
