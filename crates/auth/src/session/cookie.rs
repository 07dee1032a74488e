//! Sessions that a cookie stands for, and not tokens.
//!
//! The cookie holds an opaque id, of which the session's row has the hash. An id that a
//! browser presents is looked up and never adopted: who signs in gets a new one, and the
//! session of the one before ends, so that nobody can have a visitor sign in to an id they
//! know (session fixation). Whatever raises what a session may do gives it another id in the
//! same write ([`Call::cookie`]): there is no moment at which the id of before may more.
//!
//! How a session stands is remembered by the hash as it is by a token's session, and what
//! is known of its user is made into the claims a token of theirs would have, so that rules
//! need not ask which of the two a request came with.

use mainstay_core::{Actor, Error, Timestamp, removal::removed};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::{FIELDS, SESSIONS, Session};
use crate::{
    Aal, AccessTokenRequest, Identity, Issued, OPAQUE_ID_BYTES, OpaqueId,
    access_token::claims_that_fit,
    account::{Account, gone},
    audit::{Event, Outcome},
    call::Call,
    refusal::AuthResult,
    rows::{Change, Query, is},
    session::Method,
};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// What whoever signed in is given, to be kept by their browser.
#[derive(Clone, Debug)]
pub struct CookieSession {
    /// For the cookie.
    pub id: OpaqueId,
    /// Seconds the browser may keep it.
    pub max_age_s: u32,
    /// Whose session it is.
    pub account: Account,
    /// Which it is.
    pub session: Uuid,
}

/// Whose request a cookie makes it.
#[derive(Clone, Debug)]
pub struct CookieCaller {
    /// For rules.
    pub actor: Actor,
    /// The user.
    pub user: Uuid,
    /// The session.
    pub session: Uuid,
    /// How sure it is of its user.
    pub aal: Aal,
}

/// How a cookie's session stood when it was looked up.
#[derive(Clone)]
pub(super) struct KnownCookie {
    pub(super) caller: CookieCaller,
    pub(super) epoch: u64,
    pub(super) read_at: Timestamp,
    roles_epoch: u64,
    ends_at: Option<Timestamp>,
}

impl Identity {
    /// Opens a session for an address and its password, in place of the one whose cookie
    /// was presented.
    ///
    /// # Errors
    /// As of [`sign_in`](Self::sign_in).
    pub async fn sign_in_with_cookie(
        &self,
        email: &str,
        password: &str,
        presented: Option<&OpaqueId>,
        call: &Call,
    ) -> AuthResult<CookieSession> {
        let (account, password) = self.by_password(email, password, call).await?;
        let call = &call.clone().with_cookie(next_cookie(presented));
        let (session, open) = self.new_session(account.id, Method::Password, call);
        let (end, ended) = self.replaced(presented, call).await?.unzip();
        let told = self.entry(Event::SignedIn, Outcome::Done, Some(account.id), call);
        let signed_in = self.signed_in(account.id, call);
        let mut changes = vec![password.still_is_and_up_to_date(), signed_in, told];
        changes.extend(end);
        changes.extend(self.room_for_session(account.id, call).await?);
        changes.push(open);
        self.write_sign_in(account.id, changes, call).await?;
        self.forget(ended);
        let account = self.account(account.id, call).await?.ok_or_else(gone)?;
        self.cookie_session(account, session.id, call)
    }

