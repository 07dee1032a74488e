//! Sessions that a cookie stands for.

use std::sync::atomic::{AtomicI64, Ordering};

use mainstay::{App, Mode, core::Timestamp, testing::TestApp, web::system_time};

use super::visitor::{EMAIL, PASSWORD, cookie_of, factor_shown, send, sign_in, sign_up, status_of};

/// Notes that their owner alone sees, and what only a second factor would show.
const NOTES: (&str, &str) = (
    "models/notes.toml",
    r#"
    [fields]
    text = { type = "text", required = true }
    owner = { type = "text", default = "auth.id" }
    secret = { type = "bool", default = false }
    [rules]
    read = "owner == auth.id && (!secret || auth.claims.aal == 'aal2')"
    create = "owner == auth.id && auth.email == 'ada@example.com' && auth.claims.aal == 'aal1'"
    "#,
);

async fn app() -> TestApp {
    TestApp::start(&[NOTES]).await
}

#[tokio::test]
async fn the_cookie_of_a_session_is_out_of_reach_of_scripts_and_other_sites() {
    for (mode, name, secure) in
        [(Mode::Production, "__Host-session", "; Secure"), (Mode::Development, "session", "")]
    {
        let app = TestApp::start_as(mode, &[NOTES]).await;
        sign_up(&app).await;
        let res = sign_in(&app, None).await;
        assert_eq!((res.status, &res.json()["email"]), (200, &EMAIL.into()));
        assert!(!res.body.contains("token"), "{}", res.body);
        assert_eq!(res.header("cache-control"), Some("no-store"));
        let set = res.header("set-cookie").expect("a cookie");
        let (pair, attributes) = set.split_once(';').expect("attributes");
        let id = pair.strip_prefix(&format!("{name}=")).expect("its name");
        assert_eq!(id.len(), 43, "{set}");
        let expected = format!(" Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax{secure}");
        assert_eq!(attributes, expected);
        assert_eq!(status_of(&app, pair).await, 200);
        app.close().await;
    }
}

#[tokio::test]
async fn a_cookie_is_as_good_as_a_token_to_rules() {
    let app = app().await;
    let user = sign_up(&app).await["user"]["id"].clone();
    let cookie = cookie_of(&sign_in(&app, None).await);
    let notes = r#"[{"text":"open","secret":false},{"text":"hidden","secret":true}]"#;
    let path = "/rest/v1/notes?columns=text,secret";
    let made = send(&app, "POST", path, Some(&cookie), notes).await;
    // The second would be stored and not be seen, but may be made: its rule asks for aal1.
    assert_eq!(made.status, 201, "{}", made.body);
    let seen = send(&app, "GET", "/rest/v1/notes?select=text,owner", Some(&cookie), "").await;
    assert_eq!(seen.json(), serde_json::json!([{ "text": "open", "owner": user }]));
    assert_eq!(seen.header("cache-control"), Some("private, no-cache"));
    assert_eq!(app.get("/rest/v1/notes").await.body, "[]");
    app.close().await;
}

#[tokio::test]
async fn who_signs_in_is_given_an_id_that_nobody_knew() {
    let app = app().await;
    sign_up(&app).await;
    let planted = format!("session={}", "A".repeat(43));
    let given = cookie_of(&sign_in(&app, Some(&planted)).await);
    assert_ne!(given, planted);
    assert_eq!(status_of(&app, &planted).await, 401);
    // The session whose cookie is presented ends.
    let next = cookie_of(&sign_in(&app, Some(&given)).await);
    assert_eq!((status_of(&app, &given).await, status_of(&app, &next).await), (401, 200));
    let listed = send(&app, "GET", "/auth/v1/sessions", Some(&next), "").await.json();
    let current = |it: &&serde_json::Value| it["current"] == true;
    let listed = listed.as_array().expect("a list");
    // That of the sign-up's tokens is the other.
    assert_eq!((listed.len(), listed.iter().filter(current).count()), (2, 1));
    app.close().await;
}

#[tokio::test]
async fn another_password_is_another_id_and_the_end_of_other_sessions() {
    let app = app().await;
    sign_up(&app).await;
    let cookie = cookie_of(&sign_in(&app, None).await);
    let other = cookie_of(&sign_in(&app, None).await);
    let body = r#"{"password":"quite another passphrase"}"#;
    let changed = send(&app, "PUT", "/auth/v1/user", Some(&cookie), body).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let rotated = cookie_of(&changed);
    assert_ne!(rotated, cookie);
    assert_eq!(status_of(&app, &cookie).await, 401);
    assert_eq!(status_of(&app, &other).await, 401);
    assert_eq!(status_of(&app, &rotated).await, 200);
    app.close().await;
}

#[tokio::test]
async fn a_second_factor_is_another_id_and_shows_no_token() {
    let app = app().await;
    sign_up(&app).await;
    let cookie = cookie_of(&sign_in(&app, None).await);
    let (raised, _) = factor_shown(&app, &cookie, "telephone").await;
    assert!(!raised.body.contains("token"), "{}", raised.body);
    let rotated = cookie_of(&raised);
    assert_eq!((status_of(&app, &cookie).await, status_of(&app, &rotated).await), (401, 200));
    let listed = send(&app, "GET", "/auth/v1/sessions", Some(&rotated), "").await.json();
    assert_eq!((&listed[0]["aal"], &listed[0]["current"]), (&"aal2".into(), &true.into()));
    app.close().await;
}

