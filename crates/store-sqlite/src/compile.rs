//! A query of a plan as statements: one for the rows, one for each embed.
//!
//! An embed's statement is run once for each row above it, with the values that
//! relate the two, and its rows go straight into the sink. Joining instead would
//! fetch related rows for all that pass the filter, also where the page holds thirty
//! of ten thousand; and to-many embeds would need their rows gathered in memory.

use mainstay_core::{Catalog, FieldId, ModelId, Type};
use mainstay_plan::{Embed, Link, Query, ReadShape, Source};
use mainstay_store::sql::{Param, Renderer, Select, Sql, ends};

use crate::dialect::SqliteDialect;

/// A statement's text and where its parameters' values come from.
#[derive(Debug)]
pub(crate) struct StatementText {
    pub(crate) sql: String,
    pub(crate) params: Vec<Param>,
}

impl StatementText {
    pub(crate) fn of(sql: Sql) -> Self {
        let (sql, params) = sql.finish(&SqliteDialect);
        Self { sql, params }
    }
}

/// The statements of a query and its embeds.
#[derive(Debug)]
pub(crate) struct QueryText {
    pub(crate) statement: StatementText,
    pub(crate) outputs: Vec<Output<EmbedText>>,
}

/// What one column of a plan is answered with.
#[derive(Debug)]
pub(crate) enum Output<E> {
    /// A column of the statement.
    Value(usize, Type),
    /// Rows of another statement.
    Embed(E),
}

/// How an embed's rows stand in the row above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// One row, or null.
    One,
    /// A list.
    Many,
    /// Its columns, or as many nulls.
    Spread(usize),
}

/// An embed's statements, and the columns of the statement above that relate to it.
#[derive(Debug)]
pub(crate) struct EmbedText {
    pub(crate) place: Place,
    pub(crate) links: Vec<usize>,
    pub(crate) query: QueryText,
}

/// A read's statements.
pub(crate) fn read(catalog: &Catalog, shape: &ReadShape) -> (QueryText, Option<StatementText>) {
    let root = query(catalog, shape.root(), Vec::new());
    let count = shape.count().then(|| count(catalog, shape.root()));
    (root, count)
}

/// The statements of a query whose rows also satisfy `links`.
fn query(catalog: &Catalog, query: &Query, links: Vec<Sql>) -> QueryText {
    rendered(catalog, query, |_| links)
}

/// The row with a given key, as one statement: each part of the key is a link.
pub(crate) fn by_key(catalog: &Catalog, query: &Query) -> QueryText {
    rendered(catalog, query, |renderer| key_links(catalog, query.model, renderer))
}

/// The rows whose keys are in a list, as one statement: each part of the key has its
/// list, which is a link.
pub(crate) fn among_keys(catalog: &Catalog, query: &Query) -> QueryText {
    rendered(catalog, query, |renderer| {
        let key = &catalog.model(query.model).key;
        let ours = Sql::join(key.iter().map(|field| renderer.field(*field)), ", ");
        let lists = key.iter().enumerate().map(|(at, field)| {
            let list = link(at, renderer.field_type(*field));
            list.within("rarray(", &format!(") AS k{at}"))
        });
        let mut from = Sql::join(lists, " CROSS JOIN ");
        for at in 1..key.len() {
            let same_place = if at == 1 { " WHERE " } else { " AND " };
            from = from.and_text(&format!("{same_place}k{at}.rowid = k0.rowid"));
        }
        let values: Vec<String> = (0..key.len()).map(|at| format!("k{at}.value")).collect();
        let listed = from.within(&format!("(SELECT {} FROM ", values.join(", ")), ")");
        vec![ours.within("(", ") IN ").then(listed)]
    })
}

/// `t.key = ?` for each part of the key.
pub(crate) fn key_links(catalog: &Catalog, model: ModelId, renderer: &Renderer<'_>) -> Vec<Sql> {
    equal_to_links(renderer, &catalog.model(model).key)
}

fn equal_to_links(renderer: &Renderer<'_>, fields: &[FieldId]) -> Vec<Sql> {
    fields
        .iter()
        .enumerate()
        .map(|(at, field)| {
            let link = link(at, renderer.field_type(*field));
            renderer.field(*field).and_text(" = ").then(link)
        })
        .collect()
}

fn link(at: usize, kind: Type) -> Sql {
    let at = u16::try_from(at).expect("BUG: keys have few fields");
    Sql::param(Param::Link(at, kind))
}

