//! What happens to an account while something else does.

use serde_json::{Value as Json, json};
use tokio::sync::Notify;

use super::{Asked, ELSEWHERE, From, HOME, PASSWORD, SETTINGS, text};
use crate::support::futures;

const ANA: &str = "ana@example.com";
const OTHER: &str = "another horse of hers";

/// Of `PASSWORD`, by bcrypt at 2¹³ rounds.
const SLOW_HASH: &str = "$2b$13$s9u0/hVcB7AW30.vIMejWuTppKQSmq1UMyYHwl2KxsrI5nSJVivsS";
/// Of `OTHER`, at 2⁴.
const OTHER_HASH: &str = "$2b$04$YJdUawh1WTdBaNxG493SMutlQkT3xHf.yGhk789ki0/sCqpOB0zly";

#[tokio::test]
async fn whoever_recovers_an_account_nobody_confirmed_is_its_only_owner() {
    let asked = Asked::start(SETTINGS).await;
    let sign_up = |password: &str| json!({ "email": ANA, "password": password, "data": {} });
    assert_eq!(asked.post(ELSEWHERE, "/signup", sign_up(OTHER)).await.status, 200);
    for (path, kind) in [("/recover", "recovery"), ("/otp", "email")] {
        asked.post(HOME, path, json!({ "email": ANA })).await;
        let mail = if path == "/otp" { "confirmation" } else { "recovery" };
        let (code, _) = asked.mail_of(ANA, mail).await;
        let redeem = json!({ "email": ANA, "token": code, "type": kind });
        let told = asked.post(HOME, "/verify", redeem).await;
        if path == "/recover" {
            assert_eq!(told.status, 200, "{}", told.body);
        }
        let stranger = asked.sign_in(ELSEWHERE, ANA, OTHER).await;
        assert_eq!(text(&stranger.json(), "code"), "invalid_credentials", "after {path}");
    }
    asked.app.close().await;
}

#[tokio::test]
async fn of_two_who_choose_a_password_for_an_address_neither_finds_theirs_on_it() {
    let asked = Asked::start(SETTINGS).await;
    let sign_up = |password: &str| json!({ "email": ANA, "password": password, "data": {} });
    assert_eq!(asked.post(ELSEWHERE, "/signup", sign_up(OTHER)).await.status, 200);
    // Whoever comes again with the same one keeps it.
    assert_eq!(asked.post(ELSEWHERE, "/signup", sign_up(OTHER)).await.status, 200);
    let waits = asked.sign_in(ELSEWHERE, ANA, OTHER).await;
    assert_eq!(text(&waits.json(), "code"), "email_not_confirmed");
    assert_eq!(asked.post(HOME, "/signup", sign_up(PASSWORD)).await.status, 200);
    // Nothing is taken away before somebody shows the address to be theirs.
    let waits = asked.sign_in(ELSEWHERE, ANA, OTHER).await;
    assert_eq!(text(&waits.json(), "code"), "email_not_confirmed");
    let redeemed = async {
        let (_, link) = asked.mail(ANA).await;
        asked.post(HOME, "/verify", json!({ "token_hash": link, "type": "signup" })).await
    };
    assert_eq!(redeemed.await.status, 200);
    for password in [OTHER, PASSWORD] {
        let told = asked.sign_in(ELSEWHERE, ANA, password).await;
        assert_eq!(text(&told.json(), "code"), "invalid_credentials", "{password}");
    }
    asked.app.close().await;
}

/// Logins that verify one after the other what they read at once: when the first has come to
/// its end, the others are under way with the hash of before.
#[tokio::test]
async fn a_login_whose_password_is_changed_meanwhile_opens_nothing() {
    let limits = "requests_max = 1000\npassword_threads = 1\n";
    let asked = Asked::start(&format!("{SETTINGS}{limits}")).await;
    let session = asked.member(ANA).await;
    let key = asked.app.service_key().to_owned();
    let operator = From { token: Some(&key), ..HOME };
    let path = format!("/admin/users/{}", text(&session["user"], "id"));
    let set = async |hash: &str| {
        let told = asked.call(operator, "PUT", &path, json!({ "password_hash": hash })).await;
        assert_eq!(told.status, 200, "{}", told.body);
    };
    set(SLOW_HASH).await;
    let one_ended = Notify::new();
    let logins = futures((0..5).map(async |_| {
        asked.sign_in(HOME, ANA, PASSWORD).await;
        one_ended.notify_one();
    }));
    let changing = async {
        one_ended.notified().await;
        set(OTHER_HASH).await;
    };
    tokio::join!(logins, changing);
    let before = asked.sign_in(HOME, ANA, PASSWORD).await;
    assert_eq!(text(&before.json(), "code"), "invalid_credentials");
    let here = asked.sign_in(HOME, ANA, OTHER).await.json();
    let here = From { token: Some(text(&here, "access_token")), ..HOME };
    let left = asked.call(here, "GET", "/sessions", Json::Null).await.json();
    let left = left.as_array().expect("a list").len();
    assert_eq!(left, 1, "a session that was opened with the password of before");
    asked.app.close().await;
}

