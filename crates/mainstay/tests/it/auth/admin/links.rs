//! `/auth/v1/invite` and `/auth/v1/admin/generate_link`.

use serde_json::{Value as Json, json as object};

use super::{USERS, create};
use crate::{
    auth::operator::{Member, PASSWORD, events, notes, sign_in, sign_up},
    support::{App, Caller, json},
};

#[tokio::test]
async fn somebody_invited_has_no_password_but_their_own() {
    let app = notes().await;
    let invite = async |email: &str| {
        let body = object!({ "email": email, "data": { "name": "Bob" } }).to_string();
        let res = app.post(&Caller::Service, "/auth/v1/invite", &body).await;
        (res.status, json(&res))
    };
    let (status, invited) = invite("bob@example.com").await;
    assert_eq!(status, 200, "{invited}");
    assert!(invited["invited_at"].is_string() && invited["email_confirmed_at"].is_null());
    assert_eq!(invited["user_metadata"], object!({ "name": "Bob" }));
    assert_eq!(invite("bob@example.com").await.0, 200, "again");
    // A stranger's password on an address that nobody has confirmed.
    let (_, eve) =
        create(&app, object!({ "email": "eve@example.com", "password": PASSWORD })).await;
    assert_eq!(sign_in(&app, "eve@example.com", PASSWORD).await.0, 200);
    assert_eq!(invite("eve@example.com").await.1["id"], eve["id"]);
    assert_eq!(sign_in(&app, "eve@example.com", PASSWORD).await.0, 400);

    sign_up(&app, "ada@example.com").await;
    let (status, told) = invite("ada@example.com").await;
    assert_eq!((status, &told["code"]), (422, &"email_exists".into()));
    assert_eq!(invite("nowhere").await.0, 400);
    let id = invited["id"].as_str().expect("an id");
    assert!(events(&app, id).contains(&"service user_invited".to_owned()));
}

async fn link(app: &App, body: Json) -> (u16, Json) {
    let path = "/auth/v1/admin/generate_link?redirect_to=http://evil.example/x";
    let res = app.post(&Caller::Service, path, &body.to_string()).await;
    (res.status, json(&res))
}

/// The session that a link's token is good for.
async fn redeemed(app: &App, kind: &str, link: &Json) -> (u16, Json) {
    let body = object!({ "type": kind, "token_hash": link["hashed_token"] }).to_string();
    let res = app.post(&Caller::Anonymous, "/auth/v1/verify", &body).await;
    (res.status, json(&res))
}

#[tokio::test]
async fn a_link_is_handed_over_and_does_what_a_mailed_one_does() {
    let app = notes().await;
    sign_up(&app, "ada@example.com").await;
    let of = |kind: &str, email: &str| object!({ "type": kind, "email": email, "password": PASSWORD, "redirectTo": "noise" });
    for (kind, email, expected) in [
        ("signup", "new@example.com", "signup"),
        ("signup", "new@example.com", "signup"),
        ("invite", "bob@example.com", "invite"),
        ("magiclink", "ada@example.com", "magiclink"),
        ("magiclink", "unknown@example.com", "signup"),
        ("recovery", "ada@example.com", "recovery"),
    ] {
        let (status, made) = link(&app, of(kind, email)).await;
        assert_eq!(status, 200, "{made}");
        assert_eq!((&made["email"], &made["verification_type"]), (&email.into(), &expected.into()));
        assert_eq!(made["email_otp"].as_str().map(str::len), Some(6));
        let redirect = made["redirect_to"].as_str().expect("a text");
        assert!(!redirect.contains("evil"), "{redirect}");
        let text = made["action_link"].as_str().expect("a text");
        let token = made["hashed_token"].as_str().expect("a text");
        assert!(text.contains(token) && text.contains(&format!("type={expected}")), "{text}");
        if kind == "signup" {
            continue;
        }
        let (status, session) = redeemed(&app, expected, &made).await;
        assert_eq!((status, &session["user"]["email"]), (200, &email.into()), "{session}");
        assert_eq!(redeemed(&app, expected, &made).await.0, 403, "a link is good once");
    }
    for (body, status, code) in [
        (of("signup", "ada@example.com"), 422, "email_exists"),
        (of("invite", "ada@example.com"), 422, "email_exists"),
        (of("recovery", "nobody@example.com"), 404, "user_not_found"),
        (of("email_change_new", "nobody@example.com"), 404, "user_not_found"),
        (of("email_change_new", "ada@example.com"), 400, "validation_failed"),
        (of("telegram", "ada@example.com"), 400, "validation_failed"),
        (of("signup", ""), 400, "validation_failed"),
        (object!({ "type": "signup", "email": "x@example.com" }), 400, "validation_failed"),
        (
            object!({ "type": "signup", "email": "x@example.com", "password": "short" }),
            422,
            "weak_password",
        ),
        (
            object!({ "type": "email_change_new", "email": "ada@example.com",
                "new_email": "bob@example.com" }),
            422,
            "email_exists",
        ),
    ] {
        let (got, told) = link(&app, body.clone()).await;
        assert_eq!((got, &told["code"]), (status, &code.into()), "{body}: {told}");
    }
}

#[tokio::test]
async fn an_address_changes_once_both_links_were_opened_and_not_before() {
    let app = notes().await;
    let Member { id, .. } = sign_up(&app, "old@example.com").await;
    let of = |kind: &str| object!({ "type": kind, "email": "old@example.com", "new_email": "new@example.com" });
    let (status, current) = link(&app, of("email_change_current")).await;
    assert_eq!(status, 200, "{current}");
    assert_eq!(current["verification_type"], "email_change_current");
    let (_, half) = redeemed(&app, "email_change", &current).await;
    assert_eq!(half["code"], "200", "{half}");
    let path = format!("{USERS}/{id}");
    assert_eq!(json(&app.get(&Caller::Service, &path).await)["email"], "old@example.com");

    let (_, current) = link(&app, of("email_change_current")).await;
    let (_, new) = link(&app, of("email_change_new")).await;
    assert_eq!(redeemed(&app, "email_change", &new).await.1["code"], "200");
    let (status, session) = redeemed(&app, "email_change", &current).await;
    assert_eq!((status, &session["user"]["email"]), (200, &"new@example.com".into()), "{session}");
}
