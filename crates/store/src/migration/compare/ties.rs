//! What ties rows to others: references, uniques and indexes.
//!
//! One that is the same under another name (because its model or field has another) is
//! renamed, so that nothing is built anew.

use std::collections::BTreeMap;

use super::Work;
use crate::migration::{Change, ModelShape, ReferenceShape};

impl Work<'_> {
    /// Drops what is no longer wanted and gives the others their names. Returns what is
    /// to be added at the end.
    pub(super) fn drop_ties(&mut self) -> Vec<Change> {
        let (mut renames, mut adds) = (Vec::new(), Vec::new());
        for (model, wanted) in self.wanted.models.clone() {
            let Some(now) = self.now.models.get(&model).cloned() else { continue };
            let changes =
                |fields: &[String]| fields.iter().any(|field| self.is_replaced(&model, field));
            let references =
                pair(&now.references, &wanted.references, |it| self.is_retyped(&model, it));
            let uniques = pair(&now.uniques, &wanted.uniques, |fields| changes(fields));
            let indexes = pair(&now.indexes, &wanted.indexes, |fields| {
                changes(&fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>())
            });
            for (name, to) in references.renamed {
                renames.push(Change::RenameReference { model: model.clone(), name, to });
            }
            for (name, to) in uniques.renamed.into_iter().chain(indexes.renamed) {
                renames.push(Change::RenameIndex { model: model.clone(), name, to });
            }
            for (name, it) in references.gone {
                self.take(Change::DropReference { model: model.clone(), name, fields: it.fields });
            }
            for (name, _) in uniques.gone {
                self.take(Change::DropIndex { model: model.clone(), name, unique: true });
            }
            for (name, _) in indexes.gone {
                self.take(Change::DropIndex { model: model.clone(), name, unique: false });
            }
            for (name, fields) in uniques.came {
                adds.push(Change::AddUnique { model: model.clone(), name, fields });
            }
            for (name, fields) in indexes.came {
                adds.push(Change::AddIndex { model: model.clone(), name, fields });
            }
            let is_own = |it: &ReferenceShape| self.comes_with_its_field(&model, &now, it);
            for (name, reference) in references.came.into_iter().filter(|(_, it)| !is_own(it)) {
                adds.push(Change::AddReference { model: model.clone(), name, reference });
            }
        }
        self.drop_what_points_at_what_goes();
        for rename in renames {
            self.take(rename);
        }
        adds
    }

    pub(super) fn add_ties(&mut self, ties: Vec<Change>) {
        for change in ties {
            self.take(change);
        }
    }

    /// A reference cannot outlast the uniqueness of what it points at.
    fn drop_what_points_at_what_goes(&mut self) {
        let pointing: Vec<Change> = self
            .now
            .models
            .iter()
            .flat_map(|(model, shape)| shape.references.iter().map(move |it| (model, it)))
            .filter(|(_, (_, it))| !self.now.models.get(&it.to).is_some_and(|to| is_unique(to, it)))
            .map(|(model, (name, it))| Change::DropReference {
                model: model.clone(),
                name: name.clone(),
                fields: it.fields.clone(),
            })
            .collect();
        for change in pointing {
            self.take(change);
        }
    }

    /// Whether a field that is added brings the reference with it.
    fn comes_with_its_field(
        &self,
        model: &str,
        now: &ModelShape,
        reference: &ReferenceShape,
    ) -> bool {
        match &reference.fields[..] {
            [field] => now.field(field).is_none() || self.is_replaced(model, field),
            _ => false,
        }
    }

    /// Whether one end of a reference gets another type, or is added anew.
    fn is_retyped(&self, model: &str, reference: &ReferenceShape) -> bool {
        let changes = |model: &str, field: &String| {
            let of = |shapes: &BTreeMap<String, ModelShape>| {
                shapes.get(model).and_then(|shape| shape.field(field)).map(|field| field.kind)
            };
            of(&self.now.models) != of(&self.wanted.models) || self.is_replaced(model, field)
        };
        reference.fields.iter().any(|field| changes(model, field))
            || reference.to_fields.iter().any(|field| changes(&reference.to, field))
    }
}

fn is_unique(to: &ModelShape, reference: &ReferenceShape) -> bool {
    to.key == reference.to_fields
        || to.uniques.values().any(|fields| *fields == reference.to_fields)
}

struct Paired<T> {
    /// Names before and after of what is the same.
    renamed: Vec<(String, String)>,
    gone: Vec<(String, T)>,
    came: Vec<(String, T)>,
}

fn pair<T: Clone + PartialEq>(
    now: &BTreeMap<String, T>,
    wanted: &BTreeMap<String, T>,
    is_made_anew: impl Fn(&T) -> bool,
) -> Paired<T> {
    let stays = |name: &String, it: &T, other: &BTreeMap<String, T>| {
        other.get(name).is_some_and(|other| other == it) && !is_made_anew(it)
    };
    let mut gone: Vec<(String, T)> = Vec::new();
    for (name, it) in now.iter().filter(|(name, it)| !stays(name, it, wanted)) {
        gone.push((name.clone(), it.clone()));
    }
    let (mut renamed, mut came) = (Vec::new(), Vec::new());
    for (name, it) in wanted.iter().filter(|(name, it)| !stays(name, it, now)) {
        let same = gone.iter().position(|(old, other)| {
            other == it && !is_made_anew(it) && !now.contains_key(name) && !wanted.contains_key(old)
        });
        match same {
            Some(at) => renamed.push((gone.remove(at).0, name.clone())),
            None => came.push((name.clone(), it.clone())),
        }
    }
    Paired { renamed, gone, came }
}
