//! What a caller asks for, as the dialect's reader understood it.
//!
//! Names and values are still the caller's own text: nothing here has been looked
//! up or allowed. Two requests that differ only in their values have the same
//! shape and so the same plan, with other values bound.

use std::borrow::Cow;

use mainstay_core::{JsonStep, Quantifier};

/// A text out of the request, borrowed where it needed no decoding.
pub type Text<'a> = Cow<'a, str>;

/// A request for rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadRequest<'a> {
    /// The model's API name.
    pub model: Text<'a>,
    /// What of each row is wanted; empty means all of it.
    pub select: Vec<SelectItem<'a>>,
    /// Which rows, in which order.
    pub clauses: Clauses<'a>,
    /// The same for embedded models, by the path of names (or aliases) to each.
    pub embedded: Vec<(Vec<Text<'a>>, Clauses<'a>)>,
    /// Whether all matching rows are to be counted.
    pub count: Count,
}

/// Which rows of one model, in which order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clauses<'a> {
    /// All of these must hold.
    pub filters: Vec<Condition<'a>>,
    /// The order; ties are broken by key.
    pub order: Vec<OrderTerm<'a>>,
    /// Rows at most.
    pub limit: Option<u64>,
    /// Rows to pass over first.
    pub offset: Option<u64>,
}

/// How the rows that match are counted, beyond those sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Count {
    /// Not at all.
    #[default]
    None,
    /// Every one.
    Exact,
    /// As the engine's planner guesses.
    Planned,
    /// Exactly up to a bound, as the planner guesses beyond it.
    Estimated,
}

/// One item of `select`.
#[derive(Clone, Debug, PartialEq)]
pub enum SelectItem<'a> {
    /// `*`: every field the caller may see.
    Star,
    /// A field, a part of a JSON field, or an aggregate.
    Field(SelectField<'a>),
    /// Rows of a related model.
    Embed(SelectEmbed<'a>),
}

/// A field in `select`: `alias:name->json::cast.aggregate()::cast`.
#[derive(Clone, Debug, PartialEq)]
pub struct SelectField<'a> {
    /// The name it is answered under, where it is not its own.
    pub alias: Option<Text<'a>>,
    /// The field; none for `count()` of rows.
    pub field: Option<FieldExpr<'a>>,
    /// The type it is converted to.
    pub cast: Option<Text<'a>>,
    /// What is computed over the group's rows.
    pub aggregate: Option<Aggregate>,
    /// The type the aggregate is converted to.
    pub aggregate_cast: Option<Text<'a>>,
}

/// A related model in `select`: `...alias:name!hint!inner(items)`.
#[derive(Clone, Debug, PartialEq)]
pub struct SelectEmbed<'a> {
    /// The name it is answered under, where it is not its own.
    pub alias: Option<Text<'a>>,
    /// A model, or a ref field of the model above.
    pub target: Text<'a>,
    /// The constraint, field or junction that tells two relations apart.
    pub hint: Option<Text<'a>>,
    /// Whether rows above without related ones are kept.
    pub join: Join,
    /// Whether its fields are lifted into the row above.
    pub spread: bool,
    /// What of each related row is wanted; empty means nothing, for filters alone.
    pub select: Vec<SelectItem<'a>>,
}

/// Whether rows without related ones are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Join {
    /// They are.
    #[default]
    Left,
    /// They are not: `!inner`.
    Inner,
}

/// A computation over a group of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// How many rows, or values that are not absent.
    Count,
    /// Their sum.
    Sum,
    /// Their mean.
    Avg,
    /// The least of them.
    Min,
    /// The greatest of them.
    Max,
}

/// A field, or a place inside a JSON field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldExpr<'a> {
    /// The field's name.
    pub name: Text<'a>,
    /// The steps into it.
    pub json: Vec<JsonStep>,
    /// Whether the last step was `->>`.
    pub as_text: bool,
}

/// A condition of the caller's.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition<'a> {
    /// Several joined.
    Group {
        /// Whether the whole is negated.
        negated: bool,
        /// How they are joined.
        group: Group,
        /// The conditions.
        items: Vec<Condition<'a>>,
    },
    /// A field compared.
    Compare {
        /// The field, or an embed's name under `is.null`.
        field: FieldExpr<'a>,
        /// Whether it is negated.
        negated: bool,
        /// How.
        operator: Operator,
        /// Whether the argument is a list of which any or all must compare.
        quantifier: Option<Quantifier>,
        /// With what.
        argument: Argument<'a>,
    },
}

