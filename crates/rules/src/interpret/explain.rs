//! Why a condition is true of a row, or is not: each part of it with what it came to
//! and the values it saw, for whoever runs the app.

use mainstay_core::{
    Catalog, Filter, ModelId, Operand, Relation, RowRef, Scope, Truth, Type, Value,
};

use super::{Situation, View};
use crate::{
    caller::caller_value,
    text::{Binding, Writer, value_text},
    visit::{self, Part},
};

/// Related rows that are shown of each `exists`; the others are counted.
const ROWS_SHOWN_MAX: usize = 3;

/// A condition, what it came to, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// The condition in the rule language's words.
    pub text: String,
    /// The related row that is asked, by its model and key; none where it is the row
    /// itself.
    pub row: Option<String>,
    /// What it came to.
    pub truth: Truth,
    /// The values it saw, each with its name.
    pub values: Vec<(String, String)>,
    /// The conditions it consists of, or the related rows that it asks: of those, such
    /// as decided first.
    pub parts: Vec<Explained>,
    /// Related rows beyond those.
    pub more: usize,
}

/// Explains a condition on a row of a model.
#[must_use]
pub fn explain(
    catalog: &Catalog,
    model: ModelId,
    filter: &Filter,
    situation: &Situation<'_>,
) -> Explained {
    let view = View { situation, scopes: vec![situation.row] };
    Explainer { catalog, view, writer: Writer::new(catalog, model) }.explain(filter)
}

struct Explainer<'s, 'w> {
    catalog: &'s Catalog,
    view: View<'s, 'w>,
    writer: Writer<'s>,
}

impl Explainer<'_, '_> {
    fn explain(&mut self, filter: &Filter) -> Explained {
        let mut explained = Explained {
            text: self.writer.filter(filter, Binding::Loosest),
            row: None,
            truth: self.view.truth(filter),
            values: Vec::new(),
            parts: Vec::new(),
            more: 0,
        };
        match filter {
            Filter::And(all) | Filter::Or(all) => {
                explained.parts = all.iter().map(|one| self.explain(one)).collect();
            }
            // What is not there is shown by the rows that are.
            Filter::Not(inner) if matches!(**inner, Filter::Exists { .. }) => {
                let inner = self.explain(inner);
                (explained.parts, explained.more) = (inner.parts, inner.more);
                explained.values = inner.values;
            }
            Filter::Not(inner) | Filter::IsTrue(inner) if is_composite(inner) => {
                explained.parts = vec![self.explain(inner)];
            }
            Filter::If(test, yes, no) => {
                let chosen = match self.view.truth(test) {
                    Truth::True => Some(yes),
                    Truth::False => Some(no),
                    Truth::Unknown => None,
                };
                explained.parts = vec![self.explain(test)];
                explained.parts.extend(chosen.map(|one| self.explain(one)));
            }
            Filter::Exists { from, relation, filter } => {
                let (name, rows) = self.related(from, *relation, filter);
                if rows.is_empty() {
                    explained.values.push((name, "empty".to_owned()));
                }
                let decided = explained.truth;
                let (mut shown, others): (Vec<_>, Vec<_>) =
                    rows.into_iter().partition(|row| row.truth == decided);
                shown.extend(others);
                explained.more = shown.len().saturating_sub(ROWS_SHOWN_MAX);
                shown.truncate(ROWS_SHOWN_MAX);
                explained.parts = shown;
            }
            leaf => explained.values = self.values(leaf, &explained.text),
        }
        explained
    }

    /// What related rows are called, and what is asked of each.
    fn related(
        &mut self,
        from: &RowRef,
        relation: Relation,
        filter: &Filter,
    ) -> (String, Vec<Explained>) {
        let (name, relations, body) = self.writer.way(from, relation, filter);
        let outer = self.view.scopes.len();
        let near = self.view.related(from, relation);
        self.writer.enter(&relations);
        let mut explained = Vec::new();
        for row in near {
            self.view.scopes.push(row);
            let far = match relations.get(1) {
                Some(far) => {
                    let at = u8::try_from(outer).unwrap_or(u8::MAX);
                    self.view.related(&RowRef::at(Scope::Row(at)), *far)
                }
                None => vec![row],
            };
            for row in far {
                if relations.len() > 1 {
                    self.view.scopes.push(row);
                }
                let target = relations.last().map_or(relation, |last| *last);
                let named = self.name_of_row(self.catalog.target(target), row);
                explained.push(Explained { row: Some(named), ..self.explain(body) });
                self.view.scopes.truncate(outer + 1);
            }
            self.view.scopes.truncate(outer);
        }
        self.writer.leave(&relations);
        (name, explained)
    }

    /// `comments '0190…'`
    fn name_of_row(&self, model: ModelId, row: &[Value]) -> String {
        let model = self.catalog.model(model);
        let key = model.key.iter().filter_map(|field| row.get(field.index())).map(value_text);
        format!("{} {}", model.name, key.collect::<Vec<_>>().join(", "))
    }

    /// What a condition looked at, but for what it is itself.
    fn values(&mut self, filter: &Filter, text: &str) -> Vec<(String, String)> {
        let mut seen: Vec<&Operand> = Vec::new();
        visit::parts(filter, &mut |part| {
            if let Part::Value(
                operand @ (Operand::Field(_)
                | Operand::Json { .. }
                | Operand::Caller(..)
                | Operand::Now
                | Operand::Count(..)),
            ) = part
            {
                seen.push(operand);
            }
        });
        let mut values: Vec<(String, String)> = Vec::new();
        for operand in seen {
            let name = self.writer.operand(operand, Binding::Loosest);
            if name != text && !values.iter().any(|(known, _)| *known == name) {
                values.push((name, self.value(operand)));
            }
        }
        values
    }

    fn value(&mut self, operand: &Operand) -> String {
        let value = self.view.list(operand);
        let actor = self.view.situation.actor;
        match operand {
            // Somebody looking for why it is absent sees that it is there.
            Operand::Caller(term, kind)
                if value.is_null() && !caller_value(term, Type::Json, actor).is_null() =>
            {
                format!("no {kind}, so absent")
            }
            _ => value_text(&value),
        }
    }
}

/// Whether a condition is made of others, or asks related rows.
fn is_composite(filter: &Filter) -> bool {
    matches!(
        filter,
        Filter::And(_) | Filter::Or(_) | Filter::Not(_) | Filter::If(..) | Filter::Exists { .. }
    )
}
