//! Asking a write's guards, inside its transaction.

use mainstay_core::{Catalog, Code, Error, RefId, removal::removed};
use mainstay_plan::{Guard, Refusal};
use rusqlite::Connection;

use super::text::Texts;
use crate::{
    error::Trouble,
    prepared::{Bindings, Links, Prepared},
};

/// Guards of one kind of row, asked by one statement.
pub(crate) struct Guards<'c> {
    statement: Prepared<'c>,
    refusals: Vec<Refusal>,
}

impl<'c> Guards<'c> {
    /// Guards of the stored row with a key; none where there is nothing to ask.
    pub(crate) fn of_stored(
        connection: &'c Connection,
        texts: &Texts<'_>,
        guards: &[&Guard],
    ) -> Option<Self> {
        Self::new(connection, guards, || texts.guards_of_stored(guards))
    }

    /// Guards of the bindings' row, whether it is stored or not.
    pub(crate) fn of_proposed(
        connection: &'c Connection,
        texts: &Texts<'_>,
        guards: &[&Guard],
    ) -> Option<Self> {
        Self::new(connection, guards, || texts.guards_of_proposed(guards))
    }

    fn new(
        connection: &'c Connection,
        guards: &[&Guard],
        text: impl FnOnce() -> crate::compile::StatementText,
    ) -> Option<Self> {
        if guards.is_empty() || removed("guard-in-transaction") {
            return None;
        }
        let refusals = guards.iter().map(|guard| guard.refusal).collect();
        Some(Self { statement: Prepared::new(connection, text()), refusals })
    }

    /// Asks them of one row.
    pub(crate) fn ask(
        &mut self,
        bindings: Bindings<'_>,
        links: Links<'_>,
        verdict: &mut Verdict,
    ) -> Result<(), Trouble> {
        let mut rows = self.statement.rows(bindings, links)?;
        let Some(row) = rows.next()? else {
            // The row that was just written is not there: nothing can be said of it.
            verdict.add(Refusal::Denied);
            return Ok(());
        };
        for (at, refusal) in self.refusals.iter().enumerate() {
            if !row.get::<_, bool>(at)? {
                verdict.add(*refusal);
            }
        }
        Ok(())
    }
}

/// What the guards of a write's rows came to.
///
/// A refused ref comes before every other refusal, whatever the order of rows and
/// guards: a ref to a row that is not there fails as soon as it is written, so a ref
/// to a row its caller may not see has to look as if it failed first too. Otherwise
/// a second fault, put there on purpose, would tell the two apart.
#[derive(Default)]
pub(crate) struct Verdict {
    reference: Option<RefId>,
    is_denied: bool,
}

impl Verdict {
    pub(crate) fn add(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::Reference(reference) => {
                self.reference.get_or_insert(reference);
            }
            Refusal::Denied => self.is_denied = true,
        }
    }

    /// The ref that was refused first.
    pub(crate) fn reference(&self) -> Option<RefId> {
        self.reference
    }

    /// Whether a guard that is no ref's was refused.
    pub(crate) fn is_denied(&self) -> bool {
        self.is_denied
    }

    /// Whether all held.
    pub(crate) fn end(self, catalog: &Catalog, model: &str) -> Result<(), Trouble> {
        if let Some(reference) = self.reference {
            return Err(Trouble::Caller(missing_reference(catalog, reference)));
        }
        if self.is_denied {
            return Err(Trouble::Caller(denied(model)));
        }
        Ok(())
    }
}

/// The refusal of a write that some rule does not allow.
pub(crate) fn denied(model: &str) -> Error {
    Error::new(Code::Denied, format!("permission denied for model {model}"))
        .with_details("a rule does not allow a row of this write")
}

/// The refusal of a ref that points to no row, or to one its writer may not see.
pub(crate) fn missing_reference(catalog: &Catalog, reference: RefId) -> Error {
    let reference = catalog.reference(reference);
    let from = catalog.model(reference.from);
    let fields: Vec<&str> =
        reference.from_fields.iter().map(|field| &*from.field(*field).name).collect();
    Error::new(
        Code::ReferenceViolation,
        format!(
            "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
            from.name, reference.name
        ),
    )
    .with_details(format!(
        "Key ({}) is not present in table \"{}\".",
        fields.join(", "),
        catalog.model(reference.to).name
    ))
}
