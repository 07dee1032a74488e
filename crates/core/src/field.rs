//! A field of a model: its type, what it may hold, who may read and write it.

use crate::{RefId, Type, Value};

/// What a field is, beyond the type of its values.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldKind {
    /// A plain value.
    Plain,
    /// One of a fixed list of texts.
    Enum {
        /// The texts it may hold, in the order they were declared.
        values: Vec<Box<str>>,
    },
    /// Part of a reference to another model's key.
    Ref {
        /// The reference; its target and `on_delete` stand in the catalog.
        reference: RefId,
        /// Whether a value may name a row that its writer cannot read.
        blind: bool,
    },
}

/// What happens to rows that point at a row which is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnDelete {
    /// The delete is refused.
    Restrict,
    /// They are deleted too.
    Cascade,
    /// Their ref becomes null.
    SetNull,
}

/// The value a field takes where a row is created without one.
#[derive(Clone, Debug, PartialEq)]
pub enum DefaultValue {
    /// A literal.
    Literal(Value),
    /// The caller's id, converted to the field's type; absent where it does not convert.
    CallerId,
    /// The request's time.
    Now,
    /// A fresh UUID v7; for keys.
    NewUuid,
    /// The next whole number above every one the model has held; for keys.
    NextInt,
}

/// The forms a text may be asked to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextFormat {
    /// An address of the form `local@domain`.
    Email,
    /// An absolute `http` or `https` URL.
    Url,
    /// Lower-case letters, digits and single hyphens between them.
    Slug,
}

/// What a field's values must satisfy, beyond their type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Constraints {
    /// The least number, or for text the least count of characters.
    pub min: Option<Value>,
    /// The greatest number, or for text the greatest count of characters.
    pub max: Option<Value>,
    /// A regular expression that a text must match.
    pub pattern: Option<Box<str>>,
    /// A named form that a text must have.
    pub format: Option<TextFormat>,
}

/// The text of a rule, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RuleText {
    /// The CEL expression.
    pub text: Box<str>,
    /// The file it stands in, relative to the application folder.
    pub file: Box<str>,
    /// The byte in that file at which the expression begins.
    pub offset: usize,
}

/// Who may read and write one field, where that differs from the row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldRules {
    /// Who sees the field. None adds nothing to the model's rule.
    pub read: Option<RuleText>,
    /// Who writes the field. None adds nothing to the model's rule.
    pub write: Option<RuleText>,
}

/// A field of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The name in the API, in rules and in model files.
    pub name: Box<str>,
    /// The column's name in the store.
    pub column: Box<str>,
    /// The type of its values; for a ref, that of the key it points to.
    pub kind: FieldKind,
    /// The type of its values.
    pub value_type: Type,
    /// Whether every row must have a value.
    pub required: bool,
    /// The value of a row created without one.
    pub default: Option<DefaultValue>,
    /// What its values must satisfy.
    pub constraints: Constraints,
    /// Who may read and write it.
    pub rules: FieldRules,
    /// Set by the server alone: `created_at`, `updated_at`.
    pub server_set: bool,
    /// What it is for, shown in the API's description.
    pub description: Option<Box<str>>,
}

impl Field {
    /// The reference this field is part of, if it is one.
    #[must_use]
    pub fn reference(&self) -> Option<RefId> {
        match self.kind {
            FieldKind::Ref { reference, .. } => Some(reference),
            FieldKind::Plain | FieldKind::Enum { .. } => None,
        }
    }
}
