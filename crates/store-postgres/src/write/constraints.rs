//! What becomes of a write that a constraint of the table's stops.
//!
//! Whichever constraint PostgreSQL met first, a ref that its writer may not follow is
//! to be told before anything else (see
//! [`Verdict`](mainstay_store::refusal::Verdict)), and whoever may not create a row
//! does not learn what is taken. By then the transaction is gone; the guards are asked
//! again of the rows as they were proposed.

use mainstay_core::{Catalog, Model, ModelId, Value};
use mainstay_plan::{Guard, GuardClass, Refusal};
use mainstay_store::refusal::{self, Verdict, denied, missing_reference};

use super::{guards::Guards, text::Texts};
use crate::{connection::Connection, error::Trouble};

/// Finds out why a table refused a row.
pub(crate) struct Constraints {
    /// The guards of refs, asked of rows that may not be stored.
    references: Option<Guards>,
    /// The guards that the row alone decides.
    denials: Option<Guards>,
}

impl Constraints {
    pub(crate) fn new<'g>(
        texts: &Texts<'_>,
        guards: impl Iterator<Item = &'g Guard>,
        create: &'g [Guard],
    ) -> Self {
        let denials: Vec<&Guard> = create
            .iter()
            .filter(|guard| guard.refusal == Refusal::Denied && guard.class == GuardClass::RowLocal)
            .collect();
        let references: Vec<&Guard> =
            guards.filter(|guard| matches!(guard.refusal, Refusal::Reference(_))).collect();
        Self {
            references: Guards::of_proposed(texts, &references),
            denials: Guards::of_proposed(texts, &denials),
        }
    }

    /// The trouble as its caller is told. Troubles that are no constraint's are given
    /// back as they are.
    pub(crate) async fn explain(
        &self,
        connection: &Connection,
        catalog: &Catalog,
        model: ModelId,
        trouble: Trouble,
        slots: &[Value],
        rows: &[Box<[Value]>],
    ) -> Result<Trouble, Trouble> {
        if !matches!(trouble, Trouble::Unique(_) | Trouble::Reference(_)) {
            return Ok(trouble);
        }
        let declared = catalog.model(model);
        let mut verdict = Verdict::default();
        if let Some(references) = &self.references {
            references.ask(connection, slots, rows, &mut verdict).await?;
        }
        if let Some(reference) = verdict.reference() {
            return Ok(Trouble::Caller(missing_reference(catalog, reference)));
        }
        if let Some(denials) = &self.denials {
            denials.ask(connection, slots, rows, &mut verdict).await?;
        }
        if verdict.is_denied() {
            return Ok(Trouble::Caller(denied(&declared.name)));
        }
        Ok(Trouble::Caller(match trouble {
            Trouble::Unique(name) => unique(declared, &name),
            Trouble::Reference(name) => {
                let named =
                    catalog.references_from(model).find(|id| *catalog.reference(*id).name == *name);
                match named {
                    Some(id) => missing_reference(catalog, id),
                    None => refusal::some_reference(declared),
                }
            }
            other => return Ok(other),
        }))
    }
}

/// The error of a value that is taken, from the constraint's name.
fn unique(model: &Model, name: &str) -> mainstay_core::Error {
    let found = model.uniques.iter().find(|unique| *unique.name == *name);
    refusal::taken(model, found.map_or(&model.key, |unique| &unique.fields))
}
