//! An account, as its row says.

pub(crate) mod new;

use mainstay_core::Timestamp;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

pub(crate) use crate::rows::USERS;
use crate::{
    Identity,
    call::Call,
    refusal::{AuthCode, AuthError, AuthResult, refused},
    rows::{Cell, Change, Query, Record, is},
};

/// Bytes of JSON that users say of themselves.
const USER_METADATA_BYTES_MAX: usize = 64 << 10;

/// The fields of an account that are Mainstay's own; an app adds others.
pub(crate) const FIELDS: &[&str] = &[
    "id",
    "email",
    "email_confirmed_at",
    "invited_at",
    "confirmation_sent_at",
    "recovery_sent_at",
    "email_change_sent_at",
    "reauthentication_sent_at",
    "new_email",
    "last_sign_in_at",
    "banned_until",
    "deleted_at",
    "is_anonymous",
    "app_metadata",
    "user_metadata",
    "created_at",
    "updated_at",
];
pub(crate) const IDENTITY_FIELDS: &[&str] = &[
    "id",
    "user",
    "provider",
    "provider_id",
    "identity_data",
    "last_sign_in_at",
    "created_at",
    "updated_at",
];

/// One account.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Its id: the claim `sub` of its tokens.
    pub id: Uuid,
    /// Its address, in lower case; none of an anonymous one.
    pub email: Option<String>,
    /// When the address was confirmed.
    pub email_confirmed_at: Option<Timestamp>,
    /// When it was invited.
    pub invited_at: Option<Timestamp>,
    /// When the mail to confirm it was last sent.
    pub confirmation_sent_at: Option<Timestamp>,
    /// When a mail to sign in with was last sent.
    pub recovery_sent_at: Option<Timestamp>,
    /// When the mail to confirm another address was last sent.
    pub email_change_sent_at: Option<Timestamp>,
    /// When a code to reauthenticate with was last sent.
    pub reauthentication_sent_at: Option<Timestamp>,
    /// The address it is to have once that is confirmed.
    pub new_email: Option<String>,
    /// When somebody last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// Until when nobody can sign in.
    pub banned_until: Option<Timestamp>,
    /// When it was deleted, where its row was kept.
    pub deleted_at: Option<Timestamp>,
    /// Whether it has no credential of its own yet.
    pub is_anonymous: bool,
    /// What the app says of it: `roles`, `provider`, `providers` and more.
    pub app_metadata: Map<String, Json>,
    /// What the user says of themselves.
    pub user_metadata: Map<String, Json>,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The ways its user can show who they are.
    pub identities: Vec<AccountIdentity>,
    /// Its second factors.
    pub factors: Vec<Factor>,
}

