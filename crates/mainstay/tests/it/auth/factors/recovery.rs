//! Codes for when a factor is lost.

use serde_json::{Value as Json, json};

use super::{
    super::{Answer, Session, auth_app, post, send, sign_in, sign_up},
    enrolled, with_factor,
};
use crate::{
    database::{bytes, contains},
    support::App,
};

const ANA: &str = "ana@example.org";

async fn make(app: &App, session: &Session) -> Answer {
    post(app, "factors/recovery_codes", &session.access_token, Json::Null).await
}

async fn made(app: &App, session: &Session) -> Vec<String> {
    let body = make(app, session).await.good();
    serde_json::from_value(body["codes"].clone()).expect("an array of codes")
}

async fn show(app: &App, session: &Session, code: &str) -> Answer {
    let body = json!({ "code": code });
    post(app, "factors/recovery_codes/verify", &session.access_token, body).await
}

#[tokio::test]
async fn a_recovery_code_raises_a_session_once() {
    let app = auth_app("", &[]).await;
    let (raised, factor) = with_factor(&app, ANA).await;
    let codes = made(&app, &raised).await;
    assert_eq!(codes.len(), 10);
    let stored = bytes(&app, "mainstay_recovery_codes", "code_hash").await;
    assert_eq!(stored.len(), 10);
    let is_stored = |code: &String| stored.iter().any(|it| contains(it, code.as_bytes()));
    assert!(!codes.iter().any(is_stored), "the codes are stored as they are");

    // The telephone is lost: a code is as good, and the factor can be removed.
    let session = sign_in(&app, ANA).await;
    let back = show(&app, &session, &codes[0].to_uppercase().replace('-', " ")).await.good();
    let back = Session::of(back);
    assert_eq!(back.claim("aal"), "aal2");
    assert_eq!(back.claim("amr")[0]["method"], "recovery_code");
    assert_eq!(back.claim("session_id"), session.claim("session_id"));

    let again = sign_in(&app, ANA).await;
    show(&app, &again, &codes[0]).await.refused(422, "mfa_verification_failed");
    let both = tokio::join!(show(&app, &again, &codes[1]), show(&app, &again, &codes[1]));
    let mut told = [both.0.status, both.1.status];
    told.sort_unstable();
    assert_eq!(told, [200, 422], "{both:?}");

    let path = format!("factors/{}", factor.id);
    send(&app, "DELETE", &path, &back.access_token, &Json::Null).await.good();
    // With the last factor go the codes that stood in for it.
    let session = sign_in(&app, ANA).await;
    show(&app, &session, &codes[2]).await.refused(422, "mfa_verification_failed");
    enrolled(&app, &session, "another").await;
}

#[tokio::test]
async fn recovery_codes_are_made_where_the_factor_was_shown() {
    let app = auth_app("", &[]).await;
    let session = sign_up(&app, "bob@example.org").await;
    make(&app, &session).await.refused(422, "mfa_factor_not_found");
    enrolled(&app, &session, "begun").await;
    make(&app, &session).await.refused(422, "mfa_factor_not_found");

    let (raised, _) = with_factor(&app, ANA).await;
    let below = sign_in(&app, ANA).await;
    make(&app, &below).await.refused(403, "insufficient_aal");
    let (first, second) = (made(&app, &raised).await, made(&app, &raised).await);
    show(&app, &below, &first[0]).await.refused(422, "mfa_verification_failed");
    show(&app, &session, &second[0]).await.refused(422, "mfa_verification_failed");
    show(&app, &below, &second[0]).await.good();
}

#[tokio::test]
async fn what_is_no_recovery_code_is_refused() {
    let app = auth_app("", &[]).await;
    let (raised, _) = with_factor(&app, ANA).await;
    made(&app, &raised).await;
    for code in ["x", "0000-0000-0000-0000-0000-0000", "' OR 1=1 --", "\0"] {
        show(&app, &raised, code).await.refused(422, "mfa_verification_failed");
    }
    show(&app, &raised, "").await.refused(400, "validation_failed");
    show(&app, &Session { access_token: String::new(), ..raised }, "x")
        .await
        .refused(401, "no_authorization");
}
