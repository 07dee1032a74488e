//! A condition as SQL, with Kleene's logic kept.
//!
//! SQL's own operators are Kleene's. `EXISTS` is not: it is false where no row's
//! condition is true, also where one is unknown. Un-negated that is right, since a
//! verdict takes unknown for no; under a `NOT` it would turn *unknown* into *yes*,
//! so there the rows whose condition is unknown count as well. Whoever reads this
//! file should be able to say of each arm what it makes of unknown in both
//! polarities.

use mainstay_core::{
    Catalog, CompareOp, FieldId, Filter, ModelId, Operand, RefId, Relation, RowRef, Scope, Truth,
    Type, Value, removal::removed,
};

use super::{Dialect, Param, Sql};

/// A row in sight: the name it goes by and what it is a row of.
#[derive(Clone, Debug)]
pub struct RowSource {
    /// The alias of its table, unquoted.
    pub alias: String,
    /// Its model.
    pub model: ModelId,
}

/// Whether what is rendered stands under an even or an odd number of negations.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Polarity {
    /// Unknown may become false.
    Even,
    /// Unknown may become true.
    Odd,
}

impl Polarity {
    fn flipped(self) -> Self {
        match self {
            Self::Even => Self::Odd,
            Self::Odd => Self::Even,
        }
    }
}

/// Renders conditions and values over the rows in sight.
pub struct Renderer<'a> {
    pub(super) dialect: &'a dyn Dialect,
    pub(super) catalog: &'a Catalog,
    scopes: Vec<RowSource>,
    old: Option<RowSource>,
    prefix: String,
    aliases: usize,
}

impl<'a> Renderer<'a> {
    /// A renderer with one row in sight, of this model, under this alias. Aliases of
    /// subqueries begin with it too, so that nothing nested can take its name.
    #[must_use]
    pub fn new(
        dialect: &'a dyn Dialect,
        catalog: &'a Catalog,
        alias: &str,
        model: ModelId,
    ) -> Self {
        Self {
            dialect,
            catalog,
            scopes: vec![RowSource { alias: alias.to_owned(), model }],
            old: None,
            prefix: alias.to_owned(),
            aliases: 0,
        }
    }

    /// Numbers the aliases of subqueries anew, so that what is rendered twice is the same
    /// text. For pieces that do not lie in each other.
    pub fn anew(&mut self) -> &mut Self {
        self.aliases = 0;
        self
    }

    /// Puts the row before the write in sight, under this alias.
    #[must_use]
    pub fn with_old(mut self, alias: &str) -> Self {
        let model = self.scopes[0].model;
        self.old = Some(RowSource { alias: alias.to_owned(), model });
        self
    }

    /// A condition for a `WHERE`, which takes unknown for no by itself.
    pub fn condition(&mut self, filter: &Filter) -> Sql {
        let condition = self.filter(filter, Polarity::Even);
        if removed("unknown-is-no") {
            return condition.within("((", ") IS NOT FALSE)");
        }
        condition
    }

    /// A condition as a value that is true or false, never absent.
    pub fn verdict(&mut self, filter: &Filter) -> Sql {
        let condition = self.filter(filter, Polarity::Even);
        let test = if removed("unknown-is-no") { ") IS NOT FALSE)" } else { ") IS TRUE)" };
        condition.within("((", test)
    }

    /// A field of the row asked about.
    #[must_use]
    pub fn field(&self, field: FieldId) -> Sql {
        self.column(&self.scopes[0], field)
    }

    /// The type of a field of the row asked about.
    #[must_use]
    pub fn field_type(&self, field: FieldId) -> Type {
        self.catalog.model(self.scopes[0].model).field(field).value_type
    }

