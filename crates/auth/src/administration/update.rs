//! An account that is changed for its user.
//!
//! Metadata is read, merged and written back, so the row is written only where it is still
//! the one that was read: of two who change an account at once, neither brings back a role
//! that the other took.

use mainstay_core::removal::removed;
use mainstay_mail::AccountChange;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::{AccountChanges, email_exists, password::Empty};
use crate::{
    Identity,
    account::{
        Account, gone,
        new::{identity_data, is_taken},
        roles_of, with_verified_email,
    },
    audit::{Event, Outcome},
    call::Call,
    email::parse_email,
    flow::flows_ended,
    one_time::voided,
    refusal::{AuthError, AuthResult},
    rows::{Cell, Change, is},
    session::SESSIONS,
    update_user::merged,
};

/// How often an account is read anew because somebody else changed it in between.
pub(super) const ATTEMPTS_MAX: usize = 10;

/// What is written of an account.
#[derive(Default)]
pub(super) struct Draft {
    values: Vec<(&'static str, Cell)>,
    beside: Vec<Change>,
}

impl Identity {
    /// Changes an account. Another address counts at once, and nothing is mailed; another
    /// password ends every session.
    ///
    /// # Errors
    /// `user_not_found`, `validation_failed`, `weak_password`, `email_exists`; where the
    /// store cannot be asked.
    pub async fn update_account(
        &self,
        id: Uuid,
        asked: AccountChanges,
        call: &Call,
    ) -> AuthResult<Account> {
        let email = match asked.email.as_deref().filter(|email| !email.is_empty()) {
            Some(email) => Some(parse_email(email)?),
            None => None,
        };
        let asked = AccountChanges { email, ..asked };
        let account = self.account(id, call).await?.ok_or_else(gone)?;
        self.check_update(&account, &asked, call).await?;
        let hash = self.given_hash(&asked, Empty::Weak).await?;
        let mut account = account;
        for _ in 0..ATTEMPTS_MAX {
            let mut draft = self.draft(&account, &asked, hash.clone(), call);
            draft.beside.extend(self.notices(&account, &asked, hash.as_deref(), call)?);
            if let Some(written) = self.write_draft(&account, draft, call).await? {
                return Ok(written);
            }
            account = self.account(id, call).await?.ok_or_else(gone)?;
            self.check_update(&account, &asked, call).await?;
        }
        Err(overtaken_all_the_time())
    }

    /// The mails by which a user is told what an operator changed of how they sign in.
    fn notices(
        &self,
        account: &Account,
        asked: &AccountChanges,
        hash: Option<&str>,
        call: &Call,
    ) -> AuthResult<Vec<Change>> {
        let mut notices = Vec::new();
        if hash.is_some() {
            notices.extend(self.notice(account, AccountChange::Password, call)?);
        }
        if asked.email.is_some() && asked.email != account.email {
            let told = Account { new_email: asked.email.clone(), ..account.clone() };
            notices.extend(self.notice(&told, AccountChange::Email, call)?);
        }
        Ok(notices)
    }

    /// Writes a draft where the account still is as it was read, and tells of it; none where
    /// somebody has changed it since, and then nothing is written.
    pub(super) async fn write_draft(
        &self,
        account: &Account,
        draft: Draft,
        call: &Call,
    ) -> AuthResult<Option<Account>> {
        let id = account.id;
        let mut changes = draft.beside;
        changes.push(account.changed_to(draft.values));
        changes.push(self.entry(Event::UserChanged, Outcome::Done, Some(id), call));
        let written = self.rows.write(changes, &call.cx, call.now).await;
        self.standing.forget_user(id);
        self.mails.sent();
        match written.map_err(AuthError::from) {
            Ok(_) => self.account(id, call).await?.ok_or_else(gone).map(Some),
            Err(error) if error.is_overtaken() => Ok(None),
            Err(error) if is_taken(&error) => Err(email_exists()),
            Err(error) => Err(error),
        }
    }

