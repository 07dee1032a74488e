//! Who may do what, before anyone asks: what plans will say to all callers of a role.
//!
//! It is the gate's own account, for people: the rules a plan consults, joined as a
//! plan joins them, folded as far as the role alone decides. Where it comes to always
//! or never, the plan of each caller of the role has no condition, or admits nothing.

use mainstay_core::{Catalog, FieldId, FieldKind, Filter, ModelId};
use mainstay_rules::{Callers, Rulebook, both};

use crate::gate::{Operation, rule_of};

/// What callers may do with the rows of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelAccess {
    /// Which rows they see.
    pub read: Access,
    /// Which rows they may create.
    pub create: Access,
    /// Which stored rows they may change: a write touches only rows its caller sees.
    pub update: Access,
    /// What a row they change must satisfy.
    pub check: Access,
    /// Which rows they may delete, of those they see.
    pub delete: Access,
    /// The fields, in their order.
    pub fields: Vec<FieldAccess>,
}

/// Under which condition something is allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// True of exactly the rows for which it is.
    pub condition: Filter,
    /// The rule that is not there, and without which nobody may.
    pub missing: Option<Operation>,
}

/// What callers may do with a field, of rows that they may treat so.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldAccess {
    /// The field.
    pub field: FieldId,
    /// Of which rows they see it.
    pub read: Filter,
    /// Of which rows they may write it; who does not see a field does not write it.
    pub write: Filter,
    /// Of a ref, the model of which it may only name rows that they see, and which
    /// those are; none where they see all of them.
    pub names: Option<(ModelId, Filter)>,
}

/// What all these callers may do with rows of a model.
#[must_use]
pub fn access(
    catalog: &Catalog,
    rulebook: &Rulebook,
    model: ModelId,
    callers: &Callers,
) -> ModelAccess {
    let rules = rulebook.model(model);
    let of = |operation: Operation| match rule_of(rules, operation) {
        Some(rule) => Access { condition: rule.fold_for(callers), missing: None },
        None => Access { condition: Filter::NEVER, missing: Some(operation) },
    };
    let read = of(Operation::Read);
    let of_seen = |operation: Operation| {
        let own = of(operation);
        let missing = own.missing.or(read.missing);
        Access { condition: both(read.condition.clone(), own.condition), missing }
    };
    let fields = catalog
        .model(model)
        .field_ids()
        .map(|field| field_access(catalog, rulebook, model, field, callers))
        .collect();
    ModelAccess {
        create: of(Operation::Create),
        update: of_seen(Operation::Update),
        check: of(Operation::Check),
        delete: of_seen(Operation::Delete),
        read,
        fields,
    }
}

fn field_access(
    catalog: &Catalog,
    rulebook: &Rulebook,
    model: ModelId,
    field: FieldId,
    callers: &Callers,
) -> FieldAccess {
    let rules = &rulebook.model(model).fields[field.index()];
    let of = |rule: &Option<mainstay_rules::Rule>| {
        rule.as_ref().map_or(Filter::ALWAYS, |rule| rule.fold_for(callers))
    };
    let read = of(&rules.read);
    let write = both(read.clone(), of(&rules.write));
    let names = match catalog.model(model).field(field).kind {
        FieldKind::Ref { reference, blind: false } => {
            let target = catalog.reference(reference).to;
            let read = rulebook.model(target).read.as_ref();
            let seen = read.map_or(Filter::NEVER, |rule| rule.fold_for(callers));
            (!seen.is_always()).then_some((target, seen))
        }
        _ => None,
    };
    FieldAccess { field, read, write, names }
}
