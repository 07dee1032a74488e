//! Conditions on the corpus's posts that nobody wrote.
//!
//! A condition is grown from a list of numbers, each a choice between what could come
//! next; where the list ends, the simplest is chosen, so what proptest shrinks stays
//! well-typed.

use mainstay_core::{
    CallerTerm, Catalog, CompareOp, Decimal, FieldId, Filter, JsonStep, ModelId, Operand, Path,
    RefId, Relation, RowRef, Scope, TextOp, Truth, Type, Value,
};
use proptest::prelude::{Strategy, any};

use super::{actors, rows, schema};

/// Which conditions are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breadth {
    /// Those a rule can come to.
    Rules,
    /// Those and what only query strings make: LIKE, regular expressions, `isdistinct`,
    /// containment of JSON, `IsTrue`. Slots and casts are left out.
    Queries,
}

/// Well-typed conditions on a row of posts.
pub fn conditions(breadth: Breadth) -> impl Strategy<Value = Filter> {
    let catalog = schema::catalog(None);
    proptest::collection::vec(any::<u16>(), 0..160).prop_map(move |choices| {
        let posts = catalog.model_id("posts").expect("BUG: the corpus has posts");
        let choices = choices.into_iter();
        Generator { catalog: &catalog, breadth, choices, scopes: vec![posts] }.filter(4)
    })
}

/// The types that operands are made of.
const KINDS: [Type; 10] = [
    Type::Text,
    Type::Int,
    Type::Bool,
    Type::Timestamp,
    schema::PRICE,
    Type::Float,
    Type::Uuid,
    Type::Date,
    Type::Json,
    Type::Bytes,
];

struct Generator<'c> {
    catalog: &'c Catalog,
    breadth: Breadth,
    choices: std::vec::IntoIter<u16>,
    /// The models of the rows in sight.
    scopes: Vec<ModelId>,
}

