//! What an app keeps with its visitor's session.

use axum::{
    extract::FromRequestParts,
    http::request::Parts,
    response::{IntoResponse as _, Response},
};
use mainstay_auth::{AuthCode, AuthError, Call, Refusal, SessionDataError};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::state_of;
use crate::{
    auth::{Failed, signed_in_parts},
    state::State,
};

/// The session of a signed-in visitor, by cookie or by token, and what the app keeps with
/// it: 8 KiB of JSON at most, as long as the session lasts or shorter. A route with it is
/// answered 401 to whoever is not signed in.
///
/// What is set is kept at once, whatever becomes of the answer.
#[derive(Debug)]
pub struct SessionData {
    state: State,
    call: Call,
    user: Uuid,
    session: Uuid,
}

impl SessionData {
    /// Whose session it is.
    #[must_use]
    pub fn user(&self) -> Uuid {
        self.user
    }

    /// What is kept under this name, where its time is not over.
    ///
    /// # Errors
    /// Where it is something else than a `T`, the session has ended, or the store cannot
    /// be asked.
    pub async fn get<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, SessionDataError> {
        let kept = self.state.identity().session_value(self.session, name, &self.call).await?;
        let read = |source| SessionDataError::Value { name: name.to_owned(), source };
        kept.map(serde_json::from_value).transpose().map_err(read)
    }

    /// Keeps a value for as long as the session lasts.
    ///
    /// # Errors
    /// Where all of it would be larger than 8 KiB, it cannot be written as JSON, the
    /// session has ended, or the store cannot be asked.
    pub async fn set<T: Serialize>(&self, name: &str, value: &T) -> Result<(), SessionDataError> {
        self.keep(name, Some(value), None).await
    }

    /// The same for so many seconds.
    ///
    /// # Errors
    /// As of [`set`](Self::set).
    pub async fn set_for<T: Serialize>(
        &self,
        name: &str,
        value: &T,
        seconds: u32,
    ) -> Result<(), SessionDataError> {
        self.keep(name, Some(value), Some(seconds)).await
    }

    /// Keeps nothing under this name any more.
    ///
    /// # Errors
    /// As of [`set`](Self::set).
    pub async fn remove(&self, name: &str) -> Result<(), SessionDataError> {
        self.keep::<()>(name, None, None).await
    }

    async fn keep<T: Serialize>(
        &self,
        name: &str,
        value: Option<&T>,
        seconds: Option<u32>,
    ) -> Result<(), SessionDataError> {
        let written = |source| SessionDataError::Value { name: name.to_owned(), source };
        let value = value.map(serde_json::to_value).transpose().map_err(written)?;
        let identity = self.state.identity();
        identity.keep_session_value(self.session, name, value, seconds, &self.call).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SessionData {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let state = state_of(parts)?;
        let (user, session, call) =
            signed_in_parts(&state, parts).await.map_err(Failed::into_response)?;
        let session = session.ok_or_else(|| no_session().into_response())?;
        Ok(Self { state, call, user, session })
    }
}

/// A token that was made for development names no session.
fn no_session() -> Failed {
    let message = "The token belongs to no session";
    Failed::from(AuthError::Refused(Refusal::new(401, AuthCode::SessionNotFound, message)))
}
