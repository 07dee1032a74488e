//! Making the shape of a write.
//!
//! A write touches only rows its caller may both read and change, and carries as
//! guards whatever must hold of them before and after: the rules of the model, of
//! the fields written, of the rows its refs point to, and of what is answered.

mod constraints;
pub(crate) mod payload;
pub(crate) mod rows;

pub(crate) use constraints::Patterns;

use mainstay_core::{
    Code, Error, FieldId, FieldKind, Filter, Model, ModelId, Operand, Path, RefId, Relation,
    RowRef, Scope,
};
use mainstay_rules::GuardClass;

use crate::{
    Action, Conflict, ConflictResolution, Guard, InsertRequest, Query, Refusal, Resolution, Return,
    WriteAction, WriteRequest,
    bind::SlotSource,
    gate::{Operation, denied, denied_field},
    key::Key,
    names,
    read::ReadBuilder,
    rewrite::shifted,
    write::payload::Rows,
    write_plan::cascades,
};

/// The key of a write: its structure and the fields its payload gives.
pub(crate) fn key_of<'r, 'a>(request: &'r WriteRequest<'a>, payload: &Rows<'_>) -> Key<'r, 'a> {
    let mut key = Key::new();
    key.text(&request.model);
    match &request.action {
        WriteAction::Insert(insert) => {
            key.tag(match insert.resolution {
                None => b'I',
                Some(Resolution::MergeDuplicates) => b'M',
                Some(Resolution::IgnoreDuplicates) => b'G',
            });
            key.length(insert.on_conflict.len());
            insert.on_conflict.iter().for_each(|name| key.text(name));
        }
        WriteAction::Update { .. } => key.tag(b'U'),
        WriteAction::Delete => key.tag(b'D'),
    }
    key.length(payload.columns.len());
    payload.columns.iter().for_each(|field| key.length(field.index()));
    key.tag(match request.returning {
        Return::Minimal => b'0',
        Return::HeadersOnly => b'1',
        Return::Representation => b'2',
    });
    key.rows(&request.select, &request.clauses, &request.embedded);
    key
}

/// Refuses to change or delete rows of a model to which rows are only ever added, whoever
/// asks. An insert that takes account of rows that are there is refused with them.
///
/// # Errors
/// `Denied`.
pub(crate) fn refuse_change(model: &Model, action: &WriteAction<'_>) -> Result<(), Error> {
    let only_adds = matches!(action, WriteAction::Insert(insert) if insert.resolution.is_none());
    if only_adds || !model.append_only || mainstay_core::removal::removed("append-only") {
        return Ok(());
    }
    Err(denied(&model.name).with_details("rows of this model are only ever added, by whomever"))
}

/// Refuses to change every row of a model unless that was clearly meant.
pub(crate) fn refuse_unfiltered(request: &WriteRequest<'_>, allowed: bool) -> Result<(), Error> {
    let verb = match request.action {
        WriteAction::Insert(_) => return Ok(()),
        WriteAction::Update { .. } => "UPDATE",
        WriteAction::Delete => "DELETE",
    };
    if allowed || !request.clauses.filters.is_empty() || request.max_affected.is_some() {
        return Ok(());
    }
    Err(Error::new(Code::Cardinality, format!("{verb} requires a filter"))
        .with_hint("add a filter, or bound it with 'Prefer: handling=strict, max-affected=N'"))
}

/// What a write does, and what it answers.
pub(crate) fn shape<'r, 'a>(
    builder: &mut ReadBuilder<'_, 'r, 'a, '_>,
    model: ModelId,
    request: &'r WriteRequest<'a>,
    payload: &Rows<'_>,
) -> Result<(Action, Option<Query>), Error> {
    let returning = match request.returning {
        Return::Representation => Some(builder.returning(model, &request.select)?),
        Return::Minimal | Return::HeadersOnly => None,
    };
    let mut guards = Guards { builder, model, answered: returning.is_some() };
    let action = match &request.action {
        WriteAction::Insert(insert) => guards.insert(insert, payload)?,
        WriteAction::Update { .. } => guards.update(payload)?,
        WriteAction::Delete => guards.delete()?,
    };
    Ok((action, returning))
}

