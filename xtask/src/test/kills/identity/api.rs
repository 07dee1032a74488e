//! The calls that visitors make, and what of the answers counts.

use std::io;

use serde_json::{Value, json};

use crate::http::{Connection, Response};

/// The tokens of a session.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
}

/// An answer, as far as it counts.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) tokens: Option<Tokens>,
}

impl Answer {
    fn of(response: &Response) -> Self {
        let body: Value = serde_json::from_str(&response.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let tokens = text("access_token").zip(text("refresh_token"));
        Self {
            status: response.status,
            code: text("error_code").or_else(|| text("code")).unwrap_or_default(),
            tokens: tokens.map(|(access, refresh)| Tokens { access, refresh }),
        }
    }

    /// Whether the server said that it cannot answer now.
    pub(super) fn is_not_now(&self) -> bool {
        matches!(self.status, 503 | 504)
    }
}

/// One connection to the server of this moment.
pub(super) struct Api<'c>(pub(super) &'c mut Connection);

impl Api<'_> {
    pub(super) fn sign_up(&mut self, email: &str, password: &str) -> io::Result<Answer> {
        self.post("signup", &json!({ "email": email, "password": password }))
    }

    pub(super) fn confirm(&mut self, token_hash: &str) -> io::Result<Answer> {
        self.post("verify", &json!({ "type": "signup", "token_hash": token_hash }))
    }

    pub(super) fn sign_in(&mut self, email: &str, password: &str) -> io::Result<Answer> {
        let body = json!({ "email": email, "password": password });
        self.post("token?grant_type=password", &body)
    }

    pub(super) fn refresh(&mut self, tokens: &Tokens) -> io::Result<Answer> {
        let body = json!({ "refresh_token": tokens.refresh });
        self.post("token?grant_type=refresh_token", &body)
    }

    pub(super) fn recover(&mut self, email: &str) -> io::Result<Answer> {
        self.post("recover", &json!({ "email": email }))
    }

    pub(super) fn sign_out(&mut self, tokens: &Tokens) -> io::Result<Answer> {
        self.bearing(tokens, "POST", "/auth/v1/logout?scope=local")
    }

    pub(super) fn user(&mut self, tokens: &Tokens) -> io::Result<Answer> {
        self.bearing(tokens, "GET", "/auth/v1/user")
    }

    pub(super) fn rows(&mut self, tokens: &Tokens) -> io::Result<Answer> {
        self.bearing(tokens, "GET", "/rest/v1/entries")
    }

    fn post(&mut self, path: &str, body: &Value) -> io::Result<Answer> {
        let path = format!("/auth/v1/{path}");
        Ok(Answer::of(&self.0.send("POST", &path, &[], &body.to_string())?))
    }

    fn bearing(&mut self, tokens: &Tokens, method: &str, path: &str) -> io::Result<Answer> {
        let bearer = format!("Bearer {}", tokens.access);
        let body = if method == "POST" { "{}" } else { "" };
        Ok(Answer::of(&self.0.send(method, path, &[("Authorization", &bearer)], body)?))
    }
}
