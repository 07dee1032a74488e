//! A condition over rows: what rules and query strings both become.
//!
//! Conditions are three-valued (Kleene's logic): comparing with an absent value
//! is *unknown*, and a verdict admits a row only where the condition is true. The
//! interpreter in `rules` evaluates all three values exactly. A store may let
//! *unknown* become false where it stands un-negated and true where it stands
//! under a `not`, since neither changes which rows are admitted.
//!
//! A [`Scope`] numbers the rows in sight: 0 is the row that is asked about, and
//! each [`Filter::Exists`] on the way down adds one.

mod ways;

use crate::{FieldId, RefId, Timestamp, Type, Value};

pub use self::ways::Way;

/// True, false or unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// An absent value keeps it from being decided.
    Unknown,
}

impl Truth {
    /// The truth of a bool that may be absent.
    #[must_use]
    pub fn of(value: Option<bool>) -> Self {
        match value {
            Some(true) => Self::True,
            Some(false) => Self::False,
            None => Self::Unknown,
        }
    }

    /// True if either is; else unknown if either is.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::False, Self::False) => Self::False,
        }
    }

    /// False if either is; else unknown if either is.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::True, Self::True) => Self::True,
        }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Which of the rows in sight is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The row asked about (0), or the row of the n-th `exists` on the way down.
    Row(u8),
    /// The row asked about, as it was before the write.
    Old,
}

/// A row reached from one in sight by following refs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowRef {
    /// Where it starts.
    pub scope: Scope,
    /// The refs followed, each from the model the one before leads to.
    pub hops: Vec<RefId>,
}

/// A field of a row reached by following refs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// The row.
    pub row: RowRef,
    /// The field of that row's model.
    pub field: FieldId,
}

/// One step from rows of a model to the rows related to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// Along a reference, to the row it points at.
    ToOne(RefId),
    /// Against a reference, to the rows that point here.
    ToMany(RefId),
}

/// Something known of the caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CallerTerm {
    /// `auth.id`, a text.
    Id,
    /// `auth.email`, a text.
    Email,
    /// `auth.roles`, a list of texts, inheritance expanded.
    Roles,
    /// `auth.claims.a.b`, JSON.
    Claim(Vec<Box<str>>),
    /// `auth.can('…')`, a bool.
    Can(Box<str>),
}

/// Numbers the values a plan's shape leaves open; the plan carries them in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub u16);

/// One step into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum JsonStep {
    /// The member of this name.
    Key(Box<str>),
    /// The item at this place, from the end where negative.
    Index(i32),
}

/// Something that has a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A field.
    Field(Path),
    /// A value written in the rule.
    Literal(Value),
    /// Something of the caller's, converted to a type; absent where it does not
    /// convert. Gone once a rule is bound in a plan.
    Caller(CallerTerm, Type),
    /// The request's time. Gone once a rule is bound in a plan.
    Now,
    /// A value the plan carries, of this type. A list where it stands in [`Filter::In`].
    Slot(SlotId, Type),
    /// A text with its ASCII letters in lower case.
    Lower(Box<Operand>),
    /// A text's count of characters (code points).
    Size(Box<Operand>),
    /// How many rows are related to a row.
    Count(RowRef, Relation),
    /// A timestamp moved by so many microseconds.
    Shift(Box<Operand>, i64),
    /// The microseconds from the second timestamp to the first.
    Elapsed(Box<Operand>, Box<Operand>),
    /// The first where the condition is true, the second where it is false, else absent.
    If(Box<Filter>, Box<Operand>, Box<Operand>),
    /// What lies at a path inside a JSON field; absent where nothing does.
    Json {
        /// The field.
        path: Path,
        /// The steps into it; none is the whole value.
        steps: Vec<JsonStep>,
        /// Whether it is taken as text (`->>`) or stays JSON (`->`).
        as_text: bool,
    },
    /// A value converted to another type, absent or an error where it does not convert.
    Cast(Box<Operand>, Type),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// Not equal, with absent values taken as equal to each other and to nothing else.
    Distinct,
}