    pub(super) fn filter(&mut self, filter: &Filter, polarity: Polarity) -> Sql {
        match filter {
            Filter::Const(truth) => Sql::text(self.dialect.truth(*truth)),
            Filter::And(all) => self.joined(all, " AND ", Truth::True, polarity),
            Filter::Or(any) => self.joined(any, " OR ", Truth::False, polarity),
            Filter::Not(inner) => self.negated(inner, polarity),
            // What is inside cannot be unknown to those outside, whatever their polarity.
            Filter::IsTrue(inner) => {
                let inner = self.filter(inner, Polarity::Even);
                match polarity {
                    Polarity::Even => inner,
                    Polarity::Odd => inner.within("((", ") IS TRUE)"),
                }
            }
            Filter::If(condition, then, otherwise) => {
                let whether = self.filter(condition, Polarity::Even);
                let then = self.filter(then, polarity);
                let mut case = whether.within("CASE WHEN ", " THEN ").then(then);
                // Where the other branch can admit nothing, that it is not reached is
                // as good as that it says no.
                if polarity == Polarity::Odd || !otherwise.is_never() {
                    let whether_not = self.filter(condition, Polarity::Odd);
                    let otherwise = self.filter(otherwise, polarity);
                    case = case.then(whether_not.within(" WHEN NOT (", ") THEN ")).then(otherwise);
                }
                case.within("(", " END)")
            }
            // An absent value has no type of its own, and a condition has one.
            Filter::Is(operand) if self.type_of(operand).is_none() => {
                Sql::text(self.dialect.truth(Truth::Unknown))
            }
            Filter::Is(operand) => {
                let value = self.operand(operand);
                self.dialect.is_true(value)
            }
            Filter::Compare(left, op, right) => self.compare(left, *op, right),
            Filter::IsNull(operand) => self.operand(operand).within("(", " IS NULL)"),
            Filter::In(value, list) => self.is_in(value, list, polarity),
            Filter::Text(text, op, wanted) => {
                let (text, wanted) = (self.operand(text), self.operand(wanted));
                self.dialect.search(text, *op, wanted)
            }
            Filter::JsonContains(outer, inner) => {
                let (outer, inner) = (self.operand(outer), self.operand(inner));
                self.dialect.json_contains(outer, inner)
            }
            Filter::Exists { from, relation, filter } => {
                self.exists(from, *relation, filter, polarity)
            }
        }
    }

    fn joined(
        &mut self,
        filters: &[Filter],
        between: &str,
        of_none: Truth,
        polarity: Polarity,
    ) -> Sql {
        match filters {
            [] => Sql::text(self.dialect.truth(of_none)),
            [one] => self.filter(one, polarity),
            _ => {
                let pieces: Vec<Sql> =
                    filters.iter().map(|filter| self.filter(filter, polarity)).collect();
                Sql::join(pieces, between).within("(", ")")
            }
        }
    }

    fn negated(&mut self, inner: &Filter, polarity: Polarity) -> Sql {
        match inner {
            Filter::Is(operand) if self.type_of(operand).is_some() => {
                let value = self.operand(operand);
                self.dialect.is_false(value)
            }
            Filter::IsNull(operand) => self.operand(operand).within("(", " IS NOT NULL)"),
            _ => self.filter(inner, polarity.flipped()).within("(NOT ", ")"),
        }
    }

    fn compare(&mut self, left: &Operand, op: CompareOp, right: &Operand) -> Sql {
        let (left, right) = self.comparable(left, right);
        match op {
            CompareOp::Eq => Sql::infix(left, " = ", right),
            CompareOp::Ne => Sql::infix(left, " <> ", right),
            CompareOp::Lt => Sql::infix(left, " < ", right),
            CompareOp::Le => Sql::infix(left, " <= ", right),
            CompareOp::Gt => Sql::infix(left, " > ", right),
            CompareOp::Ge => Sql::infix(left, " >= ", right),
            CompareOp::Distinct => self.dialect.distinct(left, right),
        }
    }

