//! A user's sessions, for them to look at and to end.

use mainstay_core::Timestamp;
use uuid::Uuid;

use super::{FIELDS, SESSIONS, Session};
use crate::{
    Identity,
    audit::{Event, Outcome},
    call::Call,
    refusal::{AuthCode, AuthError, AuthResult, refused},
    rows::{Change, Query, is},
};

/// Sessions that are listed at most.
const LISTED_MAX: u64 = 200;

/// A session as its user sees it.
#[derive(Clone, Debug)]
pub struct ListedSession {
    /// Its id.
    pub id: Uuid,
    /// What its program calls itself.
    pub user_agent: Option<String>,
    /// Where it was opened or last refreshed from.
    pub address: Option<String>,
    /// When it was opened.
    pub created_at: Option<Timestamp>,
    /// When it was last used, give or take some minutes.
    pub last_used_at: Option<Timestamp>,
    /// `aal1` or `aal2`.
    pub aal: &'static str,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

impl Identity {
    /// A user's sessions that have not ended, the one used last first.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn sessions(
        &self,
        user: Uuid,
        current: Option<Uuid>,
        call: &Call,
    ) -> AuthResult<Vec<ListedSession>> {
        let query = Query {
            model: SESSIONS,
            fields: FIELDS,
            filters: vec![is("user", user)],
            order: vec![("last_used_at", true)],
            limit: Some(LISTED_MAX),
            ..Query::default()
        };
        let rows = self.rows.find(query, &call.cx, call.now).await?;
        let idle_s = self.settings.session_idle_s;
        let open = rows.iter().map(Session::of).filter(|it| !it.is_over(idle_s, call.now));
        let listed = |session: Session| ListedSession {
            id: session.id,
            user_agent: session.user_agent,
            address: session.address,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            aal: session.aal.text(),
            is_current: current == Some(session.id),
        };
        Ok(open.map(listed).collect())
    }

    /// Ends one of a user's sessions.
    ///
    /// # Errors
    /// `session_not_found` where it is none of theirs; where the store cannot be asked.
    pub async fn revoke_session(&self, user: Uuid, session: Uuid, call: &Call) -> AuthResult<()> {
        let filters = vec![is("id", session), is("user", user)];
        let end = Change::delete(SESSIONS, filters).or_nothing();
        let told = self.entry(Event::SessionRevoked, Outcome::Done, Some(user), call);
        let ended = self.rows.write(vec![end, told], &call.cx, call.now).await;
        self.standing.forget_user(user);
        match ended.map_err(AuthError::from) {
            Err(error) if error.is_overtaken() => {
                Err(refused(404, AuthCode::SessionNotFound, "There is no such session"))
            }
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }
}
