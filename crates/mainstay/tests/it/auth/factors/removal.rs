//! Taking factors away, and what an account with one is protected from.

use serde_json::{Value as Json, json};

use super::{
    super::{Answer, PASSWORD, Session, auth_app, mailed_code, post, refresh, send},
    Factor, Which, enrol, enrolled, rows, show, sign_in, sign_up, with_factor,
};
use crate::{
    database::{self, change_rows, move_back},
    support::{App, Caller, futures},
};

const ANA: &str = "ana@example.org";

async fn remove(app: &App, session: &Session, factor: &Factor, body: Json) -> Answer {
    let path = format!("factors/{}", factor.id);
    send(app, "DELETE", &path, &session.access_token, &body).await
}

#[tokio::test]
async fn a_session_that_saw_one_factor_changes_none() {
    let app = auth_app("", &[]).await;
    let (raised, factor) = with_factor(&app, ANA).await;
    let below = sign_in(&app, ANA).await;
    enrol(&app, &below, "mine").await.refused(403, "insufficient_aal");
    remove(&app, &below, &factor, Json::Null).await.refused(422, "insufficient_aal");
    enrolled(&app, &raised, "another").await;
    let removed = remove(&app, &raised, &factor, Json::Null).await.good();
    assert_eq!(removed, json!({ "id": factor.id }));
    remove(&app, &raised, &factor, Json::Null).await.refused(404, "mfa_factor_not_found");
}

#[tokio::test]
async fn a_factor_that_was_only_begun_is_removed_without_another() {
    let app = auth_app("", &[]).await;
    let session = sign_up(&app, ANA).await;
    let factor = enrolled(&app, &session, "").await;
    remove(&app, &session, &factor, Json::Null).await.good();
    enrolled(&app, &session, "").await;
}

