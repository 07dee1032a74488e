//! Showing once more who one is, before what would lock a stranger in or the user out.
//!
//! A session that somebody left open, or that was stolen, must not be enough to take an
//! account over. Within some time of its opening a session counts as its user's; after
//! that they bring their password, or a code that was mailed to them (OWASP ASVS 5.0,
//! 7.5.1). To second factors a second factor that was shown as lately is as good.

use mainstay_core::removal::removed;

use crate::{
    Aal, Identity,
    account::Account,
    audit::{Event, Outcome},
    call::Call,
    one_time::Purpose,
    refusal::{AuthCode, AuthError, AuthResult, refused},
    rows::Change,
    session::{Method, Session},
};

/// What a user brings to show once more who they are.
#[derive(Clone, Copy, Default)]
pub struct Proof<'a> {
    /// The code that was mailed.
    pub nonce: Option<&'a str>,
    /// Their password.
    pub current_password: Option<&'a str>,
}

impl Identity {
    /// Whether its user has shown lately who they are.
    pub(crate) fn is_recent(&self, session: &Session, call: &Call) -> bool {
        let since = call.before_seconds(self.settings.reauthenticate_s);
        session.created_at.is_some_and(|opened| opened > since)
    }

    /// Whether its user has shown a second factor as lately.
    fn has_shown_second_lately(&self, session: &Session, call: &Call) -> bool {
        let since_s = call.unix_seconds() - i64::from(self.settings.reauthenticate_s);
        let is_late = |method: &str, at_s: i64| Method::is_second(method) && at_s > since_s;
        session.aal == Aal::Two && session.amr.iter().any(|it| is_late(&it.method, it.timestamp))
    }

    /// Asks for a proof before second factors are changed from a session in which nothing
    /// was shown lately. The change it returns uses the proof up.
    pub(crate) async fn check_factor_change(
        &self,
        account: &Account,
        session: &Session,
        proof: Proof<'_>,
        call: &Call,
    ) -> AuthResult<Option<Change>> {
        let is_recent =
            self.is_recent(session, call) || self.has_shown_second_lately(session, call);
        if is_recent || removed("factor-reauthentication") {
            return Ok(None);
        }
        let needed = "Changing second factors requires reauthentication";
        self.check_proof(account, proof, needed, call).await
    }

    /// Asks for the password, or for the code that was mailed; `needed` is what is said
    /// where neither is there. The change it returns uses the code up.
    pub(crate) async fn check_proof(
        &self,
        account: &Account,
        proof: Proof<'_>,
        needed: &'static str,
        call: &Call,
    ) -> AuthResult<Option<Change>> {
        let email = account.email.as_deref().unwrap_or_default();
        if let Some(password) = proof.current_password.filter(|it| !it.is_empty()) {
            return match self.try_password(email, account.id, password, call).await? {
                Some(right) => Ok(Some(right.still_is())),
                None => Err(self.not_shown(account, call).await),
            };
        }
        let Some(nonce) = proof.nonce.filter(|nonce| !nonce.is_empty()) else {
            return Err(refused(400, AuthCode::ReauthenticationNeeded, needed));
        };
        let wanted = &[Purpose::Reauthentication];
        match self.token_of_code(account.id, nonce, email, wanted, call).await {
            Ok(token) => Ok(Some(token.consumed())),
            Err(error) if error.is(AuthCode::OtpExpired) => {
                Err(self.not_shown(account, call).await)
            }
            Err(error) => Err(error),
        }
    }

    /// What was brought is wrong: the log says so, and so does what is answered.
    async fn not_shown(&self, account: &Account, call: &Call) -> AuthError {
        let (event, outcome) = (Event::Reauthenticated, Outcome::Refused);
        self.tell(self.entry(event, outcome, Some(account.id), call), call).await;
        refused(422, AuthCode::ReauthenticationNotValid, "Nonce has expired or is invalid")
    }
}
