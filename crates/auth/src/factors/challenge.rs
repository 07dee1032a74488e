//! Asking for a factor's code. A challenge is for the session that asked, once, and for
//! five minutes.

use mainstay_core::removal::removed;
use uuid::Uuid;

use super::{FACTORS, StoredFactor, no_factor};
use crate::{
    Identity,
    call::Call,
    refusal::{AuthCode, AuthError, AuthResult, refused},
    rows::{Change, Query, is, is_absent, is_below},
    session::Session,
};

const CHALLENGES: &str = "mainstay_challenges";
const FIELDS: &[&str] = &["session", "expires_at", "used_at"];
/// Seconds a challenge holds.
const CHALLENGE_S: u32 = 300;

/// A challenge that waits for a code.
#[derive(Clone, Copy, Debug)]
pub struct FactorChallenge {
    /// Its id.
    pub id: Uuid,
    /// Until when, in seconds since 1970.
    pub expires_at_s: i64,
}

impl Identity {
    /// Asks a user's factor for a code, from one of their sessions.
    ///
    /// # Errors
    /// `mfa_factor_not_found`, `mfa_totp_verify_not_enabled`, `no_authorization`
    /// (anonymous); where the store cannot be asked.
    pub async fn challenge_factor(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        factor: Uuid,
        call: &Call,
    ) -> AuthResult<FactorChallenge> {
        let (_, session) = self.factor_user(user, session, call).await?;
        let factor = self.factor_of(user, factor, call).await?;
        self.check_offered(&factor)?;
        let id = Uuid::now_v7();
        let asked = [("last_challenged_at", call.now.into())];
        let of_factor = || is("factor", factor.shown.id);
        let over = vec![of_factor(), is_below("expires_at", call.now)];
        let row = [
            ("id", id.into()),
            ("factor", factor.shown.id.into()),
            ("session", session.id.into()),
            ("expires_at", call.in_seconds(CHALLENGE_S).into()),
        ];
        let changes = vec![
            Change::update(FACTORS, vec![is("id", factor.shown.id)], asked).or_nothing(),
            Change::delete(CHALLENGES, over),
            Change::insert(CHALLENGES, row),
        ];
        match self.rows.write(changes, &call.cx, call.now).await.map_err(AuthError::from) {
            Err(error) if error.is_overtaken() => return Err(no_factor()),
            other => other?,
        };
        Ok(FactorChallenge { id, expires_at_s: call.unix_seconds() + i64::from(CHALLENGE_S) })
    }

    /// Whether a factor may be asked: one that is verified may, whatever is offered by now,
    /// or its user could not sign in as they used to.
    pub(super) fn check_offered(&self, factor: &StoredFactor) -> AuthResult<()> {
        if self.settings.totp || factor.shown.is_verified {
            return Ok(());
        }
        let message = "MFA verification is disabled for TOTP";
        Err(refused(422, AuthCode::MfaTotpVerifyNotEnabled, message))
    }

    /// Whether the challenge that a code answers waits for it.
    pub(super) async fn check_challenge(
        &self,
        challenge: Uuid,
        factor: &StoredFactor,
        session: &Session,
        call: &Call,
    ) -> AuthResult<()> {
        let filters = vec![is("id", challenge), is("factor", factor.shown.id)];
        let query = Query { model: CHALLENGES, fields: FIELDS, filters, ..Query::default() };
        let Some(row) = self.rows.one(query, &call.cx, call.now).await? else {
            let message = "MFA factor with the provided challenge ID not found";
            return Err(refused(422, AuthCode::MfaFactorNotFound, message));
        };
        let is_others = row.uuid("session") != Some(session.id) && !removed("challenge-of-session");
        if is_others || row.time("used_at").is_some() && !removed("challenge-once") {
            let message = "The challenge was answered already, or asked for in another session";
            return Err(refused(422, AuthCode::MfaIpAddressMismatch, message));
        }
        if row.time("expires_at").is_none_or(|end| end <= call.now) {
            let message = format!(
                "MFA challenge {challenge} has expired, verify against another challenge or \
                 create a new challenge."
            );
            return Err(refused(422, AuthCode::MfaChallengeExpired, message));
        }
        Ok(())
    }

    /// The change that uses a challenge up; all that is done for it hangs on that.
    pub(super) fn challenge_used(&self, challenge: Uuid, call: &Call) -> Change {
        let mut unused = vec![is("id", challenge)];
        if !removed("challenge-once") {
            unused.push(is_absent("used_at"));
        }
        Change::update(CHALLENGES, unused, [("used_at", call.now.into())]).or_nothing()
    }
}