/// A password costs some tenths of a second to hash, in which the address is confirmed.
#[tokio::test]
async fn a_link_that_is_made_sets_no_password_where_the_address_is_confirmed_meanwhile() {
    let slow = SETTINGS.replace("memory_kib = 1024", "memory_kib = 65536");
    let asked = Asked::start(&slow).await;
    let sign_up = json!({ "email": ANA, "password": PASSWORD, "data": {} });
    assert_eq!(asked.post(HOME, "/signup", sign_up).await.status, 200);
    let (_, link) = asked.mail(ANA).await;
    let key = asked.app.service_key().to_owned();
    let operator = From { token: Some(&key), ..ELSEWHERE };
    let body = json!({ "type": "signup", "email": ANA, "password": OTHER });
    let (made, confirmed) = tokio::join!(
        asked.call(operator, "POST", "/admin/generate_link", body),
        asked.post(HOME, "/verify", json!({ "token_hash": link, "type": "signup" })),
    );
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    assert_eq!(text(&made.json(), "code"), "email_exists");
    let owner = asked.sign_in(HOME, ANA, PASSWORD).await;
    assert_eq!(owner.status, 200, "{}", owner.body);
    asked.app.close().await;
}

#[tokio::test]
async fn of_two_sessions_that_change_the_password_at_once_one_does() {
    let asked = Asked::start(&format!("{SETTINGS}requests_max = 1000\n")).await;
    let mut password = PASSWORD.to_owned();
    asked.member(ANA).await;
    for round in 0..6 {
        let mut tokens = Vec::new();
        for _ in 0..2 {
            let session = asked.sign_in(HOME, ANA, &password).await.json();
            tokens.push(text(&session, "access_token").to_owned());
        }
        let changes = tokens.iter().enumerate().map(|(at, token)| {
            let body = json!({ "password": format!("a horse of {round} and {at}") });
            asked.call(From { token: Some(token), ..HOME }, "PUT", "/user", body)
        });
        let changed: Vec<u16> = futures(changes).await.iter().map(|told| told.status).collect();
        let won = changed.iter().position(|status| *status == 200).expect("one changes it");
        assert_eq!(changed.iter().filter(|status| **status == 200).count(), 1, "{changed:?}");
        password = format!("a horse of {round} and {won}");
    }
    asked.app.close().await;
}

#[tokio::test]
async fn of_two_addresses_that_agree_at_once_the_second_completes_the_change() {
    let asked = Asked::start(&format!("{SETTINGS}requests_max = 1000\n")).await;
    let mut session = asked.member("ana0@example.com").await;
    for round in 0..6 {
        let token = text(&session, "access_token").to_owned();
        let here = From { token: Some(&token), ..HOME };
        let [old, new] = [round, round + 1].map(|at| format!("ana{at}@example.com"));
        let told = asked.call(here, "PUT", "/user", json!({ "email": new })).await;
        assert_eq!(told.status, 200, "{}", told.body);
        let (_, first) = asked.mail_of(&old, "email_change_current").await;
        let (_, second) = asked.mail_of(&new, "email_change_new").await;
        let links = [first, second];
        let agree = links.iter().map(|link| {
            asked.post(HOME, "/verify", json!({ "token_hash": link, "type": "email_change" }))
        });
        let told = futures(agree).await;
        let signed_in: Vec<Json> =
            told.iter().map(|it| it.json()).filter(|it| it["user"]["email"] == new).collect();
        assert_eq!(signed_in.len(), 1, "{told:?}");
        session = signed_in.into_iter().next().expect("one");
    }
    asked.app.close().await;
}

