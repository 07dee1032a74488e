//! A query of a plan as one statement: embeds are subqueries in its columns.
//!
//! A related row is a `ROW(…)`, a list of them an `ARRAY(SELECT ROW(…) …)`: in binary
//! both keep each value in its own type, so that they are read like any other column
//! and the engine's JSON never reaches a caller. Joins would multiply rows; a
//! statement for each embed would be another round trip, and another snapshot.

use std::sync::Arc;

use mainstay_core::{Catalog, FieldId, ModelId, SlotId, Type, Value};
use mainstay_plan::{Embed, Link, Query, ReadShape, Source};
use mainstay_store::sql::{Dialect, Param, Renderer, Select, Sql, ends};

use crate::{dialect::PostgresDialect, statement::Statement};

/// The alias of the rows asked for.
pub(crate) const ROW: &str = "t";

/// A query's statement, and what its columns are.
#[derive(Debug)]
pub(crate) struct QueryText {
    pub(crate) statement: Arc<Statement>,
    pub(crate) outputs: Vec<Output>,
}

/// What one column holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Output {
    /// A value.
    Value(Type),
    /// A row, or nothing.
    One(Vec<Output>),
    /// A list of rows.
    Many(Vec<Output>),
    /// A row whose columns stand in the one above, or nothing for each of them.
    Spread(Vec<Output>),
}

impl Output {
    /// How many values these are in the row they stand in.
    pub(crate) fn width(outputs: &[Self]) -> usize {
        outputs
            .iter()
            .map(|output| match output {
                Self::Spread(inner) => Self::width(inner),
                Self::Value(_) | Self::One(_) | Self::Many(_) => 1,
            })
            .sum()
    }
}

/// A read's rows. Where the plan's values are given, its limits are written out.
///
/// Of a limit that it does not know the planner assumes a tenth of the rows. No plan made
/// for all values then seems as good as one made for these, and every run is planned anew,
/// which takes longer than to find thirty rows.
pub(crate) fn rows(catalog: &Catalog, shape: &ReadShape, limits: Option<&[Value]>) -> QueryText {
    let query = shape.root();
    let mut renderer = Renderer::new(&PostgresDialect, catalog, ROW, query.model);
    parts(catalog, query, &mut renderer, &mut Text::new(limits)).into_text()
}

/// The number of a read's rows, where that is asked.
pub(crate) fn total(catalog: &Catalog, shape: &ReadShape) -> Option<Arc<Statement>> {
    shape.count().then(|| count(catalog, shape.root()))
}

/// Where the values of a read's limits stand.
pub(crate) fn limits(query: &Query) -> Vec<SlotId> {
    let below = query.columns.iter().filter_map(|column| match &column.source {
        Source::Embed(embed) | Source::Spread(embed) => Some(limits(&embed.query)),
        Source::Value(..) | Source::Aggregate(..) => None,
    });
    query.limit.into_iter().chain(below.flatten()).collect()
}

/// The rows with given keys, each part of the key a list. In the order the query has,
/// or else in that of the lists.
pub(crate) fn among_keys(catalog: &Catalog, query: &Query) -> QueryText {
    let key = &catalog.model(query.model).key;
    let model = query.model;
    let mut renderer = Renderer::new(&PostgresDialect, catalog, ROW, model);
    let mut parts = parts(catalog, query, &mut renderer, &mut Text::new(None));
    let keys = unnested(catalog, model, key, "k");
    parts.select.from = keys
        .and_text(" JOIN ")
        .then(renderer.table())
        .and_text(" ON ")
        .then(Sql::join(key.iter().map(|field| same_column(catalog, model, *field, "k")), " AND "));
    if query.order.is_empty() && query.group_by.is_none() {
        parts.select.order = vec![Sql::text("k.ordinality")];
    }
    parts.into_text()
}

