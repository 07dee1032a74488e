//! A link that is handed over instead of being mailed.
//!
//! It is what a mail would hold, for an app that writes its own mails or a person at a
//! counter; whoever has it can sign in, so it is shown to the service key alone and is told
//! of in the audit log.

use serde_json::{Map, Value as Json};

use super::{AccountChanges, email_exists, password::Empty};
use crate::{
    Identity,
    account::{
        Account, USERS, gone,
        new::{NewAccount, is_taken, lacking},
    },
    audit::{Event, Outcome},
    call::Call,
    email::parse_email,
    one_time::{NewToken, Purpose},
    refusal::{AuthCode, AuthResult, invalid, refused},
    rows::{Change, is},
    update_user::merged,
};

/// Which link is wanted, and whose.
#[derive(Clone, Default)]
pub struct LinkRequest {
    /// `signup`, `invite`, `magiclink`, `recovery`, `email_change_current` or
    /// `email_change_new`.
    pub kind: String,
    /// The address of the account.
    pub email: String,
    /// The password of an account that signs up.
    pub password: Option<String>,
    /// The address it is to have.
    pub new_email: Option<String>,
    /// What a new account says of its user.
    pub data: Map<String, Json>,
    /// Where the link leads in the end.
    pub redirect_to: Option<String>,
}

/// A link, and what else it can be used by.
#[derive(Clone)]
pub struct MadeLink {
    /// Whose it is.
    pub account: Account,
    /// The link.
    pub action_link: String,
    /// The code that stands for the same.
    pub email_otp: String,
    /// The link's token, for `verifyOtp({ token_hash })`.
    pub hashed_token: String,
    /// What it does.
    pub verification_type: &'static str,
    /// Where it leads in the end.
    pub redirect_to: String,
}

/// How often a link is made anew that others overtake.
const TRIES_MAX: u32 = 3;

/// A link before it is written.
struct Draft {
    account: Account,
    verification_type: &'static str,
    token: NewToken,
    changes: Vec<Change>,
}

impl Identity {
    /// Makes a link, and the account where its kind makes one. Nothing is mailed.
    ///
    /// # Errors
    /// `validation_failed`, `weak_password`, `email_exists`, `user_not_found`; where the
    /// store cannot be asked.
    pub async fn make_link(&self, request: LinkRequest, call: &Call) -> AuthResult<MadeLink> {
        if request.email.is_empty() {
            return Err(invalid("An email address is required"));
        }
        let email = parse_email(&request.email)?;
        let mut tries = 1;
        loop {
            match self.try_making_link(&email, &request, call).await {
                // What it was made of is read anew: somebody may have confirmed the address.
                Err(error) if error.is_overtaken() && tries < TRIES_MAX => tries += 1,
                other => return other,
            }
        }
    }

    async fn try_making_link(
        &self,
        email: &str,
        request: &LinkRequest,
        call: &Call,
    ) -> AuthResult<MadeLink> {
        let known = self.account_named(email, call).await?;
        let not_found = || refused(404, AuthCode::UserNotFound, "User with this email not found");
        let draft = match (request.kind.as_str(), known) {
            ("signup", known) => self.sign_up_link(email, known, request, call).await?,
            ("invite", known) => {
                let (account, changes) = self.invited(email, known, request.data.clone(), call)?;
                self.confirmation_link(account, "invite", changes, call)
            }
            ("magiclink", None) => self.new_account_link(email, None, request, call),
            ("magiclink", Some(account)) => self.recovery_link(account, "magiclink", call),
            ("recovery", Some(account)) => self.recovery_link(account, "recovery", call),
            ("email_change_current", Some(account)) => {
                self.email_change_link(account, Purpose::EmailChangeCurrent, request, call).await?
            }
            ("email_change_new", Some(account)) => {
                self.email_change_link(account, Purpose::EmailChangeNew, request, call).await?
            }
            ("recovery" | "email_change_current" | "email_change_new", None) => {
                return Err(not_found());
            }
            (other, _) => {
                let message = format!("Invalid email action link type requested: {other}");
                return Err(invalid(message));
            }
        };
        self.write_link(draft, request.redirect_to.as_deref(), call).await
    }

