//! The audit log: who did what to which account, when, from where, and what came of it.
//!
//! An entry is a row of `mainstay_audit`, written with what it tells of wherever that is
//! written, so that neither is there without the other. Entries can be added and read;
//! nobody changes or deletes one through Mainstay, the app itself included.

mod list;

use mainstay_core::Timestamp;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::{
    Identity,
    call::Call,
    refusal::AuthResult,
    rows::{Change, Record},
};

pub use self::list::{AuditBefore, AuditPage, AuditQuery, PAGE_ENTRIES_MAX};

const AUDIT: &str = "mainstay_audit";
const FIELDS: &[&str] = &[
    "id",
    "created_at",
    "actor",
    "actor_kind",
    "event",
    "outcome",
    "user",
    "address",
    "user_agent",
    "request_id",
    "details",
];

/// Declares [`Event`] with the word each is stored under.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event {
            $($(#[$doc])* $name),*
        }

        impl Event {
            /// The word it is stored under.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text),*
                }
            }
        }
    };
}

events! {
    /// Somebody signed up.
    SignedUp = "signed_up",
    /// Somebody signed up with an address that is taken.
    SignedUpAgain = "signed_up_again",
    /// Somebody signed in.
    SignedIn = "signed_in",
    /// A session was carried on.
    TokenRefreshed = "token_refreshed",
    /// A refresh token came that was used before.
    TokenReused = "token_reused",
    /// Sessions were ended.
    SignedOut = "signed_out",
    /// A session was ended from the list of them.
    SessionRevoked = "session_revoked",
    /// A mail with a link or a code was asked for.
    MailRequested = "mail_requested",
    /// A link or a code came.
    Verified = "verified",
    /// The account was changed by its user.
    UserUpdated = "user_updated",
    /// The password was changed.
    PasswordChanged = "password_changed",
    /// The address was changed.
    EmailChanged = "email_changed",
    /// A second factor was begun.
    FactorEnrolled = "factor_enrolled",
    /// A second factor was shown.
    FactorVerified = "factor_verified",
    /// A second factor was taken away.
    FactorRemoved = "factor_removed",
    /// Codes for a lost factor were made.
    RecoveryCodesMade = "recovery_codes_made",
    /// A code for a lost factor was shown.
    RecoveryCodeUsed = "recovery_code_used",
    /// An account was made for somebody.
    UserCreated = "user_created",
    /// An account was changed for somebody.
    UserChanged = "user_changed",
    /// Nobody signs in to an account for some time.
    UserBanned = "user_banned",
    /// A ban was lifted.
    UserUnbanned = "user_unbanned",
    /// An account was deleted.
    UserDeleted = "user_deleted",
    /// Somebody was invited.
    UserInvited = "user_invited",
    /// A link was made instead of a mail.
    LinkMade = "link_made",
    /// Roles were given or taken.
    RolesChanged = "roles_changed",
    /// Somebody signed in had to show once more who they are.
    Reauthenticated = "reauthenticated",
    /// Administration was asked for without the key for it.
    AdminRefused = "admin_refused",
    /// Another key signs from the next start of a server on.
    KeyRotated = "key_rotated",
    /// A key for the next rotation was made.
    KeyPrepared = "key_prepared",
    /// A limit of requests was reached; those after it are not told of.
    LimitReached = "limit_reached",
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// One entry.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Its own id, by which the log is read on.
    pub id: Uuid,
    /// When.
    pub at: Option<Timestamp>,
    /// Who: a user's id, where it was one.
    pub actor: Option<String>,
    /// `user`, `anonymous` or `service`.
    pub actor_kind: String,
    /// What.
    pub event: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// Whose account it was about.
    pub user: Option<Uuid>,
    /// From where.
    pub address: String,
    /// With which program.
    pub user_agent: String,
    /// In which request.
    pub request_id: Option<String>,
    /// What else there is to say.
    pub details: Json,
}

impl Identity {
    /// An entry about a user's own doing, or what a stranger did to their account.
    pub(crate) fn entry(
        &self,
        event: Event,
        outcome: Outcome,
        user: Option<Uuid>,
        call: &Call,
    ) -> Change {
        self.entry_with(event, outcome, user, Map::new(), call)
    }

    /// The same with something more to say.
    pub(crate) fn entry_with(
        &self,
        event: Event,
        outcome: Outcome,
        user: Option<Uuid>,
        details: Map<String, Json>,
        call: &Call,
    ) -> Change {
        let outcome = match outcome {
            Outcome::Done => "done",
            Outcome::Refused => "refused",
        };
        let row = [
            ("actor", call.actor.clone().into()),
            ("actor_kind", call.actor_kind.into()),
            ("event", event.as_str().into()),
            ("outcome", outcome.into()),
            ("user", user.into()),
            ("address", call.address.clone().into()),
            ("user_agent", call.user_agent.clone().into()),
            ("request_id", call.cx.request_id.as_deref().map(str::to_owned).into()),
            ("details", Json::Object(details).into()),
        ];
        Change::insert(AUDIT, row)
    }

    /// Tells of what was done to the keys that tokens are signed with, and which signs now.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn tell_of_keys(&self, event: Event, signs: &str, call: &Call) -> AuthResult<()> {
        let details = Map::from_iter([("signs".to_owned(), signs.into())]);
        let entry = self.entry_with(event, Outcome::Done, None, details, call);
        self.rows.write(vec![entry], &call.cx, call.now).await?;
        Ok(())
    }

    /// Tells of what changed nothing. That it cannot be told is logged, and no reason to
    /// answer otherwise.
    pub(crate) async fn tell(&self, entry: Change, call: &Call) {
        if let Err(error) = self.rows.write(vec![entry], &call.cx, call.now).await {
            tracing::warn!(%error, "an entry of the audit log could not be written");
        }
    }
}

impl AuditEntry {
    fn of(row: &Record) -> Self {
        let text = |name| row.text(name).unwrap_or_default();
        Self {
            id: row.uuid("id").unwrap_or_default(),
            at: row.time("created_at"),
            actor: row.text("actor"),
            actor_kind: text("actor_kind"),
            event: text("event"),
            outcome: text("outcome"),
            user: row.uuid("user"),
            address: text("address"),
            user_agent: text("user_agent"),
            request_id: row.text("request_id"),
            details: row.json("details"),
        }
    }

    /// The entry as an object.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let at = self.at.map(|at| mainstay_core::ValueRef::Timestamp(at).to_text());
        json!({
            "id": self.id.to_string(),
            "at": at,
            "actor": self.actor,
            "actor_kind": self.actor_kind,
            "event": self.event,
            "outcome": self.outcome,
            "user": self.user.map(|user| user.to_string()),
            "address": self.address,
            "user_agent": self.user_agent,
            "request_id": self.request_id,
            "details": self.details,
        })
    }
}
