//! The roles of an account: which it may be given, and how they are given and taken.
//!
//! What is asked for is a change and not a list: whoever sends all the roles an account is to
//! have, made of those they read, gives back what somebody else took meanwhile. So the list
//! is made of the row that the write then has to find.
//!
//! They stand in `app_metadata.roles`, which no user writes. A role that the app does not
//! declare would grant nothing and look as if it did, so it is refused with the name that
//! was probably meant; one that an account has from before its declaration went may stay.

use mainstay_core::{Roles, nearest};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::{
    AccountChanges,
    update::{ATTEMPTS_MAX, overtaken_all_the_time},
};
use crate::{
    Identity,
    account::{Account, gone},
    call::Call,
    refusal::{AuthError, AuthResult, invalid},
};

/// Roles of one account.
const ROLES_MAX: usize = 100;

/// What became of roles that were given and taken.
#[derive(Clone, Debug)]
pub struct ChangedRoles {
    /// The account as it is now.
    pub account: Account,
    /// The roles that were to be taken and that it did not have.
    pub not_held: Vec<String>,
}

impl Identity {
    /// Takes these for the roles that the app declares, from now on.
    pub fn declare_roles(&self, roles: Roles) {
        self.roles.store(roles.into());
    }

    /// Gives an account roles and takes others, whatever else it has by then; a role that is
    /// both given and taken is taken.
    ///
    /// # Errors
    /// `user_not_found`; `validation_failed` for a role that no account can have; where the
    /// store cannot be asked.
    pub async fn change_roles(
        &self,
        user: Uuid,
        add: &[String],
        remove: &[String],
        call: &Call,
    ) -> AuthResult<ChangedRoles> {
        for _ in 0..ATTEMPTS_MAX {
            let account = self.account(user, call).await?.ok_or_else(gone)?;
            let held = account.roles();
            let roles = Json::from(changed(&held, add, remove));
            let app_metadata = Map::from_iter([("roles".to_owned(), roles)]);
            self.check_roles(&app_metadata, &held)?;
            let asked =
                AccountChanges { app_metadata: Some(app_metadata), ..AccountChanges::default() };
            let draft = self.draft(&account, &asked, None, call);
            if let Some(account) = self.write_draft(&account, draft, call).await? {
                let is_held = |role: &String| held.iter().any(|held| **held == **role);
                let not_held = remove.iter().filter(|role| !is_held(role)).cloned().collect();
                return Ok(ChangedRoles { account, not_held });
            }
        }
        Err(overtaken_all_the_time())
    }

    /// Whether metadata gives roles that an account can have, which has these so far.
    pub(super) fn check_roles(
        &self,
        app_metadata: &Map<String, Json>,
        held: &[Box<str>],
    ) -> AuthResult<()> {
        let Some(given) = app_metadata.get("roles").filter(|roles| !roles.is_null()) else {
            return Ok(());
        };
        let texts: Option<Vec<&str>> =
            given.as_array().and_then(|roles| roles.iter().map(Json::as_str).collect());
        let Some(texts) = texts else {
            return Err(invalid("`app_metadata.roles` is an array of texts"));
        };
        if texts.len() > ROLES_MAX {
            return Err(invalid(format!("`app_metadata.roles` has at most {ROLES_MAX} roles")));
        }
        let declared = self.roles.load();
        for role in texts {
            if crate::is_reserved_role(role) {
                return Err(invalid(format!(
                    "`{role}` is a kind of token, and no role that a user has"
                )));
            }
            let is_held = held.iter().any(|held| &**held == role);
            if !is_held && !declared.contains(role) {
                return Err(undeclared(role, &declared));
            }
        }
        Ok(())
    }
}

/// The roles of an account once these are given and those are taken, each once.
fn changed(held: &[Box<str>], add: &[String], remove: &[String]) -> Vec<String> {
    let mut roles: Vec<String> = Vec::new();
    for role in held.iter().map(|role| &**role).chain(add.iter().map(String::as_str)) {
        if !remove.iter().any(|taken| taken == role) && !roles.iter().any(|known| known == role) {
            roles.push(role.to_owned());
        }
    }
    roles
}

fn undeclared(role: &str, declared: &Roles) -> AuthError {
    match nearest(role, declared.iter().map(|(name, _)| name)) {
        Some(near) => {
            invalid(format!("`[roles]` declares no role `{role}`; did you mean `{near}`?"))
        }
        None => invalid(format!("`[roles]` of mainstay.toml declares no role `{role}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_comes_after_what_is_held_and_what_is_taken_goes() {
        let held: Vec<Box<str>> = vec!["editor".into(), "author".into()];
        let roles = |add: &[&str], remove: &[&str]| {
            let texts = |roles: &[&str]| roles.iter().map(|role| (*role).to_owned()).collect();
            let (add, remove): (Vec<String>, Vec<String>) = (texts(add), texts(remove));
            changed(&held, &add, &remove).join(" ")
        };
        assert_eq!(roles(&[], &[]), "editor author");
        assert_eq!(roles(&["guest", "author", "guest"], &[]), "editor author guest");
        assert_eq!(roles(&["guest"], &["editor", "nobody"]), "author guest");
        assert_eq!(roles(&["guest"], &["guest"]), "editor author");
    }
}
