//! What a refused write is told: the same words on every engine.
//!
//! A message names models, constraints and fields by their API names, and never a
//! value that is stored.

use mainstay_core::{Catalog, Code, Error, FieldId, Model, ModelId, RefId};
use mainstay_plan::{Refusal, WritePlan};

/// What the guards of a write's rows came to.
///
/// A refused ref comes before every other refusal, whatever the order of rows and
/// guards: a ref to a row that is not there fails as soon as it is written, so a ref
/// to a row its caller may not see has to look as if it failed first too. Otherwise
/// a second fault, put there on purpose, would tell the two apart.
#[derive(Debug, Default)]
pub struct Verdict {
    reference: Option<RefId>,
    is_denied: bool,
}

impl Verdict {
    /// Adds a guard that did not hold.
    pub fn add(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::Reference(reference) => {
                self.reference.get_or_insert(reference);
            }
            Refusal::Denied => self.is_denied = true,
        }
    }

    /// The ref that was refused first.
    #[must_use]
    pub fn reference(&self) -> Option<RefId> {
        self.reference
    }

    /// Whether a guard that is no ref's was refused.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.is_denied
    }

    /// Whether all held.
    ///
    /// # Errors
    /// `ReferenceViolation` or `Denied`.
    pub fn end(self, catalog: &Catalog, model: &str) -> Result<(), Error> {
        if let Some(reference) = self.reference {
            return Err(missing_reference(catalog, reference));
        }
        if self.is_denied {
            return Err(denied(model));
        }
        Ok(())
    }
}

/// A write that some rule does not allow.
#[must_use]
pub fn denied(model: &str) -> Error {
    Error::new(Code::Denied, format!("permission denied for model {model}"))
        .with_details("a rule does not allow a row of this write")
}

/// A ref that points to no row, or to one its writer may not see.
#[must_use]
pub fn missing_reference(catalog: &Catalog, reference: RefId) -> Error {
    let reference = catalog.reference(reference);
    let from = catalog.model(reference.from);
    Error::new(
        Code::ReferenceViolation,
        format!(
            "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
            from.name, reference.name
        ),
    )
    .with_details(format!(
        "Key ({}) is not present in table \"{}\".",
        names(from, &reference.from_fields),
        catalog.model(reference.to).name
    ))
}

/// A ref that failed, where it is not known which.
#[must_use]
pub fn some_reference(model: &Model) -> Error {
    Error::new(
        Code::ReferenceViolation,
        format!("the write on table \"{}\" violates a foreign key constraint", model.name),
    )
}

/// A delete that a row stands in the way of.
#[must_use]
pub fn restricted(catalog: &Catalog, reference: RefId) -> Error {
    let reference = catalog.reference(reference);
    let (child, parent) = (catalog.model(reference.from), catalog.model(reference.to));
    Error::new(
        Code::ReferenceViolation,
        format!(
            "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
            parent.name, reference.name, child.name
        ),
    )
    .with_details(format!(
        "Key ({}) is still referenced from table \"{}\".",
        names(parent, &reference.to_fields),
        child.name
    ))
    .with_hint(format!("delete or change those rows of {} first", child.name))
}

/// A delete of rows that something still points at.
#[must_use]
pub fn still_referenced(catalog: &Catalog, model: ModelId) -> Error {
    Error::new(
        Code::ReferenceViolation,
        format!(
            "update or delete on table \"{}\" violates a foreign key constraint",
            catalog.model(model).name
        ),
    )
}

/// A value that is taken: the constraint over these fields, or else the key.
#[must_use]
pub fn taken(model: &Model, fields: &[FieldId]) -> Error {
    let same = |known: &[FieldId]| {
        known.len() == fields.len() && known.iter().all(|field| fields.contains(field))
    };
    let found = model.uniques.iter().find(|unique| same(&unique.fields));
    let (name, fields) = match found {
        Some(unique) => (unique.name.to_string(), &unique.fields),
        None => (key_name(model), &model.key),
    };
    Error::new(
        Code::UniqueViolation,
        format!("duplicate key value violates unique constraint \"{name}\""),
    )
    .with_details(format!("Key ({}) already exists.", names(model, fields)))
}

/// The name of a model's primary key as a constraint.
#[must_use]
pub fn key_name(model: &Model) -> String {
    format!("{}_pkey", model.table.table)
}

/// Two rows of one payload that are the same row.
#[must_use]
pub fn conflict_twice() -> Error {
    Error::new(Code::Cardinality, "ON CONFLICT DO UPDATE command cannot affect row a second time")
        .with_hint("leave out rows of the payload that have the same key as another")
}

/// A write to rows that cannot be told apart.
#[must_use]
pub fn keyless(model: &Model) -> Error {
    Error::new(
        Code::NotSupported,
        format!("rows of {} cannot be written: it has no key", model.name),
    )
}

/// Whether a write may touch so many rows, and so few.
///
/// # Errors
/// `Overtaken`, `MaxAffected` or `LimitExceeded`.
pub fn check_count(plan: &WritePlan, count: u64) -> Result<(), Error> {
    if count < plan.affected_min() {
        return Err(Error::new(
            Code::Overtaken,
            "what the write was to change is not as it was any more; nothing was written",
        ));
    }
    if let Some(max) = plan.affected_max().filter(|max| count > *max) {
        return Err(Error::new(
            Code::MaxAffected,
            "Query result exceeds max-affected preference constraint",
        )
        .with_details(format!("The query affects more than {max} rows")));
    }
    if count > plan.rows_max() {
        return Err(Error::new(
            Code::LimitExceeded,
            format!("the write affects more rows than write_rows_max allows ({})", plan.rows_max()),
        )
        .with_hint("narrow its filter, or write in several requests"));
    }
    Ok(())
}

/// A call whose time is over.
#[must_use]
pub fn deadline_exceeded() -> Error {
    Error::new(Code::DeadlineExceeded, "the request took longer than request_ms allows")
        .with_hint("ask for less, or add an index for what is filtered and ordered by")
}

/// A call on a store that was closed.
#[must_use]
pub fn closed() -> Error {
    Error::unavailable("the server is shutting down")
}

fn names(model: &Model, fields: &[FieldId]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| &*model.field(*field).name).collect();
    names.join(", ")
}
