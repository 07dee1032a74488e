//! An account that somebody is asked to take.
//!
//! Whoever opens the mail trusts whoever invited them. So a password that somebody set who
//! never showed the address to be theirs is taken off: it would be a stranger's.

use mainstay_mail::MailKind;
use serde_json::{Map, Value as Json};

use super::email_exists;
use crate::{
    Identity,
    account::{
        Account, USERS, gone,
        new::{NewAccount, is_taken, lacking},
    },
    audit::{Event, Outcome},
    call::Call,
    email::parse_email,
    one_time::{Letter, Purpose},
    refusal::AuthResult,
    rows::{Change, is, is_absent},
};

/// Who is invited.
#[derive(Clone, Debug, Default)]
pub struct Invitation {
    /// Their address.
    pub email: String,
    /// What a new account says of its user.
    pub data: Map<String, Json>,
    /// Where the mail's link leads in the end.
    pub redirect_to: Option<String>,
}

impl Identity {
    /// Mails an invitation, and makes the account if there is none.
    ///
    /// # Errors
    /// `validation_failed`, `email_exists` where the address is confirmed,
    /// `over_email_send_rate_limit`; where the store cannot be asked.
    pub async fn invite(&self, invitation: Invitation, call: &Call) -> AuthResult<Account> {
        let email = parse_email(&invitation.email)?;
        let known = self.account_named(&email, call).await?;
        let (account, mut changes) = self.invited(&email, known, invitation.data, call)?;
        self.count_mail(&email, call).await?;
        let letter = Letter {
            kind: MailKind::Invite,
            link_type: "invite",
            purpose: Purpose::Confirmation,
            to: &email,
            redirect_to: invitation.redirect_to.as_deref(),
            flow: None,
            next: None,
        };
        changes.extend(self.letter(&account, letter, call)?);
        let sent = [("confirmation_sent_at", call.now.into())];
        changes.push(Change::update(USERS, vec![is("id", account.id)], sent));
        changes.push(self.entry(Event::UserInvited, Outcome::Done, Some(account.id), call));
        match self.rows.write(changes, &call.cx, call.now).await.map_err(lacking) {
            Err(error) if is_taken(&error) || error.is_overtaken() => return Err(email_exists()),
            other => other?,
        };
        self.standing.forget_user(account.id);
        self.mails.sent();
        self.account(account.id, call).await?.ok_or_else(gone)
    }

    /// The account that is invited, and the changes that make it one.
    pub(super) fn invited(
        &self,
        email: &str,
        known: Option<Account>,
        data: Map<String, Json>,
        call: &Call,
    ) -> AuthResult<(Account, Vec<Change>)> {
        let invited_at = ("invited_at", call.now.into());
        match known {
            Some(account) if account.email_confirmed_at.is_some() => Err(email_exists()),
            Some(account) => {
                // Nor was it confirmed meanwhile, by somebody whose password it then is.
                let row = vec![is("id", account.id), is_absent("email_confirmed_at")];
                let mut changes = vec![Change::update(USERS, row, [invited_at]).or_nothing()];
                changes.extend(Self::unshown_credentials_gone(account.id));
                Ok((account, changes))
            }
            None => {
                let new = NewAccount {
                    email: Some(email.to_owned()),
                    user_metadata: data,
                    fields: vec![invited_at],
                    ..NewAccount::default()
                };
                let (id, mut changes) = self.new_account(new, call);
                changes.push(self.entry(Event::UserCreated, Outcome::Done, Some(id), call));
                Ok((Account::addressed(id, email, call), changes))
            }
        }
    }
}
