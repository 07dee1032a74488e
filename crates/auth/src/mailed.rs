//! Asking for a mail: to sign in without a password, to set another one, to confirm.
//!
//! Every address is answered alike, and the next mail to it has to wait as long whether it
//! is somebody's or not. What is done for it is not alike, and is answered in steps of time.
//! So a program that asks for no account to be made is not told that there is none, as
//! Supabase Auth would tell it, and neither is whoever lacks what the app's accounts need.

use mainstay_mail::MailKind;
use serde_json::{Map, Value as Json};

use crate::{
    Identity,
    account::{
        Account, USERS,
        new::{NewAccount, is_taken, lacking},
    },
    audit::{Event, Outcome},
    call::Call,
    email::parse_email,
    flow::Challenge,
    one_time::{Letter, Purpose},
    refusal::{AuthCode, AuthError, AuthResult, invalid, refused},
    rows::{Change, is},
    session::Method,
    sign_up::SignUpRequest,
    site_path::SitePath,
    steps::in_steps,
};

/// Who is to be mailed, and where the mail's link leads.
#[derive(Clone, Debug, Default)]
pub struct MailRequest {
    /// The address.
    pub email: String,
    /// What a new account says of itself.
    pub data: Map<String, Json>,
    /// Whether an unknown address makes an account.
    pub creates: bool,
    /// The challenge of a flow with one.
    pub challenge: Option<Challenge>,
    /// Where the link leads in the end.
    pub redirect_to: Option<String>,
    /// The page where whoever asks with a form ends, signed in with a cookie.
    pub next: Option<SitePath>,
}

impl Identity {
    /// Mails a link and a code to sign in with.
    ///
    /// # Errors
    /// `validation_failed`, `over_email_send_rate_limit`; where the store cannot be asked.
    pub async fn mail_sign_in(&self, request: MailRequest, call: &Call) -> AuthResult<()> {
        let email = parse_email(&request.email)?;
        self.count_mail(&email, call).await?;
        in_steps(self.mail_sign_in_to(&email, request, call)).await
    }

    async fn mail_sign_in_to(
        &self,
        email: &str,
        request: MailRequest,
        call: &Call,
    ) -> AuthResult<()> {
        match self.account_named(email, call).await? {
            Some(account) if account.email_confirmed_at.is_some() => {
                let kind = (MailKind::MagicLink, "magiclink", Method::MagicLink);
                self.mail_link(&account, kind, &request, call).await
            }
            // Not what a sign-up confirms: whoever opens this mail may be another than whoever
            // chose the password.
            Some(account) => {
                let kind = (MailKind::Confirmation, "magiclink", Method::MagicLink);
                self.mail_link(&account, kind, &request, call).await
            }
            None if !request.creates || !self.settings.sign_up => self.mail_nobody(call).await,
            None => match self.check_new_account(email, &request.data, call).await {
                Ok(()) => self.mail_new(email, &request, call).await,
                // A known address is mailed whatever is said of it.
                Err(AuthError::Refused(refusal)) => {
                    tracing::debug!("nobody signs up by a link: {}", refusal.message);
                    self.mail_nobody(call).await
                }
                Err(error) => Err(error),
            },
        }
    }

    /// Mails a link to set another password with, where the address is somebody's.
    ///
    /// # Errors
    /// As of [`mail_sign_in`](Self::mail_sign_in).
    pub async fn mail_recovery(&self, request: MailRequest, call: &Call) -> AuthResult<()> {
        if request.email.is_empty() {
            return Err(invalid("Password recovery requires an email"));
        }
        let email = parse_email(&request.email)?;
        self.count_mail(&email, call).await?;
        in_steps(async {
            match self.account_named(&email, call).await? {
                Some(account) if !account.is_shut(call.now) => {
                    let kind = (MailKind::Recovery, "recovery", Method::Recovery);
                    self.mail_link(&account, kind, &request, call).await
                }
                _ => self.mail_nobody(call).await,
            }
        })
        .await
    }

    /// Mails anew what confirms a sign-up.
    ///
    /// # Errors
    /// As of [`mail_sign_in`](Self::mail_sign_in).
    pub async fn resend_sign_up(&self, request: MailRequest, call: &Call) -> AuthResult<()> {
        let email = parse_email(&request.email)?;
        self.count_mail(&email, call).await?;
        in_steps(async {
            match self.account_named(&email, call).await? {
                Some(account) if account.email_confirmed_at.is_none() => {
                    self.mail_confirmation(&account, &request, call).await
                }
                _ => self.mail_nobody(call).await,
            }
        })
        .await
    }

