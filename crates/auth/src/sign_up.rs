//! New accounts.
//!
//! With confirmation an address that is taken is answered like one that is not, in status,
//! body and time: a password is hashed, an account is shown that nobody has, and the answer
//! waits for its step. Where Supabase Auth shows such an account without identities, which tells
//! the two apart, this one has one.

use mainstay_core::{Code, removal::removed};
use mainstay_mail::MailKind;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::{
    Identity, Issued,
    account::{Account, AccountIdentity, FIELDS, USERS},
    audit::{Event, Outcome},
    call::Call,
    email::parse_email,
    flow::Challenge,
    one_time::{Letter, Purpose},
    passwords::check_password,
    refusal::{AuthCode, AuthError, AuthResult, invalid, refused, weak},
    rows::{Cell, Change, Query, is},
    session::Method,
    site_path::SitePath,
    steps::in_steps,
};

/// What somebody signs up with.
#[derive(Clone, Debug, Default)]
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

/// An account that is to be made.
#[derive(Debug, Default)]
pub(crate) struct NewAccount {
    pub(crate) id: Option<Uuid>,
    pub(crate) email: Option<String>,
    pub(crate) password_hash: Option<String>,
    pub(crate) is_confirmed: bool,
    pub(crate) is_anonymous: bool,
    pub(crate) app_metadata: Map<String, Json>,
    pub(crate) user_metadata: Map<String, Json>,
    /// Further fields of its row.
    pub(crate) fields: Vec<(&'static str, Cell)>,
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
        if self.settings.confirm_email {
            self.attempts.mail(&email, self.settings.mail_every_s, call)?;
        }
        let hash = self.passwords.hash(request.password.clone()).await?;
        self.check_fields_of_the_app(&request.data, call).await?;
        in_steps(async {
            match self.account_named(&email, call).await? {
                Some(account) => self.signed_up_again(account, &request, call).await,
                None => self.made(&email, hash, &request, call).await,
            }
        })
        .await
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
            self.rows.write(changes, &call.cx, call.now).await.map_err(lacking)?;
            let account = self.account(id, call).await?.ok_or_else(gone)?;
            return Ok(SignedUp::In(Box::new(self.issue(account, &session, call)?)));
        }
        let account = Account::addressed(id, email, call);
        changes.extend(self.confirmation(&account, request, call)?);
        let written = self.rows.write(changes, &call.cx, call.now).await;
        match written.map_err(lacking) {
            Ok(_) => {
                self.mails.sent();
                let account = self.account(id, call).await?.ok_or_else(gone)?;
                Ok(SignedUp::Mailed(Box::new(account)))
            }
            // Somebody else took the address in between.
            Err(error) if is_taken(&error) => self.pretended(email, request, call).await,
            Err(error) => Err(error),
        }
    }

    /// A sign-up with an address that is taken.
    async fn signed_up_again(
        &self,
        account: Account,
        request: &SignUpRequest,
        call: &Call,
    ) -> AuthResult<SignedUp> {
        let email = account.email.clone().unwrap_or_default();
        if !self.settings.confirm_email {
            let message = "User already registered";
            return Err(refused(422, AuthCode::UserAlreadyExists, message));
        }
        if account.email_confirmed_at.is_some() || account.is_shut(call.now) {
            return self.pretended(&email, request, call).await;
        }
        // What was said the first time stays: whoever confirms must not find a stranger's
        // password on their account.
        let mut changes = self.confirmation(&account, request, call)?;
        let sent = [("confirmation_sent_at", call.now.into())];
        changes.push(Change::update(USERS, vec![crate::rows::is("id", account.id)], sent));
        changes.push(self.entry(Event::SignedUpAgain, Outcome::Done, Some(account.id), call));
        self.rows.write(changes, &call.cx, call.now).await?;
        self.mails.sent();
        self.pretend(&email, request, call).map(|account| SignedUp::Mailed(Box::new(account)))
    }

    async fn pretended(
        &self,
        email: &str,
        request: &SignUpRequest,
        call: &Call,
    ) -> AuthResult<SignedUp> {
        if !self.settings.confirm_email {
            let message = "User already registered";
            return Err(refused(422, AuthCode::UserAlreadyExists, message));
        }
        let entry = self.entry(Event::SignedUpAgain, Outcome::Refused, None, call);
        self.rows.write(vec![entry], &call.cx, call.now).await?;
        Ok(SignedUp::Mailed(Box::new(self.pretend(email, request, call)?)))
    }

    /// The account that a new one would look like.
    fn pretend(&self, email: &str, request: &SignUpRequest, call: &Call) -> AuthResult<Account> {
        let mut account = Account::addressed(Uuid::now_v7(), email, call);
        account.user_metadata = request.data.clone();
        account.confirmation_sent_at = Some(call.now);
        Ok(account)
    }

    /// The changes that put the mail on its way by which an address is confirmed.
    pub(crate) fn confirmation(
        &self,
        account: &Account,
        request: &SignUpRequest,
        call: &Call,
    ) -> AuthResult<Vec<Change>> {
        let challenge = request.challenge.as_ref();
        let (flow, begin) = self.begin_flow(account.id, challenge, Method::SignUp);
        let email = account.email.clone().unwrap_or_default();
        let letter = Letter {
            kind: MailKind::Confirmation,
            link_type: "signup",
            purpose: Purpose::Confirmation,
            to: &email,
            redirect_to: request.redirect_to.as_deref(),
            next: request.next.as_ref(),
            flow,
        };
        let mut changes: Vec<Change> = begin.into_iter().collect();
        changes.extend(self.letter(account, letter, call)?);
        Ok(changes)
    }

    /// The changes that make an account, and its id.
    pub(crate) fn new_account(&self, new: NewAccount, call: &Call) -> (Uuid, Vec<Change>) {
        let id = new.id.unwrap_or_else(Uuid::now_v7);
        let mut app_metadata = new.app_metadata;
        if new.email.is_some() {
            app_metadata.insert("provider".to_owned(), json!("email"));
            app_metadata.insert("providers".to_owned(), json!(["email"]));
        }
        let mut row: Vec<(String, Cell)> = vec![
            ("id".into(), id.into()),
            ("email".into(), new.email.clone().into()),
            ("is_anonymous".into(), new.is_anonymous.into()),
            ("app_metadata".into(), Json::Object(app_metadata).into()),
            ("user_metadata".into(), Json::Object(new.user_metadata.clone()).into()),
        ];
        if new.is_confirmed {
            row.push(("email_confirmed_at".into(), call.now.into()));
        }
        row.extend(new.fields.into_iter().map(|(name, cell)| (name.to_owned(), cell)));
        row.extend(self.fields_of_the_app(&new.user_metadata));
        let mut changes = vec![Change::insert(USERS, row)];
        if let Some(email) = &new.email {
            changes.push(new_identity(id, email, new.is_confirmed));
        }
        if let Some(hash) = new.password_hash {
            let row = [("user", id.into()), ("hash", hash.into())];
            changes.push(Change::insert("mainstay_passwords", row));
        }
        (id, changes)
    }

    /// The fields that an app adds to its users and that none can do without, where they
    /// are not the app's own to say: what the caller says of them.
    fn fields_of_the_app(&self, said: &Map<String, Json>) -> Vec<(String, Cell)> {
        let planner = self.rows.planner();
        let catalog = planner.catalog();
        let Some(model) = catalog.model_id(USERS).map(|id| catalog.model(id)) else {
            return Vec::new();
        };
        let wanted = model.fields.iter().filter(|field| {
            let is_open = field.required && field.default.is_none() && field.rules.write.is_none();
            (is_open && !FIELDS.contains(&&*field.name)) || removed("mass-assignment")
        });
        let given = wanted.filter_map(|field| {
            said.get(&*field.name).map(|value| (field.name.to_string(), Cell::of_json(value)))
        });
        given.collect()
    }
}

