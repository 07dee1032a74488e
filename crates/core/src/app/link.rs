//! Drafts of models, linked into the lists a catalog is made of.
//!
//! Refs find their models, constraints and indexes get their names, and what a
//! rule needs to be quick is added: an index for each ref that no other index
//! begins with, and, for a junction of two refs and nothing else, a unique over
//! both, since the same pair twice would say nothing.

use std::{
    fmt::{self, Write},
    hash::{DefaultHasher, Hasher},
};

use rustc_hash::FxHashMap;

use super::{
    REFERENCES_MAX,
    default::read_default,
    document::Problems,
    field::FieldDraft,
    model::{IndexDraft, ModelDraft},
    shape::Shape,
};
use crate::{
    CatalogVersion, Constraints, DefaultValue, Field, FieldId, FieldKind, FieldRules, IdKind,
    Index, Limits, Model, ModelId, RefId, Reference, TableName, Type, Unique, Visibility,
    declarations::Doubt,
    names::{PhysicalNames, nearest},
};

/// Fields of one index.
const INDEX_FIELDS_MAX: usize = 16;

/// What a catalog is made of, and what is not known of each model where it has mistakes.
#[derive(Debug, Default)]
pub(super) struct Linked {
    pub(super) models: Vec<Model>,
    pub(super) references: Vec<Reference>,
    pub(super) doubts: Vec<Doubt>,
}

impl Linked {
    /// A hash of everything that a plan depends on. Equal folders give equal versions.
    pub(super) fn version(&self, limits: &Limits) -> CatalogVersion {
        let mut hash = HashWriter(DefaultHasher::new());
        // The printed form names every part once and in order; writing it cannot fail.
        let _ = write!(hash, "{:?}\n{:?}\n{limits:?}", self.models, self.references);
        CatalogVersion(hash.0.finish())
    }
}

struct HashWriter(DefaultHasher);

