//! What is done to an account counts from the next request on, whichever way it is done.

use serde_json::{Value as Json, json as object};

use super::USERS;
use crate::{
    auth::operator::{
        NOTES, PASSWORD, administer, all_events, events, notes, refresh, seen, sign_in, sign_up,
    },
    support::{Caller, app, json},
};

#[tokio::test]
async fn a_ban_counts_from_the_next_request() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    administer(&app, &member.id, object!({ "app_metadata": { "roles": ["editor"] } })).await;
    assert_eq!(seen(&app, &member.caller).await.0, 200);
    assert_eq!(app.get(&member.caller, "/auth/v1/user").await.status, 200);
    let banned = administer(&app, &member.id, object!({ "ban_duration": "1h" })).await;
    assert!(banned["banned_until"].is_string(), "{banned}");
    assert_eq!(seen(&app, &member.caller).await.0, 401);
    let user = app.get(&member.caller, "/auth/v1/user").await;
    assert_eq!((user.status, &json(&user)["code"]), (403, &"user_banned".into()));

    let lifted = administer(&app, &member.id, object!({ "ban_duration": "none" })).await;
    assert_eq!(lifted["banned_until"], Json::Null);
    assert_eq!(seen(&app, &member.caller).await.0, 200);
    let told = events(&app, &member.id);
    assert!(told.contains(&"service user_banned".to_owned()), "{told:?}");
    assert!(told.contains(&"service user_unbanned".to_owned()), "{told:?}");
}

#[tokio::test]
async fn nobody_signs_in_to_a_banned_account() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    administer(&app, &member.id, object!({ "ban_duration": "1h" })).await;
    let banned = sign_in(&app, "ada@example.com", PASSWORD).await;
    assert_eq!(banned, (400, "user_banned".into()));
    // Whoever does not have the password does not learn of the ban.
    let wrong = sign_in(&app, "ada@example.com", "another password").await;
    assert_eq!(wrong, (400, "invalid_credentials".into()));
    assert_eq!(refresh(&app, &member).await, 400);
    administer(&app, &member.id, object!({ "ban_duration": "-1h" })).await;
    assert_eq!(sign_in(&app, "ada@example.com", PASSWORD).await.0, 200);
}

#[tokio::test]
async fn a_deleted_users_token_is_refused_at_the_next_request() {
    for body in ["", r#"{"should_soft_delete":false}"#, r#"{"should_soft_delete":true}"#] {
        let app = notes().await;
        let member = sign_up(&app, "ada@example.com").await;
        assert_eq!(seen(&app, &member.caller).await.0, 200);
        let path = format!("{USERS}/{}", member.id);
        let deleted = app.send("DELETE", &path, &Caller::Service, &[], body).await;
        assert_eq!((deleted.status, deleted.body.as_str()), (200, "{}"), "{body}");
        assert_eq!(seen(&app, &member.caller).await.0, 401, "{body}");
        let user = app.get(&member.caller, "/auth/v1/user").await;
        assert_eq!((user.status, &json(&user)["code"]), (403, &"user_not_found".into()));
        assert_eq!(refresh(&app, &member).await, 400);
        assert_eq!(sign_in(&app, "ada@example.com", PASSWORD).await.0, 400);
        // The address is free again.
        sign_up(&app, "ada@example.com").await;
    }
}

#[tokio::test]
async fn of_an_account_deleted_softly_the_row_remains_and_nothing_to_know_it_by() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    let path = format!("{USERS}/{}", member.id);
    for _ in 0..2 {
        let soft = r#"{"should_soft_delete":true}"#;
        let deleted = app.send("DELETE", &path, &Caller::Service, &[], soft).await;
        assert_eq!(deleted.status, 200);
    }
    let left = json(&app.get(&Caller::Service, &path).await);
    assert!(left["deleted_at"].is_string(), "{left}");
    assert_eq!((&left["email"], &left["identities"]), (&"".into(), &object!([])));
    assert_eq!(left["app_metadata"], object!({}));
}

#[tokio::test]
async fn a_password_set_by_an_operator_ends_every_session() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    assert_eq!(seen(&app, &member.caller).await.0, 200);
    administer(&app, &member.id, object!({ "password": "quite another sentence" })).await;
    assert_eq!(seen(&app, &member.caller).await.0, 401);
    assert_eq!(refresh(&app, &member).await, 400);
    assert_eq!(sign_in(&app, "ada@example.com", PASSWORD).await.0, 400);
    assert_eq!(sign_in(&app, "ada@example.com", "quite another sentence").await.0, 200);
}

