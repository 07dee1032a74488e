//! A migration's text becomes its steps.

mod text;

use std::ops::Range;

use mainstay_core::{IdKind, OnDelete, Type};

use self::text::{
    ColumnText, FieldText, FileText, IdText, ModelText, OnDeleteText, ReferenceText, StepText,
};
use super::{
    Change, FieldShape, MigrationStep, ModelShape, ReferenceShape, Snapshot, can_convert,
    loss::loss, type_name,
};

/// The types without digits.
const PLAIN_TYPES: [Type; 9] = [
    Type::Text,
    Type::Int,
    Type::Float,
    Type::Bool,
    Type::Uuid,
    Type::Timestamp,
    Type::Date,
    Type::Json,
    Type::Bytes,
];

/// What a migration's text says.
pub(super) struct Read {
    pub(super) compatible: bool,
    pub(super) steps: Vec<MigrationStep>,
}

/// What is wrong with a migration's text, and where.
pub(super) struct Fault {
    /// The bytes it is about.
    pub(super) at: Range<usize>,
    pub(super) message: String,
}

/// Reads a migration, taking its steps on what was before.
///
/// # Errors
/// What is wrong with it. The snapshot is of no more use then.
pub(super) fn read(text: &str, before: &mut Snapshot) -> Result<Read, Fault> {
    let file: FileText = toml::from_str(text).map_err(|error| Fault {
        at: error.span().unwrap_or(0..0),
        message: error.message().to_owned(),
    })?;
    let mut steps = Vec::new();
    for written in file.step {
        let at = written.span();
        let step = read_step(written.into_inner(), before);
        steps.push(step.map_err(|message| Fault { at, message })?);
    }
    Ok(Read { compatible: file.compatible, steps })
}

fn read_step(written: StepText, before: &mut Snapshot) -> Result<MigrationStep, String> {
    let said = written.loses().map(str::to_owned);
    let change = change(written, before)?;
    let loses = loss(&change);
    if let (Some(loses), None) = (&loses, &said) {
        return Err(format!(
            "this step loses data, or may: say so in it, as `loses = \"{loses}\"`"
        ));
    }
    let shape = before.take(&change)?;
    Ok(MigrationStep { change, shape, loses: said.or(loses) })
}

fn change(written: StepText, before: &Snapshot) -> Result<Change, String> {
    Ok(match written {
        StepText::CreateModel(model) => create_model(model)?,
        StepText::DropModel { model, .. } => Change::DropModel { model },
        StepText::RenameModel { model, to } => Change::RenameModel { model, to },
        StepText::AddField(column) => add_field(column)?,
        StepText::DropField { model, field, .. } => Change::DropField { model, field },
        StepText::RenameField { model, field, to } => Change::RenameField { model, field, to },
        StepText::ChangeField(column) => change_field(column, before)?,
        StepText::AddUnique { model, name, fields } => Change::AddUnique { model, name, fields },
        StepText::DropUnique { model, name } => Change::DropIndex { model, name, unique: true },
        StepText::AddIndex { model, name, fields } => {
            let fields = fields.into_iter().map(direction).collect();
            Change::AddIndex { model, name, fields }
        }
        StepText::DropIndex { model, name } => Change::DropIndex { model, name, unique: false },
        StepText::RenameIndex { model, name, to } => Change::RenameIndex { model, name, to },
        StepText::AddReference { model, name, fields, to, to_fields, on_delete } => {
            let written = ReferenceText { name, fields, to, to_fields, on_delete };
            let (name, reference) = reference(written);
            Change::AddReference { model, name, reference }
        }
        StepText::DropReference { model, name } => {
            let shape = before.models.get(&model);
            let known = shape.and_then(|shape| shape.references.get(&name));
            let fields = known.map(|it| it.fields.clone()).unwrap_or_default();
            Change::DropReference { model, name, fields }
        }
        StepText::RenameReference { model, name, to } => {
            Change::RenameReference { model, name, to }
        }
        StepText::Sql { sql } => {
            if sql.sqlite.is_none() && sql.postgres.is_none() {
                return Err("an `sql` step has `sql.sqlite`, `sql.postgres` or both".to_owned());
            }
            Change::Sql { sqlite: sql.sqlite, postgres: sql.postgres }
        }
    })
}