/// How a text is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextOp {
    /// It holds the other text.
    Contains,
    /// It begins with it.
    StartsWith,
    /// It ends with it.
    EndsWith,
    /// SQL's LIKE, by code point: `%` any run, `_` any one, `\` takes the next literally.
    Like,
    /// LIKE without regard to case.
    ILike,
    /// A regular expression matches somewhere in it.
    Match,
    /// A regular expression matches somewhere in it, without regard to case.
    IMatch,
}

/// Whether a comparison with a list asks for any or for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// One is enough.
    Any,
    /// Each must hold.
    All,
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Decided already.
    Const(Truth),
    /// False if any is; else unknown if any is; true where there is none.
    And(Vec<Filter>),
    /// True if any is; else unknown if any is; false where there is none.
    Or(Vec<Filter>),
    /// The opposite; unknown stays.
    Not(Box<Filter>),
    /// The second where the first is true, the third where it is false, else unknown.
    If(Box<Filter>, Box<Filter>, Box<Filter>),
    /// Whether a condition is true: false where it is false or unknown, and never
    /// unknown itself. It ends what unknown may become: inside, a store begins anew
    /// un-negated.
    IsTrue(Box<Filter>),
    /// A bool value taken as a condition; absent is unknown.
    Is(Operand),
    /// A comparison of two values of one type; unknown where either is absent,
    /// `Distinct` aside.
    Compare(Operand, CompareOp, Operand),
    /// Whether a value is absent. Never unknown.
    IsNull(Operand),
    /// Whether a value is one of a list's; unknown where the value is absent.
    /// The list is a `Literal` list, a `Caller` list or a `Slot` with one.
    In(Operand, Operand),
    /// A search in a text; unknown where either is absent.
    Text(Operand, TextOp, Operand),
    /// Whether the first JSON value contains the second, as `@>` says it.
    JsonContains(Operand, Operand),
    /// Whether a related row satisfies a condition: true if it is true for any,
    /// else unknown if it is unknown for any, else false.
    Exists {
        /// The row whose relatives are asked.
        from: RowRef,
        /// How they are related.
        relation: Relation,
        /// What is asked of each, at the scope one further down.
        filter: Box<Filter>,
    },
}

impl Filter {
    /// A condition that always holds.
    pub const ALWAYS: Self = Self::Const(Truth::True);
    /// A condition that never holds.
    pub const NEVER: Self = Self::Const(Truth::False);

    /// Both, without nesting what need not nest.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Const(Truth::True), kept) | (kept, Self::Const(Truth::True)) => kept,
            (Self::And(mut all), Self::And(more)) => {
                all.extend(more);
                Self::And(all)
            }
            (Self::And(mut all), one) => {
                all.push(one);
                Self::And(all)
            }
            (one, Self::And(mut all)) => {
                all.insert(0, one);
                Self::And(all)
            }
            (one, two) => Self::And(vec![one, two]),
        }
    }

    /// Whether it is true of every row.
    #[must_use]
    pub fn is_always(&self) -> bool {
        matches!(self, Self::Const(Truth::True))
    }

    /// Whether it is true of no row; unknown admits nothing.
    #[must_use]
    pub fn is_never(&self) -> bool {
        matches!(self, Self::Const(Truth::False | Truth::Unknown))
    }
}

impl Path {
    /// A field of the row asked about.
    #[must_use]
    pub fn of(field: FieldId) -> Self {
        Self { row: RowRef::at(Scope::Row(0)), field }
    }
}

impl RowRef {
    /// A row in sight itself.
    #[must_use]
    pub fn at(scope: Scope) -> Self {
        Self { scope, hops: Vec::new() }
    }
}

impl From<Timestamp> for Operand {
    fn from(moment: Timestamp) -> Self {
        Self::Literal(Value::Timestamp(moment))
    }
}
