//! Raising a session to `aal2`, and taking one back to `aal1`.

use mainstay_core::removal::removed;
use uuid::Uuid;

use crate::{
    Aal, Identity,
    account::Account,
    call::Call,
    refusal::{AuthError, AuthResult},
    rows::{Cell, Change, Query, is, is_not},
    session::{Method, SESSIONS, Session, amr_json, cookie_hash},
    with_amr,
};

/// Generations that a raised session skips. The refresh token of before is then two behind,
/// and not the one that a request running beside may still use: nobody exchanges what was
/// given for one factor for tokens of two.
const SKIPPED: u32 = 2;

/// Whoever has a factor shows it before factors are changed.
pub(super) fn check_second(
    account: &Account,
    session: &Session,
    refusal: impl FnOnce() -> AuthError,
) -> AuthResult<()> {
    let is_below = account.has_second_factor() && session.aal < Aal::Two;
    if is_below && !removed("second-factor-of-factors") {
        return Err(refusal());
    }
    Ok(())
}

impl Identity {
    /// The session as it is after a second factor was shown in it, and the changes that
    /// make it so. Sessions of the user that are below it end.
    pub(super) fn raised(
        &self,
        session: Session,
        method: Method,
        factor: Option<Uuid>,
        call: &Call,
    ) -> (Session, Vec<Change>) {
        let as_read = vec![is("id", session.id), is("generation", session.generation)];
        let skipped = if removed("refresh-token-of-one-factor") { 1 } else { SKIPPED };
        let raised = Session {
            aal: Aal::Two,
            amr: with_amr(&session.amr, method.as_str(), call.now),
            factor,
            generation: session.generation.saturating_add(skipped),
            refreshed_at: Some(call.now),
            last_used_at: Some(call.now),
            ..session
        };
        let values: [(&'static str, Cell); 6] = [
            ("aal", raised.aal.text().into()),
            ("amr", amr_json(&raised.amr).into()),
            ("factor", factor.into()),
            ("generation", raised.generation.into()),
            ("refreshed_at", call.now.into()),
            ("last_used_at", call.now.into()),
        ];
        let values = values.into_iter().chain(cookie_hash(call));
        let mut changes = vec![Change::update(SESSIONS, as_read, values).or_nothing()];
        if !removed("lower-sessions-end") {
            let below =
                vec![is("user", raised.user), is("aal", Aal::One.text()), is_not("id", raised.id)];
            changes.push(Change::delete(SESSIONS, below));
        }
        (raised, changes)
    }

    /// The changes that take sessions of a user back to one factor: those that were raised
    /// by this factor, or all of them.
    pub(super) async fn lowered(
        &self,
        user: Uuid,
        factor: Option<Uuid>,
        call: &Call,
    ) -> AuthResult<Vec<Change>> {
        let filters = || {
            let raised = [is("user", user), is("aal", Aal::Two.text())];
            raised.into_iter().chain(factor.map(|factor| is("factor", factor))).collect()
        };
        let fields = crate::session::FIELDS;
        let query = Query { model: SESSIONS, fields, filters: filters(), ..Query::default() };
        let raised = self.rows.find(query, &call.cx, call.now).await?;
        let mut changes = Vec::new();
        for mut session in raised.iter().map(Session::of) {
            session.amr.retain(|amr| !Method::is_second(&amr.method));
            let values = [("amr", amr_json(&session.amr).into())];
            changes.push(Change::update(SESSIONS, vec![is("id", session.id)], values));
        }
        // By condition and not by id, so that one raised in this moment is among them.
        let values: [(&str, Cell); 2] = [("aal", Aal::One.text().into()), ("factor", Cell::Absent)];
        changes.push(Change::update(SESSIONS, filters(), values));
        Ok(changes)
    }
}