    /// Mails anew what confirms another address, to both.
    ///
    /// # Errors
    /// As of [`mail_sign_in`](Self::mail_sign_in).
    pub async fn resend_email_change(&self, request: MailRequest, call: &Call) -> AuthResult<()> {
        let email = parse_email(&request.email)?;
        self.count_mail(&email, call).await?;
        in_steps(async {
            match self.account_named(&email, call).await? {
                Some(account) if account.new_email.is_some() => {
                    let changes = self.email_change_letters(&account, &request, call)?;
                    self.send(&account, "email_change_sent_at", changes, call).await
                }
                _ => self.mail_nobody(call).await,
            }
        })
        .await
    }

    /// Mails a code by which a signed-in user shows once more that it is they.
    ///
    /// # Errors
    /// `validation_failed`, `email_not_confirmed`, `over_email_send_rate_limit`; where the
    /// store cannot be asked.
    pub async fn mail_reauthentication(&self, account: &Account, call: &Call) -> AuthResult<()> {
        let Some(email) = account.email.clone() else {
            return Err(invalid(
                "Reauthentication requires the user to have an email or a phone number",
            ));
        };
        if account.email_confirmed_at.is_none() {
            let message = "Please verify your email first.";
            return Err(refused(422, AuthCode::EmailNotConfirmed, message));
        }
        self.count_mail(&email, call).await?;
        let letter = Letter {
            kind: MailKind::Reauthentication,
            link_type: "reauthentication",
            purpose: Purpose::Reauthentication,
            to: &email,
            redirect_to: None,
            next: None,
            flow: None,
        };
        let changes = self.letter(account, letter, call)?;
        self.send(account, "reauthentication_sent_at", changes, call).await
    }

    async fn mail_link(
        &self,
        account: &Account,
        (kind, link_type, method): (MailKind, &str, Method),
        request: &MailRequest,
        call: &Call,
    ) -> AuthResult<()> {
        let challenge = request.challenge.as_ref();
        let (flow, mut changes) = self.begin_flow(account.id, challenge, method, call);
        let letter = Letter {
            kind,
            link_type,
            purpose: Purpose::Recovery,
            to: account.email.as_deref().unwrap_or_default(),
            redirect_to: request.redirect_to.as_deref(),
            next: request.next.as_ref(),
            flow,
        };
        changes.extend(self.letter(account, letter, call)?);
        self.send(account, "recovery_sent_at", changes, call).await
    }

    async fn mail_confirmation(
        &self,
        account: &Account,
        request: &MailRequest,
        call: &Call,
    ) -> AuthResult<()> {
        let changes =
            self.confirmation(account, Purpose::Confirmation, &request.as_sign_up(), call)?;
        self.send(account, "confirmation_sent_at", changes, call).await
    }

    /// Makes an account of an address and mails what confirms it.
    async fn mail_new(&self, email: &str, request: &MailRequest, call: &Call) -> AuthResult<()> {
        let new = NewAccount {
            email: Some(email.to_owned()),
            user_metadata: request.data.clone(),
            ..NewAccount::default()
        };
        let (id, mut changes) = self.new_account(new, call);
        let account = Account::addressed(id, email, call);
        changes.extend(self.confirmation(
            &account,
            Purpose::Confirmation,
            &request.as_sign_up(),
            call,
        )?);
        changes.push(self.entry(Event::SignedUp, Outcome::Done, Some(id), call));
        match self.send(&account, "confirmation_sent_at", changes, call).await {
            // Somebody else asked for the same in this moment, and is mailed.
            Err(error) if is_taken(&error) => self.mail_nobody(call).await,
            other => other,
        }
    }

    /// Writes what goes to an account, when, and that it was asked for.
    async fn send(
        &self,
        account: &Account,
        sent_at: &'static str,
        mut changes: Vec<Change>,
        call: &Call,
    ) -> AuthResult<()> {
        changes.push(Change::update(
            USERS,
            vec![is("id", account.id)],
            [(sent_at, call.now.into())],
        ));
        changes.push(self.entry(Event::MailRequested, Outcome::Done, Some(account.id), call));
        let written = self.rows.write(changes, &call.cx, call.now).await;
        written.map_err(lacking)?;
        self.mails.sent();
        Ok(())
    }

    /// What is done where nobody is to be mailed: a row of the log.
    async fn mail_nobody(&self, call: &Call) -> AuthResult<()> {
        let entry = self.entry(Event::MailRequested, Outcome::Refused, None, call);
        self.rows.write(vec![entry], &call.cx, call.now).await?;
        Ok(())
    }
}

impl MailRequest {
    fn as_sign_up(&self) -> SignUpRequest {
        SignUpRequest {
            email: self.email.clone(),
            data: self.data.clone(),
            challenge: self.challenge.clone(),
            redirect_to: self.redirect_to.clone(),
            next: self.next.clone(),
            ..SignUpRequest::default()
        }
    }
}
