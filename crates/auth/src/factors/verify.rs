//! Showing a factor's code: the session is raised, and a new factor counts from then on.

use mainstay_core::removal::removed;
use mainstay_mail::AccountChange;
use uuid::Uuid;

use super::{FACTORS, StoredFactor, TRIES_MAX, UNVERIFIED, VERIFIED, level::check_second, place};
use crate::{
    Identity, Issued, TotpOutcome,
    account::{Factor, gone},
    audit::{Event, Outcome},
    call::Call,
    refusal::{AuthCode, AuthError, AuthResult, invalid, refused},
    rows::{Cell, Change, is, is_not},
    session::Method,
};

/// A code, and what it answers.
#[derive(Clone, Copy)]
pub struct ShownCode<'a> {
    /// Whose code it is.
    pub factor: Uuid,
    /// The challenge.
    pub challenge: Uuid,
    /// The digits.
    pub code: &'a str,
}

/// A code that one of a user's sessions shows for a factor.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) user: Uuid,
    pub(super) session: Option<Uuid>,
    pub(super) factor: Uuid,
    /// The challenge it answers, where one was asked for.
    pub(super) challenge: Option<Uuid>,
    pub(super) code: &'a str,
}

impl Identity {
    /// Raises one of a user's sessions by a factor's code. It is the same session with new
    /// tokens; the user's other sessions that saw no second factor end, and so do their
    /// factors that were begun beside this one.
    ///
    /// # Errors
    /// `mfa_factor_not_found`, `mfa_ip_address_mismatch` (the challenge was used, or is of
    /// another session), `insufficient_aal`, `mfa_challenge_expired`, `mfa_verification_failed`,
    /// `mfa_totp_verify_not_enabled`, `no_authorization` (anonymous),
    /// `over_request_rate_limit`, `validation_failed`; where the store cannot be asked.
    pub async fn verify_factor(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        shown: ShownCode<'_>,
        call: &Call,
    ) -> AuthResult<Issued> {
        let ShownCode { factor, challenge, code } = shown;
        let shown = Shown { user, session, factor, challenge: Some(challenge), code };
        let verified = self.verify_code(shown, call).await;
        if verified.as_ref().is_err_and(is_wrong_code) {
            self.tell_of_wrong_code(user, call).await;
        }
        verified
    }

    /// The same, of which nobody is told where the code is wrong.
    pub(super) async fn verify_code(&self, shown: Shown<'_>, call: &Call) -> AuthResult<Issued> {
        if shown.code.is_empty() {
            return Err(invalid("Code needs to be non-empty"));
        }
        for _ in 0..TRIES_MAX {
            match self.try_code(shown, call).await {
                Err(error) if error.is_overtaken() => {}
                other => return other,
            }
        }
        Err(wrong_code())
    }

    async fn try_code(&self, shown: Shown<'_>, call: &Call) -> AuthResult<Issued> {
        let Shown { user, session, factor, challenge, code } = shown;
        let (account, session) = self.factor_user(user, session, call).await?;
        let factor = self.factor_of(user, factor, call).await?;
        if !factor.shown.is_verified {
            check_second(&account, &session, || {
                let message = "AAL2 required to verify another factor";
                refused(403, AuthCode::InsufficientAal, message)
            })?;
        }
        self.check_offered(&factor)?;
        if let Some(challenge) = challenge {
            self.check_challenge(challenge, &factor, &session, call).await?;
        }
        self.count_guess(&factor, call).await?;
        let opened = self.open_factor(user, &factor)?;
        let outcome = opened.secret.verify(code, call.now, factor.last_step);
        let TotpOutcome::Right { step } = outcome else { return Err(wrong_code()) };
        let sealed = opened
            .is_outdated
            .then(|| self.secrets.seal(opened.secret.as_bytes(), &place(&user, &factor.shown.id)));
        let mut changes = vec![taken(&factor, step, sealed), unverified_of(user, factor.shown.id)];
        let is_other = |it: &Factor| it.is_verified && it.id != factor.shown.id;
        if account.factors.iter().any(is_other) {
            // Two who show one each would hold what the other wants.
            changes.extend([account.held(), forgiven_of(user, factor.shown.id)]);
        }
        changes.extend(challenge.map(|challenge| self.challenge_used(challenge, call)));
        let (session, raise) = self.raised(session, Method::Totp, Some(factor.shown.id), call);
        changes.extend(raise);
        if !factor.shown.is_verified {
            changes.extend(self.notice(&account, AccountChange::FactorAdded, call)?);
        }
        changes.push(self.entry(Event::FactorVerified, Outcome::Done, Some(user), call));
        self.rows.write(changes, &call.cx, call.now).await?;
        self.mails.sent();
        self.standing.forget_user(user);
        let account = self.account(user, call).await?.ok_or_else(gone)?;
        self.issue(account, &session, call)
    }

    /// Tells the audit log of a code that is of none of the factors it was tried with.
    pub(super) async fn tell_of_wrong_code(&self, user: Uuid, call: &Call) {
        let told = self.entry(Event::FactorVerified, Outcome::Refused, Some(user), call);
        self.tell(told, call).await;
    }
}

/// The change by which a code counts: its step is the last one, where no other was taken
/// since the factor was read.
fn taken(factor: &StoredFactor, step: i64, sealed: Option<Vec<u8>>) -> Change {
    let mut as_read = vec![is("id", factor.shown.id)];
    if !removed("totp-replay") {
        as_read.push(factor.is_as_read());
    }
    let mut values: Vec<(&'static str, Cell)> = vec![
        ("status", VERIFIED.into()),
        ("last_step", step.into()),
        ("guesses", Cell::Int(0)),
        ("guessed_at", Cell::Absent),
    ];
    values.extend(sealed.map(|sealed| ("secret", sealed.into())));
    Change::update(FACTORS, as_read, values).or_nothing()
}

/// The change by which what was guessed of a user's other factors is forgotten: whoever has
/// shown one has no need to guess.
fn forgiven_of(user: Uuid, but: Uuid) -> Change {
    let filters = vec![is("user", user), is("status", VERIFIED), is_not("id", but)];
    let values: [(&str, Cell); 2] = [("guesses", Cell::Int(0)), ("guessed_at", Cell::Absent)];
    Change::update(FACTORS, filters, values)
}

/// The change that drops the factors a user began and did not verify, but for one.
fn unverified_of(user: Uuid, but: Uuid) -> Change {
    let filters = vec![is("user", user), is("status", UNVERIFIED), is_not("id", but)];
    Change::delete(FACTORS, filters)
}

/// Whether it is the code that was wrong.
pub(super) fn is_wrong_code(error: &AuthError) -> bool {
    matches!(error, AuthError::Refused(refusal) if refusal.code == AuthCode::MfaVerificationFailed)
}

fn wrong_code() -> AuthError {
    refused(422, AuthCode::MfaVerificationFailed, "Invalid TOTP code entered")
}