impl Identity {
    /// Refuses what must be somebody's alone and is another's already, such as a handle.
    /// Asked before the address is looked at, so that it tells nothing of the address.
    async fn check_fields_of_the_app(
        &self,
        said: &Map<String, Json>,
        call: &Call,
    ) -> AuthResult<()> {
        let given = self.fields_of_the_app(said).into_iter();
        let unique: Vec<_> = given.filter(|(name, _)| self.is_unique(name)).collect();
        for (name, value) in unique {
            let filters = vec![is(name.clone(), value)];
            let query = Query { model: USERS, fields: &["id"], filters, ..Query::default() };
            let found = self.rows.one(query, &call.cx, call.now).await.map_err(lacking)?;
            if found.is_some() {
                let message = format!("`{name}` is taken");
                return Err(refused(422, AuthCode::ValidationFailed, message));
            }
        }
        Ok(())
    }

    /// Whether no two accounts may have the same value of a field.
    fn is_unique(&self, name: &str) -> bool {
        let planner = self.rows.planner();
        let catalog = planner.catalog();
        let Some(users) = catalog.model_id(USERS).map(|id| catalog.model(id)) else {
            return false;
        };
        let field = users.field_id(name);
        users
            .uniques
            .iter()
            .any(|unique| unique.fields.len() == 1 && unique.fields.first() == field.as_ref())
    }
}

