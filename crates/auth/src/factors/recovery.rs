//! Recovery codes: ten that a user keeps on paper, each good once in place of a factor.
//!
//! They are made in a session that has seen a second factor; from one that has not, they
//! would be a way around it.

use mainstay_core::removal::removed;
use mainstay_mail::AccountChange;
use mainstay_plan::Condition;
use uuid::Uuid;

use super::TRIES_MAX;
use crate::{
    Aal, Identity, Issued,
    account::gone,
    audit::{Event, Outcome},
    call::Call,
    reauthentication::Proof,
    recovery_codes::{RECOVERY_CODES, RecoveryCode},
    refusal::{AuthCode, AuthError, AuthResult, invalid, refused},
    rows::{Change, Query, Record, is, is_absent},
    session::Method,
};

const CODES: &str = "mainstay_recovery_codes";
const FIELDS: &[&str] = &["id", "code_hash"];

impl Identity {
    /// Makes a user's recovery codes, from one of their sessions; those before are good no
    /// more. They are shown this once.
    ///
    /// # Errors
    /// `mfa_factor_not_found` where there is no verified factor they could stand in for,
    /// `insufficient_aal`, `reauthentication_needed`, `reauthentication_not_valid`,
    /// `no_authorization` (anonymous); where the store cannot be asked.
    pub async fn make_recovery_codes(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        proof: Proof<'_>,
        call: &Call,
    ) -> AuthResult<Vec<String>> {
        let (account, session) = self.factor_user(user, session, call).await?;
        if !account.has_second_factor() {
            let message = "Recovery codes stand in for a factor: verify one first";
            return Err(refused(422, AuthCode::MfaFactorNotFound, message));
        }
        if session.aal < Aal::Two && !removed("second-factor-of-recovery-codes") {
            let message = "AAL2 required to make recovery codes";
            return Err(refused(403, AuthCode::InsufficientAal, message));
        }
        let proof = self.check_factor_change(&account, &session, proof, call).await?;
        let codes: Vec<RecoveryCode> =
            (0..RECOVERY_CODES).map(|_| RecoveryCode::generate()).collect();
        let mut changes: Vec<Change> = proof.into_iter().collect();
        changes.push(recovery_codes_gone(user));
        for code in &codes {
            let hash = self.recovery_codes.hash(user, code);
            changes
                .push(Change::insert(CODES, [("user", user.into()), ("code_hash", hash.into())]));
        }
        changes.extend(self.notice(&account, AccountChange::RecoveryCodesMade, call)?);
        changes.push(self.entry(Event::RecoveryCodesMade, Outcome::Done, Some(user), call));
        self.rows.write(changes, &call.cx, call.now).await?;
        self.mails.sent();
        Ok(codes.iter().map(RecoveryCode::text).collect())
    }

    /// Raises one of a user's sessions by a recovery code, as a factor's code would. The
    /// code is used up.
    ///
    /// # Errors
    /// `mfa_verification_failed`, `no_authorization` (anonymous), `validation_failed`;
    /// where the store cannot be asked.
    pub async fn verify_recovery_code(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        typed: &str,
        call: &Call,
    ) -> AuthResult<Issued> {
        if typed.is_empty() {
            return Err(invalid("Code needs to be non-empty"));
        }
        for _ in 0..TRIES_MAX {
            match self.try_recovery_code(user, session, typed, call).await {
                Err(error) if error.is_overtaken() => {}
                other => return other,
            }
        }
        Err(wrong_code())
    }

    async fn try_recovery_code(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        typed: &str,
        call: &Call,
    ) -> AuthResult<Issued> {
        let (account, session) = self.factor_user(user, session, call).await?;
        let Some(code) = self.unused_code(user, typed, call).await? else {
            let told = self.entry(Event::RecoveryCodeUsed, Outcome::Refused, Some(user), call);
            self.tell(told, call).await;
            return Err(wrong_code());
        };
        let used = Change::update(CODES, unused(code), [("used_at", call.now.into())]);
        let (session, raise) = self.raised(session, Method::RecoveryCode, None, call);
        let mut changes = vec![used.or_nothing()];
        changes.extend(raise);
        changes.extend(self.notice(&account, AccountChange::RecoveryCodeUsed, call)?);
        changes.push(self.entry(Event::RecoveryCodeUsed, Outcome::Done, Some(user), call));
        self.rows.write(changes, &call.cx, call.now).await?;
        self.mails.sent();
        self.standing.forget_user(user);
        let account = self.account(user, call).await?.ok_or_else(gone)?;
        self.issue(account, &session, call)
    }

    /// The row of what somebody typed, if it is a code of the user's that is still good.
    async fn unused_code(&self, user: Uuid, typed: &str, call: &Call) -> AuthResult<Option<Uuid>> {
        let Some(code) = RecoveryCode::parse(typed) else { return Ok(None) };
        let mut filters = vec![is("user", user)];
        if !removed("recovery-code-once") {
            filters.push(is_absent("used_at"));
        }
        let query = Query { model: CODES, fields: FIELDS, filters, ..Query::default() };
        let rows = self.rows.find(query, &call.cx, call.now).await?;
        let hash = |row: &Record| row.bytes("code_hash").unwrap_or_default();
        let found = rows.iter().find(|row| self.recovery_codes.verifies(user, &code, &hash(row)));
        Ok(found.and_then(|row| row.uuid("id")))
    }
}

/// The change after which a user has no recovery codes.
pub(super) fn recovery_codes_gone(user: Uuid) -> Change {
    Change::delete(CODES, vec![is("user", user)])
}

fn unused(code: Uuid) -> Vec<Condition<'static>> {
    let mut filters = vec![is("id", code)];
    if !removed("recovery-code-once") {
        filters.push(is_absent("used_at"));
    }
    filters
}

fn wrong_code() -> AuthError {
    refused(422, AuthCode::MfaVerificationFailed, "Invalid recovery code entered")
}
