//! What an app keeps with a session, for as long as it lasts: a cart, a step of a wizard.
//!
//! It is one JSON document in the session's row, each value with the end of its time. Two
//! requests that change it at once both count: a change is written where the row is as it
//! was read, and made anew where it is not.

use mainstay_core::{Error, Timestamp};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::SESSIONS;
use crate::{
    Identity,
    call::Call,
    rows::{Change, Query, is},
};

/// Bytes of all that is kept with a session, as JSON.
pub const SESSION_DATA_BYTES_MAX: usize = 8 * 1024;
/// How often a change is made anew that others overtake.
const ATTEMPTS_MAX: usize = 5;

/// Why nothing can be kept with a session, or read of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionDataError {
    /// It would be too much.
    #[error("a session keeps {SESSION_DATA_BYTES_MAX} bytes at most; this would be {bytes}")]
    TooLarge {
        /// Bytes it would be.
        bytes: usize,
    },
    /// The value is not what is asked for, or cannot be written as JSON.
    #[error("`{name}`: {source}")]
    Value {
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The session has ended.
    #[error("the session has ended")]
    Ended,
    /// Other requests have changed it, again and again.
    #[error("other requests change what is kept with the session at the same time")]
    Contended,
    /// The store cannot be asked.
    #[error("the store cannot be asked: {0}")]
    Store(#[from] Error),
}

impl Identity {
    /// What is kept with a session under this name, where its time is not over.
    ///
    /// # Errors
    /// `Ended`; `Store`.
    pub async fn session_value(
        &self,
        session: Uuid,
        name: &str,
        call: &Call,
    ) -> Result<Option<Json>, SessionDataError> {
        let (mut data, _) = self.session_data(session, call).await?;
        let kept = data.remove(name).filter(|kept| is_current(kept, call.now));
        Ok(kept.and_then(|mut kept| kept.get_mut("value").map(Json::take)))
    }

    /// Keeps a value with a session until then, or as long as it lasts; without a value,
    /// keeps nothing.
    ///
    /// # Errors
    /// `TooLarge`, `Ended`, `Contended`, `Store`.
    pub async fn keep_session_value(
        &self,
        session: Uuid,
        name: &str,
        value: Option<Json>,
        seconds: Option<u32>,
        call: &Call,
    ) -> Result<(), SessionDataError> {
        let until = seconds.map(|seconds| call.in_seconds(seconds).as_micros());
        for _ in 0..ATTEMPTS_MAX {
            let (mut data, updated_at) = self.session_data(session, call).await?;
            data.retain(|_, kept| is_current(kept, call.now));
            match &value {
                Some(value) => {
                    data.insert(name.to_owned(), json!({ "value": value, "until": until }))
                }
                None => data.remove(name),
            };
            let data = Json::Object(data);
            let bytes = data.to_string().len();
            if bytes > SESSION_DATA_BYTES_MAX {
                return Err(SessionDataError::TooLarge { bytes });
            }
            let filters = vec![is("id", session), is("updated_at", updated_at)];
            let keep = Change::update(SESSIONS, filters, [("data", data.into())]).or_nothing();
            match self.rows.write(vec![keep], &call.cx, call.now).await {
                Ok(_) => return Ok(()),
                Err(error) if error.code() == mainstay_core::Code::Overtaken => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(SessionDataError::Contended)
    }

    async fn session_data(
        &self,
        session: Uuid,
        call: &Call,
    ) -> Result<(Map<String, Json>, Option<Timestamp>), SessionDataError> {
        let query = Query {
            model: SESSIONS,
            fields: &["data", "updated_at"],
            filters: vec![is("id", session)],
            ..Query::default()
        };
        let row = self.rows.one(query, &call.cx, call.now).await?;
        let row = row.ok_or(SessionDataError::Ended)?;
        Ok((crate::account::object(row.json("data")), row.time("updated_at")))
    }
}

fn is_current(kept: &Json, now: Timestamp) -> bool {
    kept["until"].as_i64().is_none_or(|until| until > now.as_micros())
}