fn create_model(written: ModelText) -> Result<Change, String> {
    let ModelText { model, id, key, fields, uniques, indexes, references } = written;
    let id = match id {
        IdText::Uuid => IdKind::Uuid,
        IdText::Int => IdKind::Int,
        IdText::Text => IdKind::Text,
        IdText::Given => IdKind::Given,
    };
    let indexes =
        indexes.into_iter().map(|it| (it.name, it.fields.into_iter().map(direction).collect()));
    let shape = ModelShape {
        id,
        key: key.unwrap_or_else(|| vec!["id".to_owned()]),
        fields: fields.into_iter().map(field).collect::<Result<_, _>>()?,
        uniques: uniques.into_iter().map(|it| (it.name, it.fields)).collect(),
        indexes: indexes.collect(),
        references: references.into_iter().map(reference).collect(),
    };
    Ok(Change::CreateModel { model, shape })
}

fn add_field(written: ColumnText) -> Result<Change, String> {
    let ColumnText { model, field, required, default, .. } = written;
    let kind = type_of(written.type_name.as_deref(), written.precision, written.scale)?;
    let kind = kind.ok_or("`add_field` wants a `type`")?;
    let fill = default.map(|value| text::fill(&value, kind)).transpose()?;
    let points = written.reference.map(|it| reference(it.with_fields(vec![field.clone()])));
    let field = FieldShape { name: field, kind, required: required.unwrap_or(false) };
    Ok(Change::AddField { model, field, fill, reference: points })
}

fn change_field(written: ColumnText, before: &Snapshot) -> Result<Change, String> {
    let ColumnText { model, field, required, default, reference, .. } = written;
    if reference.is_some() {
        return Err("a reference is changed by `drop_reference` and `add_reference`".to_owned());
    }
    let from = before.models.get(&model).and_then(|shape| shape.field(&field));
    let from = from.ok_or_else(|| format!("there is no field `{model}.{field}` at this point"))?;
    let kind = type_of(written.type_name.as_deref(), written.precision, written.scale)?;
    let kind = kind.unwrap_or(from.kind);
    if !can_convert(from.kind, kind) {
        let (to, from) = (type_name(kind), type_name(from.kind));
        return Err(format!("`{model}.{field}` cannot become {to} from {from}"));
    }
    let fill = default.map(|value| text::fill(&value, kind)).transpose()?;
    let to = FieldShape { name: field, kind, required: required.unwrap_or(from.required) };
    Ok(Change::ChangeField { model, from: from.clone(), to, fill })
}

fn field(written: FieldText) -> Result<FieldShape, String> {
    let FieldText { name, type_name, precision, scale, required } = written;
    let kind = type_of(Some(&type_name), precision, scale)?;
    let kind = kind.ok_or_else(|| format!("the field `{name}` wants a `type`"))?;
    Ok(FieldShape { name, kind, required })
}

fn reference(written: ReferenceText) -> (String, ReferenceShape) {
    let ReferenceText { name, fields, to, to_fields, on_delete } = written;
    let on_delete = match on_delete {
        OnDeleteText::Restrict => OnDelete::Restrict,
        OnDeleteText::Cascade => OnDelete::Cascade,
        OnDeleteText::SetNull => OnDelete::SetNull,
    };
    let to_fields = to_fields.unwrap_or_else(|| vec!["id".to_owned()]);
    (name, ReferenceShape { fields, to, to_fields, on_delete })
}

/// `-created_at` descends.
fn direction(written: String) -> (String, bool) {
    match written.strip_prefix('-') {
        Some(name) => (name.to_owned(), true),
        None => (written, false),
    }
}

/// The type that is written, if one is.
fn type_of(
    name: Option<&str>,
    precision: Option<u8>,
    scale: Option<u8>,
) -> Result<Option<Type>, String> {
    let kind = match name {
        None => None,
        Some("decimal") => {
            let (Some(precision @ 1..=18), Some(scale)) = (precision, scale) else {
                return Err("a decimal wants `precision` (at most 18) and `scale`".to_owned());
            };
            if scale > precision {
                return Err("a decimal's `scale` is at most its `precision`".to_owned());
            }
            return Ok(Some(Type::Decimal { precision, scale }));
        }
        Some(name) => {
            let known = PLAIN_TYPES.iter().find(|kind| kind.name() == name);
            Some(*known.ok_or_else(|| {
                format!(
                    "`{name}` is no type of a column: text, int, float, decimal, bool, uuid, \
                     timestamp, date, json and bytes are; an enum is text, and a ref is of the \
                     type of what it points at"
                )
            })?)
        }
    };
    match (precision, scale) {
        (None, None) => Ok(kind),
        _ => Err("`precision` and `scale` go with `type = \"decimal\"`".to_owned()),
    }
}
