//! Second factors, as an app's users meet them.

mod hostile;
mod recovery;
mod removal;

use serde_json::{Value as Json, json};

use super::{Answer, Session, auth_app, post, refresh, send, sign_in, sign_up};
use crate::{
    database::{bytes, contains, move_back},
    support::{App, Caller},
};

/// A factor, and the secret that an authenticator app has of it.
#[derive(Clone, Debug)]
pub(super) struct Factor {
    pub(super) id: String,
    secret: String,
}

/// Whose code is shown: that of this moment, or the next one, which is good already. Both
/// still hold where a step ends before they come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    Now,
    Next,
}

impl Factor {
    /// What an enrolment answers.
    pub(super) fn of(enrolled: &Json) -> Self {
        let text = |json: &Json| json.as_str().expect("a text").to_owned();
        Self { id: text(&enrolled["id"]), secret: text(&enrolled["totp"]["secret"]) }
    }

    /// What the authenticator app shows.
    pub(super) fn code(&self, which: Which) -> String {
        let secret = totp_rs::Secret::try_from_base32(&self.secret).expect("base32");
        let totp = totp_rs::Builder::new().with_secret(secret).build_noncompliant();
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a time since 1970");
        let ahead = if matches!(which, Which::Next) { 30 } else { 0 };
        totp.generate(since.as_secs() + ahead).to_string()
    }

    /// A code that is not right.
    pub(super) fn wrong_code(&self) -> String {
        let right = [Which::Now, Which::Next].map(|which| self.code(which));
        let is_wrong = |code: &String| !right.contains(code);
        (111_111..).map(|code| code.to_string()).find(is_wrong).expect("three of a million")
    }
}

async fn enrol(app: &App, session: &Session, name: &str) -> Answer {
    let body = json!({ "factor_type": "totp", "friendly_name": name });
    post(app, "factors", &session.access_token, body).await
}

async fn enrolled(app: &App, session: &Session, name: &str) -> Factor {
    Factor::of(&enrol(app, session, name).await.good())
}

/// The id of a challenge.
async fn challenge(app: &App, session: &Session, factor: &Factor) -> String {
    let path = format!("factors/{}/challenge", factor.id);
    let body = post(app, &path, &session.access_token, json!({})).await.good();
    body["id"].as_str().expect("an id").to_owned()
}

async fn answer(
    app: &App,
    session: &Session,
    factor: &Factor,
    challenge: &str,
    code: &str,
) -> Answer {
    let body = json!({ "challenge_id": challenge, "code": code });
    let path = format!("factors/{}/verify", factor.id);
    post(app, &path, &session.access_token, body).await
}

/// A challenge, and its answer.
async fn show(app: &App, session: &Session, factor: &Factor, code: &str) -> Answer {
    let challenge = challenge(app, session, factor).await;
    answer(app, session, factor, &challenge, code).await
}

/// Somebody with a verified factor, and the session that saw it. Its code of this moment
/// was used.
async fn with_factor(app: &App, email: &str) -> (Session, Factor) {
    let session = sign_up(app, email).await;
    let factor = enrolled(app, &session, "phone").await;
    let raised = show(app, &session, &factor, &factor.code(Which::Now)).await.good();
    (Session::of(raised), factor)
}

#[tokio::test]
async fn a_session_is_raised_by_a_code_of_a_factor_that_was_enrolled() {
    let app = auth_app("", &[]).await;
    let session = sign_up(&app, "ana@example.org").await;
    assert_eq!(session.claim("aal"), "aal1");
    let body = enrol(&app, &session, "phone").await.good();
    assert_eq!((&body["type"], &body["friendly_name"]), (&json!("totp"), &json!("phone")));
    let svg = body["totp"]["qr_code"].as_str().unwrap();
    assert!(svg.starts_with("<svg ") && !svg.contains(['#', '%']), "{svg}");
    assert!(body["totp"]["uri"].as_str().unwrap().contains("ana@example.org"), "{body}");
    let user = send(&app, "GET", "user", &session.access_token, &Json::Null).await.good();
    assert_eq!(user["factors"][0]["status"], "unverified", "{user}");
    let secret = body["totp"]["secret"].as_str().unwrap();
    assert!(!user.to_string().contains(secret), "{user}");
    let stored = bytes(&app, "mainstay_factors", "secret").await;
    let secret = totp_rs::Secret::try_from_base32(secret).expect("base32");
    assert_eq!(stored.len(), 1);
    assert!(!contains(&stored[0], secret.as_bytes()), "the secret is stored as it is");

    let text = |json: &Json| json.as_str().unwrap().to_owned();
    let factor = Factor { id: text(&body["id"]), secret: text(&body["totp"]["secret"]) };
    let code = factor.code(Which::Now);
    let raised = Session::of(show(&app, &session, &factor, &code).await.good());
    assert_eq!(raised.claim("aal"), "aal2");
    assert_eq!(raised.claim("session_id"), session.claim("session_id"));
    let methods = raised.claim("amr");
    assert_eq!(
        (&methods[0]["method"], &methods[1]["method"]),
        (&json!("totp"), &json!("password"))
    );
    assert_eq!(raised.body["user"]["factors"][0]["status"], "verified", "{}", raised.body);

    let refreshed = Session::of(refresh(&app, &raised.refresh_token).await.good());
    assert_eq!(refreshed.claim("aal"), "aal2");
}

