//! What is sent to `/auth/v1` and is not what it should be.

use mainstay::testing::{Response, TestApp};

use super::visitor::{EMAIL, PASSWORD, send, sign_up};

/// The status and the code, and that the message has this in it.
#[track_caller]
fn told(res: &Response, status: u16, code: &str, part: &str) {
    let body = res.json();
    assert_eq!((res.status, &body["code"]), (status, &code.into()), "{}", res.body);
    assert!(body["message"].as_str().is_some_and(|it| it.contains(part)), "{}", res.body);
}

#[tokio::test]
async fn a_body_is_an_object_and_no_name_of_the_programs_own_is_told() {
    let app = TestApp::start(&[]).await;
    sign_up(&app).await;
    let by_place = format!(r#"["{EMAIL}","{PASSWORD}"]"#);
    for path in ["session", "signup", "token?grant_type=password", "otp", "recover", "verify"] {
        for body in [by_place.as_str(), "null", "1", r#""x""#] {
            let res = send(&app, "POST", &format!("/auth/v1/{path}"), None, body).await;
            told(&res, 400, "bad_json", "expected an object");
        }
    }
    let body = format!(r#"{{"email":"bo@example.com","password":"{PASSWORD}","data":"x"}}"#);
    let res = send(&app, "POST", "/auth/v1/signup", None, &body).await;
    told(&res, 400, "bad_json", "expected a map");
    let headers = [("Content-Type", "text/plain")];
    let res = app.request("POST", "/auth/v1/signup", &headers, b"email=a").await;
    told(&res, 400, "bad_json", "its Content-Type is text/plain; send application/json");
    app.close().await;
}

#[tokio::test]
async fn what_a_sign_in_with_a_cookie_lacks_is_named() {
    let app = TestApp::start(&[]).await;
    sign_up(&app).await;
    for (body, lacks) in [
        (format!(r#"{{"email":"{EMAIL}","passwrd":"{PASSWORD}"}}"#), "missing password"),
        (format!(r#"{{"password":"{PASSWORD}"}}"#), "missing email"),
    ] {
        let res = send(&app, "POST", "/auth/v1/session", None, &body).await;
        told(&res, 400, "validation_failed", lacks);
    }
    app.close().await;
}

#[tokio::test]
async fn a_sign_up_that_lacks_something_can_be_mended_at_once() {
    let users = ("models/users.toml", "[fields]\nhandle = { type = \"text\", required = true }\n");
    let app = TestApp::start_in(&[("MAINSTAY_AUTH__CONFIRM_EMAIL", "true")], &[users]).await;
    let sign_up = async |data: &str| {
        let body = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}","data":{data}}}"#);
        send(&app, "POST", "/auth/v1/signup", None, &body).await
    };
    told(&sign_up("{}").await, 422, "validation_failed", "send its value in `data`");
    let res = sign_up(r#"{"handle":"ada"}"#).await;
    assert_eq!(res.status, 200, "{}", res.body);
    app.close().await;
}

#[tokio::test]
async fn what_is_not_there_is_told_as_clients_read_it() {
    let app = TestApp::start(&[]).await;
    for (method, path) in [("GET", "token"), ("POST", "sessions"), ("PATCH", "admin/users/1")] {
        let res = app.request(method, &format!("/auth/v1/{path}"), &[], b"").await;
        told(&res, 405, "not_found", "by this method");
        assert!(res.header("allow").is_some(), "{res:?}");
    }
    let res = app.get("/auth/v1/authorize?provider=github").await;
    told(&res, 400, "provider_disabled", "provider is not enabled");
    app.close().await;
}