/// `unnest($1::uuid[], …) WITH ORDINALITY AS alias("id", …)`: rows of values, a list
/// for each field.
pub(crate) fn unnested(catalog: &Catalog, model: ModelId, fields: &[FieldId], alias: &str) -> Sql {
    let declared = catalog.model(model);
    let lists = fields.iter().enumerate().map(|(at, field)| {
        let at = u16::try_from(at).expect("BUG: models have few fields");
        Sql::param(Param::Column(at, declared.field(*field).value_type))
    });
    let columns: Vec<String> = fields
        .iter()
        .map(|field| PostgresDialect.identifier(&declared.field(*field).column))
        .collect();
    Sql::join(lists, ", ").within(
        "unnest(",
        &format!(") WITH ORDINALITY AS {alias}({}, ordinality)", columns.join(", ")),
    )
}

/// `t."id" = alias."id"`.
pub(crate) fn same_column(catalog: &Catalog, model: ModelId, field: FieldId, alias: &str) -> Sql {
    let column = PostgresDialect.identifier(&catalog.model(model).field(field).column);
    Sql::text(format!("{ROW}.{column} = {alias}.{column}"))
}

/// The row that an embed's rows are related to.
#[derive(Clone, Copy)]
struct Above<'r, 'a> {
    renderer: &'r Renderer<'a>,
    /// Whether it stands for a group: then it is any row of it, and always the same.
    is_group: bool,
}

impl Above<'_, '_> {
    fn field(&self, field: FieldId) -> Sql {
        let field = self.renderer.field(field);
        if self.is_group { field.within("(array_agg(", "))[1]") } else { field }
    }
}

/// What all parts of a statement have in common.
struct Text<'v> {
    /// How many aliases its embeds have so far.
    aliases: usize,
    /// The plan's values, where its limits are written out.
    limits: Option<&'v [Value]>,
}

impl<'v> Text<'v> {
    fn new(limits: Option<&'v [Value]>) -> Self {
        Self { aliases: 0, limits }
    }

    fn alias(&mut self, letter: char) -> String {
        self.aliases += 1;
        format!("{letter}{}", self.aliases)
    }

    fn page(&self, renderer: &Renderer<'_>, query: &Query) -> Sql {
        let known = self.limits.zip(query.limit).map(|(values, slot)| &values[usize::from(slot.0)]);
        let Some(Value::Int(limit)) = known else {
            return renderer.page(query.limit, query.offset);
        };
        let limit = Sql::text(format!(" LIMIT {limit}"));
        limit.then(renderer.page(None, query.offset))
    }
}

/// A query's clauses, its columns apart.
struct Parts {
    columns: Vec<Sql>,
    outputs: Vec<Output>,
    select: Select,
}

impl Parts {
    fn into_text(self) -> QueryText {
        let mut columns = self.columns;
        if columns.is_empty() {
            columns.push(Sql::text("1"));
        }
        let select = Select { columns, ..self.select };
        QueryText { statement: Statement::of(select.into_sql()), outputs: self.outputs }
    }

    /// `SELECT ROW(…) FROM …`.
    fn into_rows(self) -> (Sql, Vec<Output>) {
        let mut columns = self.columns;
        if columns.is_empty() {
            columns.push(Sql::text("1"));
        }
        let row = Sql::join(columns, ", ").within("ROW(", ")");
        (Select { columns: vec![row], ..self.select }.into_sql(), self.outputs)
    }
}

fn parts(
    catalog: &Catalog,
    query: &Query,
    renderer: &mut Renderer<'_>,
    text: &mut Text<'_>,
) -> Parts {
    let mut columns = Vec::with_capacity(query.columns.len());
    let mut outputs = Vec::with_capacity(query.columns.len());
    let is_group = query.group_by.is_some();
    // What is selected and ordered by is what is grouped by only where it is the same text.
    for column in &query.columns {
        let (sql, output) = match &column.source {
            Source::Value(operand, kind) => {
                (renderer.anew().operand(operand), Output::Value(*kind))
            }
            Source::Aggregate(aggregate, operand, computed, kind) => {
                let value =
                    renderer.anew().aggregate(*aggregate, operand.as_ref(), *computed, *kind);
                (value, Output::Value(*kind))
            }
            Source::Embed(embed) if embed.is_one() => {
                let (rows, inner) = embedded(catalog, embed, Above { renderer, is_group }, text);
                (rows.within("(", ")"), Output::One(inner))
            }
            Source::Embed(embed) => {
                let (rows, inner) = embedded(catalog, embed, Above { renderer, is_group }, text);
                (rows.within("ARRAY(", ")"), Output::Many(inner))
            }
            Source::Spread(embed) => {
                let (rows, inner) = embedded(catalog, embed, Above { renderer, is_group }, text);
                (rows.within("(", ")"), Output::Spread(inner))
            }
        };
        columns.push(sql);
        outputs.push(output);
    }
    let conditions = renderer.conditions(&query.filter);
    let group_by = query
        .group_by
        .as_ref()
        .map(|terms| terms.iter().map(|term| renderer.anew().operand(term)).collect());
    let select = Select {
        columns: Vec::new(),
        from: renderer.table(),
        conditions,
        group_by,
        order: renderer.order(&query.order),
        page: text.page(renderer, query),
    };
    Parts { columns, outputs, select }
}

