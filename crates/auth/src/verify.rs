//! Redeeming a link or a code.
//!
//! The token is used up in the transaction that does what it stands for: of two who come
//! with it one is served, and a process that dies in between has done nothing.

use mainstay_core::removal::removed;
use mainstay_mail::AccountChange;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    Identity, Issued,
    account::{
        Account, gone,
        new::{identity_data, is_taken, new_identity},
        with_verified_email,
    },
    audit::{Event, Outcome},
    call::Call,
    email::parse_email,
    one_time::{OneTimeToken, Purpose, voided},
    refusal::{AuthCode, AuthError, AuthResult, invalid, refused},
    rows::{Cell, Change, is},
    session::{Method, SESSIONS},
    steps::in_steps,
};

/// How often a link or a code is tried that others overtake.
const TRIES_MAX: u32 = 10;

/// A link or a code, as it was opened or typed.
#[derive(Clone, Copy)]
pub enum Presented<'p> {
    /// The token of a link.
    Link(&'p str),
    /// A code, and the address it was sent to.
    Code {
        /// The address.
        email: &'p str,
        /// The digits.
        code: &'p str,
    },
}

/// What redeeming comes to.
pub enum Redeemed {
    /// A session.
    In(Box<Issued>),
    /// A code for the program that asked for the mail.
    Code(String),
    /// The first of two addresses has agreed.
    HalfWay,
}

/// How somebody comes with a link: it decides whether a flow's code or a session is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A browser that opened it.
    Opening,
    /// A program that posts it.
    Posting,
}

