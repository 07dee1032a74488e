//! Accounts and sessions over a real socket, one file for each noun of the API.
//!
//! Hashes are cheap here, and nobody waits for a mail. What a test wants to have happened
//! long ago it writes into the database, past the app.

mod admin;
mod bodies;
mod commands;
mod cookies;
mod csrf;
mod extract;
mod factors;
mod forms;
mod operator;
mod roles;
mod visitor;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};

use crate::support::{App, Caller, app};

pub(crate) const PASSWORD: &str = "a tractor in the orchard";
const SETTINGS: &str = "[auth]
requests_max = 100000
tokens_max = 100000
mail_every_s = 0
password_memory_kib = 1024
password_iterations = 1
";

/// Starts an app with these lines more in `[auth]`, and these files.
pub(crate) async fn auth_app(settings: &str, files: &[(&str, &str)]) -> App {
    let settings = format!("{SETTINGS}{settings}\n");
    let mut all = vec![("mainstay.toml", settings.as_str())];
    all.extend(files);
    app(&all).await
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Json,
    pub(crate) retry_after: Option<String>,
}

impl Answer {
    /// The body of what went well.
    #[track_caller]
    pub(crate) fn good(self) -> Json {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// Asserts with which status and code it was refused.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        let told = (self.status, self.body["code"].as_str().unwrap_or_default());
        assert_eq!(told, (status, code), "{}", self.body);
    }
}

/// A session as its client keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) body: Json,
}

impl Session {
    pub(crate) fn of(body: Json) -> Self {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Self {
            user: body["user"]["id"].as_str().unwrap_or_default().to_owned(),
            access_token: text("access_token"),
            refresh_token: text("refresh_token"),
            body,
        }
    }

    /// A claim of its access token.
    pub(crate) fn claim(&self, name: &str) -> Json {
        let claims = self.access_token.split('.').nth(1).expect("claims between two dots");
        let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
        serde_json::from_slice::<Json>(&claims).expect("an object")[name].clone()
    }
}

/// Sends JSON to a path below `/auth/v1`, as somebody with this token or without one.
pub(crate) async fn send(app: &App, method: &str, path: &str, token: &str, body: &Json) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    let headers = if token.is_empty() { &headers[..0] } else { &headers[..] };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let path = format!("/auth/v1/{path}");
    let res = app.send(method, &path, &Caller::Anonymous, headers, &body).await;
    let retry_after = res.headers.iter().find(|(name, _)| name == "retry-after");
    Answer {
        status: res.status,
        retry_after: retry_after.map(|(_, value)| value.clone()),
        body: serde_json::from_str(&res.body).unwrap_or(Json::Null),
    }
}

/// POST of JSON.
pub(crate) async fn post(app: &App, path: &str, token: &str, body: Json) -> Answer {
    send(app, "POST", path, token, &body).await
}

/// Somebody's first session.
pub(crate) async fn sign_up(app: &App, email: &str) -> Session {
    let body = json!({ "email": email, "password": PASSWORD });
    Session::of(post(app, "signup", "", body).await.good())
}

/// Another session of theirs.
pub(crate) async fn sign_in(app: &App, email: &str) -> Session {
    let body = json!({ "email": email, "password": PASSWORD });
    Session::of(post(app, "token?grant_type=password", "", body).await.good())
}

/// What a refresh token is answered.
pub(crate) async fn refresh(app: &App, refresh_token: &str) -> Answer {
    let body = json!({ "refresh_token": refresh_token });
    post(app, "token?grant_type=refresh_token", "", body).await
}

/// The six digits of the newest mail of this kind, once it has left.
pub(crate) async fn mailed_code(app: &App, kind: &str) -> String {
    let text = app.mailed_text(kind).await;
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|it| it.is_ascii_digit());
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.find(is_code).unwrap_or_else(|| panic!("no code in {text}")).to_owned()
}
