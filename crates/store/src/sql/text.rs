//! A piece of SQL and the parameters that stand in it, in order.

use mainstay_core::{FieldId, SlotId, Type, Value};

use super::Dialect;

/// Stands where a parameter does until the text is finished. No identifier holds it:
/// names of tables and columns are printable.
const PLACE: char = '\u{1a}';

/// Where the value of a parameter comes from when a statement runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// It is always this one.
    Const(Value),
    /// The plan carries it, of this type.
    Slot(SlotId, Type),
    /// The plan carries it, and it is a list of this type. Where it is absent instead,
    /// whether something is in it must come out unknown.
    List(SlotId, Type),
    /// The row above gives it: the n-th of the values that relate rows to it.
    Link(u16, Type),
    /// The rows at hand give it, as a list: the n-th value of each.
    Column(u16, Type),
    /// The payload's row gives it, of this type.
    Row(FieldId, Type),
}

/// A piece of SQL. Text and parameters are appended together, so that they cannot
/// fall out of step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sql {
    text: String,
    params: Vec<Param>,
}

impl Sql {
    /// A piece that is nothing but text, written in the source or an identifier.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), params: Vec::new() }
    }

    /// A parameter.
    #[must_use]
    pub fn param(param: Param) -> Self {
        Self { text: PLACE.to_string(), params: vec![param] }
    }

    /// The pieces one after the other, with `between` between them.
    #[must_use]
    pub fn join(pieces: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut all = Self::default();
        for (at, piece) in pieces.into_iter().enumerate() {
            if at > 0 {
                all.text.push_str(between);
            }
            all = all.then(piece);
        }
        all
    }

    /// This piece with more text after it.
    #[must_use]
    pub fn and_text(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// This piece with another after it.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.text.push_str(&other.text);
        self.params.extend(other.params);
        self
    }

    /// This piece between two texts.
    #[must_use]
    pub fn within(self, open: &str, close: &str) -> Self {
        Self::text(open).then(self).and_text(close)
    }

    /// `(left infix right)`.
    #[must_use]
    pub fn infix(left: Self, infix: &str, right: Self) -> Self {
        Self::text("(").then(left).and_text(infix).then(right).and_text(")")
    }

    /// `name(argument, …)`.
    #[must_use]
    pub fn call(name: &str, arguments: impl IntoIterator<Item = Self>) -> Self {
        Self::text(name).and_text("(").then(Self::join(arguments, ", ")).and_text(")")
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text with the dialect's placeholders, and the parameters in their order.
    #[must_use]
    pub fn finish(self, dialect: &dyn Dialect) -> (String, Vec<Param>) {
        let mut text = String::with_capacity(self.text.len() + self.params.len() * 3);
        let mut bound: Vec<Param> = Vec::with_capacity(self.params.len());
        let mut params = self.params.into_iter();
        for part in self.text.split_inclusive(PLACE) {
            match part.strip_suffix(PLACE).map(|before| (before, params.next())) {
                Some((before, Some(param))) => {
                    text.push_str(before);
                    let known = bound.iter().position(|known| *known == param);
                    let at = known.filter(|_| dialect.binds_once()).unwrap_or_else(|| {
                        bound.push(param);
                        bound.len() - 1
                    });
                    dialect.placeholder(at + 1, &bound[at], &mut text);
                }
                _ => text.push_str(part),
            }
        }
        debug_assert!(params.next().is_none(), "BUG: a parameter without a place");
        (text, bound)
    }
}
