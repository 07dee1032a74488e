//! Sessions: what a sign-in opens, a refresh carries on and a sign-out ends.
//!
//! A session is a row. Its access tokens name it, and hold no longer than it does: every
//! request asks ([`standing`]) whether it is still there. Its refresh token is not
//! stored: it is the session's id and generation under a key of the app's, so that who
//! reads the table has no token, and the token that is next can be given again to whoever
//! lost the answer it came in.
//!
//! # Refreshing
//!
//! A refresh raises the generation by one, where it is the token's; of two at once one
//! does. A token of the generation before is taken within the grace for requests that ran
//! beside each other, and is answered with what the other one got. Anything older is a
//! copy that somebody kept: the session ends, for the thief and for the user, who signs
//! in again. Supabase Auth takes the generation before at any age as long as the one
//! after was not used; a stolen token would then do for as long as its owner is away.

mod cookie;
mod data;
mod forget;
mod list;
mod refresh;
pub(crate) mod standing;

use mainstay_core::{Error, Timestamp, removal::removed};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    Aal, AccessTokenRequest, Amr, Identity,
    account::Account,
    audit::{Event, Outcome},
    call::Call,
    mint_access_token,
    refusal::{AuthCode, AuthResult, refused},
    rows::{Cell, Change, Query, Record, is, is_among, is_not},
    with_amr,
};

pub use self::{
    cookie::{CookieCaller, CookieSession, next_cookie},
    data::{SESSION_DATA_BYTES_MAX, SessionDataError},
    list::ListedSession,
};

/// The model of sessions.
pub(crate) const SESSIONS: &str = "mainstay_sessions";
pub(crate) const FIELDS: &[&str] = &[
    "id",
    "user",
    "aal",
    "amr",
    "factor",
    "generation",
    "refreshed_at",
    "last_used_at",
    "user_agent",
    "address",
    "cookie_hash",
    "data",
    "expires_at",
    "created_at",
];

/// Sessions that a user has at most.
const SESSIONS_MAX: u64 = 200;
/// Sessions that end at once to make room.
const SESSIONS_ENDED_MAX: u64 = 100;

/// How somebody showed who they are (RFC 8176, in Supabase Auth's words).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A password.
    Password,
    /// A code or link that was sent.
    Otp,
    /// Nothing at all.
    Anonymous,
    /// A second factor's code.
    Totp,
    /// A code kept for when the second factor is lost.
    RecoveryCode,
    /// A link to set another password with.
    Recovery,
    /// An invitation.
    Invite,
    /// A sign-up's confirmation.
    SignUp,
    /// A link to sign in with.
    MagicLink,
    /// The confirmation of another address.
    EmailChange,
}

impl Method {
    /// The claim `amr`'s word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Otp => "otp",
            Self::Anonymous => "anonymous",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::Recovery => "recovery",
            Self::Invite => "invite",
            Self::SignUp => "email/signup",
            Self::MagicLink => "magiclink",
            Self::EmailChange => "email_change",
        }
    }

    /// Whether the word is that of a second factor.
    pub(crate) fn is_second(word: &str) -> bool {
        [Self::Totp, Self::RecoveryCode].iter().any(|method| method.as_str() == word)
    }

    /// The method of this word.
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "recovery" => Self::Recovery,
            "invite" => Self::Invite,
            "magiclink" => Self::MagicLink,
            "email_change" => Self::EmailChange,
            "email/signup" => Self::SignUp,
            _ => Self::Otp,
        }
    }
}

/// One session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id: the claim `session_id` of its tokens.
    pub id: Uuid,
    /// Whose it is.
    pub user: Uuid,
    /// How sure it is of its user.
    pub aal: Aal,
    /// What its user showed, the latest first.
    pub amr: Vec<Amr>,
    /// The second factor it has seen.
    pub factor: Option<Uuid>,
    /// How often it was refreshed.
    pub generation: u32,
    /// When it was last refreshed.
    pub refreshed_at: Option<Timestamp>,
    /// When it was last used, give or take some minutes.
    pub last_used_at: Option<Timestamp>,
    /// What its user's program calls itself.
    pub user_agent: Option<String>,
    /// Where it was opened from.
    pub address: Option<String>,
    /// When it ends, however much it is used.
    pub expires_at: Option<Timestamp>,
    /// When it was opened.
    pub created_at: Option<Timestamp>,
}

