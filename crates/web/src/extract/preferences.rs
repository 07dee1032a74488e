//! What a visitor prefers, kept in their browser.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::{IntoResponseParts, Response, ResponseParts},
};
use mainstay_auth::{CookieTooLong, CookieValue, find_cookie};
use serde::{Serialize, de::DeserializeOwned};

use super::{Reader, set_cookie, state_of};
use crate::{rest::RequestHeaders, state::State};

/// Seconds a browser keeps a preference: a year.
const KEPT_S: u32 = 31_536_000;
/// Bytes of a preference's name.
const NAME_BYTES_MAX: usize = 64;
/// The names of cookies that are Mainstay's own.
const RESERVED: [&str; 2] = ["session", "flash"];

/// Preferences in cookies that only this app can have written, each under a name of its
/// own. A *signed* one can be read by the page's scripts; a *sealed* one by the app alone.
/// Neither says who the visitor is, and an old one is as good as a new one: they are for
/// what is harmless when it is copied.
///
/// One that an older signing key wrote is read, and written anew with the answer. Returned
/// with the answer, before its body, so that cookies are written.
#[derive(Debug)]
pub struct Preferences {
    state: State,
    sent: Option<Vec<u8>>,
    changes: Vec<(String, HeaderValue)>,
}

/// Why a preference cannot be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreferenceError {
    /// Its name is none.
    #[error(
        "`{0}` is no name of a preference: it has 1 to {NAME_BYTES_MAX} lower-case letters, \
         digits, `-` and `_`, and is neither `session` nor `flash`"
    )]
    Name(String),
    /// It is too long for a cookie.
    #[error(transparent)]
    TooLong(#[from] CookieTooLong),
    /// It cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// What protects a preference.
#[derive(Clone, Copy, Debug)]
enum Protection {
    Signed,
    Sealed,
}

impl Preferences {
    /// The signed preference of this name, where there is one that is a `T`.
    pub fn signed<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        self.read(name, Protection::Signed)
    }

    /// The sealed preference of this name, where there is one that is a `T`.
    pub fn sealed<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        self.read(name, Protection::Sealed)
    }

    /// Keeps a preference that scripts can read.
    ///
    /// # Errors
    /// `Name`, `TooLong`, `Json`.
    pub fn sign<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), PreferenceError> {
        self.write(name, &serde_json::to_string(value)?, Protection::Signed)
    }

    /// Keeps a preference that nobody else can read.
    ///
    /// # Errors
    /// `Name`, `TooLong`, `Json`.
    pub fn seal<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), PreferenceError> {
        self.write(name, &serde_json::to_string(value)?, Protection::Sealed)
    }

    /// Has the browser forget a preference.
    ///
    /// # Errors
    /// `Name`.
    pub fn remove(&mut self, name: &str) -> Result<(), PreferenceError> {
        let name = self.cookie_name(name)?;
        self.change(name, "", 0, Reader::Server);
        Ok(())
    }

    fn read<T: DeserializeOwned>(&mut self, name: &str, protection: Protection) -> Option<T> {
        let cookie = self.cookie_name(name).ok()?;
        let sent = find_cookie(self.sent.as_deref()?, &cookie).ok()??;
        let values = self.state.identity().cookie_values();
        let CookieValue { text, outdated } = match protection {
            Protection::Signed => values.verified(&cookie, sent)?,
            Protection::Sealed => values.opened(&cookie, sent)?,
        };
        let is_changed = self.changes.iter().any(|(changed, _)| *changed == cookie);
        if outdated && !is_changed {
            self.write(name, &text, protection).ok()?;
        }
        serde_json::from_str(&text).ok()
    }

    fn write(
        &mut self,
        name: &str,
        text: &str,
        protection: Protection,
    ) -> Result<(), PreferenceError> {
        let name = self.cookie_name(name)?;
        let values = self.state.identity().cookie_values();
        let (value, reader) = match protection {
            Protection::Signed => (values.sign(&name, text)?, Reader::Scripts),
            Protection::Sealed => (values.seal(&name, text)?, Reader::Server),
        };
        self.change(name, &value, KEPT_S, reader);
        Ok(())
    }

    /// Of several changes of one cookie the last counts.
    fn change(&mut self, name: String, value: &str, max_age_s: u32, reader: Reader) {
        let transport = self.state.session_cookie().transport();
        let cookie = set_cookie(transport, &name, value, max_age_s, reader);
        self.changes.retain(|(changed, _)| *changed != name);
        self.changes.push((name, cookie));
    }

    fn cookie_name(&self, name: &str) -> Result<String, PreferenceError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_name = (1..=NAME_BYTES_MAX).contains(&name.len())
            && name.bytes().all(|byte| plain(byte) || matches!(byte, b'-' | b'_'));
        if !is_name || RESERVED.contains(&name) {
            return Err(PreferenceError::Name(name.to_owned()));
        }
        Ok(format!("{}{name}", self.state.session_cookie().transport().prefix()))
    }
}

fn sent(headers: &HeaderMap) -> Option<Vec<u8>> {
    RequestHeaders::read(headers).cookies().map(|cookies| cookies.into_owned())
}

impl<S: Send + Sync> FromRequestParts<S> for Preferences {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let state = state_of(parts)?;
        Ok(Self { state, sent: sent(&parts.headers), changes: Vec::new() })
    }
}

impl IntoResponseParts for Preferences {
    type Error = Infallible;

    fn into_response_parts(self, mut res: ResponseParts) -> Result<ResponseParts, Infallible> {
        for (_, cookie) in self.changes {
            res.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(res)
    }
}
