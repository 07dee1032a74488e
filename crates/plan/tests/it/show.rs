//! An app for tests, and plans written so that they can be read.

use std::{fmt::Write, sync::Arc};

use mainstay_core::{
    Actor, BuiltIn, Catalog, Filter, Limits, ModelId, Operand, Path, Relation, RowRef, Scope,
    SourceFile, Timestamp, Type, UserClaims, Value, read_app,
};
use mainstay_plan::{Features, Planner, Query, ReadPlan, Source};

/// A planner for models given as text.
pub(crate) fn planner(models: &[(&str, &str)]) -> Planner {
    planner_with(&[], models)
}

/// The same, beside models that are built in.
pub(crate) fn planner_with(built_in: &[BuiltIn], models: &[(&str, &str)]) -> Planner {
    let files: Vec<SourceFile> = models
        .iter()
        .map(|(name, text)| SourceFile {
            path: format!("models/{name}.toml"),
            text: (*text).to_owned(),
        })
        .collect();
    let app = match read_app(built_in, &files, &[]) {
        Ok(app) => app,
        Err(mistakes) => panic!("{mistakes:?}"),
    };
    let catalog = Arc::new(app.catalog);
    let rulebook = match mainstay_rules::compile(&catalog) {
        Ok(rulebook) => Arc::new(rulebook),
        Err(mistakes) => panic!("{mistakes:?}"),
    };
    Planner::new(catalog, rulebook, Limits::default(), Features { aggregates: true })
}

/// A user with these roles.
pub(crate) fn user(id: &str, roles: &[&str]) -> Actor {
    let roles = roles.iter().map(|role| Box::from(*role)).collect();
    Actor::user(Arc::new(UserClaims { id: id.to_owned(), roles, ..UserClaims::default() }))
}

/// 2026-11-23T00:00:00Z.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2026-11-23T00:00:00Z").expect("a moment")
}

/// A read as text: what is answered, of which rows, in which order.
pub(crate) fn read(planner: &Planner, plan: &ReadPlan) -> String {
    if plan.answers_nothing() {
        return "nothing".to_owned();
    }
    let shower = Shower { catalog: planner.catalog(), values: plan.values() };
    shower.query(plan.shape().root())
}

/// Writes conditions and values of a plan.
pub(crate) struct Shower<'s> {
    pub(crate) catalog: &'s Catalog,
    pub(crate) values: &'s [Value],
}

impl Shower<'_> {
    fn query(&self, query: &Query) -> String {
        let columns: Vec<String> = query
            .columns
            .iter()
            .map(|column| match &column.source {
                Source::Value(operand, _) => {
                    let value = self.operand(operand, &[query.model]);
                    if value == *column.name { value } else { format!("{}: {value}", column.name) }
                }
                Source::Aggregate(aggregate, operand, ..) => {
                    let operand =
                        operand.as_ref().map(|operand| self.operand(operand, &[query.model]));
                    format!("{}: {aggregate:?}({})", column.name, operand.unwrap_or_default())
                }
                Source::Embed(embed) => format!("{} {{{}}}", column.name, self.query(&embed.query)),
                Source::Spread(embed) => format!("...{{{}}}", self.query(&embed.query)),
            })
            .collect();
        format!("{} where {}", columns.join(", "), self.filter(&query.filter, &[query.model]))
    }

    /// A condition; `models` are those of the rows in sight, outermost first.
    pub(crate) fn filter(&self, filter: &Filter, models: &[ModelId]) -> String {
        let all = |filters: &[Filter], word: &str| {
            let shown: Vec<String> =
                filters.iter().map(|filter| self.filter(filter, models)).collect();
            format!("({})", shown.join(word))
        };
        match filter {
            Filter::Const(truth) => format!("{truth:?}").to_lowercase(),
            Filter::And(filters) => all(filters, " && "),
            Filter::Or(filters) => all(filters, " || "),
            Filter::Not(inner) => format!("!{}", self.filter(inner, models)),
            Filter::IsTrue(inner) => format!("true?{}", self.filter(inner, models)),
            Filter::Is(operand) => self.operand(operand, models),
            Filter::IsNull(operand) => format!("{} == null", self.operand(operand, models)),
            Filter::Compare(left, op, right) => {
                format!("{} {op:?} {}", self.operand(left, models), self.operand(right, models))
            }
            Filter::In(item, list) => {
                format!("{} in {}", self.operand(item, models), self.operand(list, models))
            }
            Filter::Exists { from, relation, filter } => {
                let (word, id) = match relation {
                    Relation::ToOne(id) => ("to", *id),
                    Relation::ToMany(id) => ("from", *id),
                };
                let mut deeper = models.to_vec();
                deeper.push(self.catalog.target(*relation));
                format!(
                    "{}{word} {}[{}]",
                    self.row(from),
                    self.catalog.reference(id).name,
                    self.filter(filter, &deeper)
                )
            }
            other => format!("{other:?}"),
        }
    }

    fn operand(&self, operand: &Operand, models: &[ModelId]) -> String {
        match operand {
            Operand::Field(path) => self.path(path, models),
            Operand::Slot(slot, _) => format!("<{}>", text(&self.values[usize::from(slot.0)])),
            Operand::Literal(value) => text(value),
            Operand::If(test, yes, no) => format!(
                "({} ? {} : {})",
                self.filter(test, models),
                self.operand(yes, models),
                self.operand(no, models)
            ),
            Operand::Cast(inner, kind) => {
                format!("{}::{}", self.operand(inner, models), Type::name(*kind))
            }
            other => format!("{other:?}"),
        }
    }

    fn path(&self, path: &Path, models: &[ModelId]) -> String {
        let mut model = match path.row.scope {
            Scope::Row(at) => models[usize::from(at)],
            Scope::Old => models[0],
        };
        for hop in &path.row.hops {
            model = self.catalog.reference(*hop).to;
        }
        format!("{}{}", self.row(&path.row), self.catalog.model(model).field(path.field).name)
    }

    fn row(&self, row: &RowRef) -> String {
        let mut out = match row.scope {
            Scope::Row(0) => String::new(),
            Scope::Row(at) => format!("#{at}."),
            Scope::Old => "old.".to_owned(),
        };
        for hop in &row.hops {
            let _ = write!(out, "{}.", self.catalog.reference(*hop).name);
        }
        out
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(text).collect();
            format!("[{}]", items.join(","))
        }
        value => value.as_ref().to_text(),
    }
}