/// A way to show who one is: an address, or an account elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountIdentity {
    /// Its own id.
    pub id: Uuid,
    /// `email`, or who vouches.
    pub provider: String,
    /// The provider's id of the user.
    pub provider_id: String,
    /// What the provider says.
    pub identity_data: Map<String, Json>,
    /// When it was last used.
    pub last_sign_in_at: Option<Timestamp>,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A second factor.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// Its id.
    pub id: Uuid,
    /// What its user calls it.
    pub friendly_name: String,
    /// Whether it has been shown to work.
    pub is_verified: bool,
    /// When it was last asked for.
    pub last_challenged_at: Option<Timestamp>,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Account {
    pub(crate) fn of(row: &Record) -> Self {
        let id = row.uuid("id").expect("BUG: users have uuids");
        let unset = || Timestamp::from_micros(0).expect("BUG: 1970 is a moment");
        Self {
            id,
            email: row.text("email"),
            email_confirmed_at: row.time("email_confirmed_at"),
            invited_at: row.time("invited_at"),
            confirmation_sent_at: row.time("confirmation_sent_at"),
            recovery_sent_at: row.time("recovery_sent_at"),
            email_change_sent_at: row.time("email_change_sent_at"),
            reauthentication_sent_at: row.time("reauthentication_sent_at"),
            new_email: row.text("new_email"),
            last_sign_in_at: row.time("last_sign_in_at"),
            banned_until: row.time("banned_until"),
            deleted_at: row.time("deleted_at"),
            is_anonymous: row.flag("is_anonymous"),
            app_metadata: object(row.json("app_metadata")),
            user_metadata: object(row.json("user_metadata")),
            created_at: row.time("created_at").unwrap_or_else(unset),
            updated_at: row.time("updated_at").unwrap_or_else(unset),
            identities: Vec::new(),
            factors: Vec::new(),
        }
    }

    /// The change of its row to these values, which takes all beside it back where the row was
    /// changed since it was read.
    pub(crate) fn changed_to(&self, values: Vec<(&'static str, Cell)>) -> Change {
        let as_read = vec![is("id", self.id), is("updated_at", self.updated_at)];
        Change::update(USERS, as_read, values).or_nothing()
    }

    /// The change that holds its row for as long as the write takes, whatever others have
    /// changed of it. What it writes is what it asks to be so.
    pub(crate) fn held(&self) -> Change {
        let as_read = vec![is("id", self.id), is("is_anonymous", self.is_anonymous)];
        Change::update(USERS, as_read, self.value_as_read()).or_nothing()
    }

    /// The change that takes all beside it back where its row was changed since it was read.
    pub(crate) fn still_is(&self) -> Change {
        self.changed_to(self.value_as_read().into())
    }

    /// A value to write that is the one there.
    fn value_as_read(&self) -> [(&'static str, Cell); 1] {
        [("is_anonymous", self.is_anonymous.into())]
    }

    /// The roles it was given.
    #[must_use]
    pub fn roles(&self) -> Vec<Box<str>> {
        roles_of(&self.app_metadata)
    }

    /// Whether nobody can sign in to it at this time.
    #[must_use]
    pub fn is_shut(&self, now: Timestamp) -> bool {
        self.deleted_at.is_some() || self.banned_until.is_some_and(|until| until > now)
    }

    /// Whether it has a second factor that works.
    #[must_use]
    pub fn has_second_factor(&self) -> bool {
        self.factors.iter().any(|factor| factor.is_verified)
    }
}

/// The roles that an account's metadata names, without the names of kinds of token.
pub(crate) fn roles_of(app_metadata: &Map<String, Json>) -> Vec<Box<str>> {
    let roles = app_metadata.get("roles").and_then(Json::as_array);
    let named = roles.into_iter().flatten().filter_map(Json::as_str);
    named.filter(|role| !crate::is_reserved_role(role)).map(Into::into).collect()
}

/// Refuses what users say of themselves where it is more than is kept of them.
///
/// # Errors
/// `validation_failed`.
pub(crate) fn check_user_metadata(data: &Map<String, Json>) -> AuthResult<()> {
    let text = serde_json::to_string(data).expect("BUG: JSON can be written");
    if text.len() > USER_METADATA_BYTES_MAX {
        let message = format!("user_metadata is longer than {USER_METADATA_BYTES_MAX} bytes");
        return Err(refused(422, AuthCode::ValidationFailed, message));
    }
    Ok(())
}

/// The metadata of an account whose address is confirmed.
pub(crate) fn with_verified_email(mut metadata: Map<String, Json>) -> Map<String, Json> {
    metadata.insert("email_verified".to_owned(), Json::Bool(true));
    metadata
}

/// The account that was there a moment ago is not any more.
pub(crate) fn gone() -> AuthError {
    refused(404, AuthCode::UserNotFound, "User not found")
}

pub(crate) fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

impl Identity {
    /// The account with this id, without what hangs on it.
    pub(crate) async fn account_row(&self, id: Uuid, call: &Call) -> AuthResult<Option<Account>> {
        let query =
            Query { model: USERS, fields: FIELDS, filters: vec![is("id", id)], ..Query::default() };
        Ok(self.rows.one(query, &call.cx, call.now).await?.as_ref().map(Account::of))
    }

    /// The account with this address, without what hangs on it.
    pub(crate) async fn account_named(
        &self,
        email: &str,
        call: &Call,
    ) -> AuthResult<Option<Account>> {
        let filters = vec![is("email", email)];
        let query = Query { model: USERS, fields: FIELDS, filters, ..Query::default() };
        Ok(self.rows.one(query, &call.cx, call.now).await?.as_ref().map(Account::of))
    }

    /// The account with this id and all that hangs on it.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn account(&self, id: Uuid, call: &Call) -> AuthResult<Option<Account>> {
        match self.account_row(id, call).await? {
            Some(account) => Ok(Some(self.with_all(account, call).await?)),
            None => Ok(None),
        }
    }

    /// The same account with its identities and factors.
    pub(crate) async fn with_all(&self, account: Account, call: &Call) -> AuthResult<Account> {
        let query = Query {
            model: "mainstay_identities",
            fields: IDENTITY_FIELDS,
            filters: vec![is("user", account.id)],
            ..Query::default()
        };
        let rows = self.rows.find(query, &call.cx, call.now).await?;
        let identities = rows.iter().map(AccountIdentity::of).collect();
        let factors = self.factors_of(account.id, call).await?;
        Ok(Account { identities, factors, ..account })
    }
}

impl AccountIdentity {
    pub(crate) fn of(row: &Record) -> Self {
        let unset = || Timestamp::from_micros(0).expect("BUG: 1970 is a moment");
        Self {
            id: row.uuid("id").unwrap_or_default(),
            provider: row.text("provider").unwrap_or_default(),
            provider_id: row.text("provider_id").unwrap_or_default(),
            identity_data: object(row.json("identity_data")),
            last_sign_in_at: row.time("last_sign_in_at"),
            created_at: row.time("created_at").unwrap_or_else(unset),
            updated_at: row.time("updated_at").unwrap_or_else(unset),
        }
    }
}
