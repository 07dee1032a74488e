//! Roles: who can give them, and when they count.

use serde_json::{Value as Json, json as object};

use super::operator::{NOTES, administer, events, notes, seen, sign_up, sign_up_saying};
use crate::support::{Caller, json};

const KEPT: &str = r#"[{"text":"kept"}]"#;

fn roles(roles: Json) -> Json {
    object!({ "app_metadata": { "roles": roles } })
}

#[tokio::test]
async fn a_role_that_was_given_or_taken_counts_from_the_next_request() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    assert_eq!(seen(&app, &member.caller).await, (200, "[]".into()));
    administer(&app, &member.id, roles(object!(["editor"]))).await;
    assert_eq!(seen(&app, &member.caller).await, (200, KEPT.into()));
    administer(&app, &member.id, roles(object!([]))).await;
    assert_eq!(seen(&app, &member.caller).await, (200, "[]".into()));
    administer(&app, &member.id, roles(object!(["editor"]))).await;
    administer(&app, &member.id, roles(Json::Null)).await;
    assert_eq!(seen(&app, &member.caller).await, (200, "[]".into()));
    let told = events(&app, &member.id);
    let changes = told.iter().filter(|event| *event == "service roles_changed").count();
    assert_eq!(changes, 4, "{told:?}");
}

#[tokio::test]
async fn a_role_that_no_user_can_have_is_refused_with_the_name_that_was_meant() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    let path = format!("/auth/v1/admin/users/{}", member.id);
    for (given, message) in [
        (object!(["editr"]), "did you mean `editor`?"),
        (object!(["xyzzy"]), "declares no role `xyzzy`"),
        (object!(["service_role"]), "`service_role` is a kind of token"),
        (object!(["anon"]), "`anon` is a kind of token"),
        (object!(["authenticated"]), "`authenticated` is a kind of token"),
        (object!("editor"), "an array of texts"),
        (object!(["editor", 5]), "an array of texts"),
        (object!({ "editor": true }), "an array of texts"),
        (Json::from(vec!["editor"; 101]), "at most 100 roles"),
    ] {
        let body = roles(given).to_string();
        let told = app.put(&Caller::Service, &path, &body).await;
        assert_eq!((told.status, &json(&told)["code"]), (400, &"validation_failed".into()));
        assert!(told.body.contains(message), "{body}: {}", told.body);
        let mut new: Json = serde_json::from_str(&body).expect("JSON");
        new["email"] = "new@example.com".into();
        let told = app.post(&Caller::Service, "/auth/v1/admin/users", &new.to_string()).await;
        assert_eq!((told.status, told.body.contains(message)), (400, true), "{}", told.body);
    }
    assert_eq!(seen(&app, &member.caller).await.1, "[]");
}

#[tokio::test]
async fn a_role_may_stay_that_is_declared_no_more() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    administer(&app, &member.id, roles(object!(["editor", "auditor"]))).await;
    let (_, settings) = NOTES[0];
    app.reload_with("mainstay.toml", &settings.replace("auditor = {}\n", "warden = {}\n")).await;
    administer(&app, &member.id, roles(object!(["auditor", "warden"]))).await;
    administer(&app, &member.id, roles(object!(["warden"]))).await;
    let path = format!("/auth/v1/admin/users/{}", member.id);
    let again = roles(object!(["auditor"])).to_string();
    assert_eq!(app.put(&Caller::Service, &path, &again).await.status, 400);
}

#[tokio::test]
async fn nobody_gives_themselves_roles_or_what_else_is_the_apps_to_say() {
    let app = notes().await;
    let claim = object!({ "app_metadata": { "roles": ["editor"] }, "roles": ["editor"],
        "role": "service_role", "email_confirmed_at": "2026-01-01T00:00:00Z",
        "banned_until": null, "is_anonymous": false });
    // At sign-up.
    let member = sign_up_saying(&app, "ada@example.com", claim.clone()).await;
    assert_eq!(seen(&app, &member.caller).await, (200, "[]".into()));
    let shown = json(&app.get(&member.caller, "/auth/v1/user").await);
    let expected = object!({ "provider": "email", "providers": ["email"] });
    assert_eq!((&shown["app_metadata"], &shown["role"]), (&expected, &"authenticated".into()));
    // Beside the password instead of in what is said.
    let mut beside = claim.clone();
    beside["email"] = "bob@example.com".into();
    beside["password"] = super::operator::PASSWORD.into();
    let bob = json(&app.post(&Caller::Anonymous, "/auth/v1/signup", &beside.to_string()).await);
    assert_eq!(bob["user"]["app_metadata"], expected);
    // Of their own account.
    let asked = app.put(&member.caller, "/auth/v1/user", &claim.to_string()).await;
    assert_eq!((asked.status, &json(&asked)["code"]), (403, &"not_admin".into()));
    let said = object!({ "data": claim }).to_string();
    assert_eq!(app.put(&member.caller, "/auth/v1/user", &said).await.status, 200);
    assert_eq!(seen(&app, &member.caller).await.1, "[]");
    // As a row, which the app's own rule lets them write and read.
    let row = format!("/rest/v1/users?id=eq.{}", member.id);
    assert_eq!(app.patch(&member.caller, &row, r#"{"name":"Ada"}"#).await.status, 204);
    for body in [
        r#"{"app_metadata":{"roles":["editor"]}}"#,
        r#"{"name":"Ada","app_metadata":{}}"#,
        r#"{"email":"root@example.com"}"#,
        r#"{"banned_until":null}"#,
        r#"{"email_confirmed_at":"2026-01-01T00:00:00Z"}"#,
        r#"{"is_anonymous":false}"#,
    ] {
        let refused = app.patch(&member.caller, &row, body).await;
        assert_eq!((refused.status, &json(&refused)["code"]), (403, &"42501".into()), "{body}");
    }
    let made = app
        .post(&member.caller, "/rest/v1/users", r#"{"app_metadata":{"roles":["editor"]}}"#)
        .await;
    assert_eq!((made.status, &json(&made)["code"]), (403, &"42501".into()));
    assert_eq!(seen(&app, &member.caller).await.1, "[]");
}
