//! Where a condition goes from the row it is asked about.

use crate::{Filter, Operand, Path, Relation, RowRef, Scope};

/// Steps from a row to rows related to it.
pub type Way = Vec<Relation>;

impl Filter {
    /// Every way the condition goes from the row asked about (or as it was before),
    /// each once, shorter ones before the longer ones they begin.
    #[must_use]
    pub fn ways(&self) -> Vec<Way> {
        let mut ways = Ways { scopes: vec![Way::new()], found: Vec::new() };
        ways.filter(self);
        ways.found.sort_by_key(Vec::len);
        ways.found
    }
}

struct Ways {
    /// The way to each row in sight.
    scopes: Vec<Way>,
    found: Vec<Way>,
}

impl Ways {
    fn filter(&mut self, filter: &Filter) {
        match filter {
            Filter::Const(_) => {}
            Filter::And(all) | Filter::Or(all) => all.iter().for_each(|one| self.filter(one)),
            Filter::Not(inner) | Filter::IsTrue(inner) => self.filter(inner),
            Filter::If(test, yes, no) => [test, yes, no].into_iter().for_each(|it| self.filter(it)),
            Filter::Is(operand) | Filter::IsNull(operand) => self.operand(operand),
            Filter::Compare(one, _, other)
            | Filter::In(one, other)
            | Filter::Text(one, _, other)
            | Filter::JsonContains(one, other) => {
                self.operand(one);
                self.operand(other);
            }
            Filter::Exists { from, relation, filter } => {
                let way = self.related(from, *relation);
                self.scopes.push(way);
                self.filter(filter);
                self.scopes.pop();
            }
        }
    }

    fn operand(&mut self, operand: &Operand) {
        match operand {
            Operand::Field(Path { row, .. }) | Operand::Json { path: Path { row, .. }, .. } => {
                self.reached(row);
            }
            Operand::Count(row, relation) => {
                self.related(row, *relation);
            }
            Operand::Literal(_) | Operand::Caller(..) | Operand::Now | Operand::Slot(..) => {}
            Operand::Lower(inner)
            | Operand::Size(inner)
            | Operand::Shift(inner, _)
            | Operand::Cast(inner, _) => self.operand(inner),
            Operand::Elapsed(one, other) => {
                self.operand(one);
                self.operand(other);
            }
            Operand::If(test, yes, no) => {
                self.filter(test);
                self.operand(yes);
                self.operand(no);
            }
        }
    }

    fn related(&mut self, from: &RowRef, relation: Relation) -> Way {
        let mut way = self.reached(from);
        way.push(relation);
        self.add(&way);
        way
    }

    /// The way to a row, all of whose beginnings are ways too.
    fn reached(&mut self, row: &RowRef) -> Way {
        let mut way = match row.scope {
            Scope::Row(at) => self.scopes[usize::from(at)].clone(),
            Scope::Old => Way::new(),
        };
        for hop in &row.hops {
            way.push(Relation::ToOne(*hop));
            self.add(&way);
        }
        way
    }

    fn add(&mut self, way: &Way) {
        if !self.found.contains(way) {
            self.found.push(way.clone());
        }
    }
}
