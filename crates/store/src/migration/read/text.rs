//! A migration as it is written.

use mainstay_core::{Type, Value};
use serde::Deserialize;
use toml::Spanned;

use crate::migration::Fill;

/// JSON in a default may nest this deep.
const JSON_DEPTH_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileText {
    #[serde(default)]
    pub(super) compatible: bool,
    #[serde(default)]
    pub(super) step: Vec<Spanned<StepText>>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum StepText {
    CreateModel(ModelText),
    DropModel {
        model: String,
        loses: Option<String>,
    },
    RenameModel {
        model: String,
        to: String,
    },
    AddField(ColumnText),
    DropField {
        model: String,
        field: String,
        loses: Option<String>,
    },
    RenameField {
        model: String,
        field: String,
        to: String,
    },
    ChangeField(ColumnText),
    AddUnique {
        model: String,
        name: String,
        fields: Vec<String>,
    },
    DropUnique {
        model: String,
        name: String,
    },
    AddIndex {
        model: String,
        name: String,
        fields: Vec<String>,
    },
    DropIndex {
        model: String,
        name: String,
    },
    RenameIndex {
        model: String,
        name: String,
        to: String,
    },
    AddReference {
        model: String,
        name: String,
        fields: Vec<String>,
        to: String,
        to_fields: Option<Vec<String>>,
        on_delete: OnDeleteText,
    },
    DropReference {
        model: String,
        name: String,
    },
    RenameReference {
        model: String,
        name: String,
        to: String,
    },
    Sql {
        sql: SqlText,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelText {
    pub(super) model: String,
    pub(super) id: IdText,
    pub(super) key: Option<Vec<String>>,
    pub(super) fields: Vec<FieldText>,
    #[serde(default)]
    pub(super) uniques: Vec<IndexText>,
    #[serde(default)]
    pub(super) indexes: Vec<IndexText>,
    #[serde(default)]
    pub(super) references: Vec<ReferenceText>,
}

/// A field that comes, or what becomes of one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnText {
    pub(super) model: String,
    pub(super) field: String,
    #[serde(rename = "type")]
    pub(super) type_name: Option<String>,
    pub(super) precision: Option<u8>,
    pub(super) scale: Option<u8>,
    pub(super) required: Option<bool>,
    pub(super) default: Option<toml::Value>,
    pub(super) reference: Option<FieldReferenceText>,
    loses: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum IdText {
    Uuid,
    Int,
    Text,
    Given,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OnDeleteText {
    Restrict,
    Cascade,
    SetNull,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldText {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) type_name: String,
    pub(super) precision: Option<u8>,
    pub(super) scale: Option<u8>,
    #[serde(default)]
    pub(super) required: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IndexText {
    pub(super) name: String,
    pub(super) fields: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReferenceText {
    pub(super) name: String,
    pub(super) fields: Vec<String>,
    pub(super) to: String,
    pub(super) to_fields: Option<Vec<String>>,
    pub(super) on_delete: OnDeleteText,
}

/// The reference of one field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldReferenceText {
    name: String,
    to: String,
    to_fields: Option<Vec<String>>,
    on_delete: OnDeleteText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SqlText {
    pub(super) sqlite: Option<String>,
    pub(super) postgres: Option<String>,
}

impl FieldReferenceText {
    pub(super) fn with_fields(self, fields: Vec<String>) -> ReferenceText {
        let Self { name, to, to_fields, on_delete } = self;
        ReferenceText { name, fields, to, to_fields, on_delete }
    }
}

impl StepText {
    /// What the step says that it loses.
    pub(super) fn loses(&self) -> Option<&str> {
        match self {
            Self::DropModel { loses, .. } | Self::DropField { loses, .. } => loses.as_deref(),
            Self::AddField(column) | Self::ChangeField(column) => column.loses.as_deref(),
            _ => None,
        }
    }
}

/// The value that rows take which have none.
pub(super) fn fill(written: &toml::Value, kind: Type) -> Result<Fill, String> {
    if written.as_str() == Some("now") && matches!(kind, Type::Timestamp | Type::Date) {
        return Ok(Fill::Now);
    }
    let text = match (written, kind) {
        (toml::Value::String(text), _) => text.clone(),
        (toml::Value::Boolean(flag), Type::Bool) => flag.to_string(),
        (toml::Value::Integer(number), Type::Int | Type::Float | Type::Decimal { .. }) => {
            number.to_string()
        }
        (toml::Value::Float(number), Type::Float | Type::Decimal { .. }) => number.to_string(),
        (toml::Value::Datetime(moment), Type::Timestamp | Type::Date) => moment.to_string(),
        _ => return Err(not_of(kind)),
    };
    Value::parse(&text, kind, JSON_DEPTH_MAX).map(Fill::Value).map_err(|_| not_of(kind))
}

fn not_of(kind: Type) -> String {
    format!("`default` is no {}", kind.name())
}
