//! The circumstances of one call: when, from where, and for how long somebody waits.

use mainstay_core::{Actor, ActorKind, Timestamp};
use mainstay_store::Cx;

use crate::{Aal, OpaqueId};

/// What is known of a call besides what it asks for.
#[derive(Clone, Debug)]
pub struct Call {
    /// The time of the request.
    pub now: Timestamp,
    /// Until when its caller waits, and the request's id.
    pub cx: Cx,
    /// The caller's address, behind every trusted proxy.
    pub address: String,
    /// What the caller's program calls itself, cut to a length that can be stored.
    pub user_agent: String,
    /// The user who calls, where it is known to be one.
    pub actor: Option<String>,
    /// What kind of caller it is: `anonymous`, `user` or `service`.
    pub actor_kind: &'static str,
    /// The level of assurance that the caller's token was given for; none where no token
    /// comes. Its session may have been raised since, and the token was not.
    pub level: Option<Aal>,
    /// The id that the caller's cookie has from here on, where a cookie is to stand for the
    /// session that is opened or raised: written with that, or not at all.
    pub cookie: Option<OpaqueId>,
}

/// Bytes of a user agent that are kept.
const USER_AGENT_BYTES_MAX: usize = 256;
const MICROS_PER_SECOND: i64 = 1_000_000;

impl Call {
    /// A call at this time, from there.
    #[must_use]
    pub fn new(now: Timestamp, cx: Cx, address: String, user_agent: &str) -> Self {
        let end = user_agent.floor_char_boundary(USER_AGENT_BYTES_MAX);
        let user_agent = user_agent[..end].replace('\0', "");
        Self {
            now,
            cx,
            address,
            user_agent,
            actor: None,
            actor_kind: "anonymous",
            level: None,
            cookie: None,
        }
    }

    /// The same on this actor's behalf.
    #[must_use]
    pub fn by(self, actor: &Actor) -> Self {
        let actor_kind = match actor.kind() {
            ActorKind::Anonymous => "anonymous",
            ActorKind::User => "user",
            ActorKind::Service => "service",
        };
        Self { actor: actor.id().map(str::to_owned), actor_kind, ..self }
    }

    /// The same with a token that was given for this level.
    #[must_use]
    pub fn with_level(self, level: Aal) -> Self {
        Self { level: Some(level), ..self }
    }

    /// The same with this id for the cookie of its session.
    #[must_use]
    pub fn with_cookie(self, id: OpaqueId) -> Self {
        Self { cookie: Some(id), ..self }
    }

    /// So many seconds from now.
    pub(crate) fn in_seconds(&self, seconds: u32) -> Timestamp {
        self.now.shifted(i64::from(seconds) * MICROS_PER_SECOND).unwrap_or(self.now)
    }

    /// So many seconds ago.
    pub(crate) fn before_seconds(&self, seconds: u32) -> Timestamp {
        self.now.shifted(-i64::from(seconds) * MICROS_PER_SECOND).unwrap_or(self.now)
    }

    /// Seconds since 1970, as tokens have them.
    pub(crate) fn unix_seconds(&self) -> i64 {
        self.now.as_micros().div_euclid(MICROS_PER_SECOND)
    }
}