/// A query's rows that also satisfy what `further` says.
fn rendered(
    catalog: &Catalog,
    query: &Query,
    further: impl FnOnce(&Renderer<'_>) -> Vec<Sql>,
) -> QueryText {
    let mut renderer = Renderer::new(&SqliteDialect, catalog, "t", query.model);
    let mut conditions = further(&renderer);
    let mut columns = Columns { selected: Vec::new(), outputs: Vec::new() };
    columns.all(catalog, query, &mut renderer);
    conditions.extend(renderer.conditions(&query.filter));
    let group_by = query
        .group_by
        .as_ref()
        .map(|terms| terms.iter().map(|term| renderer.operand(term)).collect());
    let order = renderer.order(&query.order);
    if columns.selected.is_empty() {
        columns.selected.push(Sql::text("1"));
    }
    let select = Select {
        columns: columns.selected,
        from: renderer.table(),
        conditions,
        group_by,
        order,
        page: renderer.page(query.limit, query.offset),
    };
    QueryText { statement: StatementText::of(select.into_sql()), outputs: columns.outputs }
}

/// How many rows or groups pass a query's filter.
fn count(catalog: &Catalog, query: &Query) -> StatementText {
    let mut renderer = Renderer::new(&SqliteDialect, catalog, "t", query.model);
    let conditions = renderer.conditions(&query.filter);
    let from = renderer.table();
    let Some(group_by) = &query.group_by else {
        let columns = vec![Sql::text("count(*)")];
        return StatementText::of(
            Select { columns, from, conditions, ..Select::default() }.into_sql(),
        );
    };
    if group_by.is_empty() {
        return StatementText::of(Sql::text("SELECT 1"));
    }
    let group_by = group_by.iter().map(|term| renderer.operand(term)).collect();
    let groups = Select {
        columns: vec![Sql::text("1")],
        from,
        conditions,
        group_by: Some(group_by),
        ..Select::default()
    };
    StatementText::of(groups.into_sql().within("SELECT count(*) FROM (", ")"))
}

struct Columns {
    selected: Vec<Sql>,
    outputs: Vec<Output<EmbedText>>,
}

impl Columns {
    fn all(&mut self, catalog: &Catalog, query: &Query, renderer: &mut Renderer<'_>) {
        for column in &query.columns {
            let output = match &column.source {
                Source::Value(operand, kind) => {
                    let value = renderer.operand(operand);
                    Output::Value(self.select(value), *kind)
                }
                Source::Aggregate(aggregate, operand, computed, kind) => {
                    let value = renderer.aggregate(*aggregate, operand.as_ref(), *computed, *kind);
                    Output::Value(self.select(value), *kind)
                }
                Source::Embed(embed) => {
                    let place = if embed.is_one() { Place::One } else { Place::Many };
                    Output::Embed(self.embed(catalog, embed, place, renderer))
                }
                Source::Spread(embed) => {
                    let place = Place::Spread(width(&embed.query));
                    Output::Embed(self.embed(catalog, embed, place, renderer))
                }
            };
            self.outputs.push(output);
        }
    }

    fn embed(
        &mut self,
        catalog: &Catalog,
        embed: &Embed,
        place: Place,
        renderer: &mut Renderer<'_>,
    ) -> EmbedText {
        let links = ends(catalog, embed.link.first())
            .0
            .iter()
            .map(|field| self.select(renderer.field(*field)))
            .collect();
        EmbedText { place, links, query: embedded(catalog, embed) }
    }

    /// The place of a column among those selected; the same text is selected once.
    fn select(&mut self, column: Sql) -> usize {
        let known = self.selected.iter().position(|known| *known == column);
        known.unwrap_or_else(|| {
            self.selected.push(column);
            self.selected.len() - 1
        })
    }
}

fn embedded(catalog: &Catalog, embed: &Embed) -> QueryText {
    rendered(catalog, &embed.query, |renderer| match &embed.link {
        Link::Through(via) => vec![through(catalog, via, renderer)],
        link => {
            let (_, there) = ends(catalog, link.first());
            equal_to_links(renderer, there)
        }
    })
}

/// `(t.key) IN (SELECT j.far FROM junction AS j WHERE j.near = ? AND …)`: a row that
/// a junction names twice is still one row.
fn through(catalog: &Catalog, via: &mainstay_plan::Via, renderer: &Renderer<'_>) -> Sql {
    let mut junction = Renderer::new(&SqliteDialect, catalog, "j", via.junction);
    let (near, far) = (catalog.reference(via.near), catalog.reference(via.far));
    let mut conditions = equal_to_links(&junction, &near.from_fields);
    conditions.extend(junction.conditions(&via.filter));
    let named = Select {
        columns: far.from_fields.iter().map(|field| junction.field(*field)).collect(),
        from: junction.table(),
        conditions,
        ..Select::default()
    };
    let ours: Vec<Sql> = far.to_fields.iter().map(|field| renderer.field(*field)).collect();
    Sql::join(ours, ", ").within("(", ") IN (").then(named.into_sql()).and_text(")")
}

/// How many values a spread's columns are in the row above.
fn width(query: &Query) -> usize {
    query
        .columns
        .iter()
        .map(|column| match &column.source {
            Source::Spread(embed) => width(&embed.query),
            Source::Value(..) | Source::Aggregate(..) | Source::Embed(_) => 1,
        })
        .sum()
}
