//! New accounts.
//!
//! With confirmation an address that is taken is answered like one that is not, in status,
//! body and time: what is said of it is checked as if it were stored, a password is hashed or
//! verified, an account is shown as a new one would be, and the answer waits for its step.
//! Where Supabase Auth shows such an account without identities, which tells the two apart,
//! this one has one.

use mainstay_core::removal::removed;
use mainstay_mail::MailKind;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{
    Identity, Issued,
    account::{
        Account, USERS, check_user_metadata, gone,
        new::{NewAccount, is_taken, lacking},
    },
    audit::{Event, Outcome},
    call::Call,
    email::parse_email,
    flow::Challenge,
    one_time::{Letter, Purpose, voided_of},
    passwords::{Outcome as Verdict, check_password},
    refusal::{AuthCode, AuthError, AuthResult, invalid, refused, weak},
    rows::{Change, is, is_absent},
    session::Method,
    site_path::SitePath,
    steps::in_steps,
};

/// What somebody signs up with.
#[derive(Clone, Default)]
pub struct SignUpRequest {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: String,
    /// What they say of themselves; fields of the app's that an account must have come
    /// from it too.
    pub data: Map<String, Json>,
    /// The challenge of a flow with one.
    pub challenge: Option<Challenge>,
    /// Where the mail's link leads in the end.
    pub redirect_to: Option<String>,
    /// The page where whoever asks with a form ends, signed in with a cookie.
    pub next: Option<SitePath>,
}

/// What a sign-up comes to.
#[derive(Debug)]
pub enum SignedUp {
    /// The account is there and signed in.
    In(Box<Issued>),
    /// A mail was sent, unless the address is taken.
    Mailed(Box<Account>),
}

impl Identity {
    /// Makes an account of an address and a password.
    ///
    /// # Errors
    /// `signup_disabled`, `validation_failed`, `weak_password`, `user_already_exists` where
    /// no confirmation is asked for, `over_email_send_rate_limit`; where the store cannot
    /// be asked.
    pub async fn sign_up(&self, request: SignUpRequest, call: &Call) -> AuthResult<SignedUp> {
        self.check_sign_up()?;
        if request.password.is_empty() {
            return Err(invalid("Signup requires a valid password"));
        }
        check_password(&request.password).map_err(|refusal| weak(&refusal))?;
        let email = parse_email(&request.email)?;
        // Whatever is wrong with what somebody says of themselves is told before the address
        // is looked at, and so tells nothing of it; nor does it cost them the wait for a mail.
        self.check_new_account(&email, &request.data, call).await?;
        if self.settings.confirm_email {
            self.count_mail(&email, call).await?;
        }
        let (known, stored) = in_steps(self.known_by(&email, call)).await?;
        let Some(account) = known else {
            let hash = self.passwords.hash(request.password.clone()).await?;
            return in_steps(self.made(&email, hash, &request, call)).await;
        };
        // As much work for an address that is taken as for one that is not.
        let said_before = self.passwords.verify(request.password.clone(), stored).await?;
        in_steps(self.signed_up_again(account, said_before, &request, call)).await
    }

    /// The account of an address, and what is stored of its password.
    async fn known_by(
        &self,
        email: &str,
        call: &Call,
    ) -> AuthResult<(Option<Account>, Option<String>)> {
        let account = self.account_named(email, call).await?;
        let stored = match &account {
            Some(account) => self.password_of(account.id, call).await?,
            None => None,
        };
        Ok((account, stored))
    }

    /// Signs somebody in who says nothing of themselves.
    ///
    /// # Errors
    /// `anonymous_provider_disabled`, `signup_disabled`; where the store cannot be asked.
    pub async fn sign_up_anonymously(
        &self,
        data: Map<String, Json>,
        call: &Call,
    ) -> AuthResult<Issued> {
        if !self.settings.anonymous {
            let message = "Anonymous sign-ins are disabled";
            return Err(refused(422, AuthCode::AnonymousProviderDisabled, message));
        }
        self.check_sign_up()?;
        check_user_metadata(&data)?;
        let new = NewAccount { is_anonymous: true, user_metadata: data, ..NewAccount::default() };
        let (id, mut changes) = self.new_account(new, call);
        let (session, open) = self.new_session(id, Method::Anonymous, call);
        changes.push(open);
        changes.push(self.entry(Event::SignedUp, Outcome::Done, Some(id), call));
        self.rows.write(changes, &call.cx, call.now).await.map_err(lacking)?;
        let account = self.account(id, call).await?.ok_or_else(gone)?;
        self.issue(account, &session, call)
    }

    fn check_sign_up(&self) -> AuthResult<()> {
        match self.settings.sign_up {
            true => Ok(()),
            false => {
                Err(refused(422, AuthCode::SignupDisabled, "Signups not allowed for this instance"))
            }
        }
    }

