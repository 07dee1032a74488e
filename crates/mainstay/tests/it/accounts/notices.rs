//! Whoever has something changed of how they sign in is told.

use serde_json::{Value as Json, json};

use super::{Asked, From, HOME, PASSWORD, SETTINGS, text};
use crate::support::mailed;

const ANA: &str = "ana@example.com";
const NEW: &str = "ana@new.example.com";

/// The newest mail that tells an address of a change, once it says this.
async fn told(asked: &Asked, to: &str, wanted: &str) {
    let is_it = |mail: &Json| {
        mail["to"] == to && mail["kind"] == "account_changed" && text(mail, "text").contains(wanted)
    };
    mailed(&asked.app, is_it).await;
}

#[tokio::test]
async fn whoever_has_something_changed_is_told_at_the_address_they_had() {
    let asked = Asked::start(SETTINGS).await;
    let session = asked.member(ANA).await;
    let id = text(&session["user"], "id").to_owned();
    let token = text(&session, "access_token").to_owned();
    let here = From { token: Some(&token), ..HOME };
    let change = json!({ "password": "another horse of hers" });
    assert_eq!(asked.call(here, "PUT", "/user", change).await.status, 200);
    told(&asked, ANA, "password of ana@example.com").await;

    assert_eq!(asked.call(here, "PUT", "/user", json!({ "email": NEW })).await.status, 200);
    for (address, kind) in [(ANA, "email_change_current"), (NEW, "email_change_new")] {
        let (_, link) = asked.mail_of(address, kind).await;
        let redeem = json!({ "token_hash": link, "type": "email_change" });
        assert_eq!(asked.post(HOME, "/verify", redeem).await.status, 200);
    }
    told(&asked, ANA, "ana@new.example.com now").await;

    let key = asked.app.service_key().to_owned();
    let operator = From { token: Some(&key), ..HOME };
    let path = format!("/admin/users/{id}");
    let change = json!({ "password": PASSWORD });
    assert_eq!(asked.call(operator, "PUT", &path, change).await.status, 200);
    told(&asked, NEW, "password of ana@new.example.com").await;
    asked.app.close().await;
}

#[tokio::test]
async fn whoever_never_confirmed_an_address_is_told_nothing_there() {
    let asked = Asked::start(SETTINGS).await;
    let body = json!({ "email": ANA, "password": PASSWORD, "data": {} });
    let told = asked.post(HOME, "/signup", body).await;
    let key = asked.app.service_key().to_owned();
    let operator = From { token: Some(&key), ..HOME };
    let path = format!("/admin/users/{}", text(&told.json(), "id"));
    let change = json!({ "password": "another horse of hers" });
    assert_eq!(asked.call(operator, "PUT", &path, change).await.status, 200);
    asked.post(HOME, "/recover", json!({ "email": ANA })).await;
    asked.mail_of(ANA, "recovery").await;
    let mails = asked.app.get("/_dev/mail").await.body;
    assert!(!mails.contains("account was changed") && !mails.contains("A change to"), "{mails}");
    asked.app.close().await;
}
