//! What is answered of each row.
//!
//! A field whose rule is false of every row is absent from `*` and refused by name;
//! one whose rule depends on the row is null where the rule is not true.

use mainstay_core::{
    Code, Error, FieldId, Filter, JsonStep, Model, ModelId, Operand, Path, RefId, Relation, RowRef,
    Scope, Type, Value,
};

use crate::{
    Aggregate, Column, Embed, FieldExpr, Link, SelectField, SelectItem, Source,
    gate::denied_field,
    names,
    read::{ReadBuilder, embeds::Child},
    rewrite::{nodes, shifted, through},
};

/// Columns, and what they are grouped by where something is computed over groups.
type Grouped = (Vec<Column>, Option<Vec<Operand>>);

impl<'r, 'a> ReadBuilder<'_, 'r, 'a, '_> {
    /// The columns of one `select`; an empty one means every field.
    pub(super) fn columns(
        &mut self,
        model: ModelId,
        select: &'r [SelectItem<'a>],
        children: Vec<Child<'r>>,
    ) -> Result<Grouped, Error> {
        let mut columns: Vec<(Column, bool)> = Vec::new();
        let mut children = children.into_iter();
        if select.is_empty() && self.path.is_empty() {
            self.star(model, &mut columns);
        }
        for item in select {
            match item {
                // A second star would say everything twice.
                SelectItem::Star if columns.iter().any(|(_, of_star)| *of_star) => {}
                SelectItem::Star => self.star(model, &mut columns),
                SelectItem::Field(field) => columns.push((self.field(model, field)?, false)),
                SelectItem::Embed(embed) => {
                    let child = children.next().expect("BUG: each embed has its child");
                    if child.embed.query.columns.is_empty() {
                        continue;
                    }
                    let name = child.name.into();
                    let source = if embed.spread {
                        Source::Spread(Box::new(child.embed))
                    } else {
                        Source::Embed(Box::new(child.embed))
                    };
                    columns.push((Column { name, source }, false));
                }
            }
        }
        let kept = unshadowed(columns);
        match self.group_by(model, select)? {
            None => Ok((kept, None)),
            Some(keys) => self.grouped(kept, keys),
        }
    }

    /// Groups by the fields of spread rows as well; other embeds have no one row to go
    /// with a group.
    fn grouped(&mut self, columns: Vec<Column>, mut keys: Vec<Operand>) -> Result<Grouped, Error> {
        let mut kept = Vec::with_capacity(columns.len());
        for column in columns {
            let Source::Spread(embed) = column.source else {
                if matches!(column.source, Source::Embed(_)) {
                    return Err(ungrouped());
                }
                kept.push(column);
                continue;
            };
            let Link::One(reference) = embed.link else { return Err(ungrouped()) };
            let visible = self.visible(reference, &embed)?;
            for inner in embed.query.columns {
                let Source::Value(operand, kind) = inner.source else { return Err(ungrouped()) };
                let reached = through(&operand, reference).ok_or_else(ungrouped)?;
                let operand = masked(visible.clone(), reached);
                keys.push(operand.clone());
                kept.push(Column { name: inner.name, source: Source::Value(operand, kind) });
            }
        }
        Ok((kept, Some(keys)))
    }

    /// The condition that a spread row is there to be seen.
    fn visible(&mut self, reference: RefId, embed: &Embed) -> Result<Filter, Error> {
        if embed.query.filter.is_always() {
            return Ok(Filter::ALWAYS);
        }
        self.spend(nodes(&embed.query.filter) * embed.query.columns.len().max(1))?;
        Ok(Filter::Exists {
            from: RowRef::at(Scope::Row(0)),
            relation: Relation::ToOne(reference),
            filter: Box::new(Filter::IsTrue(Box::new(shifted(embed.query.filter.clone(), 1)))),
        })
    }

    /// What the rows of a `select` are grouped by: every plain field beside an
    /// aggregate. None where there is no aggregate.
    pub(super) fn group_by(
        &mut self,
        model: ModelId,
        select: &'r [SelectItem<'a>],
    ) -> Result<Option<Vec<Operand>>, Error> {
        let fields = || {
            select.iter().filter_map(|item| match item {
                SelectItem::Field(field) => Some(field),
                SelectItem::Star | SelectItem::Embed(_) => None,
            })
        };
        if !fields().any(|field| self.aggregate_of(model, field).is_some()) {
            return Ok(None);
        }
        if select.iter().any(|item| matches!(item, SelectItem::Star)) {
            return Err(Error::new(Code::GroupingInvalid, "* cannot stand beside an aggregate")
                .with_hint("name the fields to group by"));
        }
        let mut keys = Vec::new();
        for field in fields() {
            if self.aggregate_of(model, field).is_some() {
                continue;
            }
            if let Some(expr) = &field.field {
                let (operand, kind) = self.open_operand(model, expr)?;
                keys.push(cast(operand, kind, field.cast.as_deref())?.0);
            }
        }
        Ok(Some(keys))
    }

    fn star(&mut self, model: ModelId, columns: &mut Vec<(Column, bool)>) {
        let declared = self.catalog.model(model);
        for id in declared.field_ids() {
            let rule = self.gate.field_read(model, id);
            if rule.is_never() {
                continue;
            }
            let field = declared.field(id);
            let operand = masked(rule, Operand::Field(Path::of(id)));
            let source = Source::Value(operand, field.value_type);
            columns.push((Column { name: field.name.clone(), source }, true));
        }
    }

    fn field(&mut self, model: ModelId, item: &'r SelectField<'a>) -> Result<Column, Error> {
        let declared = self.catalog.model(model);
        if let Some(aggregate) = self.aggregate_of(model, item) {
            return self.aggregate(model, item, aggregate);
        }
        let expr = item.field.as_ref().expect("BUG: only count() stands without a field");
        let id = names::field(declared, &expr.name)?;
        let rule = self.gate.field_read(model, id);
        if rule.is_never() {
            return Err(denied_field(&declared.name, &expr.name));
        }
        let (operand, kind) = operand_of(declared, id, expr, Path::of(id))?;
        let (operand, kind) = cast(masked(rule, operand), kind, item.cast.as_deref())?;
        let name = item.alias.as_deref().unwrap_or_else(|| own_name(expr));
        Ok(Column { name: name.into(), source: Source::Value(operand, kind) })
    }

    /// What an item computes. The bare word `count` has always counted rows in this
    /// dialect, where the model has no field of that name.
    fn aggregate_of(&self, model: ModelId, item: &SelectField<'_>) -> Option<Aggregate> {
        let bare_count = item.field.as_ref().is_some_and(|expr| {
            expr.name == "count"
                && expr.json.is_empty()
                && self.catalog.model(model).field_id("count").is_none()
        });
        item.aggregate.or(bare_count.then_some(Aggregate::Count))
    }

    fn aggregate(
        &mut self,
        model: ModelId,
        item: &'r SelectField<'a>,
        aggregate: Aggregate,
    ) -> Result<Column, Error> {
        let is_bare_count = item.aggregate.is_none();
        if !self.features.aggregates && !is_bare_count {
            return Err(Error::new(
                Code::AggregatesOff,
                "use of aggregate functions is not allowed",
            )
            .with_hint("[rest] aggregates = true in mainstay.toml allows it"));
        }
        let (operand, input) = match &item.field {
            Some(expr) if !is_bare_count => {
                let (operand, kind) = self.open_operand(model, expr)?;
                let (operand, kind) = cast(operand, kind, item.cast.as_deref())?;
                (Some(operand), kind)
            }
            _ => (None, Type::Int),
        };
        let output = aggregate_type(aggregate, input)?;
        let answered = match item.aggregate_cast.as_deref() {
            Some(name) => converted(output, type_named(name)?)?,
            None => output,
        };
        let own = match aggregate {
            Aggregate::Count => "count",
            Aggregate::Sum => "sum",
            Aggregate::Avg => "avg",
            Aggregate::Min => "min",
            Aggregate::Max => "max",
        };
        let name = item.alias.as_deref().unwrap_or(own).into();
        Ok(Column { name, source: Source::Aggregate(aggregate, operand, output, answered) })
    }
}