    async fn made(
        &self,
        email: &str,
        hash: String,
        request: &SignUpRequest,
        call: &Call,
    ) -> AuthResult<SignedUp> {
        let waits = self.settings.confirm_email;
        let new = NewAccount {
            email: Some(email.to_owned()),
            password_hash: Some(hash),
            is_confirmed: !waits,
            user_metadata: request.data.clone(),
            fields: waits
                .then_some(("confirmation_sent_at", call.now.into()))
                .into_iter()
                .collect(),
            ..NewAccount::default()
        };
        let (id, mut changes) = self.new_account(new, call);
        changes.push(self.entry(Event::SignedUp, Outcome::Done, Some(id), call));
        if !waits {
            let (session, open) = self.new_session(id, Method::Password, call);
            changes.push(open);
            let written = self.rows.write(changes, &call.cx, call.now).await;
            if let Err(error) = written.map_err(lacking) {
                return self.taken_meanwhile(email, error, request, call).await;
            }
            let account = self.account(id, call).await?.ok_or_else(gone)?;
            return Ok(SignedUp::In(Box::new(self.issue(account, &session, call)?)));
        }
        let account = Account::addressed(id, email, call);
        changes.extend(self.confirmation(&account, Purpose::Confirmation, request, call)?);
        match self.rows.write(changes, &call.cx, call.now).await.map_err(lacking) {
            Ok(_) => {
                self.mails.sent();
                Ok(mailed(id, email, request, call))
            }
            Err(error) => self.taken_meanwhile(email, error, request, call).await,
        }
    }

    /// An account that could not be made: somebody else took the address in between, or
    /// something that is to be somebody's alone.
    async fn taken_meanwhile(
        &self,
        email: &str,
        error: AuthError,
        request: &SignUpRequest,
        call: &Call,
    ) -> AuthResult<SignedUp> {
        if !is_taken(&error) {
            return Err(error);
        }
        self.check_fields_of_the_app(&request.data, call).await?;
        match self.account_named(email, call).await? {
            // Whether with the same password is not asked: it is as if with another.
            Some(account) => self.signed_up_again(account, Verdict::Wrong, request, call).await,
            None => Err(already_registered()),
        }
    }

    /// A sign-up with an address that is taken; `said_before` is whether with the password
    /// that it was taken with.
    async fn signed_up_again(
        &self,
        account: Account,
        said_before: Verdict,
        request: &SignUpRequest,
        call: &Call,
    ) -> AuthResult<SignedUp> {
        if !self.settings.confirm_email || removed("enumeration") {
            return Err(already_registered());
        }
        let email = account.email.clone().unwrap_or_default();
        if account.email_confirmed_at.is_some() || account.is_shut(call.now) {
            return self.pretended(&email, request, call).await;
        }
        let mut changes = match said_before {
            // Two have chosen a password for an address that neither has shown to be theirs.
            // Whoever confirms it must not find the other's on their account: what is mailed
            // recovers it, and nothing else is good any more.
            Verdict::Wrong => {
                let mut changes = self.confirmation(&account, Purpose::Recovery, request, call)?;
                changes.push(voided_of(account.id, Purpose::Confirmation));
                changes
            }
            _ => self.confirmation(&account, Purpose::Confirmation, request, call)?,
        };
        let row = vec![is("id", account.id), is_absent("email_confirmed_at")];
        let sent = [("confirmation_sent_at", call.now.into())];
        changes.push(Change::update(USERS, row, sent).or_nothing());
        changes.push(self.entry(Event::SignedUpAgain, Outcome::Done, Some(account.id), call));
        match self.rows.write(changes, &call.cx, call.now).await.map_err(AuthError::from) {
            Ok(_) => {
                self.mails.sent();
                Ok(mailed(Uuid::now_v7(), &email, request, call))
            }
            // It was confirmed in between.
            Err(error) if error.is_overtaken() => self.pretended(&email, request, call).await,
            Err(error) => Err(error),
        }
    }

    /// Answers as if an account had been made.
    async fn pretended(
        &self,
        email: &str,
        request: &SignUpRequest,
        call: &Call,
    ) -> AuthResult<SignedUp> {
        let entry = self.entry(Event::SignedUpAgain, Outcome::Refused, None, call);
        self.rows.write(vec![entry], &call.cx, call.now).await?;
        Ok(mailed(Uuid::now_v7(), email, request, call))
    }

    /// The changes that put the mail on its way by which an address is confirmed, and its
    /// account recovered where that is its purpose.
    pub(crate) fn confirmation(
        &self,
        account: &Account,
        purpose: Purpose,
        request: &SignUpRequest,
        call: &Call,
    ) -> AuthResult<Vec<Change>> {
        let challenge = request.challenge.as_ref();
        let (flow, mut changes) = self.begin_flow(account.id, challenge, Method::SignUp, call);
        let email = account.email.clone().unwrap_or_default();
        let letter = Letter {
            kind: MailKind::Confirmation,
            link_type: "signup",
            purpose,
            to: &email,
            redirect_to: request.redirect_to.as_deref(),
            next: request.next.as_ref(),
            flow,
        };
        changes.extend(self.letter(account, letter, call)?);
        Ok(changes)
    }
}

/// What is answered to whoever is mailed: the same of an account that was made and of none.
fn mailed(id: Uuid, email: &str, request: &SignUpRequest, call: &Call) -> SignedUp {
    let mut account = Account::addressed(id, email, call);
    account.user_metadata = request.data.clone();
    SignedUp::Mailed(Box::new(account))
}

fn already_registered() -> AuthError {
    refused(422, AuthCode::UserAlreadyExists, "User already registered")
}
