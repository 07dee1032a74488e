//! What keeps a write's guards true until it commits, where others write meanwhile.
//!
//! A guard that counts, or looks for what is not there, is undone by a row that nobody
//! could have locked. So whoever asks such a guard, and whoever writes rows of a model
//! that one reads, is to be serialisable: an engine sees that the two are in each
//! other's way only where both are.

use mainstay_core::{Catalog, ModelId, OnDelete};
use mainstay_rules::{GuardClass, ModelRuleSet, Rule, Rulebook};
use rustc_hash::FxHashSet;

use crate::{Action, Guard};

/// What keeps a write's guards true until it commits. An engine with one writer need
/// not ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// Locks on the rows its guards read.
    Locks,
    /// The transaction as a whole takes place before or after every other such one.
    Serialisable,
}

/// The models that guards read which count, or look for what is not there.
#[derive(Debug, Default)]
pub(crate) struct Counted(FxHashSet<ModelId>);

impl Counted {
    pub(crate) fn of(catalog: &Catalog, rulebook: &Rulebook) -> Self {
        let mut counted = FxHashSet::default();
        for model in catalog.model_ids() {
            for rule in rules(rulebook.model(model)) {
                if rule.class() != GuardClass::Counting {
                    continue;
                }
                counted.insert(model);
                for way in rule.filter().ways() {
                    counted.extend(way.last().map(|relation| catalog.target(*relation)));
                }
            }
        }
        Self(counted)
    }

    /// What a write to a model takes.
    pub(crate) fn isolation(
        &self,
        catalog: &Catalog,
        model: ModelId,
        action: &Action,
    ) -> Isolation {
        let asks = guards(action).any(|guard| guard.class == GuardClass::Counting);
        let writes = std::iter::once(model).chain(also_written(catalog, action));
        if asks || writes.into_iter().any(|model| self.0.contains(&model)) {
            return Isolation::Serialisable;
        }
        Isolation::Locks
    }
}

fn rules(rules: &ModelRuleSet) -> impl Iterator<Item = &Rule> {
    let of_model = [&rules.read, &rules.create, &rules.update, &rules.check, &rules.delete];
    let of_fields = rules.fields.iter().flat_map(|field| [&field.read, &field.write]);
    of_model.into_iter().chain(of_fields).flatten()
}

fn guards(action: &Action) -> impl Iterator<Item = &Guard> {
    let lists: [&[Guard]; 4] = match action {
        Action::Insert { create, after, conflict } => {
            let merged = conflict.as_ref().map(|conflict| &conflict.resolution);
            match merged {
                Some(crate::ConflictResolution::Merge { before, after: then, .. }) => {
                    [create, after, before, then]
                }
                _ => [create, after, &[], &[]],
            }
        }
        Action::Update { before, after, .. } => [before, after, &[], &[]],
        Action::Delete { .. } => [&[], &[], &[], &[]],
    };
    lists.into_iter().flatten()
}

/// The models whose rows a delete changes besides.
fn also_written(catalog: &Catalog, action: &Action) -> Vec<ModelId> {
    let Action::Delete { cascades, .. } = action else { return Vec::new() };
    cascades
        .iter()
        .filter(|cascade| cascade.on_delete != OnDelete::Restrict)
        .map(|cascade| catalog.reference(cascade.reference).from)
        .collect()
}
