//! Which types become which, and what a change loses.

use mainstay_core::Type;

use super::{Change, FieldShape, Fill, type_name};
use crate::sql::{Dialect, Sql};

/// Whether values of one type can become values of another.
#[must_use]
pub fn can_convert(from: Type, to: Type) -> bool {
    use Type::{Bool, Date, Decimal, Float, Int, Json, Text, Timestamp};
    from == to
        || matches!(
            (from, to),
            (Text, _)
                | (_, Text)
                | (Int | Float | Decimal { .. }, Int | Float | Decimal { .. })
                | (Json, Int | Float | Bool)
                | (Int, Bool)
                | (Bool, Int)
                | (Timestamp, Date)
                | (Date, Timestamp)
        )
}

/// A value as one of another type, where [`can_convert`] says that it can be. Every engine
/// comes to the same value, or fails.
#[must_use]
pub fn convert<D: Dialect>(dialect: &D, value: Sql, from: Type, to: Type) -> Sql {
    match (from, to) {
        // By way of their text, which is exact: engines round a float each in their own way.
        (Type::Int | Type::Float | Type::Decimal { .. }, Type::Decimal { .. }) => {
            dialect.cast(dialect.cast(value, from, Type::Text), Type::Text, to)
        }
        _ => dialect.cast(value, from, to),
    }
}

/// Whether every value of one type has its own value of another.
fn keeps_all(from: Type, to: Type) -> bool {
    match (from, to) {
        (Type::Decimal { precision, scale }, Type::Decimal { precision: wider, scale: finer }) => {
            finer >= scale && wider - finer >= precision - scale
        }
        (_, Type::Text) | (Type::Bool, Type::Int) | (Type::Date, Type::Timestamp) => true,
        (from, to) => from == to,
    }
}

/// What a change loses, or may lose; none where nothing can be.
pub(super) fn loss(change: &Change) -> Option<String> {
    match change {
        Change::DropModel { model } => Some(format!("every row of {model}")),
        Change::DropField { model, field } => Some(format!("every value of {model}.{field}")),
        Change::AddField { model, field, fill, .. } => no_value(model, field, fill.as_ref()),
        Change::ChangeField { model, from, to, fill } => {
            let name = &to.name;
            let narrows = (!keeps_all(from.kind, to.kind)).then(|| {
                let (from, to) = (type_name(from.kind), type_name(to.kind));
                format!(
                    "what {model}.{name} holds beyond {to}; a value that is no {to} at all stops \
                     the migration (it was {from})"
                )
            });
            let requires = (!from.required && to.required && fill.is_none())
                .then(|| format!("nothing, but a row without {model}.{name} stops the migration"));
            narrows.or(requires)
        }
        _ => None,
    }
}

fn no_value(model: &str, field: &FieldShape, fill: Option<&Fill>) -> Option<String> {
    (field.required && fill.is_none()).then(|| {
        format!(
            "nothing, but a row of {model} that is there, for it has no {}, stops the migration",
            field.name
        )
    })
}
