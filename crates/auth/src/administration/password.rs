//! The password that an account is given, as it is stored.

use super::AccountChanges;
use crate::{
    Identity,
    passwords::{check_password, check_password_hash},
    refusal::{AuthResult, invalid, weak},
};

/// What an empty password stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Empty {
    /// One that is too weak.
    Weak,
    /// None.
    Absent,
}

impl Identity {
    /// The hash of what is given, if anything is.
    pub(super) async fn given_hash(
        &self,
        given: &AccountChanges,
        empty: Empty,
    ) -> AuthResult<Option<String>> {
        let hash = given.password_hash.as_deref().filter(|hash| !hash.is_empty());
        let is_given = |password: &&String| empty == Empty::Weak || !password.is_empty();
        let password = given.password.as_ref().filter(is_given);
        match (password, hash) {
            (Some(_), Some(_)) => {
                Err(invalid("Only a password or a password hash should be provided"))
            }
            (Some(password), None) => {
                check_password(password).map_err(|refusal| weak(&refusal))?;
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
