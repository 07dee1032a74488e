//! Second factors.

use mainstay_core::Timestamp;
use uuid::Uuid;

use crate::{
    Identity,
    account::Factor,
    call::Call,
    refusal::AuthResult,
    rows::{Query, Record, is},
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
    "last_challenged_at",
    "created_at",
    "updated_at",
];

impl Identity {
    /// An account's factors, the oldest first.
    pub(crate) async fn factors_of(&self, user: Uuid, call: &Call) -> AuthResult<Vec<Factor>> {
        let filters = vec![is("user", user)];
        let query = Query { model: FACTORS, fields: FIELDS, filters, ..Query::default() };
        let rows = self.rows.find(query, &call.cx, call.now).await?;
        Ok(rows.iter().map(Factor::of).collect())
    }
}

impl Factor {
    pub(crate) fn of(row: &Record) -> Self {
        let unset = || Timestamp::from_micros(0).expect("BUG: 1970 is a moment");
        Self {
            id: row.uuid("id").unwrap_or_default(),
            friendly_name: row.text("friendly_name").unwrap_or_default(),
            is_verified: row.text("status").as_deref() == Some("verified"),
            last_challenged_at: row.time("last_challenged_at"),
            created_at: row.time("created_at").unwrap_or_else(unset),
            updated_at: row.time("updated_at").unwrap_or_else(unset),
        }
    }
}