#[tokio::test]
async fn a_cookie_is_worth_nothing_after_its_session_was_ended() {
    let app = app().await;
    sign_up(&app).await;
    let cookie = cookie_of(&sign_in(&app, None).await);
    assert_eq!(status_of(&app, &cookie).await, 200);
    let ended = send(&app, "DELETE", "/auth/v1/session", Some(&cookie), "").await;
    assert_eq!(ended.status, 204);
    let cleared = ended.header("set-cookie").expect("the cookie is taken away");
    assert!(cleared.starts_with("session=; Path=/; Max-Age=0;"), "{cleared}");
    assert_eq!(status_of(&app, &cookie).await, 401);
    let rows = send(&app, "GET", "/rest/v1/notes", Some(&cookie), "").await;
    assert_eq!((rows.status, rows.body.as_str()), (200, "[]"));
    // Who is out already is out.
    assert_eq!(send(&app, "DELETE", "/auth/v1/session", Some(&cookie), "").await.status, 204);
    assert_eq!(send(&app, "DELETE", "/auth/v1/session", None, "").await.status, 204);
    app.close().await;
}

#[tokio::test]
async fn who_signs_out_by_the_api_has_their_cookie_taken_away() {
    let app = app().await;
    sign_up(&app).await;
    let cookie = cookie_of(&sign_in(&app, None).await);
    let others = send(&app, "POST", "/auth/v1/logout?scope=others", Some(&cookie), "").await;
    assert_eq!((others.status, others.header("set-cookie")), (204, None));
    let out = send(&app, "POST", "/auth/v1/logout?scope=local", Some(&cookie), "").await;
    let taken = out.header("set-cookie").unwrap_or_default();
    assert!(taken.starts_with("session=;") && taken.contains("Max-Age=0"), "{out:?}");
    assert_eq!(status_of(&app, &cookie).await, 401);
    app.close().await;
}

#[tokio::test]
async fn a_session_that_is_revoked_ends_with_the_next_request() {
    let app = app().await;
    let token = sign_up(&app).await["access_token"].as_str().expect("a token").to_owned();
    let bearer = format!("Bearer {token}");
    let (mine, other) = (sign_in(&app, None).await, sign_in(&app, None).await);
    let (mine, other) = (cookie_of(&mine), cookie_of(&other));
    assert_eq!(status_of(&app, &other).await, 200);
    let listed = app.request("GET", "/auth/v1/sessions", &[("Cookie", &other)], b"").await.json();
    let current = listed.as_array().into_iter().flatten().find(|it| it["current"] == true);
    let id = current.expect("its own")["id"].as_str().expect("an id").to_owned();
    let path = format!("/auth/v1/sessions/{id}");
    assert_eq!(send(&app, "DELETE", &path, None, "").await.status, 401);
    assert_eq!(send(&app, "DELETE", &path, Some(&mine), "").await.status, 204);
    assert_eq!(status_of(&app, &other).await, 401);
    let again = app.request("DELETE", &path, &[("Authorization", &bearer)], b"").await;
    assert_eq!((again.status, &again.json()["code"]), (404, &"session_not_found".into()));
    assert_eq!(send(&app, "DELETE", "/auth/v1/sessions/x", Some(&mine), "").await.status, 404);
    app.close().await;
}

