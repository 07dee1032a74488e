//! Whether a session still stands: asked of every request that a token or cookie
//! authenticates, and remembered for some seconds.
//!
//! An access token holds for an hour by its signature. That its session was ended, its
//! user banned or deleted, their roles changed or the session's second factor taken away,
//! counts from the next request: so a session's standing is looked up, and kept for
//! [`IdentitySettings::session_check_s`]. What this node changes it forgets at once; another node's change is seen when the
//! memory of it is over. A standing that was read while its user was changed is not kept:
//! it may be the one before.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mainstay_core::{Actor, Code, Error, Timestamp, removal::removed};
use moka::sync::Cache;
use uuid::Uuid;

use super::{Session, cookie::KnownCookie};
use crate::{
    Aal, Identity, OPAQUE_ID_BYTES, Verified,
    account::roles_of,
    call::Call,
    refusal::{AuthError, AuthResult},
};

/// Sessions whose standing is remembered.
const REMEMBERED_MAX: u64 = 100_000;

/// What is remembered of sessions.
pub(crate) struct Standings {
    sessions: Cache<Uuid, Known>,
    /// The same of sessions that are held by a cookie, by its hash.
    cookies: Cache<[u8; OPAQUE_ID_BYTES], KnownCookie>,
    /// The epoch at which each user was last changed, as long as it matters.
    changed: Cache<Uuid, u64>,
    epoch: AtomicU64,
    /// The epoch at which whoever it may have been was changed.
    all_changed: AtomicU64,
    kept_micros: i64,
}

/// How a session stood when it was looked up.
#[derive(Clone)]
struct Known {
    user: Uuid,
    epoch: u64,
    read_at: Timestamp,
    aal: Aal,
    roles: Option<Arc<[Box<str>]>>,
}

/// Whose request it is, as far as that is known without waiting.
#[derive(Debug)]
pub enum Recalled {
    /// It is known.
    Known(Actor),
    /// The store has to be asked about a session.
    Unknown(Box<Verified>, Uuid),
}

impl Standings {
    pub(crate) fn new(kept_s: u32) -> Self {
        Self {
            sessions: Cache::new(REMEMBERED_MAX),
            cookies: Cache::new(REMEMBERED_MAX),
            changed: Cache::new(REMEMBERED_MAX),
            epoch: AtomicU64::new(1),
            all_changed: AtomicU64::new(0),
            kept_micros: i64::from(kept_s) * 1_000_000,
        }
    }

    /// What this node changed of a user counts from now on.
    pub(crate) fn forget_user(&self, user: Uuid) {
        let epoch = self.epoch.fetch_add(1, Ordering::AcqRel);
        self.changed.insert(user, epoch);
    }

    /// The same where nobody knows of whom.
    pub(crate) fn forget_everybody(&self) {
        let epoch = self.epoch.fetch_add(1, Ordering::AcqRel);
        self.all_changed.fetch_max(epoch, Ordering::AcqRel);
    }

    fn recall(&self, session: Uuid, now: Timestamp) -> Option<Known> {
        let known = self.sessions.get(&session)?;
        self.is_good(known.user, known.epoch, known.read_at, now).then_some(known)
    }

    /// The number that what is read from now on is remembered with.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(super) fn remember_cookie(&self, hash: [u8; OPAQUE_ID_BYTES], known: KnownCookie) {
        self.cookies.insert(hash, known);
    }

    pub(super) fn recall_cookie(
        &self,
        hash: &[u8; OPAQUE_ID_BYTES],
        now: Timestamp,
    ) -> Option<KnownCookie> {
        let known = self.cookies.get(hash)?;
        self.is_good(known.caller.user, known.epoch, known.read_at, now).then_some(known)
    }

    /// Whether what was read of a user at this time, and remembered with this number, is
    /// still to be gone by.
    fn is_good(&self, user: Uuid, epoch: u64, read_at: Timestamp, now: Timestamp) -> bool {
        let until = read_at.shifted(self.kept_micros);
        let is_fresh = until.is_some_and(|until| now < until) && now >= read_at;
        let changed = self.changed.get(&user);
        let all_changed = self.all_changed.load(Ordering::Acquire);
        let is_unchanged = changed.unwrap_or(0).max(all_changed) < epoch;
        is_fresh && (is_unchanged || removed("session-check"))
    }
}

