//! What all of identity works with, put together once.

use std::sync::Arc;

use arc_swap::ArcSwap;
use mainstay_core::{Error, Roles, Timestamp};
use mainstay_mail::{AccountChange, MailKind, NewMail, Templates, Variables, Waker, enqueue};
use uuid::Uuid;

use crate::{
    CookieValues, Keyring, OneTimeCodes, RefreshTokens, SealedSecrets, TokenSettings, Verifier,
    account::Account,
    attempts::{AttemptLimits, Attempts, Counted, TooMany},
    audit::{Event, Outcome},
    call::Call,
    passwords::{PasswordParams, PasswordPool},
    recovery_codes::RecoveryCodes,
    redirect::RedirectTargets,
    refusal::{AuthError, AuthResult},
    rows::{Change, Rows},
    session::standing::Standings,
};

/// How accounts and sessions are kept. Durations are seconds.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// Who issues tokens, and for whom.
    pub tokens: TokenSettings,
    /// The app's name, for mails and second factors.
    pub app_name: String,
    /// Where this server is reached: what links begin with.
    pub api_url: String,
    /// Where the app's pages are, where links lead that name nothing else, and where else
    /// they may.
    pub redirects: RedirectTargets,
    /// Whether anybody may sign up.
    pub sign_up: bool,
    /// Whether anybody may sign in as nobody.
    pub anonymous: bool,
    /// Whether second factors by an app are offered.
    pub totp: bool,
    /// Whether an address must be confirmed before its user signs in.
    pub confirm_email: bool,
    /// How long an access token holds.
    pub access_token_s: u32,
    /// How long a session lives that nobody uses.
    pub session_idle_s: u32,
    /// How long a session lives.
    pub session_max_s: u32,
    /// How long after a session was opened its user need not show again who they are.
    pub reauthenticate_s: u32,
    /// How long the refresh token before the current one is taken.
    pub reuse_s: u32,
    /// How long a code or a link that was mailed is good.
    pub otp_s: u32,
    /// How long the next mail to the same address has to wait.
    pub mail_every_s: u32,
    /// How long the standing of a session is remembered: within it, another node's change
    /// counts.
    pub session_check_s: u32,
    /// Whether a token that names no session is taken: under `dev`.
    pub takes_tokens_without_session: bool,
    /// What passwords are hashed with.
    pub passwords: PasswordParams,
    /// How many of them at once.
    pub password_threads: usize,
    /// How often may be tried.
    pub attempts: AttemptLimits,
}

impl IdentitySettings {
    /// The settings of an app that says nothing of them: its address is confirmed before
    /// somebody signs in, and every token names a session.
    #[must_use]
    pub fn new(tokens: TokenSettings, api_url: &str, redirects: RedirectTargets) -> Self {
        Self {
            app_name: tokens.issuer.clone(),
            tokens,
            api_url: api_url.to_owned(),
            redirects,
            sign_up: true,
            anonymous: true,
            totp: true,
            confirm_email: true,
            access_token_s: 3_600,
            session_idle_s: 1_209_600,
            session_max_s: 7_776_000,
            reauthenticate_s: 86_400,
            reuse_s: 10,
            otp_s: 3_600,
            mail_every_s: 60,
            session_check_s: 5,
            takes_tokens_without_session: false,
            passwords: PasswordParams::default(),
            password_threads: 2,
            attempts: AttemptLimits::default(),
        }
    }
}

/// Accounts, sessions and what belongs to them.
pub struct Identity {
    pub(crate) rows: Arc<Rows>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) settings: IdentitySettings,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) codes: OneTimeCodes,
    pub(crate) recovery_codes: RecoveryCodes,
    pub(crate) secrets: SealedSecrets,
    pub(crate) passwords: PasswordPool,
    pub(crate) standing: Standings,
    pub(crate) attempts: Attempts,
    pub(crate) mails: Outgoing,
    cookies: CookieValues,
    /// The roles that the app declares.
    pub(crate) roles: ArcSwap<Roles>,
}

/// How mails leave.
pub struct Outgoing {
    /// What they say.
    pub templates: Arc<Templates>,
    /// Wakes whoever sends them.
    pub waker: Option<Waker>,
}

impl Outgoing {
    /// The change that puts a mail on its way.
    pub(crate) fn write(
        &self,
        rows: &Rows,
        kind: MailKind,
        to: &str,
        variables: &Variables<'_>,
        call: &Call,
    ) -> AuthResult<Change> {
        let content = self.templates.render(kind, variables).map_err(Error::internal)?;
        let mail = NewMail { kind, to, content: &content };
        let plan = enqueue(&rows.planner(), &mail, call.now, Uuid::now_v7())?;
        Ok(Change::Planned(Box::new(plan)))
    }

