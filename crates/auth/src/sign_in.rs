//! Signing in with a password.
//!
//! Whether an address is somebody's is told by nothing: an unknown one costs a hash like a
//! known one's, is looked up in as many steps, and is refused in the same words. What else
//! is wrong with an account is told to whoever has its password.
//!
//! A password is looked at for some time, and may be changed meanwhile. So the write that
//! opens a session asks for the hash that was right to be still the account's.

use mainstay_core::removal::removed;
use uuid::Uuid;

use crate::{
    Identity, Issued,
    account::{Account, USERS, gone},
    attempts::{Held, network},
    audit::{Event, Outcome},
    call::Call,
    email::parse_email,
    passwords::Outcome as Verdict,
    refusal::{AuthCode, AuthError, AuthResult, refused},
    rows::{Change, Query, is},
    session::{FIELDS, Method, SESSIONS, Session},
};

const PASSWORDS: &str = "mainstay_passwords";

/// A password that was right.
pub(crate) struct RightPassword {
    user: Uuid,
    /// What is stored of it.
    hash: String,
    /// The same as it would be made now, where that is another.
    anew: Option<String>,
}

impl RightPassword {
    /// The change that takes all beside it back where the password is another by now.
    pub(crate) fn still_is(&self) -> Change {
        self.stored_as(&self.hash)
    }

    /// The same, by which it is stored as passwords are hashed now.
    pub(crate) fn still_is_and_up_to_date(&self) -> Change {
        self.stored_as(self.anew.as_ref().unwrap_or(&self.hash))
    }

    fn stored_as(&self, hash: &str) -> Change {
        if removed("stale-password") {
            let hash = [("hash", hash.to_owned().into())];
            return Change::update(PASSWORDS, vec![is("user", self.user)], hash);
        }
        let as_read = vec![is("user", self.user), is("hash", self.hash.clone())];
        Change::update(PASSWORDS, as_read, [("hash", hash.to_owned().into())]).or_nothing()
    }
}

impl Identity {
    /// Opens a session for an address and its password.
    ///
    /// # Errors
    /// `invalid_credentials`, `email_not_confirmed`, `user_banned`,
    /// `over_request_rate_limit`; where the store cannot be asked.
    pub async fn sign_in(&self, email: &str, password: &str, call: &Call) -> AuthResult<Issued> {
        let (account, password) = self.by_password(email, password, call).await?;
        let (session, open) = self.new_session(account.id, Method::Password, call);
        let told = self.entry(Event::SignedIn, Outcome::Done, Some(account.id), call);
        let mut changes =
            vec![password.still_is_and_up_to_date(), self.signed_in(account.id, call), told];
        changes.extend(self.room_for_session(account.id, call).await?);
        changes.push(open);
        self.write_sign_in(account.id, changes, call).await?;
        let account = self.account(account.id, call).await?.ok_or_else(gone)?;
        self.issue(account, &session, call)
    }

    /// The account of an address, where the password is its own and it may be signed in to.
    pub(crate) async fn by_password(
        &self,
        email: &str,
        password: &str,
        call: &Call,
    ) -> AuthResult<(Account, RightPassword)> {
        // What is no address is nobody's, and is refused like one that is.
        let named = parse_email(email);
        let account = match &named {
            Ok(email) => self.account_named(email, call).await?,
            Err(_) => None,
        };
        let known = account.as_ref().map(|account| account.id);
        let user = known.unwrap_or_else(Uuid::now_v7);
        let name = named.as_deref().unwrap_or(email);
        let tried = self.try_password(name, user, password, call).await?;
        let Some((account, right)) = account.zip(tried) else {
            let entry = self.entry(Event::SignedIn, Outcome::Refused, known, call);
            self.tell(entry, call).await;
            return Err(wrong_credentials());
        };
        if let Err(error) = self.check_open(&account, call) {
            let entry = self.entry(Event::SignedIn, Outcome::Refused, known, call);
            self.tell(entry, call).await;
            return Err(error);
        }
        Ok((account, right))
    }

    /// Writes what opens a session, where the password that was right still is.
    pub(crate) async fn write_sign_in(
        &self,
        user: Uuid,
        changes: Vec<Change>,
        call: &Call,
    ) -> AuthResult<()> {
        match self.rows.write(changes, &call.cx, call.now).await.map_err(AuthError::from) {
            Err(error) if error.is_overtaken() => {
                let entry = self.entry(Event::SignedIn, Outcome::Refused, Some(user), call);
                self.tell(entry, call).await;
                Err(wrong_credentials())
            }
            written => written.map(drop),
        }
    }

