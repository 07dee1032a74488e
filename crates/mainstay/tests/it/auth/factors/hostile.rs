//! Codes that were seen, guessed or raced; challenges and factors of others.

use serde_json::json;

use super::{
    super::{auth_app, post, sign_in, sign_up},
    Which, answer, challenge, enrolled, show, with_factor,
};
use crate::database::{change_rows, move_back, number};

const ANA: &str = "ana@example.org";

#[tokio::test]
async fn a_code_that_was_used_is_not_taken_again_nor_of_two_at_once() {
    let app = auth_app("", &[]).await;
    let session = sign_up(&app, ANA).await;
    let factor = enrolled(&app, &session, "").await;
    let (one, other) =
        (challenge(&app, &session, &factor).await, challenge(&app, &session, &factor).await);
    let code = factor.code(Which::Next);
    let both = tokio::join!(
        answer(&app, &session, &factor, &one, &code),
        answer(&app, &session, &factor, &other, &code),
    );
    let mut told = [both.0.status, both.1.status];
    told.sort_unstable();
    assert_eq!(told, [200, 422], "{both:?}");
    let again = sign_in(&app, ANA).await;
    show(&app, &again, &factor, &code).await.refused(422, "mfa_verification_failed");
    // Nor is one of a step before.
    let before = factor.code(Which::Now);
    if before != code {
        show(&app, &again, &factor, &before).await.refused(422, "mfa_verification_failed");
    }
}

#[tokio::test]
async fn a_challenge_is_answered_once() {
    let app = auth_app("", &[]).await;
    let session = sign_up(&app, ANA).await;
    let factor = enrolled(&app, &session, "").await;
    let asked = challenge(&app, &session, &factor).await;
    let wrong = answer(&app, &session, &factor, &asked, &factor.wrong_code()).await;
    wrong.refused(422, "mfa_verification_failed");
    answer(&app, &session, &factor, &asked, &factor.code(Which::Now)).await.good();
    let again = answer(&app, &session, &factor, &asked, &factor.code(Which::Next)).await;
    again.refused(422, "mfa_ip_address_mismatch");
}

#[tokio::test]
async fn a_challenge_is_answered_in_the_session_that_asked() {
    let app = auth_app("", &[]).await;
    let (_, factor) = with_factor(&app, ANA).await;
    let (one, other) = (sign_in(&app, ANA).await, sign_in(&app, ANA).await);
    let asked = challenge(&app, &one, &factor).await;
    let code = factor.code(Which::Next);
    let elsewhere = answer(&app, &other, &factor, &asked, &code).await;
    elsewhere.refused(422, "mfa_ip_address_mismatch");
    answer(&app, &one, &factor, &asked, &code).await.good();
}

#[tokio::test]
async fn a_challenge_holds_for_five_minutes() {
    let app = auth_app("", &[]).await;
    let session = sign_up(&app, ANA).await;
    let factor = enrolled(&app, &session, "").await;
    let asked = challenge(&app, &session, &factor).await;
    move_back(&app, "mainstay_challenges", "expires_at", 301).await;
    let late = answer(&app, &session, &factor, &asked, &factor.code(Which::Now)).await;
    late.refused(422, "mfa_challenge_expired");
    // The next challenge sweeps it out.
    challenge(&app, &session, &factor).await;
    let gone = answer(&app, &session, &factor, &asked, &factor.code(Which::Now)).await;
    gone.refused(422, "mfa_factor_not_found");
}

#[tokio::test]
async fn what_is_somebody_elses_is_not_there() {
    let app = auth_app("", &[]).await;
    let (ana, factor) = with_factor(&app, ANA).await;
    let eve = sign_up(&app, "eve@example.org").await;
    let own = enrolled(&app, &eve, "").await;
    let asked = challenge(&app, &ana, &factor).await;
    for (method, path) in [("POST", "/challenge"), ("DELETE", "")] {
        let path = format!("factors/{}{path}", factor.id);
        let answered = super::send(&app, method, &path, &eve.access_token, &json!({})).await;
        answered.refused(404, "mfa_factor_not_found");
    }
    let code = factor.code(Which::Next);
    let theirs = answer(&app, &eve, &factor, &asked, &code).await;
    theirs.refused(404, "mfa_factor_not_found");
    let mixed = answer(&app, &eve, &own, &asked, &own.code(Which::Now)).await;
    mixed.refused(422, "mfa_factor_not_found");
    answer(&app, &ana, &factor, &asked, &code).await.good();
}

#[tokio::test]
async fn ids_that_are_none_are_refused_and_nothing_fails() {
    let app = auth_app("", &[]).await;
    let session = sign_up(&app, ANA).await;
    let token = &session.access_token;
    let factor = enrolled(&app, &session, "").await;
    for id in ["x", "%00", "%ff", "00000000-0000-0000-0000-00000000000g", "..%2f..", "' OR 1=1"] {
        let path = format!("factors/{id}/challenge");
        post(&app, &path, token, json!({})).await.refused(404, "validation_failed");
        let path = format!("factors/{id}");
        let removed = super::send(&app, "DELETE", &path, token, &json!(null)).await;
        removed.refused(404, "validation_failed");
    }
    let verify = format!("factors/{}/verify", factor.id);
    for (body, status, code) in [
        (json!({}), 400, "validation_failed"),
        (json!({ "challenge_id": null, "code": "123456" }), 400, "validation_failed"),
        (json!({ "challenge_id": "x", "code": "123456" }), 400, "validation_failed"),
        (json!({ "challenge_id": factor.id, "code": "" }), 400, "validation_failed"),
        (json!({ "challenge_id": factor.id, "code": "123456" }), 422, "mfa_factor_not_found"),
        (json!({ "challenge_id": factor.id, "code": 123_456 }), 400, "bad_json"),
        (json!([]), 400, "bad_json"),
    ] {
        post(&app, &verify, token, body).await.refused(status, code);
    }
    let unknown = format!("factors/{}/challenge", session.user);
    post(&app, &unknown, token, json!({})).await.refused(404, "mfa_factor_not_found");
}

#[tokio::test]
async fn after_some_wrong_codes_the_right_one_has_to_wait() {
    let app = auth_app("", &[]).await;
    let session = sign_up(&app, ANA).await;
    let factor = enrolled(&app, &session, "").await;
    let asked = challenge(&app, &session, &factor).await;
    let wrong = factor.wrong_code();
    let guess = || answer(&app, &session, &factor, &asked, &wrong);
    for told in <[_; 4]>::from(tokio::join!(guess(), guess(), guess(), guess())) {
        told.refused(422, "mfa_verification_failed");
    }
    // Of those at once each was counted, or not looked at.
    let counted = async || number(&app, "mainstay_factors", "guesses").await;
    let so_far = counted().await;
    assert!((1..=4).contains(&so_far), "{so_far}");
    for _ in so_far..5 {
        guess().await.refused(422, "mfa_verification_failed");
    }
    assert_eq!(counted().await, 5);
    // So many more that nothing here takes as long as the wait.
    change_rows(&app, "UPDATE mainstay_factors SET guesses = 25").await;
    let last = guess().await;
    last.refused(429, "over_request_rate_limit");
    assert!(last.retry_after.is_some(), "{last:?}");
    // Another session's guesses are no others.
    let other = sign_in(&app, ANA).await;
    let right = factor.code(Which::Now);
    show(&app, &other, &factor, &right).await.refused(429, "over_request_rate_limit");
    move_back(&app, "mainstay_factors", "guessed_at", 3_601).await;
    answer(&app, &session, &factor, &asked, &right).await.good();
    assert_eq!(counted().await, 0);
}
