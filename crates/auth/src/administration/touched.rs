//! What a write that was planned elsewhere does to accounts.
//!
//! The service key and an app's own rules write users over REST, where nothing is known of
//! sessions. Once such a write is committed, this node forgets how the sessions stood of
//! whoever it was about: a ban, a role or a deletion counts from the next request on,
//! whichever way it was made. The audit log tells of it with an entry of the same
//! transaction.

use mainstay_core::{
    Catalog, Code, CompareOp, Error, FieldId, Filter, Model, OnDelete, Operand, Path, Value,
    removal::removed,
};
use mainstay_plan::{Action, Planner, WritePlan};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{
    Identity,
    account::USERS,
    audit::{Event, Outcome},
    call::Call,
    email::parse_email,
    refusal::AuthError,
};

/// Whom a write is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// No account.
    Nobody,
    /// The accounts whose rows it affects.
    Affected,
    /// Whichever accounts hang on the rows that it deletes.
    Anybody,
}

impl Touched {
    /// Whom a plan of this catalog is about.
    #[must_use]
    pub fn by(plan: &WritePlan, catalog: &Catalog) -> Self {
        let Some(users) = catalog.model_id(USERS) else { return Self::Nobody };
        let shape = plan.shape();
        if let Action::Delete { cascades, .. } = shape.action()
            && cascades.iter().any(|it| {
                it.on_delete == OnDelete::Cascade && catalog.reference(it.reference).from == users
            })
        {
            return Self::Anybody;
        }
        if shape.model() == users { Self::Affected } else { Self::Nobody }
    }
}

impl Identity {
    /// Refuses a write about accounts that gives one what administration would not: an
    /// address that is none, or not in lower case; roles that nobody can have.
    ///
    /// # Errors
    /// `CheckViolation`, naming the field.
    pub fn check_write(&self, plan: &WritePlan, catalog: &Catalog) -> Result<(), Error> {
        let model = catalog.model(plan.shape().model());
        if *model.name != *USERS {
            return Ok(());
        }
        for (field, value) in written(plan, model) {
            let name = &*model.field(field).name;
            self.check_written(name, value).map_err(|why| {
                Error::new(Code::CheckViolation, format!("\"{name}\" of \"{USERS}\": {why}"))
            })?;
        }
        Ok(())
    }

    fn check_written(&self, name: &str, value: &Value) -> Result<(), String> {
        match (name, value) {
            ("email" | "new_email", Value::Text(text)) => match parse_email(text) {
                Ok(email) if email == **text => Ok(()),
                Ok(email) => Err(format!("expected it in lower case, `{email}`")),
                Err(error) => Err(error.to_string()),
            },
            ("app_metadata", Value::Json(text)) => {
                let Ok(app_metadata) = serde_json::from_str::<Map<String, Json>>(text) else {
                    return Err("expected an object".to_owned());
                };
                match self.check_roles(&app_metadata, &[]) {
                    Err(AuthError::Refused(refusal)) => Err(refusal.message.into_owned()),
                    _ => Ok(()),
                }
            }
            ("user_metadata", Value::Json(text)) if !text.starts_with('{') => {
                Err("expected an object".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The write by which the audit log tells of one about accounts, to be made after it if it
    /// affects a row: what was done to which fields, and to whose account where the write names one.
    ///
    /// # Errors
    /// Where it cannot be planned.
    pub fn told_of_write(
        &self,
        plan: &WritePlan,
        touched: Touched,
        planner: &Planner,
        call: &Call,
    ) -> Result<WritePlan, Error> {
        let model = planner.catalog().model(plan.shape().model());
        let event = match plan.shape().action() {
            Action::Insert { conflict: None, .. } => Event::UserCreated,
            // Of rows that may be there already nobody knows which are.
            Action::Insert { .. } | Action::Update { .. } => Event::UserChanged,
            Action::Delete { .. } => Event::UserDeleted,
        };
        let mut details = Map::new();
        details.insert("model".to_owned(), model.name.to_string().into());
        if let Action::Update { assign, .. } = plan.shape().action() {
            let names = assign.iter().map(|(field, _)| model.field(*field).name.to_string());
            details.insert("fields".to_owned(), names.map(Json::from).collect());
        }
        let user = (touched == Touched::Affected).then(|| whose(plan, model)).flatten();
        let entry = self.entry_with(event, Outcome::Done, user, details, call);
        entry.plan(planner, call.now).map(WritePlan::following_change)
    }

    /// Takes note of a write that was committed, with the keys of the rows it affected.
    pub fn heed(&self, touched: Touched, affected: &[Box<[Value]>]) {
        if removed("heeded-writes") {
            return;
        }
        match touched {
            Touched::Nobody => {}
            Touched::Anybody => self.standing.forget_everybody(),
            Touched::Affected => {
                for key in affected {
                    if let [Value::Uuid(user)] = &key[..] {
                        self.standing.forget_user(*user);
                    }
                }
            }
        }
    }
}

/// What a plan writes, field by field; nothing of a delete.
fn written<'p>(plan: &'p WritePlan, model: &Model) -> Vec<(FieldId, &'p Value)> {
    match plan.shape().action() {
        Action::Insert { .. } => {
            plan.rows().iter().flat_map(|row| model.field_ids().zip(&row[..])).collect()
        }
        Action::Update { assign, .. } => {
            assign.iter().map(|(field, slot)| (*field, plan.value(*slot))).collect()
        }
        Action::Delete { .. } => Vec::new(),
    }
}

/// The one account that a write of users names by its id.
fn whose(plan: &WritePlan, users: &Model) -> Option<Uuid> {
    let [key] = users.key[..] else { return None };
    let named = match plan.shape().action() {
        Action::Insert { .. } => match plan.rows() {
            [row] => row.get(key.index()),
            _ => None,
        },
        Action::Update { target, .. } | Action::Delete { target, .. } => named(target, key, plan),
    };
    match named {
        Some(Value::Uuid(user)) => Some(*user),
        _ => None,
    }
}

/// The value that a condition wants a row's key to have.
fn named<'p>(target: &Filter, key: FieldId, plan: &'p WritePlan) -> Option<&'p Value> {
    match target {
        Filter::And(parts) => parts.iter().find_map(|part| named(part, key, plan)),
        Filter::IsTrue(inner) => named(inner, key, plan),
        Filter::Compare(Operand::Field(path), CompareOp::Eq, Operand::Slot(slot, _))
            if *path == Path::of(key) =>
        {
            Some(plan.value(*slot))
        }
        _ => None,
    }
}
