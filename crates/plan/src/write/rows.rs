//! The values of a write: converted, defaulted and checked before any store sees
//! them.

use mainstay_core::{
    Actor, CallerTerm, Code, DefaultValue, Error, Field, FieldId, IdKind, Limits, Model, ModelId,
    Timestamp, Type, Value,
};
use mainstay_rules::caller_value;
use uuid::Uuid;

use crate::{
    PayloadValue, Planner, WriteAction, WriteRequest,
    bind::unreadable,
    gate::denied,
    write::{
        constraints,
        payload::{Given, Row, Rows},
    },
};

/// What an update assigns, and the rows an insert proposes.
type Values = (Vec<Value>, Vec<Box<[Value]>>);

/// The values of a write.
///
/// # Errors
/// `ValueUnreadable`, `ValueOutOfRange`, `RequiredViolation`, `CheckViolation`.
pub(crate) fn values(
    planner: &Planner,
    model: ModelId,
    request: &WriteRequest<'_>,
    payload: Rows<'_>,
    actor: &Actor,
    now: Timestamp,
    new_uuid: &mut dyn FnMut() -> Uuid,
) -> Result<Values, Error> {
    let declared = planner.catalog().model(model);
    let mut rows = Filling { planner, model, declared, actor, now, new_uuid };
    match &request.action {
        WriteAction::Delete => Ok((Vec::new(), Vec::new())),
        WriteAction::Update { .. } => {
            let mut assigned = Vec::with_capacity(payload.columns.len());
            let row = payload.iter().next();
            for field in &payload.columns {
                let value = match row.map(|row| row.get(*field)) {
                    Some(Given::Value(value)) => rows.given(*field, value)?,
                    Some(Given::Missing | Given::Nowhere) | None => Value::Null,
                };
                assigned.push(rows.checked(*field, value)?);
            }
            Ok((assigned, Vec::new()))
        }
        WriteAction::Insert(insert) => {
            let mut all = Vec::with_capacity(insert.payload.len());
            for row in payload.iter() {
                all.push(rows.row(row, insert.missing_default)?);
            }
            Ok((Vec::new(), all))
        }
    }
}

struct Filling<'f> {
    planner: &'f Planner,
    model: ModelId,
    declared: &'f Model,
    actor: &'f Actor,
    now: Timestamp,
    new_uuid: &'f mut dyn FnMut() -> Uuid,
}

