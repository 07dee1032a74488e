//! Models that are renamed, come and go.

use std::collections::BTreeSet;

use super::Work;
use crate::migration::{Change, ModelShape, Question, Snapshot};

impl Work<'_> {
    pub(super) fn rename_models(&mut self) {
        let mut gone: Vec<String> = self.now.models.keys().cloned().collect();
        gone.retain(|name| !self.wanted.models.contains_key(name));
        for model in gone {
            let came = self.models_that_came(&model);
            match self.choices.renamed(&model).map(str::to_owned) {
                _ if self.choices.is_dropped(&model) => {
                    self.used.insert(model);
                }
                Some(to) if self.is_new(&to) => {
                    self.used.insert(model.clone());
                    self.names_before.insert(to.clone(), model.clone());
                    self.take(Change::RenameModel { model, to });
                }
                Some(to) => {
                    self.used.insert(model);
                    self.faults.push(format!("there is no new model whose table is `{to}`"));
                }
                None if came.is_empty() => {}
                None => self.questions.push(Question { gone: model, came }),
            }
        }
    }

    fn is_new(&self, name: &str) -> bool {
        self.wanted.models.contains_key(name) && !self.now.models.contains_key(name)
    }

    /// New models that may be one that went: of the same kind of key, with a field in common.
    fn models_that_came(&self, gone: &str) -> Vec<String> {
        let Some(before) = self.now.models.get(gone) else { return Vec::new() };
        let new = self
            .wanted
            .models
            .iter()
            .filter(|(name, _)| self.is_new(name) && !self.choices.is_new_name(None, name));
        let alike = new.filter(|(_, shape)| shape.id == before.id && share_a_field(before, shape));
        alike.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn create(&mut self) {
        let new: Vec<String> =
            self.wanted.models.keys().filter(|name| self.is_new(name)).cloned().collect();
        for change in create_models(&self.wanted, &new) {
            self.take(change);
        }
    }

    /// Tables that go, those that point before those that are pointed at.
    pub(super) fn drop_models(&mut self) {
        let mut gone: Vec<String> = self.now.models.keys().cloned().collect();
        gone.retain(|name| !self.wanted.models.contains_key(name));
        while !gone.is_empty() {
            let free = gone.iter().position(|name| self.pointing_at(name).is_none());
            if let Some(free) = free {
                let model = gone.remove(free);
                self.take(Change::DropModel { model });
                continue;
            }
            // They point at each other in a circle, which has to be cut somewhere.
            let Some(cut) = gone.first().and_then(|name| self.pointing_at(name)) else { return };
            let faults = self.faults.len();
            self.take(cut);
            if self.faults.len() > faults {
                return;
            }
        }
    }

    /// The step that takes away a reference from another model to this one.
    fn pointing_at(&self, name: &str) -> Option<Change> {
        let others = self.now.models.iter().filter(|(other, _)| *other != name);
        let mut references =
            others.flat_map(|(model, shape)| shape.references.iter().map(move |it| (model, it)));
        let (model, (reference, shape)) = references.find(|(_, (_, it))| it.to == name)?;
        Some(Change::DropReference {
            model: model.clone(),
            name: reference.clone(),
            fields: shape.fields.clone(),
        })
    }
}

fn share_a_field(one: &ModelShape, other: &ModelShape) -> bool {
    let own = |shape: &ModelShape, name: &str| {
        !shape.key.iter().any(|key| key == name) && !matches!(name, "created_at" | "updated_at")
    };
    one.fields.iter().filter(|field| own(one, &field.name)).any(|field| {
        other.field(&field.name).is_some_and(|it| it.kind == field.kind && own(other, &it.name))
    })
}

/// The steps that make these models, those that are pointed at first. Where they point at
/// each other in a circle, a reference that finds no table yet comes by itself at the end.
pub(in crate::migration) fn create_models(wanted: &Snapshot, names: &[String]) -> Vec<Change> {
    let mut waiting: BTreeSet<&String> = names.iter().collect();
    let (mut changes, mut later) = (Vec::new(), Vec::new());
    while let Some(first) = waiting.first().copied() {
        let waits = |name: &String, shape: &ModelShape| {
            shape.references.values().any(|it| it.to != *name && waiting.contains(&it.to))
        };
        let ready = waiting.iter().copied();
        let next = ready
            .filter(|name| wanted.models.get(*name).is_none_or(|shape| !waits(name, shape)))
            .min()
            .unwrap_or(first);
        waiting.remove(next);
        let Some(shape) = wanted.models.get(next) else { continue };
        let mut shape = shape.clone();
        let waits: Vec<String> = shape
            .references
            .iter()
            .filter(|(_, it)| waiting.contains(&it.to))
            .map(|(name, _)| name.clone())
            .collect();
        for name in waits {
            if let Some(reference) = shape.references.remove(&name) {
                later.push(Change::AddReference { model: next.clone(), name, reference });
            }
        }
        changes.push(Change::CreateModel { model: next.clone(), shape });
    }
    changes.extend(later);
    changes
}