/// How conditions are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// All must hold.
    And,
    /// One must hold.
    Or,
}

/// The dialect's operators that are carried out. Those of PostgreSQL's own types
/// are refused by the reader, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `eq`
    Eq,
    /// `neq`
    Neq,
    /// `gt`
    Gt,
    /// `gte`
    Gte,
    /// `lt`
    Lt,
    /// `lte`
    Lte,
    /// `like`
    Like,
    /// `ilike`
    ILike,
    /// `match`
    Match,
    /// `imatch`
    IMatch,
    /// `in`
    In,
    /// `is`
    Is,
    /// `isdistinct`
    IsDistinct,
    /// `cs`
    Contains,
    /// `cd`
    ContainedBy,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument<'a> {
    /// One value.
    Text(Text<'a>),
    /// Several: of `in`, or under `any` and `all`.
    List(Vec<Text<'a>>),
    /// What `is` asks.
    Is(IsValue),
}

/// What `is` asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IsValue {
    /// Absent.
    Null,
    /// Not absent.
    NotNull,
    /// True.
    True,
    /// False.
    False,
    /// A bool that is absent.
    Unknown,
}

/// One term of `order`: `relation(field).desc.nullslast`.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderTerm<'a> {
    /// The embedded to-one model whose field it is.
    pub relation: Option<Text<'a>>,
    /// The field.
    pub field: FieldExpr<'a>,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Whether absent values come first; where not said, they are the greatest.
    pub nulls_first: Option<bool>,
}

/// A request to change rows.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteRequest<'a> {
    /// The model's API name.
    pub model: Text<'a>,
    /// What is to be done.
    pub action: WriteAction<'a>,
    /// What is to be answered.
    pub returning: Return,
    /// What of each written row is answered; empty means all of it.
    pub select: Vec<SelectItem<'a>>,
    /// Which rows (update and delete), and the answer's order.
    pub clauses: Clauses<'a>,
    /// The same for embedded models of the answer.
    pub embedded: Vec<(Vec<Text<'a>>, Clauses<'a>)>,
    /// The rows that may be affected at most, as the caller says under
    /// `handling=strict`: then a filter is not needed.
    pub max_affected: Option<u64>,
    /// The rows that may be affected at most for another reason: the answer is to be
    /// one object, and no sink will see how many there are.
    pub at_most: Option<u64>,
}

/// What a write does.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteAction<'a> {
    /// New rows.
    Insert(InsertRequest<'a>),
    /// Other values for some fields of the rows that match.
    Update {
        /// One object.
        payload: PayloadRow<'a>,
        /// The only fields to take from it, where said.
        columns: Option<Vec<Text<'a>>>,
    },
    /// No more rows that match.
    Delete,
}

/// New rows, and what becomes of those that are there already.
#[derive(Clone, Debug, PartialEq)]
pub struct InsertRequest<'a> {
    /// The rows.
    pub payload: Payload<'a>,
    /// The only fields to take from them, where said.
    pub columns: Option<Vec<Text<'a>>>,
    /// Whether a field missing from one row of several takes its default, not null.
    pub missing_default: bool,
    /// What becomes of a row that is there already; none is an error.
    pub resolution: Option<Resolution>,
    /// The fields of the unique that decides whether it is; empty means the key.
    pub on_conflict: Vec<Text<'a>>,
}

/// What becomes of a row that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// Its fields take the values of the payload.
    MergeDuplicates,
    /// It stays as it is and is left out of the answer.
    IgnoreDuplicates,
}

/// What a write answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Return {
    /// Nothing.
    #[default]
    Minimal,
    /// Where a single new row is, in a header.
    HeadersOnly,
    /// The rows.
    Representation,
}

/// Rows of a payload.
pub type Payload<'a> = Vec<PayloadRow<'a>>;

/// One object of a payload: names and values in the order they came. A name that
/// came twice is there twice, and the last counts.
pub type PayloadRow<'a> = Vec<(Text<'a>, PayloadValue<'a>)>;

/// A value of a payload.
#[derive(Clone, Debug, PartialEq)]
pub enum PayloadValue<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, with every digit it came with.
    Number(Text<'a>),
    /// A string; it may hold any type's text form.
    String(Text<'a>),
    /// An array or object, as JSON text.
    Nested(Text<'a>),
}