#[tokio::test]
async fn what_rest_writes_of_users_counts_from_the_next_request() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    let row = format!("/rest/v1/users?id=eq.{}", member.id);
    assert_eq!(seen(&app, &member.caller).await, (200, "[]".into()));
    let roles = r#"{"app_metadata":{"roles":["editor"]}}"#;
    assert_eq!(app.patch(&Caller::Service, &row, roles).await.status, 204);
    assert_eq!(seen(&app, &member.caller).await.1, r#"[{"text":"kept"}]"#);
    let banned = r#"{"banned_until":"2999-01-01"}"#;
    assert_eq!(app.patch(&Caller::Service, &row, banned).await.status, 204);
    assert_eq!(seen(&app, &member.caller).await.0, 401);
    assert_eq!(app.patch(&Caller::Service, &row, r#"{"banned_until":null}"#).await.status, 204);
    assert_eq!(seen(&app, &member.caller).await.0, 200);
    assert_eq!(app.delete(&Caller::Service, &row).await.status, 204);
    assert_eq!(seen(&app, &member.caller).await.0, 401);
    let user = app.get(&member.caller, "/auth/v1/user").await;
    assert_eq!((user.status, &json(&user)["code"]), (403, &"user_not_found".into()));
}

#[tokio::test]
async fn rest_gives_users_nothing_that_administration_would_not() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    sign_up(&app, "bob@example.com").await;
    let row = format!("/rest/v1/users?id=eq.{}", member.id);
    for (body, part) in [
        (r#"{"app_metadata":{"roles":["edtior"]}}"#, "did you mean `editor`?"),
        (r#"{"app_metadata":{"roles":"editor"}}"#, "array of texts"),
        (r#"{"app_metadata":"x"}"#, "expected an object"),
        (r#"{"user_metadata":[1]}"#, "expected an object"),
        (r#"{"email":"not an address"}"#, "invalid format"),
        (r#"{"email":"BOB@example.com"}"#, "in lower case, `bob@example.com`"),
    ] {
        let res = app.patch(&Caller::Service, &row, body).await;
        assert_eq!((res.status, &json(&res)["code"]), (400, &"23514".into()), "{body}");
        assert!(res.body.contains(part), "{}", res.body);
        let made = app.post(&Caller::Service, "/rest/v1/users", body).await;
        assert_eq!(made.status, 400, "{body}: {}", made.body);
    }
    let body = r#"{"email":"ada@new.example.com","app_metadata":{"roles":["editor"],"plan":1}}"#;
    assert_eq!(app.patch(&Caller::Service, &row, body).await.status, 204);
}

#[tokio::test]
async fn what_rest_writes_of_users_is_in_the_audit_log() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    let before = events(&app, &member.id).len();
    let row = format!("/rest/v1/users?id=eq.{}", member.id);
    let refused = app.patch(&Caller::Service, &row, r#"{"banned_until":"never"}"#).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    let rehearsed = [("Prefer", "tx=rollback")];
    let name = r#"{"name":"Ada"}"#;
    // What nobody's rule lets through changes nothing, and nothing is told of it.
    let stranger = sign_up(&app, "bob@example.com").await.caller;
    let nothing = all_events(&app);
    for stranger in [Caller::Anonymous, stranger] {
        assert!(app.patch(&stranger, &row, name).await.status < 300);
    }
    assert_eq!(all_events(&app), nothing);
    app.send("PATCH", &row, &Caller::Service, &rehearsed, name).await;
    let banned = r#"{"banned_until":"2000-01-01"}"#;
    assert_eq!(app.patch(&Caller::Service, &row, banned).await.status, 204);
    assert_eq!(app.patch(&member.caller, &row, name).await.status, 204);
    assert_eq!(app.delete(&Caller::Service, &row).await.status, 204);
    let mut told = events(&app, &member.id);
    told.truncate(told.len() - before);
    assert_eq!(told, ["service user_deleted", "user user_changed", "service user_changed"]);
}

#[tokio::test]
async fn whoever_goes_with_a_row_of_the_apps_is_gone_at_the_next_request() {
    let mut files = NOTES.to_vec();
    files.push(("models/teams.toml", "[fields]\nname = { type = \"text\" }\n"));
    files.retain(|(path, _)| *path != "models/users.toml");
    let users = "[fields]\nteam = { type = \"ref\", to = \"teams\", on_delete = \"cascade\" }\n";
    files.push(("models/users.toml", users));
    let app = app(&files).await;
    let member = sign_up(&app, "ada@example.com").await;
    let team = "00000000-0000-7000-8000-000000000001";
    let row = format!(r#"[{{"id":"{team}","name":"one"}}]"#);
    app.created(&Caller::Service, "teams", &row).await;
    let user = format!("/rest/v1/users?id=eq.{}", member.id);
    let joined = app.patch(&Caller::Service, &user, &format!(r#"{{"team":"{team}"}}"#)).await;
    assert_eq!(joined.status, 204, "{}", joined.body);
    assert_eq!(seen(&app, &member.caller).await.0, 200);
    let gone = app.delete(&Caller::Service, &format!("/rest/v1/teams?id=eq.{team}")).await;
    assert_eq!(gone.status, 204);
    assert_eq!(seen(&app, &member.caller).await.0, 401);
}