/// The identity that an address is.
pub(crate) fn new_identity(user: Uuid, email: &str, is_verified: bool) -> Change {
    Change::insert(
        "mainstay_identities",
        [
            ("user", user.into()),
            ("provider", "email".into()),
            ("provider_id", user.to_string().into()),
            ("identity_data", identity_data(user, email, is_verified).into()),
        ],
    )
}

pub(crate) fn identity_data(user: Uuid, email: &str, is_verified: bool) -> Json {
    json!({ "sub": user.to_string(), "email": email, "email_verified": is_verified, "phone_verified": false })
}

impl Account {
    /// An account as it is when it was just made of an address.
    pub(crate) fn addressed(id: Uuid, email: &str, call: &Call) -> Self {
        let provider = json!({ "provider": "email", "providers": ["email"] });
        let identity = AccountIdentity {
            id: Uuid::now_v7(),
            provider: "email".to_owned(),
            provider_id: id.to_string(),
            identity_data: crate::account::object(identity_data(id, email, false)),
            last_sign_in_at: None,
            created_at: call.now,
            updated_at: call.now,
        };
        Self {
            id,
            email: Some(email.to_owned()),
            email_confirmed_at: None,
            invited_at: None,
            confirmation_sent_at: Some(call.now),
            recovery_sent_at: None,
            email_change_sent_at: None,
            reauthentication_sent_at: None,
            new_email: None,
            last_sign_in_at: None,
            banned_until: None,
            deleted_at: None,
            is_anonymous: false,
            app_metadata: crate::account::object(provider),
            user_metadata: Map::new(),
            created_at: call.now,
            updated_at: call.now,
            identities: vec![identity],
            factors: Vec::new(),
        }
    }
}

/// Whether it failed because the address is somebody's.
pub(crate) fn is_taken(error: &AuthError) -> bool {
    matches!(error, AuthError::Failed(error) if error.code() == Code::UniqueViolation)
}

/// What the app's own fields lack is the caller's to give.
pub(crate) fn lacking(error: mainstay_core::Error) -> AuthError {
    match error.code() {
        Code::RequiredViolation | Code::CheckViolation | Code::ValueUnreadable => {
            refused(422, AuthCode::ValidationFailed, error.message().to_owned())
        }
        _ => error.into(),
    }
}

/// The account that was there a moment ago is not any more.
pub(crate) fn gone() -> AuthError {
    refused(404, AuthCode::UserNotFound, "User not found")
}