#[tokio::test]
async fn nobody_ends_or_sees_the_sessions_of_another() {
    let app = app().await;
    sign_up(&app).await;
    let ada = cookie_of(&sign_in(&app, None).await);
    let body = format!(r#"{{"email":"bo@example.com","password":"{PASSWORD}"}}"#);
    let bo = send(&app, "POST", "/auth/v1/signup", None, &body).await.json();
    let bearer = format!("Bearer {}", bo["access_token"].as_str().expect("a token"));
    let bo = [("Authorization", bearer.as_str())];
    let listed = app.request("GET", "/auth/v1/sessions", &bo, b"").await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    let listed = send(&app, "GET", "/auth/v1/sessions", Some(&ada), "").await.json();
    let id = listed[0]["id"].as_str().expect("an id");
    let res = app.request("DELETE", &format!("/auth/v1/sessions/{id}"), &bo, b"").await;
    assert_eq!(res.status, 404);
    assert_eq!(status_of(&app, &ada).await, 200);
    app.close().await;
}

#[tokio::test]
async fn a_bearer_token_beats_a_cookie_and_the_anonymous_key_does_not() {
    let app = app().await;
    sign_up(&app).await;
    let cookie = cookie_of(&sign_in(&app, None).await);
    let made = send(&app, "POST", "/rest/v1/notes", Some(&cookie), r#"{"text":"mine"}"#).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let seen = async |headers: &[(&str, &str)]| {
        let headers = [headers, &[("Cookie", cookie.as_str())]].concat();
        app.request("GET", "/rest/v1/notes?select=text", &headers, b"").await
    };
    let stranger = format!("Bearer {}", app.token("019aa8f0-0000-7000-8000-00000000b0b0", &[]));
    let (mine, nothing) = (r#"[{"text":"mine"}]"#, "[]");
    assert_eq!(seen(&[]).await.body, mine);
    assert_eq!(seen(&[("apikey", app.anon_key())]).await.body, mine);
    assert_eq!(seen(&[("Authorization", "Basic eA==")]).await.body, mine);
    assert_eq!(seen(&[("Authorization", &stranger)]).await.body, nothing);
    let anonymous = format!("Bearer {}", app.anon_key());
    assert_eq!(seen(&[("Authorization", &anonymous)]).await.body, nothing);
    // A credential that is bad is no way to a better one.
    assert_eq!(seen(&[("Authorization", "Bearer x")]).await.status, 401);
    assert_eq!(seen(&[("apikey", "x")]).await.status, 401);
    app.close().await;
}

#[tokio::test]
async fn what_is_not_one_cookie_of_a_session_is_none() {
    let app = app().await;
    sign_up(&app).await;
    let cookie = cookie_of(&sign_in(&app, None).await);
    let other = cookie_of(&sign_in(&app, None).await);
    let id = cookie.strip_prefix("session=").expect("its name");
    for header in [
        format!("{cookie}; {other}"),
        format!("{cookie}; session="),
        format!("session=\"{id}\""),
        format!("session={id}x"),
        format!("session={}", &id[1..]),
        format!("Session={id}"),
        format!("__Host-session={id}"),
        "session=".to_owned(),
        "session".to_owned(),
        ";;=".to_owned(),
        "session=\u{e9}".to_owned(),
    ] {
        assert_eq!(status_of(&app, &header).await, 401, "{header}");
        let rows = send(&app, "GET", "/rest/v1/notes", Some(&header), "").await;
        assert_eq!((rows.status, rows.body.as_str()), (200, "[]"), "{header}");
    }
    for header in [format!("a=b; {cookie}"), format!("{cookie};{cookie}"), format!(" {cookie} ;")] {
        assert_eq!(status_of(&app, &header).await, 200, "{header}");
    }
    app.close().await;
}

#[tokio::test]
async fn who_is_banned_has_no_session_any_more() {
    let app = app().await;
    let user = sign_up(&app).await["user"]["id"].as_str().expect("an id").to_owned();
    let cookie = cookie_of(&sign_in(&app, None).await);
    let service = format!("Bearer {}", app.service_key());
    let headers = [("Authorization", service.as_str()), ("Content-Type", "application/json")];
    let path = format!("/rest/v1/users?id=eq.{user}");
    let body = br#"{"banned_until":"2999-01-01T00:00:00Z"}"#;
    let banned = app.request("PATCH", &path, &headers, body).await;
    assert_eq!(banned.status, 204, "{}", banned.body);
    assert_eq!(status_of(&app, &cookie).await, 401);
    app.close().await;
}

const SECOND: i64 = 1_000_000;
const SHORT_LIVED: (&str, &str) =
    ("mainstay.toml", "[auth]\nsession_idle_s = 60\nsession_max_s = 200\nsession_check_s = 0\n");

/// The system's clock, moved.
fn moved(by: &AtomicI64) -> Timestamp {
    system_time().shifted(by.load(Ordering::Relaxed)).expect("a time")
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends() {
    static BY: AtomicI64 = AtomicI64::new(0);
    let clock = |app: App| app.development().clock(|| moved(&BY));
    let app = TestApp::start_with(&[NOTES, SHORT_LIVED], clock).await;
    sign_up(&app).await;
    let cookie = cookie_of(&sign_in(&app, None).await);
    let later = async |seconds: i64| {
        BY.fetch_add(seconds * SECOND, Ordering::Relaxed);
        status_of(&app, &cookie).await
    };
    // Whoever keeps coming stays signed in for longer than the idle time.
    for _ in 0..3 {
        assert_eq!(later(40).await, 200);
    }
    assert_eq!(later(61).await, 401);
    app.close().await;
}

#[tokio::test]
async fn a_session_ends_however_much_it_is_used() {
    static BY: AtomicI64 = AtomicI64::new(0);
    let clock = |app: App| app.development().clock(|| moved(&BY));
    let app = TestApp::start_with(&[NOTES, SHORT_LIVED], clock).await;
    sign_up(&app).await;
    let res = sign_in(&app, None).await;
    assert!(res.header("set-cookie").is_some_and(|set| set.contains("; Max-Age=200;")));
    let cookie = cookie_of(&res);
    for _ in 0..4 {
        BY.fetch_add(45 * SECOND, Ordering::Relaxed);
        assert_eq!(status_of(&app, &cookie).await, 200);
    }
    BY.fetch_add(25 * SECOND, Ordering::Relaxed);
    assert_eq!(status_of(&app, &cookie).await, 401);
    app.close().await;
}
