//! A model: one kind of row, its key, its constraints and its rules.

use crate::{Field, FieldId, ModelId, OnDelete, RuleText};

/// How a new row gets its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdKind {
    /// A uuid, version 7 where the caller gives none.
    Uuid,
    /// A whole number above every one the model has held.
    Int,
    /// A text, a uuid v7 as text where the caller gives none.
    Text,
    /// The model's key is not one generated field (composite, or none).
    Given,
}

/// Where a model's rows lie in a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableName {
    /// The schema, where the engine has them and it is not the default one.
    pub schema: Option<Box<str>>,
    /// The table.
    pub table: Box<str>,
}

/// A set of fields whose values no two rows share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unique {
    /// The constraint's name, as an error gives it.
    pub name: Box<str>,
    /// The fields, in order; a tenant would lead.
    pub fields: Vec<FieldId>,
}

/// An index that is not a constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The index's name.
    pub name: Box<str>,
    /// The fields in order, each with whether it descends.
    pub fields: Vec<(FieldId, bool)>,
}

/// A ref: rows of one model point at rows of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The constraint's name, as an error or a hint gives it: `posts_author_fkey`.
    pub name: Box<str>,
    /// The model that points.
    pub from: ModelId,
    /// Its fields, in the order of `to_fields`.
    pub from_fields: Vec<FieldId>,
    /// The model pointed at.
    pub to: ModelId,
    /// The fields pointed at: a key or a unique of `to`.
    pub to_fields: Vec<FieldId>,
    /// What deleting the row pointed at does.
    pub on_delete: OnDelete,
    /// Whether at most one row points at each: `from_fields` are a key or a unique.
    pub one_to_one: bool,
}

/// The rules of a model, as written. A missing rule denies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelRules {
    /// Which rows may be seen.
    pub read: Option<RuleText>,
    /// Which rows may be created, asked of the row as it would be stored.
    pub create: Option<RuleText>,
    /// Which stored rows may be changed.
    pub update: Option<RuleText>,
    /// What a changed row must satisfy; where missing, `update` on the row as stored.
    pub check: Option<RuleText>,
    /// Which rows may be deleted.
    pub delete: Option<RuleText>,
}

/// For whom a model is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// It has a path in the REST API, and rules, refs and embeds can name it.
    Exposed,
    /// For Mainstay alone: to everybody else, the service key included, there is no such
    /// model.
    Internal,
}

/// One kind of row.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The name in the API: plural, snake_case.
    pub name: Box<str>,
    /// Where its rows lie.
    pub table: TableName,
    /// The file it was read from, relative to the application folder.
    pub file: Box<str>,
    /// What it is for.
    pub description: Option<Box<str>>,
    /// Its fields in order: the key, then as declared, then the timestamps.
    pub fields: Vec<Field>,
    /// The fields that tell rows apart: one for a model made here; none or several for others.
    pub key: Vec<FieldId>,
    /// How a new row gets its key.
    pub id: IdKind,
    /// Whether the server keeps `created_at` and `updated_at`.
    pub timestamps: bool,
    /// Whether its table is ours to shape, with a hidden `_version`.
    pub managed: bool,
    /// Whether it joins two models many to many.
    pub junction: bool,
    /// For whom it is there.
    pub visibility: Visibility,
    /// Whether its rows are only ever added: no caller changes or deletes one, not even
    /// Mainstay itself.
    pub append_only: bool,
    /// Its unique constraints, the key aside.
    pub uniques: Vec<Unique>,
    /// Its other indexes.
    pub indexes: Vec<Index>,
    /// Who may do what.
    pub rules: ModelRules,
}

impl Model {
    /// Whether it is there for Mainstay alone.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.visibility == Visibility::Internal
    }

    /// The field of this name.
    #[must_use]
    pub fn field_id(&self, name: &str) -> Option<FieldId> {
        self.fields.iter().position(|field| &*field.name == name).map(FieldId::at)
    }

    /// The field with this id, which must be one of this model's.
    #[must_use]
    pub fn field(&self, id: FieldId) -> &Field {
        &self.fields[id.index()]
    }

    /// The ids of all fields, in order.
    pub fn field_ids(&self) -> impl Iterator<Item = FieldId> + use<> {
        (0..self.fields.len()).map(FieldId::at)
    }

    /// The key where it is one field, as it is for every model made here.
    #[must_use]
    pub fn id_field(&self) -> Option<FieldId> {
        match self.key[..] {
            [id] => Some(id),
            _ => None,
        }
    }
}
