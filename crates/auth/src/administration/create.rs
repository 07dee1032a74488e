//! An account that is made for somebody.

use uuid::Uuid;

use super::{AccountChanges, email_exists, password::Empty};
use crate::{
    Identity,
    account::{
        Account, gone,
        new::{NewAccount, is_taken, lacking},
        roles_of, with_verified_email,
    },
    audit::{Event, Outcome},
    call::Call,
    email::parse_email,
    refusal::{AuthCode, AuthError, AuthResult, invalid, refused},
    update_user::merged,
};

impl Identity {
    /// Makes an account. Nothing is mailed; without `confirms_email` nobody signs in to it
    /// before its address is confirmed, where the app asks for that.
    ///
    /// # Errors
    /// `validation_failed`, `weak_password`, `email_exists`; where the store cannot be asked.
    pub async fn create_account(
        &self,
        id: Option<Uuid>,
        asked: AccountChanges,
        call: &Call,
    ) -> AuthResult<Account> {
        let Some(email) = asked.email.as_deref().filter(|email| !email.is_empty()) else {
            return Err(invalid("Cannot create a user without either an email or phone"));
        };
        let email = parse_email(email)?;
        let app_metadata =
            merged(Default::default(), &asked.app_metadata.clone().unwrap_or_default());
        self.check_roles(&app_metadata, &[])?;
        self.check_free(id, &email, call).await?;
        let password_hash = self.given_hash(&asked, Empty::Absent).await?;
        let mut user_metadata =
            merged(Default::default(), &asked.user_metadata.clone().unwrap_or_default());
        if asked.confirms_email {
            user_metadata = with_verified_email(user_metadata);
        }
        let banned_until = asked.ban.and_then(|ban| ban.until(call.now));
        let roles = roles_of(&app_metadata);
        let new = NewAccount {
            id,
            email: Some(email.clone()),
            password_hash,
            is_confirmed: asked.confirms_email,
            app_metadata,
            user_metadata,
            fields: banned_until.map(|at| ("banned_until", at.into())).into_iter().collect(),
            ..NewAccount::default()
        };
        let (id, mut changes) = self.new_account(new, call);
        changes.push(self.entry(Event::UserCreated, Outcome::Done, Some(id), call));
        let ban = asked.ban.filter(|_| banned_until.is_some());
        changes.extend(self.told_of(id, ban, (&[], &roles), call));
        match self.rows.write(changes, &call.cx, call.now).await.map_err(lacking) {
            Ok(_) => self.account(id, call).await?.ok_or_else(gone),
            // Somebody else was faster; or a field of the app's own is unique.
            Err(error) if is_taken(&error) => {
                self.check_free(Some(id), &email, call).await?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether nobody has the address, or the id.
    async fn check_free(&self, id: Option<Uuid>, email: &str, call: &Call) -> AuthResult<()> {
        if self.account_named(email, call).await?.is_some() {
            return Err(email_exists());
        }
        match id {
            Some(id) if self.account_row(id, call).await?.is_some() => Err(id_exists()),
            _ => Ok(()),
        }
    }
}

fn id_exists() -> AuthError {
    refused(422, AuthCode::ValidationFailed, "A user with this id already exists")
}