    /// Whether an account can become what is asked.
    async fn check_update(
        &self,
        account: &Account,
        asked: &AccountChanges,
        call: &Call,
    ) -> AuthResult<()> {
        if let Some(app_metadata) = &asked.app_metadata {
            self.check_roles(app_metadata, &account.roles())?;
        }
        match &asked.email {
            Some(email) if asked.email != account.email => {
                match self.account_named(email, call).await? {
                    Some(_) => Err(email_exists()),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// What makes of an account as it was read what is asked.
    pub(super) fn draft(
        &self,
        account: &Account,
        asked: &AccountChanges,
        hash: Option<String>,
        call: &Call,
    ) -> Draft {
        let mut draft = Draft::default();
        let mut app_metadata = account.app_metadata.clone();
        if let Some(given) = &asked.app_metadata {
            app_metadata = merged(app_metadata, given);
        }
        let mut user_metadata = account.user_metadata.clone();
        if let Some(given) = &asked.user_metadata {
            user_metadata = merged(user_metadata, given);
        }
        let email = asked.email.as_ref().or(account.email.as_ref());
        if let Some(email) = email {
            let metadata = (&mut app_metadata, &mut user_metadata);
            self.draft_address(&mut draft, account, asked, email, metadata, call);
        }
        let roles = (account.roles(), roles_of(&app_metadata));
        draft.values.push(("app_metadata", Json::Object(app_metadata).into()));
        draft.values.push(("user_metadata", Json::Object(user_metadata).into()));
        if let Some(ban) = asked.ban {
            draft.values.push(("banned_until", ban.until(call.now).into()));
        }
        if let Some(hash) = hash {
            draft.beside.extend(Self::new_password(account.id, hash));
            if !removed("password-change") {
                draft.beside.push(Change::delete(SESSIONS, vec![is("user", account.id)]));
            }
            draft.beside.extend([voided(account.id), flows_ended(account.id)]);
            let told = self.entry(Event::PasswordChanged, Outcome::Done, Some(account.id), call);
            draft.beside.push(told);
        }
        draft.beside.extend(self.told_of(account.id, asked.ban, (&roles.0, &roles.1), call));
        draft
    }

    /// What becomes of an address, and of what hangs on it. What was mailed to the one
    /// before is good no more.
    fn draft_address(
        &self,
        draft: &mut Draft,
        account: &Account,
        asked: &AccountChanges,
        email: &str,
        (app_metadata, user_metadata): (&mut Map<String, Json>, &mut Map<String, Json>),
        call: &Call,
    ) {
        let is_other = account.email.as_deref() != Some(email);
        let confirms = asked.confirms_email && (is_other || account.email_confirmed_at.is_none());
        if is_other {
            draft.values.push(("email", email.into()));
            draft.values.push(("new_email", Cell::Absent));
            draft.beside.extend([voided(account.id), flows_ended(account.id)]);
            let told = self.entry(Event::EmailChanged, Outcome::Done, Some(account.id), call);
            draft.beside.push(told);
            app_metadata.entry("provider").or_insert_with(|| "email".into());
            app_metadata.entry("providers").or_insert_with(|| Json::from(vec!["email"]));
        }
        if confirms {
            draft.values.push(("email_confirmed_at", call.now.into()));
            draft.values.push(("is_anonymous", false.into()));
            *user_metadata = with_verified_email(std::mem::take(user_metadata));
        }
        if is_other || confirms {
            let data = identity_data(account.id, email, asked.confirms_email);
            draft.beside.push(identity_of(account, data));
        }
    }
}

/// Nothing was written, however often the account was read anew.
pub(super) fn overtaken_all_the_time() -> AuthError {
    mainstay_core::Error::unavailable("an account was changed by others all the time").into()
}

/// The change by which an account's identity says this.
fn identity_of(account: &Account, data: Json) -> Change {
    const IDENTITIES: &str = "mainstay_identities";
    match account.identities.iter().find(|identity| identity.provider == "email") {
        Some(identity) => {
            let values = [("identity_data", data.into())];
            Change::update(IDENTITIES, vec![is("id", identity.id)], values)
        }
        None => {
            let row = [
                ("user", account.id.into()),
                ("provider", "email".into()),
                ("provider_id", account.id.to_string().into()),
                ("identity_data", data.into()),
            ];
            Change::insert(IDENTITIES, row)
        }
    }
}
