//! A value as SQL.

use mainstay_core::{
    Decimal, FieldId, Filter, Operand, Path, Relation, RowRef, Truth, Type, Value,
};

use super::{
    Param, Renderer, Sql,
    render::{Polarity, ends},
};

impl Renderer<'_> {
    /// A value of the row asked about.
    pub fn operand(&mut self, operand: &Operand) -> Sql {
        match operand {
            Operand::Field(path) => self.path(&path.row, path.field),
            Operand::Literal(value) => self.dialect.constant(value),
            Operand::Slot(slot, kind) => Sql::param(Param::Slot(*slot, *kind)),
            // Both are folded away when a plan is made; were one left, it is absent.
            Operand::Caller(..) | Operand::Now => Sql::text(self.dialect.truth(Truth::Unknown)),
            Operand::Lower(text) => {
                let text = self.operand(text);
                self.dialect.lower_ascii(text)
            }
            Operand::Size(text) => {
                let text = self.operand(text);
                self.dialect.size(text)
            }
            Operand::Count(from, relation) => self.count(from, *relation),
            Operand::Shift(moment, micros) => {
                let moment = self.operand(moment);
                self.dialect.shift(moment, *micros)
            }
            Operand::Elapsed(later, earlier) => {
                let (later, earlier) = (self.operand(later), self.operand(earlier));
                self.dialect.elapsed(later, earlier)
            }
            // A choice between absent values has no type of its own.
            Operand::If(..) if self.type_of(operand).is_none() => {
                self.dialect.constant(&Value::Null)
            }
            Operand::If(condition, then, otherwise) => self.choice(condition, then, otherwise),
            Operand::Json { path, steps, as_text } => {
                let document = self.path(&path.row, path.field);
                if steps.is_empty() && !*as_text {
                    return document;
                }
                self.dialect.json_at(document, steps, *as_text)
            }
            Operand::Cast(value, to) => {
                let from = self.type_of(value);
                let value = self.operand(value);
                match from {
                    Some(from) if from != *to => self.dialect.cast(value, from, *to),
                    _ => value,
                }
            }
        }
    }

    fn choice(&mut self, condition: &Filter, then: &Operand, otherwise: &Operand) -> Sql {
        let whether = self.filter(condition, Polarity::Even);
        let then = self.operand(then);
        let mut case = whether.within("CASE WHEN ", " THEN ").then(then);
        if !matches!(otherwise, Operand::Literal(Value::Null)) {
            let whether_not = self.filter(condition, Polarity::Odd);
            let otherwise = self.operand(otherwise);
            case = case.then(whether_not.within(" WHEN NOT (", ") THEN ")).then(otherwise);
        }
        case.within("(", " END)")
    }

    /// A field of a row, which may lie some refs away: then a subquery that is null
    /// where any ref on the way is.
    pub(super) fn path(&mut self, row: &RowRef, field: FieldId) -> Sql {
        let start = self.scope(row.scope).clone();
        let Some((first, rest)) = row.hops.split_first() else {
            return self.column(&start, field);
        };
        let mut reached = self.source(self.catalog.reference(*first).to);
        let mut tables = self.from(&reached);
        let (here, there) = ends(self.catalog, Relation::ToOne(*first));
        let condition = here
            .iter()
            .zip(there)
            .map(|(here, there)| {
                self.column(&reached, *there).and_text(" = ").then(self.column(&start, *here))
            })
            .collect::<Vec<_>>();
        for hop in rest {
            let next = self.source(self.catalog.reference(*hop).to);
            let (here, there) = ends(self.catalog, Relation::ToOne(*hop));
            let pairs = here
                .iter()
                .zip(there)
                .map(|(here, there)| {
                    self.column(&next, *there).and_text(" = ").then(self.column(&reached, *here))
                })
                .collect::<Vec<_>>();
            tables = tables
                .and_text(" JOIN ")
                .then(self.from(&next))
                .and_text(" ON ")
                .then(Sql::join(pairs, " AND "));
            reached = next;
        }
        Sql::text("(SELECT ")
            .then(self.column(&reached, field))
            .and_text(" FROM ")
            .then(tables)
            .and_text(" WHERE ")
            .then(Sql::join(condition, " AND "))
            .and_text(")")
    }

    /// Both sides of a comparison in one representation: an engine that keeps
    /// decimals as scaled integers has to bring them to one scale.
    pub(super) fn comparable(&mut self, left: &Operand, right: &Operand) -> (Sql, Sql) {
        let types = (self.type_of(left), self.type_of(right));
        if let (Some(of_left), Some(of_right)) = types
            && of_left.is_number()
            && of_right.is_number()
            && let Some(common) = common_number(of_left, of_right)
        {
            return (
                self.number_as(left, of_left, common),
                self.number_as(right, of_right, common),
            );
        }
        (self.operand(left), self.operand(right))
    }

    fn number_as(&mut self, operand: &Operand, from: Type, to: Type) -> Sql {
        if let Operand::Literal(value) = operand {
            return self.constant_like(value, Some(to));
        }
        let number = self.operand(operand);
        if same_number(from, to) { number } else { self.dialect.convert_number(number, from, to) }
    }

    /// A constant in the representation of a type, where that can be had exactly.
    pub(super) fn constant_like(&self, value: &Value, kind: Option<Type>) -> Sql {
        let rescaled = match (value, kind) {
            (Value::Int(value), Some(Type::Float)) => {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "a comparison with a float is a comparison of floats"
                )]
                let value = *value as f64;
                Some(Value::Float(value))
            }
            (Value::Int(units), Some(Type::Decimal { scale, .. })) => {
                rescaled(Decimal { units: *units, scale: 0 }, scale)
            }
            (Value::Decimal(value), Some(Type::Decimal { scale, .. })) if value.scale != scale => {
                rescaled(*value, scale)
            }
            _ => None,
        };
        match (rescaled, value, kind) {
            (Some(value), _, _) => self.dialect.constant(&value),
            (None, Value::Decimal(decimal), Some(to)) if !is_scale(to, decimal.scale) => {
                let from = Type::Decimal { precision: 18, scale: decimal.scale };
                self.dialect.convert_number(self.dialect.constant(value), from, to)
            }
            _ => self.dialect.constant(value),
        }
    }

    /// The type of a value; none where it is absent whatever the row.
    #[must_use]
    pub fn type_of(&self, operand: &Operand) -> Option<Type> {
        match operand {
            Operand::Field(path) => Some(self.path_type(path)),
            Operand::Literal(value) => literal_type(value),
            Operand::Caller(_, kind) | Operand::Slot(_, kind) | Operand::Cast(_, kind) => {
                Some(*kind)
            }
            Operand::Now | Operand::Shift(..) => Some(Type::Timestamp),
            Operand::Lower(_) => Some(Type::Text),
            Operand::Size(_) | Operand::Count(..) | Operand::Elapsed(..) => Some(Type::Int),
            Operand::If(_, then, otherwise) => {
                self.type_of(then).or_else(|| self.type_of(otherwise))
            }
            Operand::Json { as_text, .. } => Some(if *as_text { Type::Text } else { Type::Json }),
        }
    }

    fn path_type(&self, path: &Path) -> Type {
        let start = self.scope(path.row.scope).model;
        let model = path.row.hops.last().map_or(start, |hop| self.catalog.reference(*hop).to);
        self.catalog.model(model).field(path.field).value_type
    }

    /// Whether a value of the row asked about can be absent.
    pub(super) fn can_be_absent(&self, operand: &Operand) -> bool {
        match operand {
            Operand::Field(path) if path.row.hops.is_empty() => {
                let model = self.catalog.model(self.scope(path.row.scope).model);
                !model.field(path.field).required && !model.key.contains(&path.field)
            }
            Operand::Literal(value) => value.is_null(),
            Operand::Lower(inner) | Operand::Size(inner) => self.can_be_absent(inner),
            Operand::Count(..) => false,
            _ => true,
        }
    }
}