/// `SELECT ROW(…)` of an embed's rows, related to the row above.
fn embedded(
    catalog: &Catalog,
    embed: &Embed,
    above: Above<'_, '_>,
    text: &mut Text<'_>,
) -> (Sql, Vec<Output>) {
    let alias = text.alias('e');
    let mut renderer = Renderer::new(&PostgresDialect, catalog, &alias, embed.query.model);
    let related = match &embed.link {
        Link::Through(via) => through(catalog, via, &renderer, above, text),
        link => {
            let (here, there) = ends(catalog, link.first());
            equal(&renderer, there, above, here)
        }
    };
    let mut parts = parts(catalog, &embed.query, &mut renderer, text);
    parts.select.conditions.splice(0..0, related);
    if embed.is_one() {
        // There is one row at most; ordering it would be a sort for each row above.
        parts.select.order.clear();
    }
    parts.into_rows()
}

/// `(e.key) IN (SELECT j.far FROM junction AS j WHERE j.near = t.key AND …)`: a row
/// that a junction names twice is still one row.
fn through(
    catalog: &Catalog,
    via: &mainstay_plan::Via,
    renderer: &Renderer<'_>,
    above: Above<'_, '_>,
    text: &mut Text<'_>,
) -> Vec<Sql> {
    let alias = text.alias('j');
    let mut junction = Renderer::new(&PostgresDialect, catalog, &alias, via.junction);
    let (near, far) = (catalog.reference(via.near), catalog.reference(via.far));
    let mut conditions = equal(&junction, &near.from_fields, above, &near.to_fields);
    conditions.extend(junction.conditions(&via.filter));
    let named = Select {
        columns: far.from_fields.iter().map(|field| junction.field(*field)).collect(),
        from: junction.table(),
        conditions,
        ..Select::default()
    };
    let ours = far.to_fields.iter().map(|field| renderer.field(*field));
    vec![Sql::join(ours, ", ").within("(", ") IN (").then(named.into_sql()).and_text(")")]
}

fn equal(
    renderer: &Renderer<'_>,
    fields: &[FieldId],
    above: Above<'_, '_>,
    fields_above: &[FieldId],
) -> Vec<Sql> {
    let pairs = fields.iter().zip(fields_above);
    pairs
        .map(|(here, there)| renderer.field(*here).and_text(" = ").then(above.field(*there)))
        .collect()
}

/// How many rows or groups pass a query's filter.
fn count(catalog: &Catalog, query: &Query) -> Arc<Statement> {
    let mut renderer = Renderer::new(&PostgresDialect, catalog, ROW, query.model);
    let conditions = renderer.conditions(&query.filter);
    let from = renderer.table();
    let Some(group_by) = &query.group_by else {
        let columns = vec![Sql::text("count(*)")];
        return Statement::of(Select { columns, from, conditions, ..Select::default() }.into_sql());
    };
    if group_by.is_empty() {
        return Statement::of(Sql::text("SELECT 1::int8"));
    }
    let group_by = group_by.iter().map(|term| renderer.operand(term)).collect();
    let groups = Select {
        columns: vec![Sql::text("1")],
        from,
        conditions,
        group_by: Some(group_by),
        ..Select::default()
    };
    Statement::of(groups.into_sql().within("SELECT count(*) FROM (", ") AS groups"))
}