fn ungrouped() -> Error {
    Error::new(
        Code::GroupingInvalid,
        "an embed cannot stand beside an aggregate of the same model, unless plain fields of a \
         to-one row are spread",
    )
    .with_hint("compute the aggregate inside the embed, or ask for the two apart")
}

/// A field of a row, or a place inside it, with its type.
pub(super) fn operand_of(
    model: &Model,
    id: FieldId,
    expr: &FieldExpr<'_>,
    path: Path,
) -> Result<(Operand, Type), Error> {
    let field = model.field(id);
    if expr.json.is_empty() {
        return Ok((Operand::Field(path), field.value_type));
    }
    if field.value_type != Type::Json {
        return Err(Error::new(
            Code::OperatorMismatch,
            format!(
                "{}.{} is of type {}, and -> needs json",
                model.name, field.name, field.value_type
            ),
        ));
    }
    let kind = if expr.as_text { Type::Text } else { Type::Json };
    Ok((Operand::Json { path, steps: expr.json.clone(), as_text: expr.as_text }, kind))
}

/// A value that is absent where a rule is not true of the row.
pub(super) fn masked(rule: Filter, operand: Operand) -> Operand {
    if rule.is_always() {
        operand
    } else {
        Operand::If(Box::new(rule), Box::new(operand), Box::new(Operand::Literal(Value::Null)))
    }
}