/// The type of a value that stands in a statement; none where it is absent.
#[must_use]
pub fn literal_type(value: &Value) -> Option<Type> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Float(_) => Type::Float,
        Value::Decimal(decimal) => Type::Decimal { precision: 18, scale: decimal.scale },
        Value::Text(_) => Type::Text,
        Value::Uuid(_) => Type::Uuid,
        Value::Timestamp(_) => Type::Timestamp,
        Value::Date(_) => Type::Date,
        Value::Json(_) => Type::Json,
        Value::Bytes(_) => Type::Bytes,
        Value::List(items) => return items.first().and_then(literal_type),
    })
}

/// The type in which two numbers compare, where they are not of one already.
fn common_number(left: Type, right: Type) -> Option<Type> {
    if same_number(left, right) {
        return None;
    }
    Some(match (left, right) {
        (Type::Float, _) | (_, Type::Float) => Type::Float,
        _ => Type::Decimal { precision: 18, scale: scale_of(left).max(scale_of(right)) },
    })
}

fn same_number(left: Type, right: Type) -> bool {
    (left == Type::Float) == (right == Type::Float) && scale_of(left) == scale_of(right)
}

fn scale_of(kind: Type) -> u8 {
    match kind {
        Type::Decimal { scale, .. } => scale,
        _ => 0,
    }
}

fn is_scale(kind: Type, wanted: u8) -> bool {
    matches!(kind, Type::Decimal { scale, .. } if scale == wanted)
}

fn rescaled(value: Decimal, scale: u8) -> Option<Value> {
    let more = u32::from(scale.checked_sub(value.scale)?);
    let units = value.units.checked_mul(10_i64.checked_pow(more)?)?;
    Some(Value::Decimal(Decimal { units, scale }))
}
