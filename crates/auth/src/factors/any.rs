//! A code whose factor is not named: what somebody types into a form of a page, which does
//! not know what factors they have, and has asked for no challenge.

use uuid::Uuid;

use super::{
    no_factor,
    verify::{Shown, is_wrong_code},
};
use crate::{
    Identity, Issued,
    call::Call,
    recovery_codes::RecoveryCode,
    refusal::{AuthError, AuthResult, invalid},
};

impl Identity {
    /// Raises one of a user's sessions by a code of whichever of their verified factors it
    /// is, or by a recovery code. Until it is right it counts as a guess with each factor that
    /// it is tried with.
    ///
    /// # Errors
    /// As of [`verify_factor`](Self::verify_factor) and
    /// [`verify_recovery_code`](Self::verify_recovery_code); `mfa_factor_not_found` where
    /// the user has no verified factor.
    pub async fn verify_any_code(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        typed: &str,
        call: &Call,
    ) -> AuthResult<Issued> {
        if RecoveryCode::parse(typed).is_some() {
            return self.verify_recovery_code(user, session, typed, call).await;
        }
        if typed.trim().is_empty() {
            return Err(invalid("Code needs to be non-empty"));
        }
        let (account, _) = self.factor_user(user, session, call).await?;
        let mut refused: Option<AuthError> = None;
        for factor in account.factors.iter().filter(|factor| factor.is_verified) {
            let factor = factor.id;
            let shown = Shown { user, session, factor, challenge: None, code: typed };
            match self.verify_code(shown, call).await {
                // That one of them has to wait is told, whatever the others say.
                Err(error @ AuthError::Refused(_)) => {
                    if refused.as_ref().is_none_or(is_wrong_code) {
                        refused = Some(error);
                    }
                }
                other => return other,
            }
        }
        if refused.as_ref().is_some_and(is_wrong_code) {
            self.tell_of_wrong_code(user, call).await;
        }
        Err(refused.unwrap_or_else(no_factor))
    }
}