impl Identity {
    /// Whose request a verified credential makes it, without waiting.
    ///
    /// # Errors
    /// `TokenClaims` where the session is known to have ended, or the token has none and
    /// needs one.
    pub fn recall(&self, verified: Verified, now: Timestamp) -> Result<Recalled, Error> {
        if verified.actor().id().is_none() {
            return Ok(Recalled::Known(verified.into_actor()));
        }
        let Some(session) = verified.session_id() else {
            return match self.settings.takes_tokens_without_session {
                true => Ok(Recalled::Known(verified.into_actor())),
                false => {
                    let hint = "Sign in; tokens without a session are taken under `dev`, or \
                                where `[auth] sessionless_tokens` says so";
                    Err(ended("the token belongs to no session").with_hint(hint))
                }
            };
        };
        match self.standing.recall(session, now) {
            Some(standing) => self.standing_actor(verified, &standing).map(Recalled::Known),
            None => Ok(Recalled::Unknown(Box::new(verified), session)),
        }
    }

    /// The same where the store had to be asked.
    ///
    /// # Errors
    /// As of [`recall`](Self::recall), and where the store cannot be asked.
    pub async fn look_up(
        &self,
        verified: Verified,
        session: Uuid,
        call: &Call,
    ) -> Result<Actor, Error> {
        let standing = self.read_standing(session, call).await.map_err(|error| match error {
            AuthError::Failed(error) => error,
            AuthError::Refused(refusal) => Error::internal(refusal.message.into_owned()),
        })?;
        match standing {
            Some(standing) if verified.actor().id() == Some(&*standing.user.to_string()) => {
                self.standing_actor(verified, &standing)
            }
            _ => Err(ended("the session has ended")),
        }
    }

    async fn read_standing(&self, id: Uuid, call: &Call) -> AuthResult<Option<Known>> {
        let epoch = self.standing.epoch();
        let Some(session) = self.session(id, call).await? else { return Ok(None) };
        let account = self.account_row(session.user, call).await?;
        let is_open = !session.is_over(self.settings.session_idle_s, call.now);
        let roles = account.filter(|account| is_open && !account.is_shut(call.now));
        let standing = Known {
            user: session.user,
            epoch,
            read_at: call.now,
            aal: session.aal,
            roles: roles.map(|account| account.roles().into()),
        };
        self.standing.sessions.insert(id, standing.clone());
        self.keep_alive(&session, call).await;
        Ok(Some(standing))
    }

    /// The caller as the account and the session are now, whatever the token says of roles
    /// and of a second factor that was taken away since.
    fn standing_actor(&self, verified: Verified, standing: &Known) -> Result<Actor, Error> {
        let Some(roles) = &standing.roles else {
            return Err(ended("the session has ended"));
        };
        let claimed = verified.actor().claim(&["app_metadata".into()]);
        let claimed = claimed.and_then(|it| it.as_object()).map(roles_of).unwrap_or_default();
        let has_same_roles = claimed[..] == roles[..] || removed("role-change");
        let is_above = verified.aal() > standing.aal && !removed("factor-removal");
        Ok(match (has_same_roles, is_above) {
            (true, false) => verified.into_actor(),
            (_, false) => self.verifier.with_roles(&verified, roles),
            (_, true) => self.verifier.with_roles(&verified.with_one_factor(), roles),
        })
    }

    /// Notes that a session is used, where that was last noted long ago.
    pub(super) async fn keep_alive(&self, session: &Session, call: &Call) {
        const NOTED_EVERY_S: u32 = 300;
        // Often enough that whoever keeps coming is never taken for gone.
        let since = call.before_seconds(NOTED_EVERY_S.min(self.settings.session_idle_s / 4));
        if session.last_used_at.is_some_and(|used| used > since) {
            return;
        }
        let filters = vec![crate::rows::is("id", session.id)];
        let used = [("last_used_at", call.now.into())];
        let note = crate::rows::Change::update(super::SESSIONS, filters, used);
        if let Err(error) = self.rows.write(vec![note], &call.cx, call.now).await {
            tracing::debug!(%error, "that a session is used could not be noted");
        }
    }
}

fn ended(message: &'static str) -> Error {
    Error::new(Code::TokenClaims, message).with_hint("Sign in again")
}
