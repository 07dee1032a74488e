//! An account that goes.

use serde_json::{Map, json};
use uuid::Uuid;

use crate::{
    Identity,
    account::{USERS, gone},
    audit::{Event, Outcome},
    call::Call,
    factors::FACTORS,
    flow::flows_ended,
    one_time::voided,
    refusal::{AuthError, AuthResult},
    rows::{Cell, Change, is},
    session::SESSIONS,
};

/// What remains of an account that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Nothing, but for what the app's own models keep of it.
    Hard,
    /// Its row, with its id and the app's own fields: neither address nor metadata, and
    /// nothing to sign in with.
    Soft,
}

impl Identity {
    /// Deletes an account. One whose row was kept before stays as it is.
    ///
    /// # Errors
    /// `user_not_found`; where rows of the app's still point to it, or the store cannot be
    /// asked.
    pub async fn delete_account(
        &self,
        id: Uuid,
        deletion: Deletion,
        call: &Call,
    ) -> AuthResult<()> {
        let account = self.account_row(id, call).await?.ok_or_else(gone)?;
        let mut changes = match deletion {
            Deletion::Hard => vec![Change::delete(USERS, vec![is("id", id)]).or_nothing()],
            Deletion::Soft if account.deleted_at.is_some() => return Ok(()),
            Deletion::Soft => emptied(id, call),
        };
        let details = Map::from_iter([("soft".to_owned(), json!(deletion == Deletion::Soft))]);
        let event = Event::UserDeleted;
        changes.push(self.entry_with(event, Outcome::Done, Some(id), details, call));
        let deleted = self.rows.write(changes, &call.cx, call.now).await;
        self.standing.forget_user(id);
        match deleted.map_err(AuthError::from) {
            Err(error) if error.is_overtaken() => Err(gone()),
            other => other.map(drop),
        }
    }
}

/// The changes that leave an account's row and nothing to know it by.
fn emptied(id: Uuid, call: &Call) -> Vec<Change> {
    let empty = || Cell::from(json!({}));
    let values = [
        ("deleted_at", call.now.into()),
        ("email", Cell::Absent),
        ("email_confirmed_at", Cell::Absent),
        ("new_email", Cell::Absent),
        ("app_metadata", empty()),
        ("user_metadata", empty()),
    ];
    let hanging = [
        SESSIONS,
        FACTORS,
        "mainstay_passwords",
        "mainstay_identities",
        "mainstay_flows",
        "mainstay_recovery_codes",
    ];
    let mut changes = vec![Change::update(USERS, vec![is("id", id)], values).or_nothing()];
    changes.extend(hanging.map(|model| Change::delete(model, vec![is("user", id)])));
    changes.extend([voided(id), flows_ended(id)]);
    changes
}