    /// What whoever has a session that was opened with this call's cookie is given, in place
    /// of the one whose cookie was presented. The tokens it was issued with are not to be
    /// given to anybody.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn in_place_of(
        &self,
        presented: Option<&OpaqueId>,
        issued: Issued,
        call: &Call,
    ) -> AuthResult<CookieSession> {
        if let Some((end, ended)) = self.replaced(presented, call).await? {
            // The new session is there: its user gets it, whatever becomes of the other.
            if let Err(error) = self.rows.write(vec![end], &call.cx, call.now).await {
                tracing::warn!(%error, "the session of before could not be ended");
            }
            self.standing.forget_user(ended);
        }
        self.cookie_session(issued.account, issued.session, call)
    }

    /// Ends the session of a cookie, if it has one.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn end_cookie(&self, presented: &OpaqueId, call: &Call) -> AuthResult<()> {
        let Some((end, user)) = self.replaced(Some(presented), call).await? else {
            return Ok(());
        };
        if removed("logout") {
            return Ok(());
        }
        let told = self.entry(Event::SignedOut, Outcome::Done, Some(user), call);
        self.rows.write(vec![end, told], &call.cx, call.now).await?;
        self.standing.forget_user(user);
        Ok(())
    }

    /// Whose request a cookie makes it, where that is known without waiting.
    #[must_use]
    pub fn recall_cookie(&self, presented: &OpaqueId, now: Timestamp) -> Option<CookieCaller> {
        let known = self.standing.recall_cookie(&presented.hash(), now)?;
        let is_over = known.ends_at.is_some_and(|end| end <= now);
        let has_roles = known.roles_epoch == self.verifier.roles_epoch();
        (has_roles && !is_over).then_some(known.caller)
    }

    /// Whose request a cookie makes it; nobody's where its session has ended, or there
    /// never was one.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn look_up_cookie(
        &self,
        presented: &OpaqueId,
        call: &Call,
    ) -> AuthResult<Option<CookieCaller>> {
        let epoch = self.standing.epoch();
        let hash = presented.hash();
        let Some(session) = self.session_of(&hash, call).await? else { return Ok(None) };
        if session.is_over(self.settings.session_idle_s, call.now) {
            return Ok(None);
        }
        let account = self.account_row(session.user, call).await?;
        let Some(account) = account.filter(|account| !account.is_shut(call.now)) else {
            return Ok(None);
        };
        let (actor, roles_epoch) = self.verifier.user_of(&account, self.claims(&account, &session));
        let (user, aal) = (session.user, session.aal);
        let caller = CookieCaller { actor, user, session: session.id, aal };
        let ends_at = session.expires_at.filter(|_| !removed("session-age"));
        let (known, read_at) = (caller.clone(), call.now);
        let known = KnownCookie { caller: known, epoch, read_at, roles_epoch, ends_at };
        self.standing.remember_cookie(hash, known);
        self.keep_alive(&session, call).await;
        Ok(Some(caller))
    }

    /// What the tokens of a session would say that were opened now with a password.
    #[must_use]
    pub fn claims_after_password(&self, account: &Account, call: &Call) -> Map<String, Json> {
        let (session, _) = self.new_session(account.id, Method::Password, call);
        self.claims(account, &session)
    }

    /// What a token of this session would say.
    fn claims(&self, account: &Account, session: &Session) -> Map<String, Json> {
        let request = AccessTokenRequest {
            user: account.id,
            email: account.email.as_deref(),
            is_anonymous: account.is_anonymous,
            app_metadata: &account.app_metadata,
            user_metadata: &account.user_metadata,
            session: session.id,
            aal: session.aal,
            amr: &session.amr,
            lifetime_s: self.settings.session_max_s,
        };
        let seconds =
            |at: Option<Timestamp>| at.map_or(0, |at| at.as_micros().div_euclid(MICROS_PER_SECOND));
        let (from, to) = (seconds(session.created_at), seconds(session.expires_at));
        let settings = &self.settings.tokens;
        crate::account::object(claims_that_fit(&request, settings, from, to))
    }

    async fn session_of(
        &self,
        hash: &[u8; OPAQUE_ID_BYTES],
        call: &Call,
    ) -> AuthResult<Option<Session>> {
        let filters = vec![is("cookie_hash", *hash)];
        let query = Query { model: SESSIONS, fields: FIELDS, filters, ..Query::default() };
        Ok(self.rows.one(query, &call.cx, call.now).await?.as_ref().map(Session::of))
    }

    /// The change that ends the session of a cookie, and whose it is.
    async fn replaced(
        &self,
        presented: Option<&OpaqueId>,
        call: &Call,
    ) -> AuthResult<Option<(Change, Uuid)>> {
        let Some(presented) = presented else { return Ok(None) };
        let session = self.session_of(&presented.hash(), call).await?;
        let end =
            |session: Session| (Change::delete(SESSIONS, vec![is("id", session.id)]), session.user);
        Ok(session.map(end))
    }

    fn forget(&self, user: Option<Uuid>) {
        if let Some(user) = user {
            self.standing.forget_user(user);
        }
    }

    fn cookie_session(
        &self,
        account: Account,
        session: Uuid,
        call: &Call,
    ) -> AuthResult<CookieSession> {
        let id = call.cookie.clone().ok_or_else(|| Error::internal("the call has no cookie"))?;
        Ok(CookieSession { id, max_age_s: self.settings.session_max_s, account, session })
    }
}

/// The id that whoever signs in is given, whichever was presented.
#[must_use]
pub fn next_cookie(presented: Option<&OpaqueId>) -> OpaqueId {
    match presented {
        Some(presented) if removed("session-fixation") => presented.clone(),
        _ => OpaqueId::generate(),
    }
}
