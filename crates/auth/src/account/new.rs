//! An account that does not exist yet: what it is made of, and what it cannot be made of.

use mainstay_core::{Code, removal::removed};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{Account, AccountIdentity, FIELDS, USERS, check_user_metadata, object};
use crate::{
    Identity,
    call::Call,
    refusal::{AuthCode, AuthError, AuthResult, refused},
    rows::{Cell, Change, Query, is},
};

/// An account that is to be made.
#[derive(Default)]
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

    /// Refuses what no account could be made with, without making one.
    pub(crate) async fn check_new_account(
        &self,
        email: &str,
        data: &Map<String, Json>,
        call: &Call,
    ) -> AuthResult<()> {
        check_user_metadata(data)?;
        let new = NewAccount {
            email: Some(email.to_owned()),
            user_metadata: data.clone(),
            ..NewAccount::default()
        };
        let planner = self.rows.planner();
        let (_, changes) = self.new_account(new, call);
        let plan = |change: Change| change.plan(&planner, call.now).map(drop);
        changes.into_iter().try_for_each(plan).map_err(unfit)?;
        self.check_fields_of_the_app(data, call).await
    }

    /// Refuses what must be somebody's alone and is another's already, such as a handle.
    /// Asked before the address is looked at, so that it tells nothing of the address.
    pub(crate) async fn check_fields_of_the_app(
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
            identity_data: object(identity_data(id, email, false)),
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
            app_metadata: object(provider),
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
            refused(422, AuthCode::ValidationFailed, what_to_mend(&error))
        }
        _ => error.into(),
    }
}

/// What is wrong with an account, and where whoever makes it says otherwise.
fn what_to_mend(error: &mainstay_core::Error) -> String {
    let (message, details) = (error.message(), error.details());
    let details = details.map(|details| format!(": {details}")).unwrap_or_default();
    match error.code() {
        Code::RequiredViolation => format!("{message}: send its value in `data`"),
        _ => format!("{message}{details}"),
    }
}

/// Whatever no account can be made with is the caller's to mend.
fn unfit(error: mainstay_core::Error) -> AuthError {
    match error.code() {
        Code::Internal => error.into(),
        _ => refused(422, AuthCode::ValidationFailed, what_to_mend(&error)),
    }
}