impl fmt::Write for HashWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// Links the models, which are in the order of their names. What is wrong is
/// reported, and is in doubt in what is returned.
pub(super) fn link(drafts: &[ModelDraft<'_>], problems: &mut Problems) -> Linked {
    let mut linker = Linker {
        by_name: drafts.iter().enumerate().map(|(at, draft)| (draft.name, (at, draft))).collect(),
        names: PhysicalNames::default(),
        linked: Linked {
            doubts: drafts.iter().map(|draft| draft.doubt.clone()).collect(),
            ..Linked::default()
        },
        problems,
    };
    linker.take_tables(drafts);
    for (at, draft) in drafts.iter().enumerate() {
        linker.link_model(ModelId::at(at), draft);
    }
    linker.linked
}

struct Linker<'l, 'p> {
    by_name: FxHashMap<&'l str, (usize, &'l ModelDraft<'l>)>,
    names: PhysicalNames,
    linked: Linked,
    problems: &'p mut Problems,
}

impl<'l> Linker<'l, '_> {
    /// Tables and their primary keys have their names before any index gets one.
    fn take_tables(&mut self, drafts: &'l [ModelDraft<'_>]) {
        // A model's own name comes first, so that whoever names another's table is told.
        let mut tables: Vec<_> = drafts.iter().map(|draft| (draft.name, &draft.table)).collect();
        tables.sort_by_key(|(name, (table, _))| name != table);
        for (_, (table, place)) in tables {
            if !self.names.take(table) {
                self.problems.add(|| place.mistake(format!("two models name the table `{table}`")));
            }
            self.names.take(&format!("{table}_pkey"));
        }
    }

    fn link_model(&mut self, id: ModelId, draft: &'l ModelDraft<'_>) {
        let first = self.linked.references.len();
        let mut fields = vec![id_field(draft.id)];
        for (at, field) in draft.fields.iter().enumerate() {
            fields.push(self.link_field(id, FieldId::at(at + 1), field, draft));
        }
        if draft.timestamps {
            fields.extend(["created_at", "updated_at"].map(timestamp_field));
        }
        let junction = self.is_junction(draft);
        let doubt = &mut self.linked.doubts[id.index()];
        // Its fields may be two refs, once they are declared rightly.
        let may_be_pair = draft.fields.len() == 2 && draft.fields.iter().all(may_be_ref);
        doubt.junction |=
            draft.junction.is_none() && (doubt.any_field || may_be_pair && !doubt.refs.is_empty());
        let (uniques, indexes) = self.link_indexes(draft, &fields, junction);
        for reference in &mut self.linked.references[first..] {
            reference.one_to_one =
                uniques.iter().any(|unique| unique.fields == reference.from_fields);
        }
        self.linked.models.push(Model {
            name: draft.name.into(),
            table: TableName { schema: None, table: draft.table.0.into() },
            file: draft.file.path.as_str().into(),
            description: draft.description.clone(),
            fields,
            key: vec![FieldId::at(0)],
            id: draft.id,
            timestamps: draft.timestamps,
            managed: true,
            junction,
            visibility: draft.visibility,
            append_only: draft.append_only,
            uniques,
            indexes,
            rules: draft.rules.clone(),
        });
    }

    fn link_field(
        &mut self,
        model: ModelId,
        id: FieldId,
        draft: &'l FieldDraft<'_>,
        owner: &ModelDraft<'_>,
    ) -> Field {
        let (kind, value_type, default) = match &draft.shape {
            Shape::Plain(kind) => (FieldKind::Plain, *kind, draft.default.clone()),
            Shape::Enum(values) => {
                (FieldKind::Enum { values: values.clone() }, Type::Text, draft.default.clone())
            }
            Shape::Ref { .. } => self.link_ref(model, id, draft, owner).unwrap_or_else(|| {
                self.keep_place(model, draft);
                (FieldKind::Plain, Type::Text, None)
            }),
            // Reported already.
            Shape::Unknown => {
                self.keep_place(model, draft);
                (FieldKind::Plain, Type::Text, None)
            }
        };
        Field {
            name: draft.entry.key.into(),
            column: draft.entry.key.into(),
            kind,
            value_type,
            required: draft.required,
            default,
            constraints: draft.constraints.clone(),
            rules: draft.rules.clone(),
            server_set: false,
            description: draft.description.clone(),
        }
    }

    /// A ref's kind, the type of its values and its default; none where it points nowhere.
    fn link_ref(
        &mut self,
        model: ModelId,
        id: FieldId,
        draft: &'l FieldDraft<'_>,
        owner: &ModelDraft<'_>,
    ) -> Option<(FieldKind, Type, Option<DefaultValue>)> {
        let Shape::Ref { to, to_place, on_delete, blind } = &draft.shape else { return None };
        // An internal model is there for internal ones alone.
        let can_name = |target: &ModelDraft<'_>| {
            target.visibility == Visibility::Exposed || owner.visibility == Visibility::Internal
        };
        let found = self.by_name.get(to).copied().filter(|(_, target)| can_name(target));
        let Some((target, target_draft)) = found else {
            let known = self.by_name.iter().filter(|(_, (_, target))| can_name(target));
            let known: Vec<&str> = known.map(|(name, _)| *name).collect();
            self.problems.add(|| {
                to_place
                    .mistake(format!("there is no model `{to}`"))
                    .with_nearest(nearest(to, known.iter().copied()))
            });
            return None;
        };
        let reference = self.linked.references.len();
        if reference == REFERENCES_MAX {
            self.problems
                .add(|| to_place.mistake(format!("an app has at most {REFERENCES_MAX} refs")));
            return None;
        }
        let value_type = id_type(target_draft.id);
        let default = if target_draft.doubt.may_have_field("id") {
            // The type of the key is not known, and so neither is the field's.
            self.linked.doubts[model.index()].fields.push(draft.entry.key.into());
            None
        } else {
            let free = Constraints::default();
            let default = draft.ref_default.as_ref();
            default.and_then(|entry| read_default(entry, value_type, None, &free, self.problems))
        };
        self.linked.references.push(Reference {
            name: self.names.derive(owner.table.0, &[draft.entry.key], "fkey"),
            from: model,
            from_fields: vec![id],
            to: ModelId::at(target),
            to_fields: vec![FieldId::at(0)],
            on_delete: *on_delete,
            one_to_one: false,
        });
        let kind = FieldKind::Ref { reference: RefId::at(reference), blind: *blind };
        Some((kind, value_type, default))
    }

    /// Of a field that may be a ref to any model, no more than its name is known.
    fn keep_place(&mut self, model: ModelId, draft: &FieldDraft<'_>) {
        let doubt = &mut self.linked.doubts[model.index()];
        doubt.fields.push(draft.entry.key.into());
        doubt.refs.push(draft.entry.key.into());
    }

    fn is_junction(&mut self, draft: &ModelDraft<'_>) -> bool {
        let refs = draft.fields.iter().filter(|field| is_ref(field)).count();
        match &draft.junction {
            None => is_pure_junction(draft),
            Some((false, _)) => false,
            Some((true, place)) => {
                let possible = draft.fields.iter().filter(|field| may_be_ref(field)).count();
                if possible < 2 && !draft.doubt.any_field {
                    self.problems.add(|| {
                        place.mistake(format!(
                            "a junction has at least two refs; this model has {refs}"
                        ))
                    });
                }
                true
            }
        }
    }

    /// The uniques and the other indexes of a model: of its fields, as declared,
    /// and those it needs besides.
    fn link_indexes(
        &mut self,
        draft: &ModelDraft<'_>,
        fields: &[Field],
        junction: bool,
    ) -> (Vec<Unique>, Vec<Index>) {
        let table = draft.table.0;
        let mut uniques: Vec<Unique> = Vec::new();
        let mut indexes: Vec<Index> = Vec::new();
        for (at, field) in draft.fields.iter().enumerate() {
            if field.unique {
                let name = self.names.derive(table, &[field.entry.key], "key");
                uniques.push(Unique { name, fields: vec![FieldId::at(at + 1)] });
            }
        }
        for index in &draft.indexes {
            let Some(found) = self.index_fields(index, draft, fields) else { continue };
            let names: Vec<&str> = index.fields.iter().map(|(name, ..)| *name).collect();
            let ids: Vec<FieldId> = found.iter().map(|(id, _)| *id).collect();
            let twice = if index.unique {
                uniques.iter().any(|unique| unique.fields == ids)
            } else {
                indexes.iter().any(|index| index.fields == found)
            };
            if twice {
                self.problems.add(|| index.place.mistake("this index is declared twice"));
            } else if index.unique {
                uniques.push(Unique { name: self.names.derive(table, &names, "key"), fields: ids });
            } else {
                indexes
                    .push(Index { name: self.names.derive(table, &names, "idx"), fields: found });
            }
        }
        if junction && is_pure_junction(draft) {
            let pair = vec![FieldId::at(1), FieldId::at(2)];
            let reversed = vec![FieldId::at(2), FieldId::at(1)];
            if !uniques.iter().any(|unique| unique.fields == pair || unique.fields == reversed) {
                let names: Vec<&str> = draft.fields.iter().map(|field| field.entry.key).collect();
                uniques
                    .push(Unique { name: self.names.derive(table, &names, "key"), fields: pair });
            }
        }
        for (at, field) in draft.fields.iter().enumerate().filter(|(_, field)| is_ref(field)) {
            let id = FieldId::at(at + 1);
            let leads = uniques.iter().any(|unique| unique.fields.first() == Some(&id))
                || indexes
                    .iter()
                    .any(|index| index.fields.first().is_some_and(|(first, _)| *first == id));
            if !leads {
                let name = self.names.derive(table, &[field.entry.key], "idx");
                indexes.push(Index { name, fields: vec![(id, false)] });
            }
        }
        (uniques, indexes)
    }

    /// The fields an index names, if all is well with them.
    fn index_fields(
        &mut self,
        index: &IndexDraft<'_>,
        draft: &ModelDraft<'_>,
        fields: &[Field],
    ) -> Option<Vec<(FieldId, bool)>> {
        let mut found: Vec<(FieldId, bool)> = Vec::new();
        if index.fields.len() > INDEX_FIELDS_MAX {
            let text = format!("an index has at most {INDEX_FIELDS_MAX} fields");
            self.problems.add(|| index.place.mistake(text));
            return None;
        }
        for (name, descends, place) in &index.fields {
            let Some(at) = fields.iter().position(|field| &*field.name == *name) else {
                if draft.doubt.may_have_field(name) {
                    continue;
                }
                self.problems.add(|| {
                    let known = fields.iter().map(|field| &*field.name);
                    place
                        .mistake(format!("the model `{}` has no field `{name}`", draft.name))
                        .with_nearest(nearest(name, known))
                });
                continue;
            };
            let id = FieldId::at(at);
            if found.iter().any(|(other, _)| *other == id) {
                self.problems.add(|| place.mistake(format!("the index names `{name}` twice")));
            } else if !fields[at].value_type.is_ordered() {
                self.problems
                    .add(|| place.mistake(format!("the json field `{name}` cannot be indexed")));
            } else {
                found.push((id, *descends));
            }
        }
        (found.len() == index.fields.len()).then_some(found)
    }
}