    async fn write_link(
        &self,
        draft: Draft,
        redirect_to: Option<&str>,
        call: &Call,
    ) -> AuthResult<MadeLink> {
        let Draft { account, verification_type, token, mut changes } = draft;
        changes.extend(token.changes);
        let details = Map::from_iter([("type".to_owned(), verification_type.into())]);
        let (event, id) = (Event::LinkMade, account.id);
        changes.push(self.entry_with(event, Outcome::Done, Some(id), details, call));
        let written = self.rows.write(changes, &call.cx, call.now).await.map_err(lacking);
        self.standing.forget_user(id);
        match written {
            Err(error) if is_taken(&error) => return Err(email_exists()),
            other => other?,
        };
        let link_type = match verification_type {
            "email_change_current" | "email_change_new" => "email_change",
            other => other,
        };
        let redirect_to = self.redirect(redirect_to);
        Ok(MadeLink {
            account: self.account(id, call).await?.ok_or_else(gone)?,
            action_link: self.link(&token.link, link_type, &redirect_to),
            email_otp: token.code,
            hashed_token: token.link,
            verification_type,
            redirect_to,
        })
    }

    /// The link of a sign-up. Of an account that nobody has confirmed yet, the password is
    /// the one that is given here.
    async fn sign_up_link(
        &self,
        email: &str,
        known: Option<Account>,
        request: &LinkRequest,
        call: &Call,
    ) -> AuthResult<Draft> {
        if known.as_ref().is_some_and(|account| account.email_confirmed_at.is_some()) {
            return Err(email_exists());
        }
        let password = request.password.clone().filter(|password| !password.is_empty());
        if password.is_none() {
            return Err(invalid("Signup requires a valid password"));
        }
        let given = AccountChanges { password, ..AccountChanges::default() };
        let hash = self.given_hash(&given, Empty::Weak).await?;
        let Some(account) = known else {
            return Ok(self.new_account_link(email, hash, request, call));
        };
        let metadata = merged(account.user_metadata.clone(), &request.data);
        let values = [("user_metadata", Json::Object(metadata).into())];
        // Nor was it confirmed meanwhile, by somebody whose password it then is.
        let mut changes = vec![account.changed_to(values.into())];
        changes.extend(hash.map(|hash| Self::new_password(account.id, hash)).unwrap_or_default());
        Ok(self.confirmation_link(account, "signup", changes, call))
    }

    fn new_account_link(
        &self,
        email: &str,
        password_hash: Option<String>,
        request: &LinkRequest,
        call: &Call,
    ) -> Draft {
        let new = NewAccount {
            email: Some(email.to_owned()),
            password_hash,
            user_metadata: request.data.clone(),
            ..NewAccount::default()
        };
        let (id, mut changes) = self.new_account(new, call);
        changes.push(self.entry(Event::UserCreated, Outcome::Done, Some(id), call));
        self.confirmation_link(Account::addressed(id, email, call), "signup", changes, call)
    }

    fn confirmation_link(
        &self,
        account: Account,
        verification_type: &'static str,
        changes: Vec<Change>,
        call: &Call,
    ) -> Draft {
        let email = account.email.clone().unwrap_or_default();
        let token = self.new_token(account.id, Purpose::Confirmation, &email, None, call);
        Draft { account, verification_type, token, changes }
    }

    fn recovery_link(&self, account: Account, kind: &'static str, call: &Call) -> Draft {
        let email = account.email.clone().unwrap_or_default();
        let token = self.new_token(account.id, Purpose::Recovery, &email, None, call);
        Draft { account, verification_type: kind, token, changes: Vec::new() }
    }

    /// One of the two links that an address is changed by. The change waits for the other:
    /// where that was not made, one takes its place that nobody is shown.
    async fn email_change_link(
        &self,
        account: Account,
        purpose: Purpose,
        request: &LinkRequest,
        call: &Call,
    ) -> AuthResult<Draft> {
        let new = parse_email(request.new_email.as_deref().unwrap_or_default())?;
        if self.account_named(&new, call).await?.is_some() {
            return Err(email_exists());
        }
        let current = account.email.clone().unwrap_or_default();
        let (verification_type, other, to, other_to) = match purpose {
            Purpose::EmailChangeNew => {
                ("email_change_new", Purpose::EmailChangeCurrent, &new, &current)
            }
            _ => ("email_change_current", Purpose::EmailChangeNew, &current, &new),
        };
        let other_token = self.outstanding(account.id, other, call).await?;
        let is_begun = account.new_email.as_deref() == Some(&*new)
            && other_token.is_some_and(|token| token.has_good_link(call.now));
        let values =
            [("new_email", new.as_str().into()), ("email_change_sent_at", call.now.into())];
        let mut changes =
            vec![Change::update(USERS, vec![is("id", account.id)], values).or_nothing()];
        if !is_begun {
            changes.extend(self.new_token(account.id, other, other_to, None, call).changes);
        }
        let token = self.new_token(account.id, purpose, to, None, call);
        Ok(Draft { account, verification_type, token, changes })
    }
}
