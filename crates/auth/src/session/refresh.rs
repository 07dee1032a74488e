//! Carrying a session on with its refresh token.

use super::{SESSIONS, Session};
use crate::{
    Identity, Issued, RefreshToken, RefreshTokenError, Standing,
    audit::{Event, Outcome},
    call::Call,
    refusal::{AuthCode, AuthError, AuthResult, Refusal, refused},
    rows::{Change, is},
};

impl Identity {
    /// New tokens for an old refresh token.
    ///
    /// # Errors
    /// `refresh_token_not_found`, `refresh_token_already_used` (the session has ended by
    /// then), `session_expired`, `user_banned`; where the store cannot be asked.
    pub async fn refresh(&self, token: &str, call: &Call) -> AuthResult<Issued> {
        let refreshed = self.try_refreshing(token, call).await;
        // Of a copy that somebody kept more is told, with the end of its session.
        let is_told = |refusal: &Refusal| refusal.code == AuthCode::RefreshTokenAlreadyUsed;
        if let Err(AuthError::Refused(refusal)) = &refreshed
            && !is_told(refusal)
        {
            let session = match self.refresh_tokens.read(token) {
                Ok(presented) => self.session(presented.session, call).await?,
                Err(_) => None,
            };
            let user = session.map(|session| session.user);
            let told = self.entry(Event::TokenRefreshed, Outcome::Refused, user, call);
            self.tell(told, call).await;
        }
        refreshed
    }

    async fn try_refreshing(&self, token: &str, call: &Call) -> AuthResult<Issued> {
        let presented =
            self.refresh_tokens.read(token).map_err(|error| unknown(error.to_string()))?;
        let session = self.session(presented.session, call).await?.ok_or_else(not_found)?;
        if session.is_over(self.settings.session_idle_s, call.now) {
            let message = "Invalid Refresh Token: Session Expired";
            return Err(refused(400, AuthCode::SessionExpired, message));
        }
        let session = match self.place_of(presented, &session, call) {
            Standing::Current => self.raise(presented, session, call).await?,
            Standing::JustReplaced => session,
            Standing::NotIssued => return Err(not_found()),
            Standing::Reused => return Err(self.reused(&session, call).await?),
        };
        let account = self.account(session.user, call).await?.ok_or_else(not_found)?;
        if account.is_shut(call.now) {
            let message = "Invalid Refresh Token: User Banned";
            return Err(refused(400, AuthCode::UserBanned, message));
        }
        self.issue(account, &session, call)
    }

    fn place_of(&self, presented: RefreshToken, session: &Session, call: &Call) -> Standing {
        let (current, refreshed_at) = (session.generation, session.refreshed_at);
        presented.standing(current, refreshed_at, call.now, self.settings.reuse_s)
    }

    /// The session at its next generation; where another refresh was faster, as that one
    /// left it.
    async fn raise(
        &self,
        presented: RefreshToken,
        session: Session,
        call: &Call,
    ) -> AuthResult<Session> {
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
                match self.place_of(presented, &found, call) {
                    Standing::JustReplaced => Ok(found),
                    _ => Err(self.reused(&found, call).await?),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Ends the session whose token somebody kept a copy of.
    async fn reused(&self, session: &Session, call: &Call) -> AuthResult<AuthError> {
        let told = self.entry(Event::TokenReused, Outcome::Refused, Some(session.user), call);
        let end = Change::delete(SESSIONS, vec![is("id", session.id)]);
        self.rows.write(vec![end, told], &call.cx, call.now).await?;
        self.standing.forget_user(session.user);
        let message = "Invalid Refresh Token: Already Used";
        Ok(refused(400, AuthCode::RefreshTokenAlreadyUsed, message))
    }
}

fn not_found() -> AuthError {
    unknown(RefreshTokenError::NotFound.to_string())
}

fn unknown(message: String) -> AuthError {
    refused(400, AuthCode::RefreshTokenNotFound, message)
}