#[tokio::test]
async fn without_its_factor_a_session_is_back_at_one_from_the_next_request() {
    const VAULT: (&str, &str) = (
        "models/vault.toml",
        "[fields]\ntext = { type = \"text\" }\n[rules]\nread = \"auth.claims.aal == 'aal2'\"\n",
    );
    let app = auth_app("", &[VAULT]).await;
    app.created(&Caller::Service, "vault", r#"[{"text":"gold"}]"#).await;
    let (raised, factor) = with_factor(&app, ANA).await;
    assert_eq!(rows(&app, &raised).await, r#"[{"text":"gold"}]"#);
    remove(&app, &raised, &factor, Json::Null).await.good();
    let refreshed = Session::of(refresh(&app, &raised.refresh_token).await.good());
    assert_eq!(refreshed.claim("aal"), "aal1");
    assert_eq!(refreshed.claim("amr")[0]["method"], "password");
    assert_eq!(refreshed.body["user"]["factors"], Json::Null);
    // The token of before claims two factors for the rest of its hour, and has one.
    assert_eq!(rows(&app, &raised).await, "[]");
}

#[tokio::test]
async fn an_old_session_changes_factors_only_with_a_proof_of_who_asks() {
    let app = auth_app("reauthenticate_s = 0", &[]).await;
    let session = sign_up(&app, ANA).await;
    enrol(&app, &session, "").await.refused(400, "reauthentication_needed");
    let body = |proof: (&str, &str)| json!({ "factor_type": "totp", proof.0: proof.1 });
    let token = &session.access_token;
    for proof in [("current_password", "not that one"), ("nonce", "123456")] {
        let told = post(&app, "factors", token, body(proof)).await;
        told.refused(422, "reauthentication_not_valid");
    }
    let begun = post(&app, "factors", token, body(("current_password", PASSWORD))).await.good();
    let text = |json: &Json| json.as_str().unwrap().to_owned();
    let factor = Factor { id: text(&begun["id"]), secret: text(&begun["totp"]["secret"]) };
    let code = factor.code(Which::Now);
    let raised = Session::of(show(&app, &session, &factor, &code).await.good());

    remove(&app, &raised, &factor, Json::Null).await.refused(400, "reauthentication_needed");
    send(&app, "GET", "reauthenticate", &raised.access_token, &Json::Null).await.good();
    let nonce = mailed_code(&app, "reauthentication").await;
    remove(&app, &raised, &factor, json!({ "nonce": nonce })).await.good();
}

#[tokio::test]
async fn a_token_given_for_one_factor_does_not_act_as_two_once_its_session_has_seen_them() {
    let app = auth_app("", &[]).await;
    let session = sign_up(&app, ANA).await;
    let factor = enrolled(&app, &session, "").await;
    let code = factor.code(Which::Now);
    let raised = Session::of(show(&app, &session, &factor, &code).await.good());
    let password = json!({ "password": "another orchard" });
    let before = session.access_token.as_str();
    send(&app, "PUT", "user", before, &password).await.refused(401, "insufficient_aal");
    remove(&app, &session, &factor, Json::Null).await.refused(422, "insufficient_aal");
    let codes = post(&app, "factors/recovery_codes", before, Json::Null).await;
    codes.refused(403, "insufficient_aal");
    send(&app, "PUT", "user", &raised.access_token, &password).await.good();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_factors_taken_at_once_the_last_takes_the_recovery_codes_along() {
    let app = auth_app("", &[]).await;
    for round in 0..10 {
        let (mut raised, first) = with_factor(&app, &format!("ana{round}@example.org")).await;
        let mut factors = vec![first];
        for name in ["second", "third", "fourth"] {
            let factor = enrolled(&app, &raised, name).await;
            let code = factor.code(Which::Now);
            raised = Session::of(show(&app, &raised, &factor, &code).await.good());
            factors.push(factor);
        }
        post(&app, "factors/recovery_codes", &raised.access_token, Json::Null).await.good();
        let take = async |factor: &Factor| {
            let path = format!("/auth/v1/admin/users/{}/factors/{}", raised.user, factor.id);
            for _ in 0..20 {
                match app.delete(&Caller::Service, &path).await.status {
                    // One that others overtake all the while is to be asked for again.
                    409 => {}
                    status => return assert_eq!(status, 200),
                }
            }
            panic!("overtaken by three others, twenty times");
        };
        futures(factors.iter().map(take)).await;
        let left = database::bytes(&app, "mainstay_recovery_codes", "code_hash").await;
        assert_eq!(left.len(), 0, "round {round}");
    }
}

#[tokio::test]
async fn a_factor_that_was_begun_is_not_verified_past_another() {
    let app = auth_app("", &[]).await;
    let (raised, first) = with_factor(&app, ANA).await;
    let second = enrolled(&app, &raised, "second").await;
    // As if it had been begun while the other was shown for the first time.
    let begun = format!("UPDATE mainstay_factors SET status = 'unverified' WHERE id = {}", {
        database::uuid(&app, &second.id)
    });
    change_rows(&app, &begun).await;
    let session = sign_in(&app, ANA).await;
    let told = show(&app, &session, &second, &second.code(Which::Now)).await;
    told.refused(403, "insufficient_aal");
    show(&app, &session, &first, &first.code(Which::Next)).await.good();
}

#[tokio::test]
async fn a_code_that_was_shown_lately_makes_an_old_session_a_recent_one() {
    let app = auth_app("", &[]).await;
    let session = sign_up(&app, ANA).await;
    let factor = enrolled(&app, &session, "").await;
    move_back(&app, "mainstay_sessions", "created_at", 86_401).await;
    enrol(&app, &session, "more").await.refused(400, "reauthentication_needed");
    let code = factor.code(Which::Now);
    let raised = Session::of(show(&app, &session, &factor, &code).await.good());
    enrolled(&app, &raised, "more").await;
    remove(&app, &raised, &factor, Json::Null).await.good();
}

#[tokio::test]
async fn a_link_to_set_another_password_does_not_pass_the_second_factor() {
    let app = auth_app("", &[]).await;
    let (_, factor) = with_factor(&app, ANA).await;
    post(&app, "recover", "", json!({ "email": ANA })).await.good();
    let code = mailed_code(&app, "recovery").await;
    let body = json!({ "type": "recovery", "email": ANA, "token": code });
    let session = Session::of(post(&app, "verify", "", body).await.good());
    assert_eq!(session.claim("aal"), "aal1");
    for change in [json!({ "password": "another orchard" }), json!({ "email": "eve@example.org" })]
    {
        let told = send(&app, "PUT", "user", &session.access_token, &change).await;
        told.refused(401, "insufficient_aal");
    }
    let code = factor.code(Which::Next);
    let raised = Session::of(show(&app, &session, &factor, &code).await.good());
    let change = json!({ "password": "another orchard" });
    send(&app, "PUT", "user", &raised.access_token, &change).await.good();
}