impl Filling<'_> {
    /// A value for every field of the model.
    fn row(&mut self, row: Row<'_, '_>, missing_default: bool) -> Result<Box<[Value]>, Error> {
        let mut values = Vec::with_capacity(self.declared.fields.len());
        for field in self.declared.field_ids() {
            let value = match row.get(field) {
                Given::Value(value) => self.given(field, value)?,
                Given::Missing if !missing_default => Value::Null,
                Given::Missing | Given::Nowhere => {
                    let value = self.default(field);
                    self.refuse_nobody(field, &value)?;
                    value
                }
            };
            values.push(self.checked(field, value)?);
        }
        Ok(values.into_boxed_slice())
    }

    /// A row that must name its caller cannot be made by one who is nobody: that is a
    /// matter of who asks, not of what the payload lacks.
    fn refuse_nobody(&self, id: FieldId, value: &Value) -> Result<(), Error> {
        let field = self.declared.field(id);
        let names_caller = field.required && field.default == Some(DefaultValue::CallerId);
        if names_caller && value.is_null() && !self.actor.is_service() {
            return Err(denied(&self.declared.name));
        }
        Ok(())
    }

    fn given(&self, id: FieldId, value: &PayloadValue<'_>) -> Result<Value, Error> {
        convert(self.declared.field(id), value, self.planner.limits()).map_err(|error| {
            let field = &self.declared.field(id).name;
            match error.details() {
                Some(_) => error,
                None => error.with_details(format!("in the field \"{field}\" of the payload")),
            }
        })
    }

    fn default(&mut self, id: FieldId) -> Value {
        let field = self.declared.field(id);
        let default = match &field.default {
            Some(default) => default.clone(),
            None if self.declared.key == [id] => match self.declared.id {
                IdKind::Uuid | IdKind::Text => DefaultValue::NewUuid,
                IdKind::Int => DefaultValue::NextInt,
                IdKind::Given => return Value::Null,
            },
            None => return Value::Null,
        };
        match default {
            DefaultValue::Literal(value) => value,
            DefaultValue::CallerId => caller_value(&CallerTerm::Id, field.value_type, self.actor),
            DefaultValue::Now => self.now_as(field.value_type),
            DefaultValue::NewUuid => {
                let id = (self.new_uuid)();
                if field.value_type == Type::Text {
                    Value::Text(id.to_string().into_boxed_str())
                } else {
                    Value::Uuid(id)
                }
            }
            DefaultValue::NextInt => Value::Null,
        }
    }

    fn now_as(&self, kind: Type) -> Value {
        if kind == Type::Date {
            let text = self.now.to_string();
            return mainstay_core::Date::parse(&text[..10]).map_or(Value::Null, Value::Date);
        }
        Value::Timestamp(self.now)
    }

    /// A value that its field may hold.
    fn checked(&self, id: FieldId, value: Value) -> Result<Value, Error> {
        let field = self.declared.field(id);
        if value.is_null() {
            let generated = self.declared.key == [id] && self.declared.id == IdKind::Int;
            let needed = field.required || self.declared.key.contains(&id);
            if needed && !generated {
                return Err(Error::new(
                    Code::RequiredViolation,
                    format!(
                        "null value in field \"{}\" of \"{}\" violates not-null constraint",
                        field.name, self.declared.name
                    ),
                )
                .with_hint(format!("give {} a value", field.name)));
            }
            return Ok(value);
        }
        constraints::check(self.declared, field, &value, self.planner.pattern(self.model, id))?;
        Ok(value)
    }
}

/// A value of a payload as a value of its field's type.
fn convert(field: &Field, value: &PayloadValue<'_>, limits: &Limits) -> Result<Value, Error> {
    let kind = field.value_type;
    let depth = limits.json_depth_max;
    let parsed =
        |text: &str| Value::parse(text, kind, depth).map_err(|error| unreadable(text, kind, error));
    let json =
        |text: &str| Value::json(text, depth).map_err(|error| unreadable(text, Type::Json, error));
    match (value, kind) {
        (PayloadValue::Null, _) => Ok(Value::Null),
        (PayloadValue::Bool(flag), Type::Bool) => Ok(Value::Bool(*flag)),
        (PayloadValue::Bool(flag), Type::Json | Type::Text) => {
            parsed(if *flag { "true" } else { "false" })
        }
        (PayloadValue::Number(text) | PayloadValue::Nested(text), Type::Json) => json(text),
        (PayloadValue::String(text), Type::Json) => json(&json_string(text)),
        (
            PayloadValue::Number(text),
            Type::Int | Type::Float | Type::Decimal { .. } | Type::Text,
        ) => parsed(text),
        (PayloadValue::Nested(text), Type::Text) => json(text).map(|value| match value {
            Value::Json(text) => Value::Text(text),
            other => other,
        }),
        (PayloadValue::String(text), _) => parsed(text),
        (PayloadValue::Bool(_), _) => Err(wrong(field, "true or false")),
        (PayloadValue::Number(_), _) => Err(wrong(field, "a number")),
        (PayloadValue::Nested(_), _) => Err(wrong(field, "an array or object")),
    }
}

fn wrong(field: &Field, what: &str) -> Error {
    Error::new(
        Code::ValueUnreadable,
        format!("field \"{}\" is of type {}, not {what}", field.name, field.value_type),
    )
}

/// A text as a JSON string.
fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}
