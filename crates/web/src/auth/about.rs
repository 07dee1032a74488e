//! What the API says of itself: `health`, `settings`; and the paths where nothing is.

use axum::{extract::State as AxumState, response::Response};
use mainstay_auth::AuthCode;
use serde_json::{Map, Value as Json, json};

use super::{
    answer::{self, Answer},
    request::refusal,
};
use crate::state::State;

/// The providers that clients ask about; none of them is there.
const PROVIDERS: &[&str] = &[
    "apple",
    "azure",
    "bitbucket",
    "discord",
    "facebook",
    "figma",
    "fly",
    "github",
    "gitlab",
    "google",
    "kakao",
    "keycloak",
    "linkedin",
    "linkedin_oidc",
    "notion",
    "slack",
    "slack_oidc",
    "snapchat",
    "spotify",
    "twitch",
    "twitter",
    "workos",
    "zoom",
];

/// Says that it is there.
pub(super) async fn health() -> Response {
    answer::ok(&json!({
        "version": concat!("v", env!("CARGO_PKG_VERSION")),
        "name": "Mainstay",
        "description": "Mainstay speaks the dialect of Supabase Auth",
    }))
}

/// Says how one can sign in.
pub(super) async fn settings(AxumState(state): AxumState<State>) -> Response {
    let settings = state.identity().settings();
    let mut external: Map<String, Json> =
        PROVIDERS.iter().map(|name| ((*name).to_owned(), false.into())).collect();
    external.insert("anonymous_users".to_owned(), settings.anonymous.into());
    external.insert("email".to_owned(), true.into());
    external.insert("phone".to_owned(), false.into());
    answer::ok(&json!({
        "external": external,
        "disable_signup": !settings.sign_up,
        "mailer_autoconfirm": !settings.confirm_email,
        "phone_autoconfirm": false,
        "sms_provider": "",
        "saml_enabled": false,
        "passkeys_enabled": false,
    }))
}

/// Refuses to have another vouch for a user.
pub(super) async fn authorize() -> Answer {
    let message = "Unsupported provider: provider is not enabled";
    Err(refusal(400, AuthCode::ProviderDisabled, message).into())
}

/// Refuses a method that a path does not have.
pub(super) async fn not_by_this_method() -> Answer {
    let message = "There is nothing at this path by this method";
    Err(refusal(405, AuthCode::NotFound, message).into())
}

/// Refuses what is not there, in a form that clients read.
pub(super) async fn nothing_here() -> Answer {
    Err(refusal(404, AuthCode::NotFound, "There is nothing at this path").into())
}
