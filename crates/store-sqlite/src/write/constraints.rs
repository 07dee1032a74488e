//! What becomes of a write that a constraint of the table's stops.
//!
//! SQLite says which columns were not unique, but not which reference failed; and
//! whichever it met first, a ref that its writer may not follow is to be told before
//! anything else (see [`Verdict`]).

use mainstay_core::{Catalog, Error, FieldId, Model, RefId, Value};
use mainstay_plan::{Guard, GuardClass, Refusal};
use mainstay_store::refusal::{self, Verdict, denied, missing_reference};
use rusqlite::Connection;

use super::{guards::Guards, text::Texts};
use crate::{
    error::Trouble,
    prepared::{Bindings, Links, Prepared},
};

/// Finds out why a table refused a row.
pub(crate) struct Constraints<'c> {
    /// The guards of refs, asked of rows that may not be stored.
    references: Option<Guards<'c>>,
    /// The guards that the row alone decides, asked of one that is not unique: whoever
    /// may not create it does not learn what is taken.
    denials: Option<Guards<'c>>,
    /// For each ref, whether the row is there that it points to.
    exists: Vec<(RefId, Prepared<'c>)>,
}

impl<'c> Constraints<'c> {
    pub(crate) fn new<'g>(
        connection: &'c Connection,
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
            references: Guards::of_proposed(connection, texts, &references),
            denials: Guards::of_proposed(connection, texts, &denials),
            exists: texts
                .catalog
                .references_from(texts.model)
                .map(|id| (id, Prepared::new(connection, texts.referenced(id))))
                .collect(),
        }
    }

    /// The error of a row that was refused, the last of `rows`; those before it were
    /// taken. Troubles that are no constraint's are given back as they are.
    pub(crate) fn explain<'r>(
        &mut self,
        catalog: &Catalog,
        model: &Model,
        trouble: Trouble,
        slots: &[Value],
        rows: impl Iterator<Item = &'r [Value]>,
    ) -> Result<Trouble, Trouble> {
        if !matches!(trouble, Trouble::Unique(_) | Trouble::Reference) {
            return Ok(trouble);
        }
        let mut verdict = Verdict::default();
        let mut last: &[Value] = &[];
        for row in rows {
            last = row;
            if let Some(references) = &mut self.references {
                references.ask(Bindings { slots, row }, Links::None, &mut verdict)?;
            }
        }
        if let Some(reference) = verdict.reference() {
            return Ok(Trouble::Caller(missing_reference(catalog, reference)));
        }
        if let Some(denials) = &mut self.denials {
            denials.ask(Bindings { slots, row: last }, Links::None, &mut verdict)?;
        }
        if verdict.is_denied() {
            return Ok(Trouble::Caller(denied(&model.name)));
        }
        Ok(Trouble::Caller(match trouble {
            Trouble::Unique(columns) => unique(model, &columns),
            _ => self.missing(catalog, model, slots, last)?,
        }))
    }

    fn missing(
        &mut self,
        catalog: &Catalog,
        model: &Model,
        slots: &[Value],
        row: &[Value],
    ) -> Result<Error, Trouble> {
        for (id, exists) in &mut self.exists {
            let fields = &catalog.reference(*id).from_fields;
            if fields.iter().any(|field| row.get(field.index()).is_none_or(Value::is_null)) {
                continue;
            }
            let mut found = exists.rows(Bindings { slots, row }, Links::None)?;
            if found.next()?.is_none() {
                return Ok(missing_reference(catalog, *id));
            }
        }
        Ok(refusal::some_reference(model))
    }
}

/// The error of a value that is taken, from SQLite's `table.column, table.column`.
fn unique(model: &Model, columns: &str) -> Error {
    let fields: Vec<FieldId> = columns
        .split(", ")
        .filter_map(|column| column.rsplit_once('.').map(|(_, column)| column))
        .filter_map(|column| model.field_ids().find(|field| &*model.field(*field).column == column))
        .collect();
    refusal::taken(model, &fields)
}
