//! The password that an account is given, as it is stored.

use super::AccountChanges;
use crate::{
    Identity,
    passwords::{PasswordRefusal, check_password, check_password_hash},
    refusal::{AuthResult, invalid, weak},
};

/// Whether a password has to be one that a user could choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// It has to be.
    Asked,
    /// It may be any that is not too long: of an account that is brought along.
    Waived,
}

impl Identity {
    /// The hash of what is given, if anything is.
    pub(super) async fn given_hash(
        &self,
        given: &AccountChanges,
        policy: Policy,
    ) -> AuthResult<Option<String>> {
        let hash = given.password_hash.as_deref().filter(|hash| !hash.is_empty());
        // An empty password is none that is given, but where one is asked for it is weak.
        let is_given = |password: &&String| policy == Policy::Asked || !password.is_empty();
        let password = given.password.as_ref().filter(is_given);
        match (password, hash) {
            (Some(_), Some(_)) => {
                Err(invalid("Only a password or a password hash should be provided"))
            }
            (Some(password), None) => {
                match check_password(password) {
                    Err(PasswordRefusal::Weak(_)) if policy == Policy::Waived => {}
                    checked => checked.map_err(|refusal| weak(&refusal))?,
                }
                Ok(Some(self.passwords.hash(password.clone()).await?))
            }
            (None, Some(hash)) => {
                check_password_hash(hash).map_err(|error| invalid(error.to_string()))?;
                Ok(Some(hash.to_owned()))
            }
            (None, None) => Ok(None),
        }
    }
}