#[tokio::test]
async fn another_password_voids_the_code_of_a_flow() {
    let asked = Asked::start(SETTINGS).await;
    let session = asked.member(ANA).await;
    let verifier = "a-verifier-of-forty-three-characters-or-more";
    let body =
        json!({ "email": ANA, "code_challenge": verifier, "code_challenge_method": "plain" });
    assert_eq!(asked.post(HOME, "/recover", body).await.status, 200);
    let (_, link) = asked.mail_of(ANA, "recovery").await;
    let path = format!("/verify?token={link}&type=recovery");
    let opened = asked.call(ELSEWHERE, "GET", &path, Json::Null).await;
    let location = opened.header("location").expect("a redirect").to_owned();
    let code = location.split("code=").nth(1).and_then(|it| it.split(['&', '#']).next());
    let code = code.unwrap_or_else(|| panic!("{location}"));
    let here = From { token: Some(text(&session, "access_token")), ..HOME };
    assert_eq!(asked.call(here, "PUT", "/user", json!({ "password": OTHER })).await.status, 200);
    let exchange = json!({ "auth_code": code, "code_verifier": verifier });
    let told = asked.post(ELSEWHERE, "/token?grant_type=pkce", exchange).await;
    assert_eq!(text(&told.json(), "code"), "flow_state_not_found");
    asked.app.close().await;
}

#[tokio::test]
async fn whoever_signs_in_very_often_can_still_be_signed_out_of_all() {
    let settings = format!("{SETTINGS}[limits]\nwrite_rows_max = 3\n");
    let asked = Asked::start(&settings).await;
    asked.member(ANA).await;
    let mut sessions = Vec::new();
    for _ in 0..6 {
        let session = asked.sign_in(HOME, ANA, PASSWORD).await;
        assert_eq!(session.status, 200, "{}", session.body);
        sessions.push(session.json());
    }
    let first = From { token: Some(text(&sessions[0], "access_token")), ..HOME };
    let told = asked.call(first, "GET", "/user", Json::Null).await;
    assert_eq!(text(&told.json(), "code"), "session_not_found", "the oldest made room");
    let last = From { token: Some(text(&sessions[5], "access_token")), ..HOME };
    let told = asked.call(last, "POST", "/logout", Json::Null).await;
    assert_eq!(told.status, 204, "{}", told.body);
    asked.app.close().await;
}

#[tokio::test]
async fn what_users_say_of_themselves_has_a_bound() {
    let asked = Asked::start(SETTINGS).await;
    let session = asked.member(ANA).await;
    let here = From { token: Some(text(&session, "access_token")), ..HOME };
    let say = |name: &str| json!({ "data": { name: "x".repeat(40_000) } });
    assert_eq!(asked.call(here, "PUT", "/user", say("first")).await.status, 200);
    let told = asked.call(here, "PUT", "/user", say("second")).await;
    assert_eq!((told.status, text(&told.json(), "code")), (422, "validation_failed"));
    asked.app.close().await;
}

#[tokio::test]
async fn every_refused_sign_in_is_in_the_audit_log() {
    let asked = Asked::start(SETTINGS).await;
    asked.member(ANA).await;
    let before = asked.audited().len();
    asked.sign_in(HOME, ANA, "not this one").await;
    asked.post(HOME, "/verify", json!({ "email": ANA, "token": "000000", "type": "email" })).await;
    asked.post(HOME, "/verify", json!({ "token_hash": "x", "type": "recovery" })).await;
    let body = json!({ "email": "bo@example.com", "password": PASSWORD, "data": {} });
    asked.post(HOME, "/signup", body).await;
    asked.sign_in(HOME, "bo@example.com", PASSWORD).await;
    let refresh = json!({ "refresh_token": "x" });
    asked.post(HOME, "/token?grant_type=refresh_token", refresh).await;
    asked.call(HOME, "GET", "/admin/users", Json::Null).await;
    let told: Vec<String> = asked.audited().split_off(before);
    let wanted = [
        "signed_in refused",
        "verified refused",
        "verified refused",
        "signed_up done",
        "signed_in refused",
        "token_refreshed refused",
        "admin_refused refused",
    ];
    assert_eq!(told, wanted);
    asked.app.close().await;
}
