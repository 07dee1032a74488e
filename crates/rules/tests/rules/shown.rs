//! A condition as a line of text, for tables.

use mainstay_core::{
    CallerTerm, Catalog, CompareOp, Filter, JsonStep, ModelId, Operand, Path, Relation, RowRef,
    Scope, Type, Value,
};

/// A condition on rows of a model.
pub(crate) fn shown(catalog: &Catalog, model: ModelId, filter: &Filter) -> String {
    Shower { catalog, scopes: vec![model] }.filter(filter)
}

struct Shower<'c> {
    catalog: &'c Catalog,
    scopes: Vec<ModelId>,
}

impl Shower<'_> {
    fn filter(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::Const(truth) => format!("{truth:?}").to_lowercase(),
            Filter::And(all) => self.joined("and", all),
            Filter::Or(all) => self.joined("or", all),
            Filter::Not(inner) => format!("(not {})", self.filter(inner)),
            Filter::IsTrue(inner) => format!("(is-true {})", self.filter(inner)),
            Filter::If(test, yes, no) => {
                format!("(if {} {} {})", self.filter(test), self.filter(yes), self.filter(no))
            }
            Filter::Is(one) => format!("(is {})", self.operand(one)),
            Filter::IsNull(one) => format!("(null {})", self.operand(one)),
            Filter::Compare(one, op, two) => {
                let op = match op {
                    CompareOp::Eq => "=",
                    CompareOp::Ne => "<>",
                    CompareOp::Lt => "<",
                    CompareOp::Le => "<=",
                    CompareOp::Gt => ">",
                    CompareOp::Ge => ">=",
                    CompareOp::Distinct => "distinct",
                };
                format!("({} {op} {})", self.operand(one), self.operand(two))
            }
            Filter::In(one, two) => format!("({} in {})", self.operand(one), self.operand(two)),
            Filter::Text(one, op, two) => {
                format!("({} {op:?} {})", self.operand(one), self.operand(two))
            }
            Filter::JsonContains(one, two) => {
                format!("({} @> {})", self.operand(one), self.operand(two))
            }
            Filter::Exists { from, relation, filter } => {
                let from = self.row(from);
                let related = self.relation(*relation);
                self.scopes.push(self.catalog.target(*relation));
                let inner = self.filter(filter);
                self.scopes.pop();
                format!("(exists {from}{related} {inner})")
            }
        }
    }

    fn joined(&mut self, word: &str, all: &[Filter]) -> String {
        let all: Vec<String> = all.iter().map(|one| self.filter(one)).collect();
        format!("({word} {})", all.join(" "))
    }

    fn operand(&mut self, operand: &Operand) -> String {
        match operand {
            Operand::Field(path) => self.path(path),
            Operand::Literal(value) => literal(value),
            Operand::Caller(term, kind) => format!("{}:{kind}", caller(term)),
            Operand::Now => "now".to_owned(),
            Operand::Slot(slot, kind) => format!("${}:{kind}", slot.0),
            Operand::Lower(one) => format!("lower({})", self.operand(one)),
            Operand::Size(one) => format!("size({})", self.operand(one)),
            Operand::Count(row, relation) => {
                format!("count({}{})", self.row(row), self.relation(*relation))
            }
            Operand::Shift(one, micros) => format!("({} + {micros}us)", self.operand(one)),
            Operand::Elapsed(one, two) => {
                format!("({} - {})", self.operand(one), self.operand(two))
            }
            Operand::If(test, yes, no) => {
                format!("(if {} {} {})", self.filter(test), self.operand(yes), self.operand(no))
            }
            Operand::Json { path, steps, as_text } => {
                let arrow = if *as_text { "->>" } else { "->" };
                let steps: Vec<String> = steps
                    .iter()
                    .map(|step| match step {
                        JsonStep::Key(key) => key.to_string(),
                        JsonStep::Index(at) => at.to_string(),
                    })
                    .collect();
                format!("{}{arrow}{{{}}}", self.path(path), steps.join(","))
            }
            Operand::Cast(one, kind) => format!("{}::{kind}", self.operand(one)),
        }
    }

    fn path(&mut self, path: &Path) -> String {
        let model = self.model_of(&path.row);
        format!("{}{}", self.row(&path.row), self.catalog.model(model).field(path.field).name)
    }

    fn row(&mut self, row: &RowRef) -> String {
        let start = match row.scope {
            Scope::Row(0) => String::new(),
            Scope::Row(at) => format!("{at}."),
            Scope::Old => "old.".to_owned(),
        };
        let hops = row.hops.iter().map(|hop| {
            let reference = self.catalog.reference(*hop);
            let field = reference.from_fields[0];
            format!("{}.", self.catalog.model(reference.from).field(field).name)
        });
        std::iter::once(start).chain(hops).collect()
    }

    fn model_of(&self, row: &RowRef) -> ModelId {
        match (row.hops.last(), row.scope) {
            (Some(hop), _) => self.catalog.reference(*hop).to,
            (None, Scope::Row(at)) => self.scopes[usize::from(at)],
            (None, Scope::Old) => self.scopes[0],
        }
    }

    fn relation(&self, relation: Relation) -> String {
        let (Relation::ToOne(reference) | Relation::ToMany(reference)) = relation;
        let name = &self.catalog.reference(reference).name;
        match relation {
            Relation::ToOne(_) => format!(">{name}"),
            Relation::ToMany(_) => format!("<{name}"),
        }
    }
}

/// What is asked of the caller.
pub(crate) fn caller(term: &CallerTerm) -> String {
    match term {
        CallerTerm::Id => "auth.id".to_owned(),
        CallerTerm::Email => "auth.email".to_owned(),
        CallerTerm::Roles => "auth.roles".to_owned(),
        CallerTerm::Claim(path) => format!("auth.claims.{}", path.join(".")),
        CallerTerm::Can(what) => format!("auth.can({what})"),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("'{text}'"),
        Value::Json(text) => format!("json'{text}'"),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        other => {
            let kind = match other {
                Value::Uuid(_) => Type::Uuid.name(),
                Value::Timestamp(_) => Type::Timestamp.name(),
                Value::Date(_) => Type::Date.name(),
                Value::Decimal(_) => "decimal",
                Value::Float(_) => Type::Float.name(),
                _ => "",
            };
            format!("{kind}{}", other.as_ref().to_text())
        }
    }
}