    /// SQL says that an absent value is not in an empty list; here that is unknown,
    /// which under a negation must not become true.
    fn is_in(&mut self, value: &Operand, list: &Operand, polarity: Polarity) -> Sql {
        let element = self.type_of(value);
        let rendered = self.operand(value);
        let absent = |renderer: &mut Self| renderer.operand(value).within("(", " IS NULL)");
        match list {
            Operand::Literal(Value::List(items)) if items.is_empty() => match polarity {
                Polarity::Even => Sql::text(self.dialect.truth(Truth::False)),
                Polarity::Odd => absent(self),
            },
            Operand::Literal(Value::List(items)) => {
                let items: Vec<Sql> =
                    items.iter().map(|item| self.constant_like(item, element)).collect();
                Sql::infix(rendered, " IN ", Sql::join(items, ", ").within("(", ")"))
            }
            Operand::Slot(slot, kind) => {
                let list = Param::List(*slot, element.unwrap_or(*kind));
                let among = self.dialect.is_among(rendered, list);
                match polarity {
                    Polarity::Even => among,
                    Polarity::Odd => Sql::infix(among, " OR ", absent(self)),
                }
            }
            // A list is a literal or a slot once a plan is bound; anything else admits nothing.
            _ => Sql::text(self.dialect.truth(Truth::Unknown)),
        }
    }

    fn exists(
        &mut self,
        from: &RowRef,
        relation: Relation,
        filter: &Filter,
        polarity: Polarity,
    ) -> Sql {
        let polarity = if removed("kleene-exists") { Polarity::Even } else { polarity };
        let related = self.related(relation);
        let links = self.links(from, relation, &related);
        let table = self.from(&related);
        self.scopes.push(related);
        let body = self.filter(filter, polarity);
        self.scopes.pop();
        let body = match (filter.is_always(), polarity) {
            (true, _) => Sql::default(),
            (false, Polarity::Even) => body.within(" AND ", ""),
            (false, Polarity::Odd) => body.within(" AND (", ") IS NOT FALSE"),
        };
        table.within("EXISTS (SELECT 1 FROM ", " WHERE ").then(links).then(body).and_text(")")
    }

    /// How many rows are related to a row.
    pub(super) fn count(&mut self, from: &RowRef, relation: Relation) -> Sql {
        let related = self.related(relation);
        let links = self.links(from, relation, &related);
        let table = self.from(&related);
        table.within("(SELECT count(*) FROM ", " WHERE ").then(links).and_text(")")
    }

    fn related(&mut self, relation: Relation) -> RowSource {
        let model = self.catalog.target(relation);
        self.source(model)
    }

    pub(super) fn source(&mut self, model: ModelId) -> RowSource {
        self.aliases += 1;
        RowSource { alias: format!("{}_{}", self.prefix, self.aliases), model }
    }

    /// `related.column = row.column`, for each pair of columns that relate them.
    fn links(&mut self, from: &RowRef, relation: Relation, related: &RowSource) -> Sql {
        let (here, there) = ends(self.catalog, relation);
        let pairs: Vec<Sql> = here
            .iter()
            .zip(there)
            .map(|(here, there)| {
                let theirs = self.column(related, *there);
                let ours = self.path(from, *here);
                theirs.and_text(" = ").then(ours)
            })
            .collect();
        Sql::join(pairs, " AND ")
    }

    pub(super) fn scope(&self, scope: Scope) -> &RowSource {
        match scope {
            Scope::Row(at) => &self.scopes[usize::from(at)],
            Scope::Old => self.old.as_ref().expect("BUG: only `check` speaks of the row before"),
        }
    }

    /// `"table" AS "alias"`.
    pub(super) fn from(&self, source: &RowSource) -> Sql {
        let model = self.catalog.model(source.model);
        Sql::text(format!(
            "{} AS {}",
            self.dialect.table(&model.table),
            self.dialect.identifier(&source.alias)
        ))
    }

    pub(super) fn column(&self, source: &RowSource, field: FieldId) -> Sql {
        let column = &self.catalog.model(source.model).field(field).column;
        Sql::text(format!(
            "{}.{}",
            self.dialect.identifier(&source.alias),
            self.dialect.identifier(column)
        ))
    }
}

/// The fields that relate two rows: those of the row here, and those of the row
/// the relation leads to, pair by pair.
#[must_use]
pub fn ends(catalog: &Catalog, relation: Relation) -> (&[FieldId], &[FieldId]) {
    let of = |reference: RefId| catalog.reference(reference);
    match relation {
        Relation::ToOne(reference) => (&of(reference).from_fields, &of(reference).to_fields),
        Relation::ToMany(reference) => (&of(reference).to_fields, &of(reference).from_fields),
    }
}
