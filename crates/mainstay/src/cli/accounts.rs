//! Accounts and sessions for commands: the same rows as a server's, which may be running.
//!
//! What a command changes is committed like any other write. A server that runs beside it
//! notices within `[auth] session_check_s`.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use mainstay_auth::{
    Account, AuthCode, AuthError, Call, Identity, Keyring, Refusal, Rows, Verifier,
};
use mainstay_store::Cx;
use serde_json::{Value as Json, json};

use super::{Failure, output::Output};
use crate::{
    StartError,
    app::{Mode, expand_roles, planner, token_settings},
    database::{self, Database, DatabaseError, SchemaPolicy},
    folder::Folder,
    identity::{Parts, identity, identity_settings},
    load::{Loaded, environment, load},
    signing_key::keyring,
};

/// How long a command waits for the database.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// An app's accounts, with its database open.
pub(super) struct Accounts {
    pub(super) identity: Identity,
    /// Rows that one read answers at most.
    pub(super) page_rows_max: u64,
    database: Database,
}

impl Accounts {
    /// Opens them. An empty database is filled, and no other is changed.
    pub(super) async fn open(dir: &Path) -> Result<Self, Failure> {
        let folder = Folder::open(dir)?;
        let loaded = load(folder.read()?, &environment())?;
        let keyring = Arc::new(keyring(&folder, &loaded.settings).map_err(StartError::from)?);
        let database = database::open(&folder, &loaded.settings).await?;
        database.bring_to(&loaded.catalog, SchemaPolicy::EqualOrEmpty).await?;
        database.store.adopt(Arc::clone(&loaded.catalog));
        Self::of(&loaded, keyring, database)
    }

    /// Those in a database that is there and fits, for a command that only reads them; none
    /// where there is no database yet, which is said. Nothing is made and nothing migrated:
    /// whoever looks on must not decide when a database changes, nor take from `dev` that
    /// it is the first to open one, and fills it.
    pub(super) async fn open_existing(
        dir: &Path,
        output: &Output,
    ) -> Result<Option<Self>, Failure> {
        let folder = Folder::open(dir)?;
        let loaded = load(folder.read()?, &environment())?;
        match database::open_existing(&folder, &loaded.settings, &loaded.catalog).await {
            Ok(database) => Self::without_keys(&loaded, database).map(Some),
            Err(error @ (DatabaseError::Absent(_) | DatabaseError::Empty(_))) => {
                output.note(&error.to_string());
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Those in a database that has been opened, for a command that signs and seals nothing:
    /// a key that is forgotten with it does, and the app's own is neither read nor made.
    pub(super) fn without_keys(loaded: &Loaded, database: Database) -> Result<Self, Failure> {
        Self::of(loaded, Arc::new(Keyring::generate()), database)
    }

    fn of(loaded: &Loaded, keyring: Arc<Keyring>, database: Database) -> Result<Self, Failure> {
        // No mail is sent from here, so none needs a server.
        let mode = Mode::Development;
        let settings = identity_settings(&loaded.settings, mode, None)?;
        let tokens = token_settings(&loaded.settings);
        let verifier = Arc::new(Verifier::new(&keyring, tokens, expand_roles(loaded)));
        let planner = planner(loaded, Mode::Production);
        let rows = Arc::new(Rows::new(Arc::clone(&database.store), planner));
        let identity = identity(Parts {
            settings,
            roles: &loaded.settings.roles,
            keyring,
            verifier,
            rows,
            mail: &loaded.mail,
            waker: None,
        });
        Ok(Self { identity, page_rows_max: loaded.settings.limits.page_rows_max, database })
    }

    /// Lets go of the database.
    pub(super) async fn close(&self) {
        self.database.close().await;
    }

    /// The account that is meant by an address or an id.
    pub(super) async fn meant(&self, typed: &str, call: &Call) -> Result<Account, Failure> {
        let found = self.identity.account_meant(typed, call).await?;
        found.ok_or_else(|| Failure::App(format!("there is no user `{typed}`")))
    }
}

/// The circumstances of a command, as the audit log tells them.
pub(super) fn call(command: &str) -> Call {
    let cx = Cx::until(Instant::now() + WAIT_MAX);
    let call = Call::new(mainstay_web::system_time(), cx, String::new(), command);
    Call { actor_kind: "service", ..call }
}

/// An account as commands print it.
pub(super) fn account_json(account: &Account) -> Json {
    let time = |at: Option<mainstay_core::Timestamp>| {
        at.map(|at| mainstay_core::ValueRef::Timestamp(at).to_text())
    };
    json!({
        "id": account.id.to_string(),
        "email": account.email,
        "roles": account.roles(),
        "confirmed_at": time(account.email_confirmed_at),
        "banned_until": time(account.banned_until),
        "deleted_at": time(account.deleted_at),
        "last_sign_in_at": time(account.last_sign_in_at),
        "is_anonymous": account.is_anonymous,
        "created_at": time(Some(account.created_at)),
    })
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Refused(Refusal {
                code: AuthCode::ValidationFailed | AuthCode::WeakPassword,
                message,
                ..
            }) => Self::Usage(message.into_owned()),
            AuthError::Refused(refusal) => Self::App(refusal.message.into_owned()),
            AuthError::Failed(error) => Self::App(database::causes(&error)),
        }
    }
}
