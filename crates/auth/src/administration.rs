//! What is done to accounts from outside: by a program that holds the service key, and by
//! the command line.
//!
//! Whoever comes here has been let in already, so nothing here asks who they are; it asks
//! whether what they want can be. Roles are those that the app declares, an address belongs
//! to one account, a hash is one that somebody can sign in with. Each act is told in the
//! audit log in the transaction that does it, and counts from the next request on: this
//! node forgets how the user's sessions stood.

mod create;
mod delete;
mod factors;
mod invite;
mod link;
mod list;
mod password;
mod roles;
mod touched;
mod update;

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{
    BanDuration, Identity,
    account::Account,
    audit::{Event, Outcome},
    call::Call,
    email::parse_email,
    refusal::{AuthCode, AuthError, AuthResult, refused},
    rows::Change,
};

pub use self::{
    delete::Deletion,
    invite::Invitation,
    link::{LinkRequest, MadeLink},
    list::{AccountsPage, PAGE_ACCOUNTS_MAX},
    roles::ChangedRoles,
    touched::Touched,
};

/// What an account is to be; what is not said stays, or is not there.
#[derive(Clone, Default)]
pub struct AccountChanges {
    /// Its address.
    pub email: Option<String>,
    /// Whether its address counts as confirmed from now on.
    pub confirms_email: bool,
    /// Its password.
    pub password: Option<String>,
    /// The hash of its password, from elsewhere.
    pub password_hash: Option<String>,
    /// What the app says of it: names with null are forgotten.
    pub app_metadata: Option<Map<String, Json>>,
    /// What its user says: names with null are forgotten.
    pub user_metadata: Option<Map<String, Json>>,
    /// Whether and how long nobody can sign in to it.
    pub ban: Option<BanDuration>,
}

impl Identity {
    /// The account that a person means who types its address or its id.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn account_meant(&self, typed: &str, call: &Call) -> AuthResult<Option<Account>> {
        if let Ok(id) = Uuid::parse_str(typed) {
            return self.account(id, call).await;
        }
        let Ok(email) = parse_email(typed) else { return Ok(None) };
        match self.account_named(&email, call).await? {
            Some(account) => Ok(Some(self.with_all(account, call).await?)),
            None => Ok(None),
        }
    }

    /// The entries that tell of a ban, and of roles that are others than before.
    fn told_of(
        &self,
        id: Uuid,
        ban: Option<BanDuration>,
        roles: (&[Box<str>], &[Box<str>]),
        call: &Call,
    ) -> Vec<Change> {
        let mut told = Vec::new();
        if let Some(ban) = ban {
            let until =
                ban.until(call.now).map(|at| mainstay_core::ValueRef::Timestamp(at).to_text());
            let event = if until.is_some() { Event::UserBanned } else { Event::UserUnbanned };
            let details = Map::from_iter([("until".to_owned(), until.into())]);
            told.push(self.entry_with(event, Outcome::Done, Some(id), details, call));
        }
        let (before, after) = roles;
        if before != after {
            let list = |roles: &[Box<str>]| Json::from_iter(roles.iter().map(|role| &**role));
            let details = Map::from_iter([
                ("before".to_owned(), list(before)),
                ("after".to_owned(), list(after)),
            ]);
            told.push(self.entry_with(Event::RolesChanged, Outcome::Done, Some(id), details, call));
        }
        told
    }
}

/// An address that belongs to another account.
fn email_exists() -> AuthError {
    let message = "A user with this email address has already been registered";
    refused(422, AuthCode::EmailExists, message)
}
