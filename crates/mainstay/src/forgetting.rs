//! Forgetting what is over, as long as an app is served: sessions whose age is.
//!
//! Every node does it; what another has forgotten is not there to be found.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use mainstay_auth::{Call, Identity};
use mainstay_core::{Error, Timestamp};
use mainstay_store::Cx;
use mainstay_web::State;
use tokio::time::sleep;

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(3_600);
/// How long the store may take for one part of it.
const PART_MAX: Duration = Duration::from_secs(10);

/// Forgets at once and from time to time, until its future is dropped.
pub(crate) async fn go_on_forgetting(state: State) -> Infallible {
    loop {
        match forget(state.identity(), state.now()).await {
            Ok(0) => {}
            Ok(sessions) => tracing::debug!(sessions, "sessions whose age was over"),
            Err(error) => tracing::warn!(%error, "old sessions cannot be forgotten"),
        }
        sleep(EVERY).await;
    }
}

/// Forgets all that is over at a time, part by part; how much it was.
async fn forget(identity: &Identity, now: Timestamp) -> Result<usize, Error> {
    let mut forgotten = 0;
    loop {
        let cx = Cx::until(Instant::now() + PART_MAX);
        let call = Call::new(now, cx, String::new(), "");
        match identity.forget_sessions(&call).await? {
            0 => return Ok(forgotten),
            part => forgotten += part,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestApp;

    /// More than one write may end.
    const SESSIONS: usize = 5;
    const FILE: (&str, &str) = ("mainstay.toml", "[limits]\nwrite_rows_max = 2\n");

    #[tokio::test]
    async fn a_session_is_forgotten_once_its_age_is_over() {
        let app = TestApp::start(&[FILE]).await;
        let json = [("Content-Type", "application/json")];
        let mut tokens = Vec::new();
        for _ in 0..SESSIONS {
            let opened = app.request("POST", "/auth/v1/signup", &json, b"{}").await.json();
            tokens.push(opened["refresh_token"].as_str().expect("a token").to_owned());
        }
        let refresh = async |token: &str| {
            let body = serde_json::json!({ "refresh_token": token }).to_string();
            let path = "/auth/v1/token?grant_type=refresh_token";
            app.request("POST", path, &json, body.as_bytes()).await
        };
        let opened = app.opened();
        let age_s = i64::from(opened.loaded.settings.auth.session_max_s);
        let now = mainstay_web::system_time();
        let later = |seconds: i64| now.shifted(seconds * 1_000_000).expect("a time");
        let identity = opened.state.identity();
        assert_eq!(forget(identity, later(age_s - 60)).await.expect("a store"), 0);
        assert_eq!(refresh(&tokens[0]).await.status, 200);
        assert_eq!(forget(identity, later(age_s + 60)).await.expect("a store"), SESSIONS);
        let gone = refresh(&tokens[1]).await;
        assert_eq!(gone.json()["code"], "refresh_token_not_found", "{}", gone.body);
        app.close().await;
    }
}