/// The purposes that a `type` can mean, the likeliest first.
fn purposes(kind: &str, presented: Presented<'_>) -> AuthResult<&'static [Purpose]> {
    use Purpose::{Confirmation, EmailChangeCurrent, EmailChangeNew, Recovery};
    match (kind, presented) {
        ("signup", _) => Ok(&[Confirmation, Recovery]),
        ("invite", _) => Ok(&[Confirmation]),
        ("recovery" | "magiclink", _) => Ok(&[Recovery]),
        ("email", _) => Ok(&[Confirmation, Recovery]),
        ("email_change", _) => Ok(&[EmailChangeNew, EmailChangeCurrent]),
        (_, Presented::Link(_)) => Err(invalid("Invalid email verification type")),
        (_, Presented::Code { .. }) => Err(expired_code()),
    }
}

impl Identity {
    /// The address a link was sent to, where it is good; it stays so.
    ///
    /// # Errors
    /// `otp_expired`, `validation_failed`; where the store cannot be asked.
    pub async fn link_sent_to(&self, kind: &str, link: &str, call: &Call) -> AuthResult<String> {
        let purposes = purposes(kind, Presented::Link(link))?;
        Ok(self.token_of_link(link, purposes, call).await?.sent_to)
    }

    /// Does what a link or a code stands for.
    ///
    /// # Errors
    /// `otp_expired`, `user_banned`, `validation_failed`, `email_exists`; where the store
    /// cannot be asked.
    pub async fn redeem(
        &self,
        kind: &str,
        presented: Presented<'_>,
        by: By,
        call: &Call,
    ) -> AuthResult<Redeemed> {
        let mut user = None;
        let redeemed = self.redeem_for(kind, presented, by, &mut user, call).await;
        if let Err(AuthError::Refused(_)) = &redeemed {
            self.tell(self.entry(Event::Verified, Outcome::Refused, user, call), call).await;
        }
        redeemed
    }

    /// The same, which says whose link or code it is once that is known.
    async fn redeem_for(
        &self,
        kind: &str,
        presented: Presented<'_>,
        by: By,
        user: &mut Option<Uuid>,
        call: &Call,
    ) -> AuthResult<Redeemed> {
        let purposes = purposes(kind, presented)?;
        let token = match presented {
            Presented::Link(link) => self.token_of_link(link, purposes, call).await?,
            Presented::Code { email, code } => {
                let email = parse_email(email).map_err(|_| {
                    refused(422, AuthCode::ValidationFailed, "Invalid email format")
                })?;
                // An account that waits for a code has one to count the attempt at.
                in_steps(async {
                    let owner = self.owner_of(&email, kind, call).await?;
                    self.token_of_code(owner, code, &email, purposes, call).await
                })
                .await?
            }
        };
        *user = Some(token.user);
        for _ in 0..TRIES_MAX {
            match self.try_redeeming(&token, by, call).await {
                Err(error) if error.is_overtaken() => {}
                other => return other,
            }
        }
        Err(expired_code())
    }

    /// Does what a token stands for, where what was read of its account is so still.
    async fn try_redeeming(
        &self,
        token: &OneTimeToken,
        by: By,
        call: &Call,
    ) -> AuthResult<Redeemed> {
        let account = self.account(token.user, call).await?.ok_or_else(expired_code)?;
        if account.is_shut(call.now) && !removed("ban") {
            return Err(refused(403, AuthCode::UserBanned, "User is banned"));
        }
        match token.purpose {
            Purpose::EmailChangeCurrent | Purpose::EmailChangeNew => {
                self.change_email(token, account, by, call).await
            }
            _ => self.confirm(token, account, by, call).await,
        }
    }

    /// Whose code may have been sent to an address. Of a change of address it may be that
    /// of the one who wants it.
    async fn owner_of(&self, email: &str, kind: &str, call: &Call) -> AuthResult<Uuid> {
        if let Some(account) = self.account_named(email, call).await? {
            return Ok(account.id);
        }
        if kind == "email_change"
            && let Some(account) = self.account_wanting(email, call).await?
        {
            return Ok(account.id);
        }
        Ok(Uuid::now_v7())
    }

    /// Confirms an address and signs its user in.
    async fn confirm(
        &self,
        token: &OneTimeToken,
        account: Account,
        by: By,
        call: &Call,
    ) -> AuthResult<Redeemed> {
        let email = account.email.clone().unwrap_or_default();
        let mut values: Vec<(&'static str, Cell)> = Vec::new();
        if account.email_confirmed_at.is_none() {
            values.push(("email_confirmed_at", call.now.into()));
            let metadata = with_verified_email(account.user_metadata.clone());
            values.push(("user_metadata", Json::Object(metadata).into()));
        }
        let mut changes = vec![token.consumed(), voided(account.id)];
        if account.email_confirmed_at.is_none() && token.purpose == Purpose::Recovery {
            // Whoever signed up never showed the address to be theirs, and did not ask for
            // this mail: their password would be a stranger's.
            changes.extend(Self::unshown_credentials_gone(account.id));
        }
        changes.extend(self.verified_identity(&account, &email));
        self.end_redeeming(token, account, values, changes, by, call).await
    }

    /// Takes one of the two steps to another address, or both.
    async fn change_email(
        &self,
        token: &OneTimeToken,
        account: Account,
        by: By,
        call: &Call,
    ) -> AuthResult<Redeemed> {
        let Some(new) = account.new_email.clone() else { return Err(expired_code()) };
        if token.purpose == Purpose::EmailChangeNew && token.sent_to != new {
            return Err(expired_code());
        }
        if self.waits_for_another(token, call).await? {
            let told = self.entry(Event::Verified, Outcome::Done, Some(account.id), call);
            // Of two that agree at once, the one that is written last completes it.
            let changes = vec![account.still_is(), token.consumed(), told];
            self.rows.write(changes, &call.cx, call.now).await?;
            return Ok(Redeemed::HalfWay);
        }
        let mut values: Vec<(&'static str, Cell)> = vec![
            ("email", new.clone().into()),
            ("new_email", Cell::Absent),
            ("is_anonymous", false.into()),
            ("email_confirmed_at", account.email_confirmed_at.unwrap_or(call.now).into()),
        ];
        let mut metadata = account.app_metadata.clone();
        metadata.entry("provider").or_insert_with(|| "email".into());
        metadata.entry("providers").or_insert_with(|| Json::from(vec!["email"]));
        values.push(("app_metadata", Json::Object(metadata).into()));
        let told = self.entry(Event::EmailChanged, Outcome::Done, Some(account.id), call);
        let mut changes = vec![token.consumed(), voided(account.id), told];
        changes.extend(self.notice(&account, AccountChange::Email, call)?);
        changes.extend(self.verified_identity(&account, &new));
        self.end_redeeming(token, account, values, changes, by, call).await
    }

    /// The changes after which nobody signs in to an account with what was set before its
    /// address was shown to be its user's.
    pub(crate) fn unshown_credentials_gone(user: Uuid) -> Vec<Change> {
        if removed("unshown-credentials") {
            return Vec::new();
        }
        let of_user = || vec![is("user", user)];
        vec![Change::delete("mainstay_passwords", of_user()), Change::delete(SESSIONS, of_user())]
    }

    /// Whether the other of two addresses has still to agree. One whose token is too old, or
    /// void by wrong codes, has not agreed.
    async fn waits_for_another(&self, token: &OneTimeToken, call: &Call) -> AuthResult<bool> {
        let other = match token.purpose {
            Purpose::EmailChangeCurrent => Purpose::EmailChangeNew,
            _ => Purpose::EmailChangeCurrent,
        };
        Ok(self.outstanding(token.user, other, call).await?.is_some())
    }

    /// The change by which an address counts as shown to be its user's.
    fn verified_identity(&self, account: &Account, email: &str) -> Option<Change> {
        let data = identity_data(account.id, email, true);
        let known = account.identities.iter().find(|identity| identity.provider == "email");
        match known {
            Some(identity) if Json::Object(identity.identity_data.clone()) == data => None,
            Some(identity) => {
                let values = [("identity_data", data.into())];
                Some(Change::update("mainstay_identities", vec![is("id", identity.id)], values))
            }
            None => Some(new_identity(account.id, email, true)),
        }
    }

    /// Writes all of it, with a session or a flow's code.
    async fn end_redeeming(
        &self,
        token: &OneTimeToken,
        account: Account,
        mut values: Vec<(&'static str, Cell)>,
        mut changes: Vec<Change>,
        by: By,
        call: &Call,
    ) -> AuthResult<Redeemed> {
        let id = account.id;
        changes.push(self.entry(Event::Verified, Outcome::Done, Some(id), call));
        let flow = token.flow.filter(|_| by == By::Opening);
        let (code, session) = match flow {
            Some(flow) => {
                let (code, give) = self.flow_code(flow, call);
                changes.push(give);
                (Some(code), None)
            }
            None => {
                let (session, open) = self.new_session(id, Method::Otp, call);
                values.push(("last_sign_in_at", call.now.into()));
                changes.extend(self.room_for_session(id, call).await?);
                changes.push(open);
                (None, Some(session))
            }
        };
        // As it was read: what is written anew of its metadata must not take back a role
        // that was given or taken in between.
        changes.push(match values.is_empty() {
            true => account.still_is(),
            false => account.changed_to(values),
        });
        let written = self.rows.write(changes, &call.cx, call.now).await.map_err(AuthError::from);
        match written {
            Err(error) if is_taken(&error) => {
                let message = "A user with this email address has already been registered";
                return Err(refused(422, AuthCode::EmailExists, message));
            }
            other => other?,
        };
        self.standing.forget_user(id);
        self.mails.sent();
        if let Some(code) = code {
            return Ok(Redeemed::Code(code));
        }
        let session = session.expect("BUG: without a code there is a session");
        let account = self.account(id, call).await?.ok_or_else(gone)?;
        Ok(Redeemed::In(Box::new(self.issue(account, &session, call)?)))
    }
}

fn expired_code() -> AuthError {
    refused(403, AuthCode::OtpExpired, "Token has expired or is invalid")
}
