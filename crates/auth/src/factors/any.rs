//! A code whose factor is not named: what somebody types into a form of a page, which does
//! not know what factors they have.

use uuid::Uuid;

use super::{ShownCode, no_factor};
use crate::{
    Identity, Issued,
    call::Call,
    recovery_codes::RecoveryCode,
    refusal::{AuthError, AuthResult},
};

impl Identity {
    /// Raises one of a user's sessions by a code of whichever of their verified factors it
    /// is, or by a recovery code. It counts as a guess with every factor that it is not of.
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
        // Apps show them in groups.
        let code: String = typed.split_whitespace().collect();
        let (account, _) = self.factor_user(user, session, call).await?;
        let mut refused = no_factor();
        for factor in account.factors.iter().filter(|factor| factor.is_verified) {
            let challenge = self.challenge_factor(user, session, factor.id, call).await?.id;
            let shown = ShownCode { factor: factor.id, challenge, code: &code };
            match self.verify_factor(user, session, shown, call).await {
                Err(error @ AuthError::Refused(_)) => refused = error,
                other => return other,
            }
        }
        Err(refused)
    }
}