#[tokio::test]
async fn the_refresh_token_of_before_is_not_exchanged_for_tokens_of_two_factors() {
    let app = auth_app("", &[]).await;
    let session = sign_up(&app, "ana@example.org").await;
    let factor = enrolled(&app, &session, "").await;
    let code = factor.code(Which::Now);
    let raised = Session::of(show(&app, &session, &factor, &code).await.good());
    refresh(&app, &session.refresh_token).await.refused(400, "refresh_token_already_used");
    refresh(&app, &raised.refresh_token).await.refused(400, "refresh_token_not_found");
}

#[tokio::test]
async fn sessions_that_saw_one_factor_end_when_another_is_first_shown() {
    let app = auth_app("", &[]).await;
    let session = sign_up(&app, "ana@example.org").await;
    let other = sign_in(&app, "ana@example.org").await;
    let stranger = sign_up(&app, "bob@example.org").await;
    let (begun, factor) =
        (enrolled(&app, &other, "begun").await, enrolled(&app, &session, "phone").await);
    let code = factor.code(Which::Now);
    let raised = Session::of(show(&app, &session, &factor, &code).await.good());
    refresh(&app, &other.refresh_token).await.refused(400, "refresh_token_not_found");
    let ended = send(&app, "GET", "user", &other.access_token, &Json::Null).await;
    ended.refused(403, "session_not_found");
    let path = format!("factors/{}/challenge", begun.id);
    let gone = post(&app, &path, &raised.access_token, json!({})).await;
    gone.refused(404, "mfa_factor_not_found");
    refresh(&app, &stranger.refresh_token).await.good();
}

#[tokio::test]
async fn what_cannot_be_enrolled_is_refused_by_its_code() {
    let app = auth_app("", &[]).await;
    let session = sign_up(&app, "ana@example.org").await;
    let token = &session.access_token;
    for (kind, status, code) in [
        (json!("phone"), 422, "mfa_phone_enroll_not_enabled"),
        (json!("webauthn"), 422, "mfa_webauthn_enroll_not_enabled"),
        (json!("paper"), 400, "validation_failed"),
        (Json::Null, 400, "validation_failed"),
    ] {
        let body = json!({ "factor_type": kind });
        post(&app, "factors", token, body).await.refused(status, code);
    }
    for name in ["x".repeat(129), "a\0b".to_owned()] {
        enrol(&app, &session, &name).await.refused(400, "validation_failed");
    }
    let body = json!({ "factor_type": "totp", "issuer": "x".repeat(4_000) });
    post(&app, "factors", token, body).await.refused(400, "validation_failed");
    post(&app, "factors", "", json!({})).await.refused(401, "no_authorization");

    enrolled(&app, &session, "").await;
    enrol(&app, &session, "").await.refused(422, "mfa_factor_name_conflict");
    for number in 1..10 {
        enrolled(&app, &session, &number.to_string()).await;
    }
    enrol(&app, &session, "eleventh").await.refused(422, "too_many_enrolled_mfa_factors");
    move_back(&app, "mainstay_factors", "created_at", 301).await;
    enrolled(&app, &session, "").await;

    let nobody = Session::of(post(&app, "signup", "", json!({})).await.good());
    enrol(&app, &nobody, "").await.refused(403, "no_authorization");
}

#[tokio::test]
async fn where_factors_are_not_offered_none_is_enrolled() {
    let app = auth_app("totp = false", &[]).await;
    let session = sign_up(&app, "ana@example.org").await;
    enrol(&app, &session, "").await.refused(422, "mfa_totp_enroll_not_enabled");
}

#[tokio::test]
async fn a_rule_can_ask_for_two_factors() {
    const VAULT: (&str, &str) = (
        "models/vault.toml",
        "[fields]\ntext = { type = \"text\" }\n[rules]\nread = \"auth.claims.aal == 'aal2'\"\n",
    );
    let app = auth_app("", &[VAULT]).await;
    app.created(&Caller::Service, "vault", r#"[{"text":"gold"}]"#).await;
    let session = sign_up(&app, "ana@example.org").await;
    assert_eq!(rows(&app, &session).await, "[]");
    let factor = enrolled(&app, &session, "").await;
    let code = factor.code(Which::Now);
    let raised = Session::of(show(&app, &session, &factor, &code).await.good());
    assert_eq!(rows(&app, &raised).await, r#"[{"text":"gold"}]"#);
    // The token of before still says what it said.
    assert_eq!(rows(&app, &session).await, "[]");
}

/// What a session sees of the model whose rule asks for two factors.
async fn rows(app: &App, session: &Session) -> String {
    let bearer = format!("Bearer {}", session.access_token);
    let headers = [("Authorization", bearer.as_str())];
    let path = "/rest/v1/vault?select=text";
    app.send("GET", path, &Caller::Anonymous, &headers, "").await.body
}
