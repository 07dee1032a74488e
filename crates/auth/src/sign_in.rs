//! Signing in with a password.
//!
//! Whether an address is somebody's is told by nothing: an unknown one costs a hash like a
//! known one's, is looked up in as many steps, and is refused in the same words. What else
//! is wrong with an account is told to whoever has its password.

use mainstay_core::removal::removed;
use uuid::Uuid;

use crate::{
    Identity, Issued,
    account::{Account, USERS},
    audit::{Event, Outcome},
    call::Call,
    passwords::Outcome as Password,
    refusal::{AuthCode, AuthError, AuthResult, refused},
    rows::{Change, Query, is},
    session::Method,
    sign_up::gone,
};

const PASSWORDS: &str = "mainstay_passwords";

impl Identity {
    /// Opens a session for an address and its password.
    ///
    /// # Errors
    /// `invalid_credentials`, `email_not_confirmed`, `user_banned`,
    /// `over_request_rate_limit`; where the store cannot be asked.
    pub async fn sign_in(&self, email: &str, password: &str, call: &Call) -> AuthResult<Issued> {
        let account = self.by_password(email, password, call).await?;
        let (session, open) = self.new_session(account.id, Method::Password, call);
        self.opened(account.id, open, call).await?;
        let account = self.account(account.id, call).await?.ok_or_else(gone)?;
        self.issue(account, &session, call)
    }

    /// The account of an address, where the password is its own and it may be signed in to.
    pub(crate) async fn by_password(
        &self,
        email: &str,
        password: &str,
        call: &Call,
    ) -> AuthResult<Account> {
        let email = email.to_lowercase();
        self.attempts.password(&email, call)?;
        let account = self.account_named(&email, call).await?;
        let id = account.as_ref().map_or_else(Uuid::now_v7, |account| account.id);
        let hash = self.password_of(id, call).await?;
        let verdict = self.passwords.verify(password.to_owned(), hash.clone()).await?;
        let is_right = verdict != Password::Wrong;
        let Some(account) = account.filter(|_| is_right) else {
            self.attempts.failed(&email, call);
            let user = hash.is_some().then_some(id);
            let entry = self.entry(Event::SignedIn, Outcome::Refused, user, call);
            self.tell(entry, call).await;
            let message = "Invalid login credentials";
            return Err(refused(400, AuthCode::InvalidCredentials, message));
        };
        self.attempts.succeeded(&email, call);
        self.check_open(&account, call)?;
        if verdict == Password::RightButOutdated {
            self.rehash(account.id, password, call).await;
        }
        Ok(account)
    }

    /// Whether an account may be signed in to.
    pub(crate) fn check_open(&self, account: &Account, call: &Call) -> AuthResult<()> {
        if account.is_shut(call.now) && !removed("ban") {
            return Err(refused(400, AuthCode::UserBanned, "User is banned"));
        }
        let waits = self.settings.confirm_email && account.email_confirmed_at.is_none();
        if waits && !account.is_anonymous {
            return Err(refused(400, AuthCode::EmailNotConfirmed, "Email not confirmed"));
        }
        Ok(())
    }

    /// Writes a session that was opened, and what is told of it.
    pub(crate) async fn opened(&self, user: Uuid, open: Change, call: &Call) -> AuthResult<()> {
        let told = self.entry(Event::SignedIn, Outcome::Done, Some(user), call);
        let changes = vec![open, self.signed_in(user, call), told];
        self.rows.write(changes, &call.cx, call.now).await?;
        Ok(())
    }

    /// The change that notes a sign-in.
    pub(crate) fn signed_in(&self, user: Uuid, call: &Call) -> Change {
        let now = [("last_sign_in_at", call.now.into())];
        Change::update(USERS, vec![is("id", user)], now).or_nothing()
    }

    /// The hash of an account's password, if it has one.
    pub(crate) async fn password_of(&self, user: Uuid, call: &Call) -> AuthResult<Option<String>> {
        let filters = vec![is("user", user)];
        let query = Query { model: PASSWORDS, fields: &["hash"], filters, ..Query::default() };
        let row = self.rows.one(query, &call.cx, call.now).await?;
        Ok(row.and_then(|row| row.text("hash")))
    }

    /// The changes that give an account another password.
    pub(crate) fn new_password(user: Uuid, hash: String) -> Vec<Change> {
        let row = [("user", user.into()), ("hash", hash.into())];
        vec![Change::delete(PASSWORDS, vec![is("user", user)]), Change::insert(PASSWORDS, row)]
    }

    /// Hashes a password as they are hashed now. That it could not be is no reason to
    /// refuse whoever has it.
    async fn rehash(&self, user: Uuid, password: &str, call: &Call) {
        let rehashed = async {
            let hash = self.passwords.hash(password.to_owned()).await?;
            let values = [("hash", hash.into())];
            let change = Change::update(PASSWORDS, vec![is("user", user)], values);
            self.rows.write(vec![change], &call.cx, call.now).await?;
            Ok::<_, AuthError>(())
        };
        if let Err(error) = rehashed.await {
            tracing::warn!(?error, "a password could not be hashed anew");
        }
    }
}
