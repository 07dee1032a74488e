//! Enrolling a factor.

use uuid::Uuid;

use super::{FACTORS, UNVERIFIED, level::check_second, place};
use crate::{
    Identity, TotpEnrolment, TotpSecret,
    account::{Factor, new::is_taken},
    audit::{Event, Outcome},
    call::Call,
    reauthentication::Proof,
    refusal::{AuthCode, AuthError, AuthResult, invalid, refused},
    rows::{Change, is, is_among},
};

/// Factors an account has at most.
pub const FACTORS_MAX: usize = 10;
/// Seconds after which one that was begun and not verified makes room.
const STALE_S: u32 = 300;
/// Characters of a name.
const NAME_CHARS_MAX: usize = 128;

/// What a factor is to be called.
#[derive(Clone, Copy, Default)]
pub struct EnrolRequest<'a> {
    /// By its user.
    pub friendly_name: &'a str,
    /// What an authenticator app shows as the other side; left out, the app's name.
    pub issuer: Option<&'a str>,
    /// Who asks, where their session is old.
    pub proof: Proof<'a>,
}

/// A factor that waits for its first code.
#[derive(Debug)]
pub struct Enrolled {
    /// Its id.
    pub id: Uuid,
    /// What its user calls it.
    pub friendly_name: String,
    /// What an authenticator app needs. It is shown this once.
    pub enrolment: TotpEnrolment,
}

impl Identity {
    /// Begins a factor of a user's, from one of their sessions.
    ///
    /// # Errors
    /// `mfa_totp_enroll_not_enabled`, `no_authorization` (anonymous),
    /// `mfa_factor_name_conflict`, `too_many_enrolled_mfa_factors`, `insufficient_aal`,
    /// `reauthentication_needed`, `reauthentication_not_valid`, `validation_failed`; where
    /// the store cannot be asked.
    pub async fn enrol_factor(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        request: EnrolRequest<'_>,
        call: &Call,
    ) -> AuthResult<Enrolled> {
        if !self.settings.totp {
            let message = "MFA enroll is disabled for TOTP";
            return Err(refused(422, AuthCode::MfaTotpEnrollNotEnabled, message));
        }
        let (account, session) = self.factor_user(user, session, call).await?;
        let name = request.friendly_name;
        check_name(name)?;
        let (stale, kept): (Vec<_>, Vec<_>) =
            account.factors.iter().partition(|factor| is_stale(factor, call));
        if kept.iter().any(|factor| factor.friendly_name == name) {
            return Err(name_conflict(name));
        }
        if kept.len() >= FACTORS_MAX {
            let message = "Maximum number of verified factors reached, unenroll to continue";
            return Err(refused(422, AuthCode::TooManyEnrolledMfaFactors, message));
        }
        check_second(&account, &session, || {
            refused(403, AuthCode::InsufficientAal, "AAL2 required to enroll a new factor")
        })?;
        let proof = self.check_factor_change(&account, &session, request.proof, call).await?;

        let secret = TotpSecret::generate();
        let issuer = request.issuer.unwrap_or(&self.settings.app_name);
        let shown_as = account.email.unwrap_or_else(|| user.to_string());
        let enrolment = secret.enrolment(issuer, &shown_as);
        let enrolment = enrolment.ok_or_else(|| invalid("issuer is too long for a QR code"))?;
        let id = Uuid::now_v7();
        let mut changes: Vec<Change> = proof.into_iter().collect();
        if !stale.is_empty() {
            let ids = is_among("id", stale.iter().map(|factor| factor.id));
            changes.push(Change::delete(FACTORS, vec![ids, is("status", UNVERIFIED)]));
        }
        changes.push(Change::insert(
            FACTORS,
            [
                ("id", id.into()),
                ("user", user.into()),
                ("friendly_name", name.into()),
                ("kind", "totp".into()),
                ("status", UNVERIFIED.into()),
                ("secret", self.secrets.seal(secret.as_bytes(), &place(&user, &id)).into()),
            ],
        ));
        changes.push(self.entry(Event::FactorEnrolled, Outcome::Done, Some(user), call));
        match self.rows.write(changes, &call.cx, call.now).await.map_err(AuthError::from) {
            Ok(_) => Ok(Enrolled { id, friendly_name: name.to_owned(), enrolment }),
            Err(error) if is_taken(&error) => Err(name_conflict(name)),
            Err(error) => Err(error),
        }
    }
}

/// Whether somebody began it and did not come back.
fn is_stale(factor: &Factor, call: &Call) -> bool {
    let since = call.before_seconds(STALE_S);
    !factor.is_verified
        && factor.created_at < since
        && factor.last_challenged_at.is_none_or(|asked| asked < since)
}

fn check_name(name: &str) -> AuthResult<()> {
    if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(invalid(format!(
            "friendly_name has at most {NAME_CHARS_MAX} characters, and none that cannot be seen"
        )));
    }
    Ok(())
}

fn name_conflict(name: &str) -> AuthError {
    let message =
        format!("A factor with the friendly name \"{name}\" for this user already exists");
    refused(422, AuthCode::MfaFactorNameConflict, message)
}
