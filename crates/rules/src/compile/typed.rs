//! What a part of an expression is, once it is checked.

use mainstay_core::{
    CallerTerm, FieldId, Filter, JsonStep, ModelId, Operand, Path, RefId, RowRef, Type,
};

/// A value written in the rule, before it is known what it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
}

impl Literal {
    /// The type it has where nothing beside it decides.
    pub(super) fn own_type(&self) -> Option<Type> {
        match self {
            Self::Null => None,
            Self::Bool(_) => Some(Type::Bool),
            Self::Int(_) => Some(Type::Int),
            Self::Float(_) => Some(Type::Float),
            Self::Text(_) => Some(Type::Text),
            Self::Bytes(_) => Some(Type::Bytes),
        }
    }
}

/// What a part of an expression is.
#[derive(Clone, Debug)]
pub(super) enum Typed<'c> {
    /// A condition.
    Condition(Filter),
    /// A value of a known type; of an enum's values where those are given.
    Value { operand: Operand, kind: Type, allowed: Option<&'c [Box<str>]> },
    /// A row in sight or one a ref leads to, with the field that refers to it.
    Row { row: RowRef, model: ModelId, key: Option<(Path, Type)> },
    /// Related rows.
    Rows { from: RowRef, way: Way, model: ModelId, name: Box<str> },
    /// Something inside a JSON field, or all of it.
    Json { path: Path, steps: Vec<JsonStep> },
    /// A value written in the rule.
    Literal(Literal),
    /// Values written in the rule, with where each stands in its list.
    List(Vec<(usize, Literal)>),
    /// A value of the caller's, to be converted.
    Caller(CallerTerm),
    /// `auth.roles`.
    Roles,
    /// `auth` itself.
    Auth,
    /// `auth.claims` itself.
    Claims,
    /// A span of time that is written in the rule, in microseconds.
    Duration(i64),
    /// A span of time between two moments, in microseconds.
    Elapsed(Operand),
    /// One of two values.
    Choice(Box<Filter>, Box<(Typed<'c>, Typed<'c>)>),
}

/// How related rows are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// They refer to the row.
    Direct(RefId),
    /// Rows of a junction refer to both.
    Through { near: RefId, far: RefId },
}

impl Typed<'_> {
    /// A field of a row.
    pub(super) fn field(row: RowRef, field: FieldId, kind: Type) -> Self {
        Self::Value { operand: Operand::Field(Path { row, field }), kind, allowed: None }
    }

    /// What it is, in a sentence: "… not *a text*".
    pub(super) fn described(&self) -> String {
        match self {
            Self::Condition(_) => "a condition".to_owned(),
            Self::Value { allowed: Some(_), .. } => "an enum".to_owned(),
            Self::Value { kind, .. } => article(kind.name()),
            Self::Row { key: Some((_, kind)), .. } => {
                format!("a ref to {} key", article(kind.name()))
            }
            Self::Row { .. } => "a whole row".to_owned(),
            Self::Rows { name, .. } => format!("the rows of `{name}`"),
            Self::Json { .. } => "a JSON value".to_owned(),
            Self::Literal(literal) => match literal.own_type() {
                None => "`null`".to_owned(),
                Some(kind) => article(kind.name()),
            },
            Self::List(_) => "a list".to_owned(),
            Self::Caller(CallerTerm::Id) => "the caller's id".to_owned(),
            Self::Caller(CallerTerm::Email) => "the caller's email".to_owned(),
            Self::Caller(_) => "a claim".to_owned(),
            Self::Roles => "the caller's roles".to_owned(),
            Self::Auth => "the caller".to_owned(),
            Self::Claims => "all of the caller's claims".to_owned(),
            Self::Duration(_) | Self::Elapsed(_) => "a duration".to_owned(),
            Self::Choice(_, branches) => branches.0.described(),
        }
    }

    /// Whether it is true, false or absent.
    pub(super) fn is_bool(&self) -> bool {
        match self {
            Self::Condition(_)
            | Self::Value { kind: Type::Bool, .. }
            | Self::Literal(Literal::Bool(_)) => true,
            Self::Choice(_, branches) => branches.0.is_bool() || branches.1.is_bool(),
            _ => false,
        }
    }

    /// Its type, where it has one whatever stands beside it.
    pub(super) fn known_type(&self) -> Option<Type> {
        match self {
            Self::Value { kind, .. } | Self::Row { key: Some((_, kind)), .. } => Some(*kind),
            Self::Choice(_, branches) => {
                branches.0.known_type().or_else(|| branches.1.known_type())
            }
            _ => None,
        }
    }

    /// The type it has where nothing beside it decides.
    pub(super) fn own_type(&self) -> Option<Type> {
        match self {
            Self::Literal(literal) => literal.own_type(),
            Self::Caller(CallerTerm::Id | CallerTerm::Email) => Some(Type::Text),
            Self::Choice(_, branches) => branches.0.own_type().or_else(|| branches.1.own_type()),
            other => other.known_type(),
        }
    }

    /// The values it may have, where it is an enum.
    pub(super) fn allowed(&self) -> Option<&[Box<str>]> {
        match self {
            Self::Value { allowed, .. } => *allowed,
            Self::Choice(_, branches) => branches.0.allowed().or_else(|| branches.1.allowed()),
            _ => None,
        }
    }
}

/// A noun with its article.
pub(super) fn article(noun: &str) -> String {
    match noun {
        "bytes" => "bytes".to_owned(),
        "json" => "a JSON value".to_owned(),
        "int" => "an int".to_owned(),
        other => format!("a {other}"),
    }
}