struct Guards<'g, 'b, 'r, 'a, 'p> {
    builder: &'g mut ReadBuilder<'b, 'r, 'a, 'p>,
    model: ModelId,
    /// Whether the rows written are answered.
    answered: bool,
}

impl Guards<'_, '_, '_, '_, '_> {
    fn insert(&mut self, insert: &InsertRequest<'_>, payload: &Rows<'_>) -> Result<Action, Error> {
        let mut create = Vec::new();
        let rule = self.required(Operation::Create)?;
        if rule.is_never() {
            // Asked of the store, the row would meet unique constraints first, which
            // tell a stranger what is taken.
            return Err(denied(&self.builder.catalog.model(self.model).name));
        }
        self.push(&mut create, rule, Operation::Create);
        self.fields(&mut create, &payload.columns)?;
        self.references(&mut create, &payload.columns);
        let mut after = Vec::new();
        self.answer(&mut after)?;
        let conflict = match insert.resolution {
            None => None,
            Some(resolution) => Some(self.conflict(insert, resolution, payload)?),
        };
        Ok(Action::Insert { create, after, conflict })
    }

    fn conflict(
        &mut self,
        insert: &InsertRequest<'_>,
        resolution: Resolution,
        payload: &Rows<'_>,
    ) -> Result<Conflict, Error> {
        let target = self.conflict_target(insert)?;
        let resolution = match resolution {
            Resolution::IgnoreDuplicates => ConflictResolution::Ignore,
            Resolution::MergeDuplicates => {
                let mut before = Vec::new();
                for operation in [Operation::Read, Operation::Update] {
                    let rule = self.builder.gate.rule(self.model, operation);
                    self.push(&mut before, rule.unwrap_or(Filter::NEVER), operation);
                }
                self.fields(&mut before, &payload.columns)?;
                let mut after = Vec::new();
                let check = self.builder.gate.rule(self.model, Operation::Check);
                self.push(&mut after, check.unwrap_or(Filter::NEVER), Operation::Check);
                self.fields(&mut after, &payload.columns)?;
                self.references(&mut after, &payload.columns);
                self.answer(&mut after)?;
                let declared = self.builder.catalog.model(self.model);
                let assign = payload
                    .columns
                    .iter()
                    .copied()
                    .filter(|field| !declared.key.contains(field))
                    .chain(updated_at(declared))
                    .collect();
                ConflictResolution::Merge { assign, before, after }
            }
        };
        Ok(Conflict { target, resolution })
    }

    /// The fields that decide whether a row is there already.
    fn conflict_target(&self, insert: &InsertRequest<'_>) -> Result<Vec<FieldId>, Error> {
        let declared = self.builder.catalog.model(self.model);
        if insert.on_conflict.is_empty() {
            return Ok(declared.key.clone());
        }
        let mut named = Vec::new();
        for name in &insert.on_conflict {
            named.push(names::field(declared, name)?);
        }
        let same = |fields: &[FieldId]| {
            fields.len() == named.len() && named.iter().all(|field| fields.contains(field))
        };
        if same(&declared.key) {
            return Ok(declared.key.clone());
        }
        declared
            .uniques
            .iter()
            .find(|unique| same(&unique.fields))
            .map(|unique| unique.fields.clone())
            .ok_or_else(|| {
                Error::new(
                    Code::ConflictTargetInvalid,
                    "no unique constraint of the model is over the fields that on_conflict names",
                )
                .with_details(format!("on_conflict={}", insert.on_conflict.join(",")))
            })
    }

    fn update(&mut self, payload: &Rows<'_>) -> Result<Action, Error> {
        let declared = self.builder.catalog.model(self.model);
        if let Some(key) = payload.columns.iter().find(|field| declared.key.contains(field)) {
            let name = &declared.field(*key).name;
            return Err(Error::new(Code::GeneratedAlways, format!("{name} never changes"))
                .with_hint(format!("leave {name} out of the payload")));
        }
        let mut target = self.target(Operation::Update)?;
        let mut before = Vec::new();
        self.fields(&mut before, &payload.columns)?;
        let mut after = Vec::new();
        let check = self.required(Operation::Check)?;
        self.push(&mut after, check, Operation::Check);
        self.fields(&mut after, &payload.columns)?;
        self.references(&mut after, &payload.columns);
        self.answer(&mut after)?;
        let mut assign: Vec<_> = payload
            .columns
            .iter()
            .enumerate()
            .map(|(at, field)| (*field, self.builder.gate.slots.slot(SlotSource::Assigned(at))))
            .collect();
        if assign.is_empty() {
            target = Filter::NEVER;
        }
        if let Some(field) = updated_at(declared) {
            assign.push((field, self.builder.gate.slots.slot(SlotSource::Now)));
        }
        Ok(Action::Update { target, before, assign, after })
    }

    fn delete(&mut self) -> Result<Action, Error> {
        let target = self.target(Operation::Delete)?;
        Ok(Action::Delete { target, cascades: cascades(self.builder.catalog, self.model) })
    }

    /// Which rows may be touched: those the caller asks for, may read and may treat so.
    fn target(&mut self, operation: Operation) -> Result<Filter, Error> {
        let asked = self.builder.asked(self.model)?;
        let allowed = self.required(operation)?;
        if mainstay_core::removal::removed("read-on-writes") {
            return Ok(allowed.and(asked));
        }
        let readable = self.required(Operation::Read)?;
        // Often one rule says both, and need not be asked twice.
        let target = if readable == allowed { readable } else { readable.and(allowed) };
        Ok(if target.is_never() { Filter::NEVER } else { target.and(asked) })
    }

    fn required(&mut self, operation: Operation) -> Result<Filter, Error> {
        let name = &*self.builder.catalog.model(self.model).name;
        self.builder.gate.required(self.model, name, operation)
    }

    fn push(&self, guards: &mut Vec<Guard>, filter: Filter, operation: Operation) {
        if !filter.is_always() {
            let class = self.builder.gate.class(self.model, operation);
            guards.push(Guard { filter, class, refusal: Refusal::Denied });
        }
    }

    /// The rules of the fields that are written, of the row at hand.
    fn fields(&mut self, guards: &mut Vec<Guard>, fields: &[FieldId]) -> Result<(), Error> {
        for field in fields {
            let (filter, class) = self.builder.gate.field_write(self.model, *field);
            if filter.is_never() {
                let declared = self.builder.catalog.model(self.model);
                return Err(denied_field(&declared.name, &declared.field(*field).name));
            }
            if !filter.is_always() {
                guards.push(Guard { filter, class, refusal: Refusal::Denied });
            }
        }
        Ok(())
    }

    /// A ref to a row the caller cannot read is a ref to no row.
    fn references(&mut self, guards: &mut Vec<Guard>, fields: &[FieldId]) {
        let catalog = self.builder.catalog;
        let declared = catalog.model(self.model);
        let mut asked: Vec<RefId> = Vec::new();
        for field in fields {
            let FieldKind::Ref { reference: id, blind: false } = declared.field(*field).kind else {
                continue;
            };
            if asked.contains(&id) {
                continue;
            }
            asked.push(id);
            let reference = catalog.reference(id);
            let readable =
                self.builder.gate.rule(reference.to, Operation::Read).unwrap_or(Filter::NEVER);
            if readable.is_always() {
                continue;
            }
            let visible = Filter::Exists {
                from: RowRef::at(Scope::Row(0)),
                relation: Relation::ToOne(id),
                filter: Box::new(Filter::IsTrue(Box::new(shifted(readable, 1)))),
            };
            let mut any = vec![visible];
            any.extend(
                reference
                    .from_fields
                    .iter()
                    .map(|field| Filter::IsNull(Operand::Field(Path::of(*field)))),
            );
            let class = self.builder.gate.class(reference.to, Operation::Read);
            guards.push(Guard {
                filter: Filter::Or(any),
                class: class.max(GuardClass::PositiveRelations),
                refusal: Refusal::Reference(id),
            });
        }
    }

    /// A row that is answered must be one its caller may read.
    fn answer(&mut self, guards: &mut Vec<Guard>) -> Result<(), Error> {
        if self.answered {
            let readable = self.required(Operation::Read)?;
            self.push(guards, readable, Operation::Read);
        }
        Ok(())
    }
}

/// The field that says when a row was last changed, where the server keeps it.
fn updated_at(model: &mainstay_core::Model) -> Option<FieldId> {
    let field = model.field_id("updated_at")?;
    model.field(field).server_set.then_some(field)
}
