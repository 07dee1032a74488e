//! Carrying a session on with its refresh token.

use mainstay_core::removal::removed;
use uuid::Uuid;

use super::{SESSIONS, Session};
use crate::{
    Identity, Issued,
    audit::{Event, Outcome},
    call::Call,
    refresh_token::RefreshToken,
    refusal::{AuthCode, AuthError, AuthResult, refused},
    rows::{Change, is},
};

impl Identity {
    /// The refresh token of a session at a generation.
    pub(crate) fn refresh_token(&self, session: Uuid, generation: u32) -> String {
        RefreshToken { session, generation }.encode(&self.refresh_keys)
    }

    /// New tokens for an old refresh token.
    ///
    /// # Errors
    /// `refresh_token_not_found`, `refresh_token_already_used` (the session has ended by
    /// then), `session_expired`, `user_banned`; where the store cannot be asked.
    pub async fn refresh(&self, token: &str, call: &Call) -> AuthResult<Issued> {
        let presented = RefreshToken::parse(token, &self.refresh_keys).ok_or_else(not_found)?;
        let session = self.session(presented.session, call).await?.ok_or_else(not_found)?;
        if session.is_over(self.settings.session_idle_s, call.now) {
            let message = "Invalid Refresh Token: Session Expired";
            return Err(refused(400, AuthCode::SessionExpired, message));
        }
        let session = match presented.generation {
            generation if generation == session.generation => {
                self.raise(session, call).await?
            }
            generation if self.is_in_grace(&session, generation, call) => session,
            generation if generation > session.generation => return Err(not_found()),
            _ => return Err(self.reused(&session, call).await?),
        };
        let account = self.account(session.user, call).await?.ok_or_else(not_found)?;
        if account.is_shut(call.now) {
            let message = "Invalid Refresh Token: User Banned";
            return Err(refused(400, AuthCode::UserBanned, message));
        }
        Ok(self.issue(account, &session, call))
    }

    /// The session at its next generation; where another refresh was faster, as that one
    /// left it.
    async fn raise(&self, session: Session, call: &Call) -> AuthResult<Session> {
        let next = session.generation + 1;
        let filters = vec![is("id", session.id), is("generation", session.generation)];
        let values = [
            ("generation", next.into()),
            ("refreshed_at", call.now.into()),
            ("last_used_at", call.now.into()),
            ("address", call.address.clone().into()),
        ];
        let raise = Change::update(SESSIONS, filters, values).or_nothing();
        let told = self.entry(Event::TokenRefreshed, Outcome::Done, Some(session.user), call);
        let raised = self.rows.write(vec![raise, told], &call.cx, call.now).await;
        match raised.map_err(AuthError::from) {
            Ok(_) => Ok(Session { generation: next, refreshed_at: Some(call.now), ..session }),
            Err(error) if error.is_overtaken() => {
                let found = self.session(session.id, call).await?.ok_or_else(not_found)?;
                if self.is_in_grace(&found, session.generation, call) {
                    return Ok(found);
                }
                Err(self.reused(&found, call).await?)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a token of this generation was still the current one a moment ago.
    fn is_in_grace(&self, session: &Session, generation: u32, call: &Call) -> bool {
        let since = call.before_seconds(self.settings.reuse_s);
        let is_recent = session.refreshed_at.is_some_and(|refreshed| refreshed > since);
        generation.checked_add(1) == Some(session.generation) && is_recent
    }

    /// Ends the session whose token somebody kept a copy of.
    async fn reused(&self, session: &Session, call: &Call) -> AuthResult<AuthError> {
        let told = self.entry(Event::TokenReused, Outcome::Refused, Some(session.user), call);
        let end = Change::delete(SESSIONS, vec![is("id", session.id)]);
        let changes = match removed("refresh-reuse") {
            true => vec![told],
            false => vec![end, told],
        };
        self.rows.write(changes, &call.cx, call.now).await?;
        self.standing.forget_user(session.user);
        let message = "Invalid Refresh Token: Already Used";
        Ok(refused(400, AuthCode::RefreshTokenAlreadyUsed, message))
    }
}

fn not_found() -> AuthError {
    let message = "Invalid Refresh Token: Refresh Token Not Found";
    refused(400, AuthCode::RefreshTokenNotFound, message)
}
