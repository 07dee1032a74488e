//! What users change of their own account.

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{
    Aal, Identity,
    account::{Account, USERS, check_user_metadata, gone, new::is_taken},
    audit::{Event, Outcome},
    call::Call,
    email::parse_email,
    flow::{Challenge, flows_ended},
    mailed::MailRequest,
    one_time::{Letter, Purpose, voided},
    passwords::{Outcome as Password, check_password},
    reauthentication::Proof,
    refusal::{AuthCode, AuthResult, refused, weak},
    rows::{Cell, Change, Query, is, is_not},
    session::{Method, SESSIONS, Session},
    site_path::SitePath,
};
use mainstay_core::{Code, Error, removal::removed};
use mainstay_mail::{AccountChange, MailKind};

/// How often a change that others overtake is begun anew.
const TRIES_MAX: u32 = 10;

/// That a mail was counted, however often what it belongs to is tried.
struct MailCounted;

/// What is to be changed; what is not said stays.
#[derive(Clone, Default)]
pub struct UserChanges {
    /// Another address, once it is confirmed.
    pub email: Option<String>,
    /// Another password.
    pub password: Option<String>,
    /// The code that was mailed to show once more who it is.
    pub nonce: Option<String>,
    /// The password so far, for the same.
    pub current_password: Option<String>,
    /// What the user says of themselves: names with null are forgotten.
    pub data: Option<Map<String, Json>>,
    /// The challenge of a flow with one.
    pub challenge: Option<Challenge>,
    /// Where links lead in the end.
    pub redirect_to: Option<String>,
    /// The page where whoever asks with a form ends, signed in with a cookie.
    pub next: Option<SitePath>,
}

impl Identity {
    /// Changes an account as its user asks, from one of their sessions.
    ///
    /// # Errors
    /// `insufficient_aal`, `weak_password`, `same_password`, `reauthentication_needed`,
    /// `reauthentication_not_valid`, `email_exists`, `over_email_send_rate_limit`,
    /// `validation_failed`; where the store cannot be asked.
    pub async fn update_user(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        asked: UserChanges,
        call: &Call,
    ) -> AuthResult<Account> {
        let email = asked.email.as_deref().filter(|email| !email.is_empty());
        let email = email.map(parse_email).transpose()?;
        if let Some(password) = &asked.password {
            check_password(password).map_err(|refusal| weak(&refusal))?;
        }
        let asked = UserChanges { email, ..asked };
        let mut counted = None;
        for _ in 0..TRIES_MAX {
            match self.try_update(user, session, &asked, &mut counted, call).await {
                Err(error) if error.is_overtaken() || is_taken(&error) => {}
                other => return other,
            }
        }
        Err(Error::new(Code::Overtaken, "the account is being changed elsewhere: try again").into())
    }