impl Generator<'_> {
    /// A number below this; 0 once the choices have run out.
    fn pick(&mut self, below: usize) -> usize {
        self.choices.next().map_or(0, |choice| usize::from(choice) % below.max(1))
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.pick(all.len())].clone()
    }

    fn filter(&mut self, depth: usize) -> Filter {
        if depth == 0 {
            return self.leaf(0);
        }
        let several = |this: &mut Self| {
            let count = 2 + this.pick(2);
            (0..count).map(|_| this.filter(depth - 1)).collect::<Vec<_>>()
        };
        let one = |this: &mut Self| Box::new(this.filter(depth - 1));
        match self.pick(16) {
            0..4 => self.leaf(depth - 1),
            4..6 => Filter::And(several(self)),
            6..8 => Filter::Or(several(self)),
            8..11 => Filter::Not(one(self)),
            11 => Filter::If(one(self), one(self), one(self)),
            12 if self.breadth == Breadth::Queries => Filter::IsTrue(one(self)),
            _ => self.exists(depth - 1),
        }
    }

    fn exists(&mut self, depth: usize) -> Filter {
        let (from, model) = self.row();
        let Some((relation, target)) = self.relation(model) else { return self.leaf(depth) };
        if self.scopes.len() > 3 {
            return self.leaf(depth);
        }
        self.scopes.push(target);
        let filter = Box::new(self.filter(depth));
        self.scopes.pop();
        Filter::Exists { from, relation, filter }
    }

    fn leaf(&mut self, depth: usize) -> Filter {
        match self.pick(12) {
            0 => Filter::Is(self.operand(Type::Bool, depth)),
            1 => Filter::Const(self.one_of(&[Truth::True, Truth::False, Truth::Unknown])),
            2 => {
                let kind = self.one_of(&KINDS);
                Filter::IsNull(self.operand(kind, depth))
            }
            3 => self.membership(depth),
            4 => self.search(depth),
            5 if self.breadth == Breadth::Queries => {
                let outer = self.operand(Type::Json, 0);
                Filter::JsonContains(outer, Operand::Literal(self.value(Type::Json)))
            }
            _ => {
                let kind = self.one_of(&KINDS);
                let op = self.compare_op(kind);
                Filter::Compare(self.operand(kind, depth), op, self.operand(kind, depth))
            }
        }
    }

    fn compare_op(&mut self, kind: Type) -> CompareOp {
        use CompareOp::{Distinct, Eq, Ge, Gt, Le, Lt, Ne};
        match (kind, self.breadth) {
            (Type::Json | Type::Bool, Breadth::Rules) => self.one_of(&[Eq, Ne]),
            (Type::Json | Type::Bool, Breadth::Queries) => self.one_of(&[Eq, Ne, Distinct]),
            (_, Breadth::Rules) => self.one_of(&[Eq, Ne, Lt, Le, Gt, Ge]),
            (_, Breadth::Queries) => self.one_of(&[Eq, Ne, Lt, Le, Gt, Ge, Distinct]),
        }
    }

    fn membership(&mut self, depth: usize) -> Filter {
        let kind = self.one_of(&[Type::Text, Type::Int, Type::Uuid, Type::Date, schema::PRICE]);
        let list = match self.pick(4) {
            0 if kind == Type::Text => Operand::Caller(CallerTerm::Roles, kind),
            1 => Operand::Caller(claim("orgs"), kind),
            _ => {
                let count = 1 + self.pick(3);
                Operand::Literal(Value::List((0..count).map(|_| self.value(kind)).collect()))
            }
        };
        Filter::In(self.operand(kind, depth), list)
    }

    fn search(&mut self, depth: usize) -> Filter {
        use TextOp::{Contains, EndsWith, ILike, IMatch, Like, Match, StartsWith};
        let text = self.operand(Type::Text, depth);
        let literal = |pattern: &str| Operand::Literal(Value::Text(pattern.into()));
        let narrow = [Contains, StartsWith, EndsWith];
        let wide = [Contains, StartsWith, EndsWith, Like, ILike, Match, IMatch];
        let op = match self.breadth {
            Breadth::Rules => self.one_of(&narrow),
            Breadth::Queries => self.one_of(&wide),
        };
        let other = match op {
            Contains | StartsWith | EndsWith => self.operand(Type::Text, depth),
            Like => literal(self.one_of(&["%", "_", "", "H%o", r"100\%%", "%é%", "__%", "%%%e%"])),
            // No letter whose case depends on a language or changes its length.
            ILike => literal(self.one_of(&["%", "h%O", "HELLO", "%'%", "%E_%"])),
            Match | IMatch => {
                literal(self.one_of(&["^H", "l+o$", "[0-9]", "", "^$", r"\\", "a|b", "^.$"]))
            }
        };
        Filter::Text(text, op, other)
    }

    fn operand(&mut self, kind: Type, depth: usize) -> Operand {
        if depth > 0 && self.pick(4) == 3 {
            return self.composed(kind, depth - 1);
        }
        match self.pick(6) {
            0..3 => self.field(kind).unwrap_or_else(|| Operand::Literal(self.value(kind))),
            3 => self.caller(kind),
            4 if kind == Type::Timestamp => Operand::Now,
            _ => Operand::Literal(self.value(kind)),
        }
    }

    fn composed(&mut self, kind: Type, depth: usize) -> Operand {
        let inner = |this: &mut Self, kind| Box::new(this.operand(kind, depth));
        match (kind, self.pick(3)) {
            (Type::Text, 0) => Operand::Lower(inner(self, Type::Text)),
            (Type::Text | Type::Json, 1) => self.json(kind == Type::Text),
            (Type::Int, 0) => Operand::Size(inner(self, Type::Text)),
            (Type::Int, 1) => {
                let (row, model) = self.row();
                match self.relation(model) {
                    Some((relation @ Relation::ToMany(_), _)) => Operand::Count(row, relation),
                    _ => {
                        Operand::Elapsed(inner(self, Type::Timestamp), inner(self, Type::Timestamp))
                    }
                }
            }
            (Type::Timestamp, 0 | 1) => {
                let micros = self.one_of(&[0, 3_600_000_000, -86_400_000_000, 1]);
                Operand::Shift(inner(self, Type::Timestamp), micros)
            }
            _ => {
                let test = Box::new(self.filter(depth.min(1)));
                Operand::If(test, inner(self, kind), inner(self, kind))
            }
        }
    }

    fn json(&mut self, as_text: bool) -> Operand {
        let path = match self.field(Type::Json) {
            Some(Operand::Field(path)) => path,
            _ => {
                return Operand::Literal(self.value(if as_text { Type::Text } else { Type::Json }));
            }
        };
        let key = self.one_of(&["kind", "n", "flag", "tags", "no such key", "a'b\"c"]);
        let mut steps = vec![JsonStep::Key(key.into())];
        if self.pick(3) == 2 {
            steps.push(JsonStep::Index(self.one_of(&[0, 1, -1, 7])));
        }
        Operand::Json { path, steps, as_text }
    }

    /// A row in sight, or one that at most two refs lead to.
    fn row(&mut self) -> (RowRef, ModelId) {
        // The innermost row first, since that is the one an `exists` is about.
        let depth = self.scopes.len();
        let at = depth - 1 - self.pick(depth);
        let mut model = self.scopes[at];
        let mut row = RowRef::at(Scope::Row(u8::try_from(at).unwrap_or(0)));
        for _ in 0..2 {
            let hops: Vec<RefId> = self.catalog.references_from(model).collect();
            if hops.is_empty() || self.pick(4) != 3 {
                break;
            }
            let hop = self.one_of(&hops);
            model = self.catalog.reference(hop).to;
            row.hops.push(hop);
        }
        (row, model)
    }

    fn relation(&mut self, model: ModelId) -> Option<(Relation, ModelId)> {
        let many = self.catalog.references_to(model).map(Relation::ToMany);
        let one = self.catalog.references_from(model).map(Relation::ToOne);
        let all: Vec<Relation> = many.chain(one).collect();
        if all.is_empty() {
            return None;
        }
        let relation = self.one_of(&all);
        Some((relation, self.catalog.target(relation)))
    }

    fn field(&mut self, kind: Type) -> Option<Operand> {
        let (row, model) = self.row();
        let model = self.catalog.model(model);
        let fields: Vec<FieldId> =
            model.field_ids().filter(|id| model.field(*id).value_type == kind).collect();
        if fields.is_empty() {
            return None;
        }
        Some(Operand::Field(Path { row, field: self.one_of(&fields) }))
    }

    fn caller(&mut self, kind: Type) -> Operand {
        let term = match kind {
            Type::Bool => self.one_of(&[claim("admin"), CallerTerm::Can("posts.publish".into())]),
            Type::Text => self.one_of(&[
                CallerTerm::Id,
                CallerTerm::Email,
                claim("org"),
                CallerTerm::Claim(vec!["deep".into(), "a".into(), "b".into()]),
            ]),
            Type::Uuid => self.one_of(&[CallerTerm::Id, claim("token")]),
            Type::Int | Type::Float | Type::Decimal { .. } => {
                self.one_of(&[claim("org"), claim("level"), claim("price"), claim("orgs")])
            }
            _ => self.one_of(&[claim("deep"), claim("orgs"), CallerTerm::Id]),
        };
        Operand::Caller(term, kind)
    }

    fn value(&mut self, kind: Type) -> Value {
        let text = |text: &str| Value::parse(text, kind, 32).unwrap_or(Value::Null);
        match kind {
            Type::Text => Value::Text(
                self.one_of(&[
                    "Hello",
                    "",
                    "alice",
                    "a",
                    "%",
                    "_",
                    r"\",
                    "'",
                    "\"",
                    "😀",
                    "e\u{301}",
                    "null",
                    "note",
                    actors::OHARA,
                    actors::DAVE,
                    "bob",
                ])
                .into(),
            ),
            Type::Int => {
                Value::Int(self.one_of(&[0, 1, -1, 7, 10, i64::MAX, i64::MIN, 86_400_000_000]))
            }
            Type::Float => Value::Float(self.one_of(&[0.0, -0.0, 1.5, 1e308, -1e-300, 7.0])),
            Type::Decimal { scale, .. } => Value::Decimal(Decimal {
                units: self.one_of(&[0, 999, -1, 99_999_999, -99_999_999]),
                scale,
            }),
            Type::Bool => Value::Bool(self.pick(2) == 0),
            Type::Uuid => text(self.one_of(&[actors::DAVE, actors::TOKEN])),
            Type::Timestamp => match self.pick(3) {
                0 => Value::Timestamp(rows::now()),
                1 => text("0001-01-01T00:00:00Z"),
                _ => text("2026-11-22T12:00:00Z"),
            },
            Type::Date => text(self.one_of(&["2026-11-22", "0001-01-01", "9999-12-31"])),
            Type::Json => text(self.one_of(&[
                "1",
                "true",
                "null",
                r#""note""#,
                "{}",
                "[]",
                r#"["a"]"#,
                r#"{"kind":"note"}"#,
                r#"{"tags":["b"]}"#,
                "1.5",
                r#""1""#,
            ])),
            Type::Bytes => text(self.one_of(&[r"\x00ff", r"\x", r"\x00"])),
        }
    }
}

fn claim(name: &str) -> CallerTerm {
    CallerTerm::Claim(vec![name.into()])
}
