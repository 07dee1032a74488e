//! A condition as the text of a rule: what is left of one for a role, to be read.
//!
//! Compiled again, the text means what the condition means; the tests hold it to that
//! over the corpus. Names of rows within `exists` are made up, since a condition has
//! none. Two things have no words in the rule language: `unknown`, a comparison with
//! what is absent that stands where it decides, and what only query strings ask.

mod literal;
mod names;

use mainstay_core::{
    CallerTerm, Catalog, CompareOp, Filter, JsonStep, ModelId, Operand, Relation, RowRef, Scope,
    TextOp, Truth,
};

use self::{
    literal::{duration, is_plain, literal, only_item, quoted},
    names::Names,
};

/// A condition on rows of a model, in the rule language's words.
#[must_use]
pub fn rule_text(catalog: &Catalog, model: ModelId, filter: &Filter) -> String {
    Writer::new(catalog, model).filter(filter, Binding::Loosest)
}

/// How tightly the parts of an expression hold together. What is looser than its
/// place asks stands in brackets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Binding {
    /// `a ? b : c`, and wherever anything may stand.
    Loosest,
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==` and its like, `in`
    Relation,
    /// `+`, `-`
    Sum,
    /// `!`
    Unary,
    /// Names, values, calls.
    Member,
}

/// Writes the parts of a condition, with names for the rows in sight.
pub(crate) struct Writer<'c> {
    names: Names<'c>,
}

impl<'c> Writer<'c> {
    /// For conditions on rows of a model.
    pub(crate) fn new(catalog: &'c Catalog, model: ModelId) -> Self {
        Self { names: Names::new(catalog, model) }
    }

    /// A condition, in a place that asks for so much binding.
    pub(crate) fn filter(&mut self, filter: &Filter, place: Binding) -> String {
        let (text, binding) = self.bound(filter);
        in_place(text, binding, place)
    }

    /// A value, likewise.
    pub(crate) fn operand(&mut self, operand: &Operand, place: Binding) -> String {
        let (text, binding) = self.bound_operand(operand);
        in_place(text, binding, place)
    }

    fn bound(&mut self, filter: &Filter) -> (String, Binding) {
        match filter {
            Filter::Const(truth) => {
                let word = match truth {
                    Truth::True => "true",
                    Truth::False => "false",
                    Truth::Unknown => "unknown",
                };
                (word.to_owned(), Binding::Member)
            }
            Filter::And(all) => (self.joined(all, " && "), Binding::And),
            Filter::Or(all) => (self.joined(all, " || "), Binding::Or),
            Filter::Not(inner) => self.negated(inner),
            Filter::IsTrue(inner) => {
                (format!("isTrue({})", self.filter(inner, Binding::Loosest)), Binding::Member)
            }
            Filter::If(test, yes, no) => {
                let [test, yes, no] =
                    [test, yes, no].map(|one| self.filter(one, Binding::Relation));
                (format!("{test} ? {yes} : {no}"), Binding::Loosest)
            }
            Filter::Is(operand) => self.bound_operand(operand),
            Filter::IsNull(operand) => {
                (format!("{} == null", self.operand(operand, Binding::Sum)), Binding::Relation)
            }
            Filter::Compare(one, op, two) => self.compared(one, *op, two),
            Filter::In(one, two) => (self.related(one, "in", two), Binding::Relation),
            Filter::Text(one, op, two) => self.searched(one, *op, two),
            Filter::JsonContains(one, two) => match two {
                Operand::Literal(value) if only_item(value).is_some() => {
                    let item = only_item(value).unwrap_or_default();
                    let list = self.operand(one, Binding::Sum);
                    (format!("{item} in {list}"), Binding::Relation)
                }
                _ => (self.related(one, "contains", two), Binding::Relation),
            },
            Filter::Exists { from, relation, filter } => {
                (self.exists(from, *relation, filter, "exists"), Binding::Member)
            }
        }
    }

    /// `a && b`: a mixture of both signs is bracketed, for those who review it.
    fn joined(&mut self, all: &[Filter], sign: &str) -> String {
        let all: Vec<String> = all.iter().map(|one| self.filter(one, Binding::Relation)).collect();
        all.join(sign)
    }

    fn negated(&mut self, inner: &Filter) -> (String, Binding) {
        match inner {
            Filter::IsNull(operand) => {
                (format!("{} != null", self.operand(operand, Binding::Sum)), Binding::Relation)
            }
            Filter::Exists { from, relation, filter } => match without_not(filter) {
                Some(filter) => (self.exists(from, *relation, &filter, "all"), Binding::Member),
                None => {
                    let exists = self.exists(from, *relation, filter, "exists");
                    (format!("!{exists}"), Binding::Unary)
                }
            },
            inner => (format!("!{}", self.filter(inner, Binding::Unary)), Binding::Unary),
        }
    }

    fn compared(&mut self, one: &Operand, op: CompareOp, two: &Operand) -> (String, Binding) {
        let sign = match op {
            CompareOp::Eq => "==",
            CompareOp::Ne => "!=",
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
            CompareOp::Distinct => "is distinct from",
        };
        let is_span = |operand: &Operand| matches!(operand, Operand::Elapsed(..));
        let spans = is_span(one) || is_span(two);
        let mut side = |operand: &Operand| match operand {
            Operand::Literal(mainstay_core::Value::Int(micros)) if spans => duration(*micros),
            operand => self.operand(operand, Binding::Sum),
        };
        let (one, two) = (side(one), side(two));
        (format!("{one} {sign} {two}"), Binding::Relation)
    }

    fn related(&mut self, one: &Operand, word: &str, two: &Operand) -> String {
        let (one, two) = (self.operand(one, Binding::Sum), self.operand(two, Binding::Sum));
        format!("{one} {word} {two}")
    }

    fn searched(&mut self, one: &Operand, op: TextOp, two: &Operand) -> (String, Binding) {
        let function = match op {
            TextOp::Contains => "contains",
            TextOp::StartsWith => "startsWith",
            TextOp::EndsWith => "endsWith",
            TextOp::Like => "like",
            TextOp::ILike => "ilike",
            TextOp::Match => "match",
            TextOp::IMatch => "imatch",
        };
        let of = self.operand(one, Binding::Member);
        (format!("{of}.{function}({})", self.operand(two, Binding::Loosest)), Binding::Member)
    }

    /// `comments.exists(c, …)`
    fn exists(&mut self, from: &RowRef, relation: Relation, filter: &Filter, word: &str) -> String {
        let (rows, relations, body) = self.way(from, relation, filter);
        let name = self.enter(&relations);
        let body = self.filter(body, Binding::Loosest);
        self.leave(&relations);
        format!("{rows}.{word}({name}, {body})")
    }

    /// What the rows of an `exists` are called, the relations that lead to them, and what
    /// is asked of each: through a junction, where both steps have one name.
    pub(crate) fn way<'f>(
        &self,
        from: &RowRef,
        relation: Relation,
        filter: &'f Filter,
    ) -> (String, Vec<Relation>, &'f Filter) {
        if let Relation::ToMany(near) = relation
            && let Filter::Exists {
                from: RowRef { scope: Scope::Row(_), hops },
                relation: far,
                filter,
            } = filter
            && let Relation::ToOne(reference) = far
            && hops.is_empty()
            && let Some(rows) = self.names.through(from, near, *reference)
        {
            return (rows, vec![relation, *far], filter);
        }
        (self.names.relation(from, relation), vec![relation], filter)
    }

    /// Goes along relations to rows, and gives those a name.
    pub(crate) fn enter(&mut self, relations: &[Relation]) -> String {
        self.names.enter(relations)
    }

    /// Comes back.
    pub(crate) fn leave(&mut self, relations: &[Relation]) {
        self.names.leave(relations.len());
    }

    fn bound_operand(&mut self, operand: &Operand) -> (String, Binding) {
        let call = |text: String, function: &str| (format!("{text}.{function}()"), Binding::Member);
        match operand {
            Operand::Field(path) => (self.names.field(path), Binding::Member),
            Operand::Literal(value) => {
                let text = literal(value);
                let binding = if text.starts_with('-') { Binding::Unary } else { Binding::Member };
                (text, binding)
            }
            Operand::Caller(term, _) => (caller(term), Binding::Member),
            Operand::Now => ("now".to_owned(), Binding::Member),
            Operand::Slot(slot, _) => (format!("${}", slot.0), Binding::Member),
            Operand::Lower(one) => call(self.operand(one, Binding::Member), "lowerAscii"),
            Operand::Size(one) => call(self.operand(one, Binding::Member), "size"),
            Operand::Count(row, relation) => call(self.names.relation(row, *relation), "size"),
            Operand::Shift(one, micros) => {
                let one = self.operand(one, Binding::Sum);
                let sign = if *micros < 0 { '-' } else { '+' };
                let span = duration(micros.saturating_abs());
                (format!("{one} {sign} {span}"), Binding::Sum)
            }
            Operand::Elapsed(later, earlier) => {
                let later = self.operand(later, Binding::Sum);
                let earlier = self.operand(earlier, Binding::Unary);
                (format!("{later} - {earlier}"), Binding::Sum)
            }
            Operand::If(test, yes, no) => {
                let test = self.filter(test, Binding::Relation);
                let [yes, no] = [yes, no].map(|one| self.operand(one, Binding::Relation));
                (format!("{test} ? {yes} : {no}"), Binding::Loosest)
            }
            Operand::Json { path, steps, .. } => {
                let steps: String = steps.iter().map(step).collect();
                (format!("{}{steps}", self.names.field(path)), Binding::Member)
            }
            Operand::Cast(one, kind) => {
                (format!("{}::{kind}", self.operand(one, Binding::Member)), Binding::Member)
            }
        }
    }
}

/// A value, as a rule would write it; `absent` where there is none.
pub(crate) fn value_text(value: &mainstay_core::Value) -> String {
    if value.is_null() { "absent".to_owned() } else { literal(value) }
}

fn in_place(text: String, binding: Binding, place: Binding) -> String {
    if binding < place { format!("({text})") } else { text }
}

/// What every row satisfies where no row fails it, through a junction too.
fn without_not(filter: &Filter) -> Option<Filter> {
    match filter {
        Filter::Not(inner) => Some((**inner).clone()),
        Filter::Exists { from, relation: relation @ Relation::ToOne(_), filter } => {
            let filter = Box::new(without_not(filter)?);
            Some(Filter::Exists { from: from.clone(), relation: *relation, filter })
        }
        _ => None,
    }
}

/// What is asked of the caller.
fn caller(term: &CallerTerm) -> String {
    match term {
        CallerTerm::Id => "auth.id".to_owned(),
        CallerTerm::Email => "auth.email".to_owned(),
        CallerTerm::Roles => "auth.roles".to_owned(),
        CallerTerm::Can(permission) => format!("auth.can({})", quoted(permission)),
        CallerTerm::Claim(path) => {
            let steps: String = path.iter().map(|key| member(key)).collect();
            format!("auth.claims{steps}")
        }
    }
}

fn step(step: &JsonStep) -> String {
    match step {
        JsonStep::Key(key) => member(key),
        JsonStep::Index(at) => format!("[{at}]"),
    }
}

fn member(key: &str) -> String {
    if is_plain(key) { format!(".{key}") } else { format!("[{}]", quoted(key)) }
}