    /// Looks at a password of an account with this name, if it may be tried now; none where
    /// it is wrong.
    ///
    /// # Errors
    /// `over_request_rate_limit`; where the store cannot be asked, or too many wait.
    pub(crate) async fn try_password(
        &self,
        name: &str,
        user: Uuid,
        password: &str,
        call: &Call,
    ) -> AuthResult<Option<RightPassword>> {
        self.begin_password(name, user, call).await?;
        let tried = self.right_password(user, password, call).await;
        match &tried {
            Ok(Some(_)) => self.attempts.password_was_right(name, call),
            Ok(None) => {}
            Err(_) => self.attempts.forget_password(name, call),
        }
        tried
    }

    /// Counts a password before it is looked at. Whoever has a session that was opened from
    /// the same network is no stranger to the account, on whichever node that was.
    async fn begin_password(&self, name: &str, user: Uuid, call: &Call) -> AuthResult<()> {
        let Err(held) = self.attempts.begin_password(name, call) else { return Ok(()) };
        self.let_through(held, name, user, call).await?;
        self.attempts.begin_password(name, call).map_err(Held::into_error)
    }

    /// Counts a mail to an address before it is written. Whoever has a session of its account
    /// that was opened from the same network has what others ask for not counted against them.
    pub(crate) async fn count_mail(&self, email: &str, call: &Call) -> AuthResult<()> {
        let every_s = self.settings.mail_every_s;
        let Err(held) = self.attempts.mail(email, every_s, call) else { return Ok(()) };
        if held.is_here() {
            // Before anything is read: neither the work nor its time is theirs to ask for.
            return Err(held.into_error());
        }
        let account = self.account_named(email, call).await?;
        let user = account.map_or_else(Uuid::now_v7, |account| account.id);
        self.let_through(held, email, user, call).await?;
        self.attempts.mail(email, every_s, call).map_err(Held::into_error)
    }

    /// Takes whoever is held as a stranger for none, where they are none.
    ///
    /// # Errors
    /// Why they are held, otherwise; where the store cannot be asked.
    async fn let_through(&self, held: Held, name: &str, user: Uuid, call: &Call) -> AuthResult<()> {
        if held.is_here() || !self.has_session_from(user, call).await? {
            return Err(held.into_error());
        }
        self.attempts.is_no_stranger(name, call);
        Ok(())
    }

    /// Whether a user has a session that was opened from where this call comes.
    async fn has_session_from(&self, user: Uuid, call: &Call) -> AuthResult<bool> {
        let filters = vec![is("user", user)];
        let query = Query { model: SESSIONS, fields: FIELDS, filters, ..Query::default() };
        let rows = self.rows.find(query, &call.cx, call.now).await?;
        let here = network(&call.address);
        let is_here = |session: Session| {
            let is_over = session.is_over(self.settings.session_idle_s, call.now);
            !is_over && session.address.is_some_and(|address| network(&address) == here)
        };
        Ok(rows.iter().map(Session::of).any(is_here))
    }

    async fn right_password(
        &self,
        user: Uuid,
        password: &str,
        call: &Call,
    ) -> AuthResult<Option<RightPassword>> {
        let stored = self.password_of(user, call).await?;
        let verdict = self.passwords.verify(password.to_owned(), stored.clone()).await?;
        let Some(hash) = stored.filter(|_| verdict != Verdict::Wrong) else { return Ok(None) };
        let anew = match verdict {
            Verdict::RightButOutdated => self.hash_anew(password).await,
            _ => None,
        };
        Ok(Some(RightPassword { user, hash, anew }))
    }

    /// A password as they are hashed now. That it could not be is no reason to refuse
    /// whoever has it.
    async fn hash_anew(&self, password: &str) -> Option<String> {
        let hashed = self.passwords.hash(password.to_owned()).await;
        hashed
            .inspect_err(|error| tracing::warn!(%error, "a password could not be hashed anew"))
            .ok()
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

    /// The changes that give an account another password, whichever it has.
    pub(crate) fn new_password(user: Uuid, hash: String) -> Vec<Change> {
        let row = [("user", user.into()), ("hash", hash.into())];
        vec![Change::delete(PASSWORDS, vec![is("user", user)]), Change::insert(PASSWORDS, row)]
    }

    /// The same, as one change, where it still has the one that was read, or none where there
    /// was none.
    pub(crate) fn other_password(user: Uuid, stored: Option<String>, hash: String) -> Change {
        match stored {
            Some(stored) => {
                let as_read = vec![is("user", user), is("hash", stored)];
                Change::update(PASSWORDS, as_read, [("hash", hash.into())]).or_nothing()
            }
            None => {
                let row = [("user", user.into()), ("hash", hash.into())];
                Change::insert(PASSWORDS, row)
            }
        }
    }
}

fn wrong_credentials() -> AuthError {
    refused(400, AuthCode::InvalidCredentials, "Invalid login credentials")
}