/// What a sign-in or a refresh answers.
#[derive(Clone)]
pub struct Issued {
    /// For the header `Authorization`.
    pub access_token: String,
    /// For the next refresh.
    pub refresh_token: String,
    /// Seconds the access token holds.
    pub expires_in_s: u32,
    /// When it stops to, in seconds since 1970.
    pub expires_at_s: i64,
    /// Whose they are.
    pub account: Account,
    /// Which session they are of.
    pub session: Uuid,
}

impl Session {
    pub(crate) fn of(row: &Record) -> Self {
        Self {
            id: row.uuid("id").unwrap_or_default(),
            user: row.uuid("user").unwrap_or_default(),
            aal: Aal::parse(&row.text("aal").unwrap_or_default()),
            amr: serde_json::from_value(row.json("amr")).unwrap_or_default(),
            factor: row.uuid("factor"),
            generation: row.int("generation").and_then(|it| u32::try_from(it).ok()).unwrap_or(0),
            refreshed_at: row.time("refreshed_at"),
            last_used_at: row.time("last_used_at"),
            user_agent: row.text("user_agent"),
            address: row.text("address"),
            expires_at: row.time("expires_at"),
            created_at: row.time("created_at"),
        }
    }

    /// The change that takes all beside it back where the session has ended or was raised
    /// since it was read. Where the call says so, its cookie has another id from then on.
    pub(crate) fn still_is(&self, call: &Call) -> Change {
        let as_read = vec![is("id", self.id), is("generation", self.generation)];
        let same = [("generation", self.generation.into())];
        Change::update(SESSIONS, as_read, same.into_iter().chain(cookie_hash(call))).or_nothing()
    }

    /// Whether its time is over, by its age or because nobody used it.
    pub(crate) fn is_over(&self, idle_s: u32, now: Timestamp) -> bool {
        let used = [self.last_used_at, self.refreshed_at, self.created_at];
        let used = used.into_iter().flatten().max();
        let idle = i64::from(idle_s) * 1_000_000;
        let is_idle = used.and_then(|used| used.shifted(idle)).is_some_and(|end| end <= now);
        is_idle && !removed("session-idle")
            || self.expires_at.is_some_and(|end| end <= now) && !removed("session-age")
    }
}

impl Identity {
    /// A session that is to be opened, and the change that opens it.
    pub(crate) fn new_session(&self, user: Uuid, method: Method, call: &Call) -> (Session, Change) {
        let session = Session {
            id: Uuid::now_v7(),
            user,
            aal: Aal::One,
            amr: with_amr(&[], method.as_str(), call.now),
            factor: None,
            generation: 0,
            refreshed_at: None,
            last_used_at: Some(call.now),
            user_agent: Some(call.user_agent.clone()),
            address: Some(call.address.clone()),
            expires_at: Some(call.in_seconds(self.settings.session_max_s)),
            created_at: Some(call.now),
        };
        let row = session.row().into_iter().chain(cookie_hash(call));
        let change = Change::insert(SESSIONS, row);
        (session, change)
    }

