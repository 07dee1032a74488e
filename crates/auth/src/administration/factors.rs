//! The second factors of an account.

use uuid::Uuid;

use crate::{
    Identity,
    account::{Factor, gone},
    call::Call,
    refusal::AuthResult,
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
}
