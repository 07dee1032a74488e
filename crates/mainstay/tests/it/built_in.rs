//! What is built in, over a socket: users are there, and what belongs to Mainstay alone is
//! not, whoever asks.

use crate::support::{App, Caller, app, json};

const ADA: &str = "019aa8f0-0000-7000-8000-00000000ada0";

const USERS: &str = r#"
[fields]
name = { type = "text", required = true }
user_metadata = { read = "id == auth.id" }
[rules]
read   = "true"
create = "id == auth.id"
update = "id == auth.id"
delete = "id == auth.id"
"#;

async fn with_users() -> App {
    app(&[("models/users.toml", USERS)]).await
}

#[tokio::test]
async fn an_internal_model_has_no_path_for_anybody() {
    let app = with_users().await;
    let missing = app.get(&Caller::Anonymous, "/rest/v1/nothing_such").await;
    for caller in [Caller::Anonymous, Caller::user(ADA), Caller::Service] {
        for model in ["mainstay_sessions", "mainstay_audit", "mainstay_users"] {
            let path = format!("/rest/v1/{model}");
            let get = app.get(&caller, &path).await;
            assert_eq!((get.status, &json(&get)["code"]), (404, &"PGRST205".into()), "{model}");
            assert_eq!(get.body.replace(model, "nothing_such"), missing.body);
            let post = app.post(&caller, &path, "[{}]").await;
            assert_eq!((post.status, &json(&post)["code"]), (404, &"PGRST205".into()), "{model}");
            let id = format!("{path}?id=eq.{ADA}");
            let put = app.send("PUT", &id, &caller, &[], &format!(r#"{{"id":"{ADA}"}}"#)).await;
            assert_eq!(put.status, 404, "{model}");
            assert_eq!(app.patch(&caller, &id, r#"{"id":1}"#).await.status, 404, "{model}");
            assert_eq!(app.delete(&caller, &id).await.status, 404, "{model}");
            assert_eq!(app.send("OPTIONS", &path, &caller, &[], "").await.status, 404, "{model}");
        }
        for select in ["*,mainstay_sessions(*)", "id,mainstay_passwords!inner(hash)"] {
            let embed = app.get(&caller, &format!("/rest/v1/users?select={select}")).await;
            assert_eq!((embed.status, &json(&embed)["code"]), (400, &"PGRST200".into()));
            assert_eq!(json(&embed)["hint"], serde_json::Value::Null);
        }
    }
    let described = app.get(&Caller::Anonymous, "/openapi.json").await;
    assert!(described.body.contains("/rest/v1/users"), "{}", described.body);
    assert!(!described.body.contains("mainstay_"), "{}", described.body);
}

#[tokio::test]
async fn what_is_built_into_users_is_the_servers_unless_the_app_shows_it() {
    let app = with_users().await;
    let row = format!(r#"[{{"id":"{ADA}","name":"Ada","email":"ada@example.com"}}]"#);
    app.created(&Caller::Service, "users", &row).await;
    let path = "/rest/v1/users";
    let bo = "019aa8f0-0000-7000-8000-00000000b0b0";
    let seen = json(&app.get(&Caller::user(bo), path).await);
    let names: Vec<&String> = seen[0].as_object().expect("a row").keys().collect();
    assert_eq!(names, ["created_at", "id", "name", "updated_at", "user_metadata"]);
    assert_eq!(seen[0]["user_metadata"], serde_json::Value::Null);
    let own = json(&app.get(&Caller::user(ADA), path).await);
    assert_eq!(own[0]["user_metadata"], serde_json::json!({}));
    let email = format!("{path}?select=email");
    assert_eq!(app.get(&Caller::user(ADA), &email).await.status, 403);
    assert_eq!(app.get(&Caller::Service, &email).await.body, r#"[{"email":"ada@example.com"}]"#);

    // No caller writes it, and none learns by trying which addresses are taken.
    let id = format!("{path}?id=eq.{ADA}");
    for body in [r#"{"email":"other@example.com"}"#, r#"{"user_metadata":{"a":1}}"#] {
        let res = app.patch(&Caller::user(ADA), &id, body).await;
        assert_eq!((res.status, &json(&res)["code"]), (403, &"42501".into()), "{body}");
    }
    let row = format!(r#"{{"id":"{bo}","name":"Bo","email":"ada@example.com"}}"#);
    let taken = app.post(&Caller::user(bo), path, &row).await;
    assert_eq!((taken.status, &json(&taken)["code"]), (403, &"42501".into()));
    assert_eq!(app.delete(&Caller::user(ADA), &id).await.status, 204);
}

#[tokio::test]
async fn users_are_there_and_closed_without_a_file() {
    let app = app(&[]).await;
    assert_eq!(app.get(&Caller::Anonymous, "/rest/v1/users").await.status, 401);
    assert_eq!(app.get(&Caller::user(ADA), "/rest/v1/users").await.status, 403);
    assert_eq!(app.get(&Caller::Service, "/rest/v1/users").await.body, "[]");
}