fn is_ref(field: &FieldDraft<'_>) -> bool {
    matches!(field.shape, Shape::Ref { .. })
}

fn may_be_ref(field: &FieldDraft<'_>) -> bool {
    matches!(field.shape, Shape::Ref { .. } | Shape::Unknown)
}

/// Whether its own fields are two refs and nothing else.
fn is_pure_junction(draft: &ModelDraft<'_>) -> bool {
    draft.fields.len() == 2 && draft.fields.iter().all(is_ref)
}

fn id_type(kind: IdKind) -> Type {
    match kind {
        IdKind::Uuid => Type::Uuid,
        IdKind::Int => Type::Int,
        IdKind::Text | IdKind::Given => Type::Text,
    }
}

fn id_field(kind: IdKind) -> Field {
    let default = match kind {
        IdKind::Uuid | IdKind::Text => Some(DefaultValue::NewUuid),
        IdKind::Int => Some(DefaultValue::NextInt),
        IdKind::Given => None,
    };
    plain_field("id", id_type(kind), default)
}

fn timestamp_field(name: &str) -> Field {
    Field { server_set: true, ..plain_field(name, Type::Timestamp, Some(DefaultValue::Now)) }
}

fn plain_field(name: &str, value_type: Type, default: Option<DefaultValue>) -> Field {
    Field {
        name: name.into(),
        column: name.into(),
        kind: FieldKind::Plain,
        value_type,
        required: true,
        default,
        constraints: Constraints::default(),
        rules: FieldRules::default(),
        server_set: false,
        description: None,
    }
}
