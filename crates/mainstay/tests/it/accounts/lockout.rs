//! What keeps others out keeps nobody from their own account.

use serde_json::json;

use super::{Asked, ELSEWHERE, From, HOME, PASSWORD, SETTINGS, text};
use crate::support::futures;

const ANA: &str = "ana@example.com";

fn from(address: &str) -> From<'_> {
    From { address, token: None }
}

#[tokio::test]
async fn wrong_codes_do_not_void_the_link_of_the_same_mail() {
    let asked = Asked::start(SETTINGS).await;
    asked.member(ANA).await;
    asked.post(HOME, "/recover", json!({ "email": ANA })).await;
    let (code, link) = asked.mail_of(ANA, "recovery").await;
    let redeem = |code: &str| json!({ "email": ANA, "token": code, "type": "recovery" });
    for _ in 0..5 {
        assert_eq!(asked.post(ELSEWHERE, "/verify", redeem("abcdef")).await.status, 403);
    }
    let told = asked.post(HOME, "/verify", redeem(&code)).await;
    assert_eq!(text(&told.json(), "code"), "otp_expired", "the code is void");
    let told = asked.post(HOME, "/verify", json!({ "token_hash": link, "type": "recovery" })).await;
    assert_eq!(told.status, 200, "the link is not: {}", told.body);
    asked.app.close().await;
}

#[tokio::test]
async fn very_many_wrong_passwords_keep_no_owner_out_who_never_typed_one_here() {
    let asked = Asked::start(SETTINGS).await;
    // A session from home, opened by the code that confirms the address.
    asked.member(ANA).await;
    for network in 1..=11 {
        let address = format!("203.0.113.{network}");
        for _ in 0..5 {
            let told = asked.sign_in(from(&address), ANA, "not this one").await;
            assert!([400, 429].contains(&told.status), "{}", told.body);
        }
    }
    // However slowly those came: each wrong one more makes strangers wait twice as long.
    let mut strangers = (100..120).map(|network| format!("203.0.113.{network}"));
    loop {
        let address = strangers.next().expect("strangers do not wait");
        if asked.sign_in(from(&address), ANA, "not this one").await.status == 429 {
            break;
        }
    }
    let owner = asked.sign_in(HOME, ANA, PASSWORD).await;
    assert_eq!(owner.status, 200, "{}", owner.body);
    asked.app.close().await;
}

#[tokio::test]
async fn of_many_wrong_passwords_at_once_most_are_not_looked_at() {
    let asked = Asked::start(SETTINGS).await;
    asked.member(ANA).await;
    let guesses = (0..12).map(|_| asked.sign_in(ELSEWHERE, ANA, "not this one"));
    let mut looked_at = 0;
    for told in futures(guesses).await {
        match told.status {
            400 => looked_at += 1,
            status => assert_eq!(status, 429, "{}", told.body),
        }
    }
    // Five, and one more for each second that they took to come.
    assert!((5..10).contains(&looked_at), "{looked_at} of 12 were looked at");
    asked.app.close().await;
}

#[tokio::test]
async fn a_mail_to_nobody_does_not_keep_that_address_from_signing_up() {
    let asked = Asked::start(&SETTINGS.replace("mail_every_s = 0", "mail_every_s = 60")).await;
    let recover = || json!({ "email": ANA });
    assert_eq!(asked.post(ELSEWHERE, "/recover", recover()).await.status, 200);
    let again = asked.post(ELSEWHERE, "/recover", recover()).await;
    assert_eq!(text(&again.json(), "code"), "over_email_send_rate_limit");
    let body = json!({ "email": ANA, "password": PASSWORD, "data": {} });
    let told = asked.post(HOME, "/signup", body).await;
    assert_eq!(told.status, 200, "{}", told.body);
    // From everywhere together it is bounded all the same.
    let mut sent: u32 = 2;
    let refused = loop {
        let address = format!("203.0.113.{sent}");
        let told = asked.post(from(&address), "/recover", recover()).await;
        if told.status != 200 {
            break told;
        }
        sent += 1;
        assert!(sent <= 5, "mails to one address are not bounded");
    };
    assert_eq!((sent, refused.status), (5, 429), "{}", refused.body);
    asked.app.close().await;
}

#[tokio::test]
async fn addresses_of_one_ipv6_network_are_counted_together() {
    let asked = Asked::start(&format!("{SETTINGS}requests_max = 3\n")).await;
    let recover = || json!({ "email": "nobody@example.com" });
    for host in 1..=3 {
        let address = format!("2001:db8:1:2::{host}");
        assert_eq!(asked.post(from(&address), "/recover", recover()).await.status, 200);
    }
    let told = asked.post(from("2001:db8:1:2:ffff::1"), "/recover", recover()).await;
    assert_eq!(told.status, 429, "{}", told.body);
    let told = asked.post(from("2001:db8:1:3::1"), "/recover", recover()).await;
    assert_eq!(told.status, 200, "{}", told.body);
    asked.app.close().await;
}

#[tokio::test]
async fn whoever_comes_too_often_is_told_the_limit_and_the_log_once() {
    let asked =
        Asked::start(&format!("{SETTINGS}requests_max = 2\nadmin_requests_max = 3\n")).await;
    let recover = || json!({ "email": "nobody@example.com" });
    for _ in 0..2 {
        asked.post(HOME, "/recover", recover()).await;
    }
    for _ in 0..3 {
        let told = asked.post(HOME, "/recover", recover()).await;
        assert_eq!(told.header("ratelimit-policy"), Some("\"mail\";q=2;w=300"));
        let left = told.header("ratelimit").and_then(|it| it.strip_prefix("\"mail\";r=0;t="));
        assert_eq!(left, told.header("retry-after"));
    }
    let key = asked.app.service_key().to_owned();
    let mut statuses = Vec::new();
    for network in 1..=4 {
        let address = format!("203.0.113.{network}");
        let here = From { address: &address, token: Some(&key) };
        statuses
            .push(asked.call(here, "GET", "/admin/users", serde_json::Value::Null).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429], "one key, wherever it comes from");
    let told: Vec<String> = asked.audited().into_iter().filter(|it| it.contains("limit")).collect();
    assert_eq!(told, ["limit_reached refused", "limit_reached refused"]);
    asked.app.close().await;
}
