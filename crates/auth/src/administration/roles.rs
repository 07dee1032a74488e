//! The roles of an account: which it may be given.
//!
//! They stand in `app_metadata.roles`, which no user writes. A role that the app does not
//! declare would grant nothing and look as if it did, so it is refused with the name that
//! was probably meant; one that an account has from before its declaration went may stay.

use mainstay_core::{Roles, nearest};
use serde_json::{Map, Value as Json};

use crate::{
    Identity,
    refusal::{AuthError, AuthResult, invalid},
};

/// Roles of one account.
const ROLES_MAX: usize = 100;

impl Identity {
    /// Takes these for the roles that the app declares, from now on.
    pub fn declare_roles(&self, roles: Roles) {
        self.roles.store(roles.into());
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

fn undeclared(role: &str, declared: &Roles) -> AuthError {
    match nearest(role, declared.iter().map(|(name, _)| name)) {
        Some(near) => {
            invalid(format!("`[roles]` declares no role `{role}`; did you mean `{near}`?"))
        }
        None => invalid(format!("`[roles]` of mainstay.toml declares no role `{role}`")),
    }
}