/// Without the fields of `*` that an alias or an embed has the name of.
fn unshadowed(columns: Vec<(Column, bool)>) -> Vec<Column> {
    let named: Vec<Box<str>> = columns
        .iter()
        .filter(|(column, of_star)| !of_star && !matches!(column.source, Source::Spread(_)))
        .map(|(column, _)| column.name.clone())
        .collect();
    columns
        .into_iter()
        .filter(|(column, of_star)| !of_star || !named.contains(&column.name))
        .map(|(column, _)| column)
        .collect()
}

/// The name a field is answered under: its own, or the last key of its JSON path.
fn own_name<'e>(expr: &'e FieldExpr<'_>) -> &'e str {
    expr.json
        .iter()
        .rev()
        .find_map(|step| match step {
            JsonStep::Key(key) => Some(&**key),
            JsonStep::Index(_) => None,
        })
        .unwrap_or(&expr.name)
}

fn aggregate_type(aggregate: Aggregate, input: Type) -> Result<Type, Error> {
    let fits = match aggregate {
        Aggregate::Count => true,
        Aggregate::Sum | Aggregate::Avg => input.is_number(),
        Aggregate::Min | Aggregate::Max => {
            !matches!(input, Type::Json | Type::Bool | Type::Uuid | Type::Bytes)
        }
    };
    if !fits {
        return Err(Error::new(
            Code::OperatorMismatch,
            format!("values of type {input} have no such aggregate"),
        ));
    }
    Ok(match (aggregate, input) {
        (Aggregate::Count, _) => Type::Int,
        (Aggregate::Avg, _) => Type::Float,
        (Aggregate::Sum, Type::Decimal { scale, .. }) => Type::Decimal { precision: 18, scale },
        (Aggregate::Sum | Aggregate::Min | Aggregate::Max, kind) => kind,
    })
}

/// A value converted to the type a caller names, where it can be.
fn cast(operand: Operand, from: Type, to: Option<&str>) -> Result<(Operand, Type), Error> {
    let Some(name) = to else { return Ok((operand, from)) };
    let to = converted(from, type_named(name)?)?;
    if from == to { Ok((operand, from)) } else { Ok((Operand::Cast(Box::new(operand), to), to)) }
}

/// The second type, where values of the first can be converted to it.
fn converted(from: Type, to: Type) -> Result<Type, Error> {
    let converts = from == to
        || matches!(
            (from, to),
            (_, Type::Text)
                | (Type::Text, _)
                | (Type::Int | Type::Float | Type::Decimal { .. }, Type::Int | Type::Float)
                | (Type::Bool, Type::Int)
                | (Type::Int, Type::Bool)
                | (Type::Timestamp, Type::Date)
                | (Type::Date, Type::Timestamp)
                | (Type::Json, Type::Int | Type::Float | Type::Bool)
        );
    if converts {
        Ok(to)
    } else {
        Err(Error::new(Code::CastInvalid, format!("cannot cast type {from} to {to}")))
    }
}

/// The type a cast names, by our names and PostgreSQL's.
fn type_named(name: &str) -> Result<Type, Error> {
    Ok(match name {
        "text" | "varchar" | "character varying" => Type::Text,
        "int" | "integer" | "bigint" | "smallint" | "int2" | "int4" | "int8" => Type::Int,
        "float" | "real" | "double precision" | "float4" | "float8" | "numeric" | "decimal" => {
            Type::Float
        }
        "bool" | "boolean" => Type::Bool,
        "uuid" => Type::Uuid,
        "timestamp" | "timestamptz" | "timestamp with time zone" => Type::Timestamp,
        "date" => Type::Date,
        "json" | "jsonb" => Type::Json,
        "bytes" | "bytea" => Type::Bytes,
        _ => {
            return Err(Error::new(Code::TypeUnknown, format!("type \"{name}\" does not exist"))
                .with_hint("text int float bool uuid timestamp date json bytes"));
        }
    })
}
