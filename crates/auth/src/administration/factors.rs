//! A second factor that is taken off an account whose user has lost it.

use uuid::Uuid;

use crate::{
    Aal, Identity,
    account::Factor,
    audit::{Event, Outcome},
    call::Call,
    factors::FACTORS,
    refusal::{AuthCode, AuthError, AuthResult, refused},
    rows::{Cell, Change, Query, is},
    session::{FIELDS, Method, SESSIONS, Session, amr_json},
    sign_up::gone,
};

impl Identity {
    /// An account's factors.
    ///
    /// # Errors
    /// `user_not_found`; where the store cannot be asked.
    pub async fn factors_of_account(&self, user: Uuid, call: &Call) -> AuthResult<Vec<Factor>> {
        let account = self.account(user, call).await?.ok_or_else(gone)?;
        Ok(account.factors)
    }

    /// Takes a factor off an account, and answers what it was. Sessions that were opened
    /// with it go on as if they had not seen it.
    ///
    /// # Errors
    /// `user_not_found`, `mfa_factor_not_found`; where the store cannot be asked.
    pub async fn remove_factor(&self, user: Uuid, factor: Uuid, call: &Call) -> AuthResult<Factor> {
        let factors = self.factors_of_account(user, call).await?;
        let Some(removed) = factors.into_iter().find(|it| it.id == factor) else {
            return Err(not_found());
        };
        let row = vec![is("id", factor), is("user", user)];
        let mut changes = vec![Change::delete(FACTORS, row).or_nothing()];
        changes.extend(self.without_factor(user, factor, call).await?);
        changes.push(self.entry(Event::FactorRemoved, Outcome::Done, Some(user), call));
        let written = self.rows.write(changes, &call.cx, call.now).await;
        self.standing.forget_user(user);
        match written.map_err(AuthError::from) {
            Err(error) if error.is_overtaken() => Err(not_found()),
            other => other.map(|_| removed),
        }
    }

    /// The changes that take from a user's sessions what a factor gave them.
    async fn without_factor(
        &self,
        user: Uuid,
        factor: Uuid,
        call: &Call,
    ) -> AuthResult<Vec<Change>> {
        let filters = vec![is("user", user), is("factor", factor)];
        let query = Query { model: SESSIONS, fields: FIELDS, filters, ..Query::default() };
        let rows = self.rows.find(query, &call.cx, call.now).await?;
        let lowered = rows.iter().map(Session::of).map(|mut session| {
            session.amr.retain(|amr| amr.method != Method::Totp.as_str());
            let values = [
                ("aal", Aal::One.text().into()),
                ("amr", amr_json(&session.amr).into()),
                ("factor", Cell::Absent),
            ];
            Change::update(SESSIONS, vec![is("id", session.id)], values)
        });
        Ok(lowered.collect())
    }
}

fn not_found() -> AuthError {
    refused(404, AuthCode::MfaFactorNotFound, "Factor not found")
}
