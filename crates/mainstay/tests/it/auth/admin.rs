//! `/auth/v1/admin/users`, and who may ask for it.

mod links;
mod standing;

use serde_json::{Value as Json, json as object};

use super::operator::{PASSWORD, administer, events, notes, sign_in, sign_up};
use crate::support::{App, Caller, json};

const USERS: &str = "/auth/v1/admin/users";
/// Of "correct horse battery", by Python's bcrypt.
const BCRYPT: &str = "$2b$04$u348vYjJtpLTwdwrfpDc0eniyX7LLPKagZTPIR3z8YEEOm0vHvIsa";
/// Of the same, by Django.
const DJANGO: &str =
    "pbkdf2_sha256$1000$SaltSaltSaltSaltSalt22$763D2+EFgDSfE5ZYGzYsuwILECdqMW/Uc15xtmUQx/U=";
const HASHED: &str = "correct horse battery";
const NOBODY: &str = "00000000-0000-7000-8000-00000000dead";

async fn create(app: &App, body: Json) -> (u16, Json) {
    let res = app.post(&Caller::Service, USERS, &body.to_string()).await;
    (res.status, json(&res))
}

#[tokio::test]
async fn only_the_service_key_administers_and_not_from_a_browser() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    let user = format!("{USERS}/{}", member.id);
    for (method, path, body) in [
        ("GET", USERS, ""),
        ("POST", USERS, r#"{"email":"x@example.com"}"#),
        ("GET", user.as_str(), ""),
        ("PUT", &user, r#"{"app_metadata":{"roles":["editor"]}}"#),
        ("DELETE", &user, ""),
        ("GET", &format!("{user}/factors"), ""),
        ("DELETE", &format!("{user}/factors/{NOBODY}"), ""),
        ("POST", "/auth/v1/invite", r#"{"email":"x@example.com"}"#),
        ("POST", "/auth/v1/admin/generate_link", r#"{"type":"recovery","email":"x@y.z"}"#),
    ] {
        for (caller, headers, status, code) in [
            (&Caller::Anonymous, &[][..], 401, "no_authorization"),
            (&Caller::Bearer("x.y.z".into()), &[][..], 401, "bad_jwt"),
            (&member.caller, &[][..], 403, "not_admin"),
            (&Caller::User("root", &["auditor"]), &[][..], 403, "not_admin"),
            (&Caller::Service, &[("Origin", "http://localhost")][..], 403, "not_admin"),
        ] {
            let res = app.send(method, path, caller, headers, body).await;
            let told = json(&res);
            assert_eq!((res.status, &told["code"]), (status, &code.into()), "{method} {path}");
        }
    }
    let all = json(&app.get(&Caller::Service, USERS).await);
    assert_eq!(all["users"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn an_account_is_made_shown_changed_and_deleted() {
    let app = notes().await;
    let (status, made) = create(
        &app,
        object!({ "email": "Ada@Example.com", "password": PASSWORD, "email_confirm": true,
            "user_metadata": { "name": "Ada", "gone": null },
            "app_metadata": { "roles": ["editor"], "plan": "free" } }),
    )
    .await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(made["email"], "ada@example.com");
    assert_eq!(made["user_metadata"], object!({ "name": "Ada", "email_verified": true }));
    let app_metadata = object!({ "provider": "email", "providers": ["email"],
        "roles": ["editor"], "plan": "free" });
    assert_eq!(made["app_metadata"], app_metadata);
    assert_eq!(made["identities"].as_array().map(Vec::len), Some(1));
    let id = made["id"].as_str().expect("an id").to_owned();
    let path = format!("{USERS}/{id}");
    assert_eq!(json(&app.get(&Caller::Service, &path).await)["email"], "ada@example.com");
    assert_eq!(sign_in(&app, "ada@example.com", PASSWORD).await.0, 200);

    let changed = administer(
        &app,
        &id,
        object!({ "email": "lady@example.com", "user_metadata": { "name": null, "born": 1815 },
            "app_metadata": { "plan": null } }),
    )
    .await;
    assert_eq!(changed["email"], "lady@example.com");
    assert_eq!(changed["user_metadata"], object!({ "born": 1815, "email_verified": true }));
    assert_eq!(changed["app_metadata"]["roles"], object!(["editor"]));
    assert_eq!(changed["app_metadata"]["plan"], Json::Null);
    assert_eq!(changed["identities"][0]["email"], "lady@example.com");
    assert_eq!(sign_in(&app, "ada@example.com", PASSWORD).await.0, 400);
    assert_eq!(sign_in(&app, "lady@example.com", PASSWORD).await.0, 200);

    let deleted = app.delete(&Caller::Service, &path).await;
    assert_eq!((deleted.status, deleted.body.as_str()), (200, "{}"));
    assert_eq!(app.get(&Caller::Service, &path).await.status, 404);
    let told = [
        "service user_deleted",
        "anonymous signed_in",
        "service user_changed",
        "service email_changed",
        "anonymous signed_in",
        "service roles_changed",
        "service user_created",
    ];
    assert_eq!(events(&app, &id), told);
}

#[tokio::test]
async fn an_account_that_cannot_be_is_refused() {
    let app = notes().await;
    let member = sign_up(&app, "taken@example.com").await;
    let with = |name: &str, value: Json| {
        let mut body = object!({ "email": "new@example.com" });
        body[name] = value;
        body
    };
    for (body, status, code) in [
        (object!({}), 400, "validation_failed"),
        (object!({ "email": "" }), 400, "validation_failed"),
        (object!({ "email": "nowhere" }), 400, "validation_failed"),
        (object!({ "email": 5 }), 400, "bad_json"),
        (object!([]), 400, "bad_json"),
        (object!({ "email": "Taken@example.com" }), 422, "email_exists"),
        (with("phone", "+123".into()), 400, "phone_provider_disabled"),
        (with("id", "x".into()), 400, "validation_failed"),
        (with("id", "00000000-0000-0000-0000-000000000000".into()), 400, "validation_failed"),
        (with("id", member.id.as_str().into()), 422, "validation_failed"),
        (with("ban_duration", "1d".into()), 400, "validation_failed"),
        (with("role", "service_role".into()), 400, "validation_failed"),
        (with("password_hash", "md5".into()), 400, "validation_failed"),
        (with("password", "x".repeat(257).into()), 400, "validation_failed"),
        (with("app_metadata", "roles".into()), 400, "bad_json"),
        (with("user_metadata", object!([1])), 400, "bad_json"),
        (
            object!({ "email": "new@example.com", "password": PASSWORD, "password_hash": "$2b$" }),
            400,
            "validation_failed",
        ),
    ] {
        let (got, told) = create(&app, body.clone()).await;
        assert_eq!((got, &told["code"]), (status, &code.into()), "{body}: {told}");
    }
    let broken = app.post(&Caller::Service, USERS, "{").await;
    assert_eq!((broken.status, &json(&broken)["code"]), (400, &"bad_json".into()));

    for (path, status, code) in [
        (format!("{USERS}/{NOBODY}"), 404, "user_not_found"),
        (format!("{USERS}/5"), 404, "validation_failed"),
        (format!("{USERS}/{}", member.id.replace('-', "")), 404, "validation_failed"),
        (format!("{USERS}/{NOBODY}/factors"), 404, "user_not_found"),
        (format!("{USERS}/x/factors"), 404, "validation_failed"),
    ] {
        let res = app.get(&Caller::Service, &path).await;
        assert_eq!((res.status, &json(&res)["code"]), (status, &code.into()), "{path}");
    }
    for (method, path) in [
        ("PUT", format!("{USERS}/{NOBODY}")),
        ("DELETE", format!("{USERS}/{NOBODY}")),
        ("DELETE", format!("{USERS}/{NOBODY}/factors/{NOBODY}")),
    ] {
        let res = app.send(method, &path, &Caller::Service, &[], "{}").await;
        assert_eq!((res.status, &json(&res)["code"]), (404, &"user_not_found".into()), "{path}");
    }
    let other = sign_up(&app, "other@example.com").await;
    let path = format!("{USERS}/{}", other.id);
    for (body, status, code) in [
        (r#"{"email":"taken@example.com"}"#, 422, "email_exists"),
        (r#"{"password":"short"}"#, 422, "weak_password"),
        (r#"{"email":"x"}"#, 400, "validation_failed"),
    ] {
        let res = app.put(&Caller::Service, &path, body).await;
        assert_eq!((res.status, &json(&res)["code"]), (status, &code.into()), "{body}");
    }
}

#[tokio::test]
async fn an_account_that_is_made_for_somebody_has_a_password_that_is_one() {
    let app = notes().await;
    for password in ["short", "password", "a"] {
        let body = object!({ "email": "ada@example.com", "password": password });
        let (status, told) = create(&app, body).await;
        assert_eq!((status, &told["code"]), (422, &"weak_password".into()), "{password}");
    }
    let body = object!({ "email": "ada@example.com", "password": "" });
    assert_eq!(create(&app, body).await.0, 200, "none at all");
}

#[tokio::test]
async fn a_deletion_whose_kind_is_misspelt_deletes_nothing() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    let path = format!("{USERS}/{}", member.id);
    let body = r#"{"should_soft_delet":true}"#;
    let res = app.send("DELETE", &path, &Caller::Service, &[], body).await;
    assert_eq!((res.status, &json(&res)["code"]), (400, &"bad_json".into()));
    assert!(res.body.contains("should_soft_delete"), "{}", res.body);
    assert_eq!(app.get(&Caller::Service, &path).await.status, 200);
}

#[tokio::test]
async fn hashes_from_elsewhere_let_their_users_in() {
    let app = notes().await;
    for (email, hash) in [("bcrypt@example.com", BCRYPT), ("django@example.com", DJANGO)] {
        let body = object!({ "email": email, "password_hash": hash, "email_confirm": true });
        let (status, made) = create(&app, body).await;
        assert_eq!(status, 200, "{made}");
        assert_eq!(sign_in(&app, email, HASHED).await.0, 200, "{email}");
        assert_eq!(sign_in(&app, email, "another password").await.0, 400, "{email}");
    }
}

#[tokio::test]
async fn accounts_are_listed_in_pages_with_their_links() {
    let app = notes().await;
    for name in ["a", "b", "c", "d", "e"] {
        let (status, _) = create(&app, object!({ "email": format!("{name}@example.com") })).await;
        assert_eq!(status, 200);
    }
    let page = async |query: &str| {
        let res = app.get(&Caller::Service, &format!("{USERS}?{query}")).await;
        let body = json(&res);
        let names: Vec<String> = body["users"]
            .as_array()
            .expect("an array")
            .iter()
            .map(|user| user["email"].as_str().expect("a text")[..1].to_owned())
            .collect();
        let link = res.header("link").unwrap_or_default().to_owned();
        (names.concat(), link, res.header("x-total-count").map(str::to_owned))
    };
    let (names, link, total) = page("page=&per_page=").await;
    assert_eq!((names.as_str(), total.as_deref()), ("edcba", Some("5")));
    assert_eq!(link, "</admin/users?page=1&per_page=50>; rel=\"last\"");
    let (names, link, _) = page("page=2&per_page=2").await;
    assert_eq!(names, "cb");
    let next = "</admin/users?page=3&per_page=2>; rel=\"next\"";
    assert_eq!(link, format!("{next}, </admin/users?page=3&per_page=2>; rel=\"last\""));
    assert_eq!(page("page=4&per_page=2").await.0, "");
    let all = json(&app.get(&Caller::Service, USERS).await);
    assert_eq!(all["aud"], "authenticated");
    for user in all["users"].as_array().expect("an array") {
        assert_eq!(user["identities"].as_array().map(Vec::len), Some(1), "{user}");
    }
    for query in ["page=x", "page=0", "per_page=-1"] {
        let res = app.get(&Caller::Service, &format!("{USERS}?{query}")).await;
        assert_eq!((res.status, &json(&res)["code"]), (400, &"validation_failed".into()));
    }
}

#[tokio::test]
async fn a_factor_is_listed_and_taken_off() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    let enrol = r#"{"factor_type":"totp","friendly_name":"phone"}"#;
    let enrolled = json(&app.post(&member.caller, "/auth/v1/factors", enrol).await);
    let path = format!("{USERS}/{}/factors", member.id);
    let listed = json(&app.get(&Caller::Service, &path).await);
    assert_eq!((&listed[0]["id"], &listed[0]["friendly_name"]), (&enrolled["id"], &"phone".into()));
    let all = json(&app.get(&Caller::Service, USERS).await);
    assert_eq!(all["users"][0]["factors"], listed);
    let one = format!("{path}/{}", enrolled["id"].as_str().expect("an id"));
    let taken = app.delete(&Caller::Service, &one).await;
    assert_eq!((taken.status, &json(&taken)), (200, &listed[0]));
    assert_eq!(app.get(&Caller::Service, &path).await.body, "[]");
    assert_eq!(app.delete(&Caller::Service, &one).await.status, 404);
    assert_eq!(events(&app, &member.id)[0], "service factor_removed");
}

#[tokio::test]
async fn an_account_without_factors_has_none_to_list_or_to_take() {
    let app = notes().await;
    let member = sign_up(&app, "ada@example.com").await;
    let path = format!("{USERS}/{}/factors", member.id);
    let none = app.get(&Caller::Service, &path).await;
    assert_eq!((none.status, none.body.as_str()), (200, "[]"));
    for (factor, code) in [(NOBODY, "mfa_factor_not_found"), ("x", "validation_failed")] {
        let res = app.delete(&Caller::Service, &format!("{path}/{factor}")).await;
        assert_eq!((res.status, &json(&res)["code"]), (404, &code.into()));
    }
}