    /// A mail was put on its way.
    pub(crate) fn sent(&self) {
        if let Some(waker) = &self.waker {
            waker.wake();
        }
    }
}

impl Identity {
    /// All of it, over these rows.
    #[must_use]
    pub fn new(
        rows: Arc<Rows>,
        keyring: Arc<Keyring>,
        verifier: Arc<Verifier>,
        settings: IdentitySettings,
        mails: Outgoing,
    ) -> Self {
        Self {
            rows,
            refresh_tokens: RefreshTokens::new(&keyring),
            codes: OneTimeCodes::new(&keyring),
            recovery_codes: RecoveryCodes::new(&keyring),
            secrets: SealedSecrets::new(&keyring),
            cookies: CookieValues::new(&keyring),
            keyring,
            verifier,
            passwords: PasswordPool::new(settings.passwords, settings.password_threads),
            standing: Standings::new(settings.session_check_s),
            attempts: Attempts::new(settings.attempts),
            settings,
            mails,
            roles: ArcSwap::default(),
        }
    }

    /// How accounts and sessions are kept.
    #[must_use]
    pub fn settings(&self) -> &IdentitySettings {
        &self.settings
    }

    /// The rows all of it is in.
    #[must_use]
    pub fn rows(&self) -> &Arc<Rows> {
        &self.rows
    }

    /// The change that tells a user by mail of a change to how they sign in; none where no
    /// mail leaves, or nobody has shown the address to be theirs.
    pub(crate) fn notice(
        &self,
        account: &Account,
        change: AccountChange,
        call: &Call,
    ) -> AuthResult<Option<Change>> {
        let shown = account.email.as_deref().filter(|_| account.email_confirmed_at.is_some());
        let Some(to) = shown.filter(|_| self.mails.waker.is_some()) else { return Ok(None) };
        let variables = Variables {
            app_name: &self.settings.app_name,
            site_url: self.settings.redirects.site_url(),
            email: to,
            new_email: account.new_email.as_deref().unwrap_or_default(),
            link: "",
            token: "",
            redirect_to: "",
            code: "",
            expires_minutes: 0,
            change: Some(change),
        };
        self.mails.write(&self.rows, MailKind::AccountChanged, to, &variables, call).map(Some)
    }

    /// Counts a request of an address, before anything is done for it.
    ///
    /// # Errors
    /// `over_request_rate_limit`, and when to come again.
    pub async fn count(&self, counted: Counted, call: &Call) -> AuthResult<()> {
        self.told(counted, self.attempts.request(counted, call), call).await
    }

    /// Counts a request of administration by its key.
    ///
    /// # Errors
    /// As of [`count`](Self::count).
    pub async fn count_admin(&self, key: &str, call: &Call) -> AuthResult<()> {
        self.told(Counted::Admin, self.attempts.request_with(key, call), call).await
    }

    /// What whoever asks for administration without its key is answered: why not, told in
    /// the audit log too, or that they ask too often.
    pub async fn no_admin(&self, why: AuthError, call: &Call) -> AuthError {
        if let Err(too_many) = self.count(Counted::Admin, call).await {
            return too_many;
        }
        self.tell(self.entry(Event::AdminRefused, Outcome::Refused, None, call), call).await;
        why
    }

    /// Has the audit log tell of the first request that was too many.
    async fn told(
        &self,
        counted: Counted,
        taken: Result<(), TooMany>,
        call: &Call,
    ) -> AuthResult<()> {
        let Err(too_many) = taken else { return Ok(()) };
        if too_many.is_first {
            let details = [("limit".to_owned(), counted.as_str().into())].into_iter().collect();
            let (event, outcome) = (Event::LimitReached, Outcome::Refused);
            self.tell(self.entry_with(event, outcome, None, details, call), call).await;
        }
        Err(too_many.error)
    }

    /// The public keys that hold at this time, as JSON: what others verify tokens with.
    #[must_use]
    pub fn jwks(&self, now: Timestamp) -> String {
        self.keyring.jwks_at(now)
    }

    /// What signs and seals what an app keeps in its visitors' browsers.
    #[must_use]
    pub fn cookie_values(&self) -> &CookieValues {
        &self.cookies
    }

    /// What verifies tokens.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }
}