    /// The same, once: what was read is asked to be so still by what is written.
    async fn try_update(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        asked: &UserChanges,
        counted: &mut Option<MailCounted>,
        call: &Call,
    ) -> AuthResult<Account> {
        let account = self.account(user, call).await?.ok_or_else(gone)?;
        let session = match session {
            Some(id) => Some(self.session_of_caller(id, user, call).await?),
            None => None,
        };
        let email = asked.email.as_deref().filter(|new| Some(*new) != account.email.as_deref());
        let mut changes: Vec<Change> =
            session.iter().map(|session| session.still_is(call)).collect();
        if asked.password.is_some() || email.is_some() {
            changes.extend(self.check_sensitive(&account, session.as_ref(), asked, call).await?);
        }
        if let Some(password) = &asked.password {
            let keep = session.as_ref().map(|session| session.id);
            changes.extend(
                self.password_changes(&account, password, email.is_some(), keep, call).await?,
            );
        }
        let mut values: Vec<(&'static str, Cell)> = Vec::new();
        if let Some(data) = &asked.data {
            let merged = merged(account.user_metadata.clone(), data);
            check_user_metadata(&merged)?;
            values.push(("user_metadata", Json::Object(merged).into()));
        }
        if let Some(email) = email {
            if counted.is_none() {
                self.count_mail(email, call).await?;
                *counted = Some(MailCounted);
            }
            changes.extend(self.email_changes(&account, email, asked, &mut values, call).await?);
        }
        // What was merged is written where the row is as it was read. Another password is not
        // kept waiting by those who sign in all the while: its own row says whether it holds.
        changes.push(match values.is_empty() {
            true => account.held(),
            false => account.changed_to(values),
        });
        changes.push(self.entry(Event::UserUpdated, Outcome::Done, Some(user), call));
        self.rows.write(changes, &call.cx, call.now).await?;
        self.standing.forget_user(user);
        self.mails.sent();
        self.account(user, call).await?.ok_or_else(gone)
    }

    /// Whether what somebody signs in with may be changed from a session; with what uses up
    /// the proof that they brought.
    async fn check_sensitive(
        &self,
        account: &Account,
        session: Option<&Session>,
        asked: &UserChanges,
        call: &Call,
    ) -> AuthResult<Option<Change>> {
        self.check_assurance(account, session)?;
        let is_recent = session.is_some_and(|session| self.is_recent(session, call));
        if account.is_anonymous || is_recent || removed("reauthentication") {
            return Ok(None);
        }
        let proof = Proof {
            nonce: asked.nonce.as_deref(),
            current_password: asked.current_password.as_deref(),
        };
        let needed = "Password update requires reauthentication";
        self.check_proof(account, proof, needed, call).await
    }

    /// Whoever has a second factor shows it before they change how they sign in.
    fn check_assurance(&self, account: &Account, session: Option<&Session>) -> AuthResult<()> {
        let is_two = session.is_some_and(|session| session.aal == Aal::Two);
        if account.has_second_factor() && !is_two && !removed("second-factor") {
            return Err(refused(
                401,
                AuthCode::InsufficientAal,
                "AAL2 session is required to update email or password when MFA is enabled.",
            ));
        }
        Ok(())
    }

    /// The changes that come with another password: other sessions end, and whatever was
    /// mailed before is good no more.
    async fn password_changes(
        &self,
        account: &Account,
        password: &str,
        has_new_email: bool,
        keep: Option<Uuid>,
        call: &Call,
    ) -> AuthResult<Vec<Change>> {
        if account.is_anonymous && account.email.is_none() && !has_new_email {
            return Err(refused(
                422,
                AuthCode::ValidationFailed,
                "Updating password of an anonymous user without an email or phone is not allowed",
            ));
        }
        let stored = self.password_of(account.id, call).await?;
        let is_same = match &stored {
            Some(hash) => {
                self.passwords.verify(password.to_owned(), Some(hash.clone())).await?
                    != Password::Wrong
            }
            None => false,
        };
        if is_same {
            let message = "New password should be different from the old password.";
            return Err(refused(422, AuthCode::SamePassword, message));
        }
        let hash = self.passwords.hash(password.to_owned()).await?;
        let mut changes = vec![Self::other_password(account.id, stored, hash)];
        let mut others = vec![is("user", account.id)];
        others.extend(keep.map(|session| is_not("id", session)));
        if !removed("password-change") {
            changes.push(Change::delete(SESSIONS, others));
        }
        changes.extend([voided(account.id), flows_ended(account.id)]);
        changes.extend(self.notice(account, AccountChange::Password, call)?);
        changes.push(self.entry(Event::PasswordChanged, Outcome::Done, Some(account.id), call));
        Ok(changes)
    }

    /// The changes that begin a change of address.
    async fn email_changes(
        &self,
        account: &Account,
        email: &str,
        asked: &UserChanges,
        values: &mut Vec<(&'static str, Cell)>,
        call: &Call,
    ) -> AuthResult<Vec<Change>> {
        if self.account_named(email, call).await?.is_some() {
            let message = "A user with this email address has already been registered";
            return Err(refused(422, AuthCode::EmailExists, message));
        }
        values.push(("new_email", email.into()));
        values.push(("email_change_sent_at", call.now.into()));
        let account = Account { new_email: Some(email.to_owned()), ..account.clone() };
        let request = MailRequest {
            challenge: asked.challenge.clone(),
            redirect_to: asked.redirect_to.clone(),
            next: asked.next.clone(),
            ..MailRequest::default()
        };
        self.email_change_letters(&account, &request, call)
    }

    /// The changes that mail to both addresses what each has to agree to.
    pub(crate) fn email_change_letters(
        &self,
        account: &Account,
        request: &MailRequest,
        call: &Call,
    ) -> AuthResult<Vec<Change>> {
        let challenge = request.challenge.as_ref();
        let (flow, mut changes) = self.begin_flow(account.id, challenge, Method::EmailChange, call);
        let new = account.new_email.clone().unwrap_or_default();
        let mut parts = vec![(MailKind::EmailChangeNew, Purpose::EmailChangeNew, new)];
        if let Some(current) = account.email.clone() {
            parts.push((MailKind::EmailChangeCurrent, Purpose::EmailChangeCurrent, current));
        }
        for (kind, purpose, to) in parts {
            let letter = Letter {
                kind,
                link_type: "email_change",
                purpose,
                to: &to,
                redirect_to: request.redirect_to.as_deref(),
                next: request.next.as_ref(),
                flow,
            };
            changes.extend(self.letter(account, letter, call)?);
        }
        Ok(changes)
    }

    /// The account that wants this address.
    pub(crate) async fn account_wanting(
        &self,
        email: &str,
        call: &Call,
    ) -> AuthResult<Option<Account>> {
        let query = Query {
            model: USERS,
            fields: crate::account::FIELDS,
            filters: vec![is("new_email", email)],
            order: vec![("email_change_sent_at", true)],
            ..Query::default()
        };
        Ok(self.rows.one(query, &call.cx, call.now).await?.as_ref().map(Account::of))
    }
}

/// An object with another's names set, and those with null taken out.
pub(crate) fn merged(mut known: Map<String, Json>, said: &Map<String, Json>) -> Map<String, Json> {
    for (name, value) in said {
        match value {
            Json::Null => drop(known.remove(name)),
            value => drop(known.insert(name.clone(), value.clone())),
        }
    }
    known
}