    /// The change that makes room for one more session of a user's, where there is none: the
    /// sessions that were used longest ago end. So a user never has more than one write may
    /// end, and can always be signed out of all.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub(crate) async fn room_for_session(
        &self,
        user: Uuid,
        call: &Call,
    ) -> AuthResult<Option<Change>> {
        let write_rows_max = self.rows.planner().limits().write_rows_max as u64;
        // Two who sign in at once both find room.
        let kept = SESSIONS_MAX.min(write_rows_max / 2).max(1);
        let query = Query {
            model: SESSIONS,
            fields: &["id"],
            filters: vec![is("user", user)],
            order: vec![("last_used_at", true), ("id", true)],
            limit: Some(SESSIONS_ENDED_MAX.min(write_rows_max)),
            offset: Some(kept - 1),
        };
        let rows = self.rows.find(query, &call.cx, call.now).await?;
        let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.uuid("id")).collect();
        let end = || Change::delete(SESSIONS, vec![is_among("id", ids.iter().copied())]);
        Ok((!ids.is_empty()).then(end))
    }

    /// The tokens of a session that is there.
    ///
    /// # Errors
    /// Where the tokens' lifetime has no end in time.
    pub(crate) fn issue(
        &self,
        account: Account,
        session: &Session,
        call: &Call,
    ) -> AuthResult<Issued> {
        let lifetime_s = self.settings.access_token_s;
        let request = AccessTokenRequest {
            user: account.id,
            email: account.email.as_deref(),
            is_anonymous: account.is_anonymous,
            app_metadata: &account.app_metadata,
            user_metadata: &account.user_metadata,
            session: session.id,
            aal: session.aal,
            amr: &session.amr,
            lifetime_s,
        };
        let minted = mint_access_token(&self.keyring, &request, &self.settings.tokens, call.now);
        let minted = minted.map_err(Error::internal)?;
        Ok(Issued {
            access_token: minted.text,
            refresh_token: self.refresh_tokens.issue(session.id, session.generation),
            expires_in_s: lifetime_s,
            expires_at_s: minted.expires_at_s,
            account,
            session: session.id,
        })
    }

    /// The session with this id.
    pub(crate) async fn session(&self, id: Uuid, call: &Call) -> AuthResult<Option<Session>> {
        let filters = vec![is("id", id)];
        let query = Query { model: SESSIONS, fields: FIELDS, filters, ..Query::default() };
        Ok(self.rows.one(query, &call.cx, call.now).await?.as_ref().map(Session::of))
    }

    /// The session that somebody calls from, at the level that they show: a token that was
    /// given for one factor is none for two once its session has seen another.
    ///
    /// # Errors
    /// `session_not_found`; where the store cannot be asked.
    pub(crate) async fn session_of_caller(
        &self,
        id: Uuid,
        user: Uuid,
        call: &Call,
    ) -> AuthResult<Session> {
        let session = self.session(id, call).await?.filter(|session| session.user == user);
        let session = session.ok_or_else(|| {
            let message = "Session from session_id claim in JWT does not exist";
            refused(403, AuthCode::SessionNotFound, message)
        })?;
        Ok(match call.level {
            Some(level) if !removed("token-level") => {
                Session { aal: session.aal.min(level), ..session }
            }
            _ => session,
        })
    }

    /// Ends a user's sessions as `scope` says, seen from one of them.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn sign_out(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        scope: Scope,
        call: &Call,
    ) -> AuthResult<()> {
        let filters = match (scope, session) {
            (Scope::Local, Some(session)) => vec![is("id", session), is("user", user)],
            (Scope::Others, Some(session)) => vec![is_not("id", session), is("user", user)],
            (Scope::Global, _) | (_, None) => vec![is("user", user)],
        };
        let told = self.entry(Event::SignedOut, Outcome::Done, Some(user), call);
        let changes = vec![Change::delete(SESSIONS, filters), told];
        self.rows.write(changes, &call.cx, call.now).await?;
        self.standing.forget_user(user);
        Ok(())
    }
}

/// What is stored of the id that a call's cookie has from then on.
pub(crate) fn cookie_hash(call: &Call) -> Option<(&'static str, Cell)> {
    call.cookie.as_ref().map(|id| ("cookie_hash", id.hash().into()))
}

pub(crate) fn amr_json(amr: &[Amr]) -> Json {
    serde_json::to_value(amr).expect("BUG: methods and numbers serialise")
}

/// Which of a user's sessions are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    Global,
    /// This one.
    Local,
    /// All but this one.
    Others,
}

impl Session {
    fn row(&self) -> [(&'static str, Cell); 10] {
        [
            ("id", self.id.into()),
            ("user", self.user.into()),
            ("aal", self.aal.text().into()),
            ("amr", amr_json(&self.amr).into()),
            ("generation", self.generation.into()),
            ("refreshed_at", self.refreshed_at.into()),
            ("last_used_at", self.last_used_at.into()),
            ("user_agent", self.user_agent.clone().into()),
            ("address", self.address.clone().into()),
            ("expires_at", self.expires_at.into()),
        ]
    }
}
