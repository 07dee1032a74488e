//! Taking a factor away, by its user or by whoever keeps the app.

use mainstay_mail::AccountChange;
use uuid::Uuid;

use super::{
    FACTORS, StoredFactor, TRIES_MAX, VERIFIED, level::check_second, recovery::recovery_codes_gone,
};
use crate::{
    Identity,
    account::{Account, Factor, gone},
    audit::{Event, Outcome},
    call::Call,
    reauthentication::Proof,
    refusal::{AuthCode, AuthResult, refused},
    rows::{Change, is},
};

impl Identity {
    /// Takes away a factor of a user's, from one of their sessions. Sessions that it had
    /// raised are back at `aal1`, and with the last verified factor the recovery codes go.
    ///
    /// # Errors
    /// `mfa_factor_not_found`; of a verified one `insufficient_aal`,
    /// `reauthentication_needed`, `reauthentication_not_valid`; `no_authorization`
    /// (anonymous); where the store cannot be asked.
    pub async fn remove_factor(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        factor: Uuid,
        proof: Proof<'_>,
        call: &Call,
    ) -> AuthResult<()> {
        let mut tries = 1;
        loop {
            match self.try_removal(user, session, factor, proof, call).await {
                Err(error) if error.is_overtaken() && tries < TRIES_MAX => tries += 1,
                other => return other,
            }
        }
    }

    async fn try_removal(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        factor: Uuid,
        proof: Proof<'_>,
        call: &Call,
    ) -> AuthResult<()> {
        let (account, session) = self.factor_user(user, session, call).await?;
        let found = self.factor_of(user, factor, call).await?;
        let mut proof_used = None;
        if found.shown.is_verified {
            check_second(&account, &session, || {
                let message = "AAL2 required to unenroll verified factor";
                refused(422, AuthCode::InsufficientAal, message)
            })?;
            proof_used = self.check_factor_change(&account, &session, proof, call).await?;
        }
        let mut changes = self.removal(&account, &found, call).await?;
        changes.extend(proof_used);
        self.rows.write(changes, &call.cx, call.now).await?;
        self.mails.sent();
        self.standing.forget_user(user);
        Ok(())
    }

    /// Takes away a factor of a user's on behalf of the app, and returns what it was.
    ///
    /// # Errors
    /// `user_not_found`, `mfa_factor_not_found`; where the store cannot be asked.
    pub async fn take_factor(&self, user: Uuid, factor: Uuid, call: &Call) -> AuthResult<Factor> {
        let mut tries = 1;
        loop {
            match self.try_taking(user, factor, call).await {
                Err(error) if error.is_overtaken() && tries < TRIES_MAX => tries += 1,
                other => return other,
            }
        }
    }

    async fn try_taking(&self, user: Uuid, factor: Uuid, call: &Call) -> AuthResult<Factor> {
        let account = self.account(user, call).await?.ok_or_else(gone)?;
        let found = self.factor_of(user, factor, call).await?;
        let changes = self.removal(&account, &found, call).await?;
        self.rows.write(changes, &call.cx, call.now).await?;
        self.mails.sent();
        self.standing.forget_user(user);
        Ok(found.shown)
    }

    /// The changes that take a factor away. They are overtaken where a code of it was
    /// taken since it was read.
    async fn removal(
        &self,
        account: &Account,
        factor: &StoredFactor,
        call: &Call,
    ) -> AuthResult<Vec<Change>> {
        let (user, id) = (account.id, factor.shown.id);
        let as_read = vec![is("id", id), is("user", user), factor.is_as_read()];
        let mut changes = vec![Change::delete(FACTORS, as_read).or_nothing()];
        let is_other = |other: &Factor| other.is_verified && other.id != id;
        let is_last = !account.factors.iter().any(is_other);
        if is_last {
            changes.push(recovery_codes_gone(user));
        }
        if factor.shown.is_verified {
            changes.extend(self.notice(account, AccountChange::FactorRemoved, call)?);
        }
        // Of two that are removed at once the second is the last.
        changes.extend(account.factors.iter().find(|it| is_other(it)).map(still_counts));
        let raised_by = (!is_last).then_some(id);
        changes.extend(self.lowered(user, raised_by, call).await?);
        changes.push(self.entry(Event::FactorRemoved, Outcome::Done, Some(user), call));
        Ok(changes)
    }
}

/// The change that takes all beside it back where a verified factor is gone by now.
fn still_counts(factor: &Factor) -> Change {
    let as_read = vec![is("id", factor.id), is("status", VERIFIED)];
    Change::update(FACTORS, as_read, [("status", VERIFIED.into())]).or_nothing()
}
