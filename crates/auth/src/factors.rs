//! Second factors: a code from an authenticator app, beside the password.
//!
//! A factor is enrolled, and counts once a code of it was shown. Showing one raises the
//! session to `aal2`: a challenge is asked for in the session, and the code answers it.
//! Where there is a factor, a session below `aal2` changes neither password nor address
//! nor factors, however it was opened: a link to set another password with is a way into
//! the mailbox, and no second factor. An app's rules ask for `auth.claims.aal`.
//!
//! # What Supabase Auth does otherwise
//!
//! Its challenge is bound to the caller's address, which changes under a telephone on its
//! way home; here it is bound to the session. It takes a code as often as it comes while
//! the code holds; here the step of the last one is kept with the factor, and raised in
//! the transaction that raises the session, so that of two who show one code one gets in.
//! It counts no wrong codes; here each is counted before it is looked at, and after a few
//! the factor waits ([`guesses`]). And it has no way back from a lost telephone;
//! [`recovery`] is one.
//!
//! What another request changes in between is found out by the conditions of the writes:
//! they are taken back, and all is read and asked again.

mod any;
mod challenge;
mod enrol;
mod guesses;
mod level;
mod recovery;
mod remove;
mod verify;

use mainstay_core::{Error, Timestamp};
use mainstay_plan::Condition;
use uuid::Uuid;

use self::guesses::Guesses;
use crate::{
    Identity, TotpSecret,
    account::{Account, Factor, gone},
    call::Call,
    refusal::{AuthCode, AuthError, AuthResult, invalid, refused},
    rows::{Query, Record, is, is_absent},
    session::Session,
};

pub use self::{
    challenge::FactorChallenge,
    enrol::{EnrolRequest, Enrolled, FACTORS_MAX},
    verify::ShownCode,
};

pub(crate) const FACTORS: &str = "mainstay_factors";
pub(crate) const FIELDS: &[&str] = &[
    "id",
    "user",
    "friendly_name",
    "kind",
    "status",
    "secret",
    "last_step",
    "guesses",
    "guessed_at",
    "last_challenged_at",
    "created_at",
    "updated_at",
];
/// What `status` is once a code was shown, and until then.
const VERIFIED: &str = "verified";
const UNVERIFIED: &str = "unverified";
/// How often a call that others overtake is begun anew.
const TRIES_MAX: u32 = 3;

/// A factor with what is asked of it.
#[derive(Debug)]
struct StoredFactor {
    shown: Factor,
    sealed: Vec<u8>,
    last_step: Option<i64>,
    guesses: Guesses,
}

/// The secret of a factor, and whether it has to be sealed anew.
struct OpenedFactor {
    secret: TotpSecret,
    is_outdated: bool,
}

impl Identity {
    /// An account's factors, the oldest first.
    pub(crate) async fn factors_of(&self, user: Uuid, call: &Call) -> AuthResult<Vec<Factor>> {
        let filters = vec![is("user", user)];
        let query = Query { model: FACTORS, fields: FIELDS, filters, ..Query::default() };
        let rows = self.rows.find(query, &call.cx, call.now).await?;
        Ok(rows.iter().map(Factor::of).collect())
    }

    /// One of a user's factors.
    async fn factor_of(&self, user: Uuid, id: Uuid, call: &Call) -> AuthResult<StoredFactor> {
        let filters = vec![is("id", id), is("user", user)];
        let query = Query { model: FACTORS, fields: FIELDS, filters, ..Query::default() };
        let row = self.rows.one(query, &call.cx, call.now).await?.ok_or_else(no_factor)?;
        Ok(StoredFactor {
            shown: Factor::of(&row),
            sealed: row.bytes("secret").unwrap_or_default(),
            last_step: row.int("last_step"),
            guesses: Guesses {
                count: row.int("guesses").unwrap_or_default(),
                last: row.time("guessed_at"),
            },
        })
    }

    /// The account of somebody who can have factors, and their session.
    async fn factor_user(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        call: &Call,
    ) -> AuthResult<(Account, Session)> {
        let id = session.ok_or_else(|| {
            invalid("Second factors belong to sessions, and this token to none: sign in")
        })?;
        let account = self.account(user, call).await?.ok_or_else(gone)?;
        if account.is_anonymous {
            let message = "Anonymous user not allowed to perform these actions";
            return Err(refused(403, AuthCode::NoAuthorization, message));
        }
        let session = self.session_of_caller(id, user, call).await?;
        Ok((account, session))
    }

    fn open_factor(&self, user: Uuid, factor: &StoredFactor) -> AuthResult<OpenedFactor> {
        let opened = self.secrets.open(&factor.sealed, &place(&user, &factor.shown.id));
        let opened = opened.map_err(Error::internal)?;
        let secret = TotpSecret::from_bytes(&opened.secret)
            .ok_or_else(|| Error::internal("the secret of a factor has another length"))?;
        Ok(OpenedFactor { secret, is_outdated: opened.outdated })
    }
}

impl StoredFactor {
    /// That no code of it was taken since it was read.
    fn is_as_read(&self) -> Condition<'static> {
        match self.last_step {
            Some(step) => is("last_step", step),
            None => is_absent("last_step"),
        }
    }
}

impl Factor {
    pub(crate) fn of(row: &Record) -> Self {
        let unset = || Timestamp::from_micros(0).expect("BUG: 1970 is a moment");
        Self {
            id: row.uuid("id").unwrap_or_default(),
            friendly_name: row.text("friendly_name").unwrap_or_default(),
            is_verified: row.text("status").as_deref() == Some(VERIFIED),
            last_challenged_at: row.time("last_challenged_at"),
            created_at: row.time("created_at").unwrap_or_else(unset),
            updated_at: row.time("updated_at").unwrap_or_else(unset),
        }
    }
}

/// Where a secret is sealed for: whose it is, and of which factor.
fn place<'p>(user: &'p Uuid, factor: &'p Uuid) -> [&'p [u8]; 2] {
    [user.as_bytes(), factor.as_bytes()]
}

fn no_factor() -> AuthError {
    refused(404, AuthCode::MfaFactorNotFound, "Factor not found")
}
