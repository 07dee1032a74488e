//! The structure of a request as bytes, and its values beside it.
//!
//! Two requests with equal bytes have the same plan for callers of whom the same
//! things are true, whatever their values are. Every text is preceded by its
//! length and every alternative by a tag, so that no two structures share bytes.

use mainstay_core::{Actor, Code, Error, JsonStep, Quantifier};

use crate::{
    Aggregate, Argument, Clauses, Condition, Count, FieldExpr, Group, Join, OrderTerm, ReadRequest,
    SelectEmbed, SelectField, SelectItem, bind::VALUES_MAX, request::Text,
};

/// Bytes a structure mostly takes at most.
const BYTES_USUAL: usize = 128;

/// A request's structure, and its values in the order they were met.
pub(crate) struct Key<'r, 'a> {
    /// The structure.
    pub(crate) bytes: Vec<u8>,
    /// What fields are compared with.
    pub(crate) arguments: Vec<&'r Argument<'a>>,
    /// The clauses of the root, then of embedded models.
    pub(crate) clauses: Vec<&'r Clauses<'a>>,
}

impl<'r, 'a> Key<'r, 'a> {
    /// The key of no structure yet.
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::with_capacity(BYTES_USUAL), arguments: Vec::new(), clauses: Vec::new() }
    }

    /// The key of a read.
    pub(crate) fn of_read(request: &'r ReadRequest<'a>) -> Self {
        let mut key = Self::new();
        key.tag(b'R');
        key.text(&request.model);
        key.tag(match request.count {
            Count::None => b'0',
            Count::Exact => b'1',
            Count::Planned => b'2',
            Count::Estimated => b'3',
        });
        key.rows(&request.select, &request.clauses, &request.embedded);
        key
    }

    /// What a caller is, as far as rules do not say: whether any apply, and whether internal
    /// models are there.
    pub(crate) fn caller(&mut self, actor: &Actor) {
        self.tag(u8::from(actor.is_service()) + u8::from(actor.sees_internal()));
    }

    /// Refuses a request with more values than the slots of a plan can number.
    pub(crate) fn check_size(&self) -> Result<(), Error> {
        let values: usize = self
            .arguments
            .iter()
            .map(|argument| match argument {
                Argument::List(items) => items.len(),
                Argument::Text(_) | Argument::Is(_) => 1,
            })
            .sum();
        if values + 2 * self.clauses.len() > VALUES_MAX {
            return Err(Error::new(
                Code::LimitExceeded,
                format!("a request may hold {VALUES_MAX} values at most"),
            ));
        }
        Ok(())
    }

    /// Which rows, what of them, and the same for embedded models.
    pub(crate) fn rows(
        &mut self,
        select: &'r [SelectItem<'a>],
        clauses: &'r Clauses<'a>,
        embedded: &'r [(Vec<Text<'a>>, Clauses<'a>)],
    ) {
        self.arguments = Vec::with_capacity(clauses.filters.len());
        self.clauses = Vec::with_capacity(1 + embedded.len());
        self.select(select);
        self.clauses(clauses);
        self.length(embedded.len());
        for (path, clauses) in embedded {
            self.length(path.len());
            for name in path {
                self.text(name);
            }
            self.clauses(clauses);
        }
    }

    /// One byte that tells alternatives apart.
    pub(crate) fn tag(&mut self, tag: u8) {
        self.bytes.push(tag);
    }

    /// A text with its length.
    pub(crate) fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// A length; short ones take one byte.
    pub(crate) fn length(&mut self, length: usize) {
        match u8::try_from(length) {
            Ok(short) if short < 255 => self.bytes.push(short),
            _ => {
                self.bytes.push(255);
                self.bytes.extend_from_slice(&length.to_le_bytes());
            }
        }
    }

    fn option(&mut self, text: Option<&Text<'_>>) {
        match text {
            None => self.tag(b'-'),
            Some(text) => {
                self.tag(b'+');
                self.text(text);
            }
        }
    }

    fn select(&mut self, items: &'r [SelectItem<'a>]) {
        self.length(items.len());
        for item in items {
            match item {
                SelectItem::Star => self.tag(b'*'),
                SelectItem::Field(field) => self.select_field(field),
                SelectItem::Embed(embed) => self.select_embed(embed),
            }
        }
    }

    fn select_field(&mut self, field: &'r SelectField<'a>) {
        self.tag(b'f');
        self.option(field.alias.as_ref());
        match &field.field {
            None => self.tag(b'-'),
            Some(expr) => {
                self.tag(b'+');
                self.field(expr);
            }
        }
        self.option(field.cast.as_ref());
        self.tag(match field.aggregate {
            None => b'-',
            Some(Aggregate::Count) => b'c',
            Some(Aggregate::Sum) => b's',
            Some(Aggregate::Avg) => b'a',
            Some(Aggregate::Min) => b'i',
            Some(Aggregate::Max) => b'x',
        });
        self.option(field.aggregate_cast.as_ref());
    }

    fn select_embed(&mut self, embed: &'r SelectEmbed<'a>) {
        self.tag(b'e');
        self.option(embed.alias.as_ref());
        self.text(&embed.target);
        self.option(embed.hint.as_ref());
        self.tag(match (embed.join, embed.spread) {
            (Join::Left, false) => b'l',
            (Join::Inner, false) => b'i',
            (Join::Left, true) => b'L',
            (Join::Inner, true) => b'I',
        });
        self.select(&embed.select);
    }

    fn field(&mut self, field: &FieldExpr<'_>) {
        self.text(&field.name);
        self.length(field.json.len());
        for step in &field.json {
            match step {
                JsonStep::Key(key) => {
                    self.tag(b'k');
                    self.text(key);
                }
                JsonStep::Index(index) => {
                    self.tag(b'i');
                    self.bytes.extend_from_slice(&index.to_le_bytes());
                }
            }
        }
        self.tag(u8::from(field.as_text));
    }

    fn clauses(&mut self, clauses: &'r Clauses<'a>) {
        self.clauses.push(clauses);
        self.conditions(&clauses.filters);
        self.length(clauses.order.len());
        for term in &clauses.order {
            self.order(term);
        }
        self.tag(u8::from(clauses.limit.is_some()) | u8::from(clauses.offset.is_some()) << 1);
    }

    fn order(&mut self, term: &OrderTerm<'_>) {
        self.option(term.relation.as_ref());
        self.field(&term.field);
        self.tag(match (term.descending, term.nulls_first) {
            (false, None) => b'a',
            (false, Some(false)) => b'b',
            (false, Some(true)) => b'c',
            (true, None) => b'd',
            (true, Some(false)) => b'e',
            (true, Some(true)) => b'f',
        });
    }

    fn conditions(&mut self, conditions: &'r [Condition<'a>]) {
        self.length(conditions.len());
        for condition in conditions {
            self.condition(condition);
        }
    }

    fn condition(&mut self, condition: &'r Condition<'a>) {
        match condition {
            Condition::Group { negated, group, items } => {
                self.tag(match (group, negated) {
                    (Group::And, false) => b'&',
                    (Group::And, true) => b'7',
                    (Group::Or, false) => b'|',
                    (Group::Or, true) => b'8',
                });
                self.conditions(items);
            }
            Condition::Compare { field, negated, operator, quantifier, argument } => {
                self.tag(if *negated { b'!' } else { b'=' });
                self.field(field);
                self.tag(*operator as u8);
                self.tag(match quantifier {
                    None => b'-',
                    Some(Quantifier::Any) => b'y',
                    Some(Quantifier::All) => b'l',
                });
                match argument {
                    Argument::Text(_) => self.tag(b't'),
                    // Each item of a quantified list is a comparison of its own.
                    Argument::List(items) if quantifier.is_some() => {
                        self.tag(b'q');
                        self.length(items.len());
                    }
                    Argument::List(_) => self.tag(b'm'),
                    Argument::Is(value) => {
                        self.tag(b's');
                        self.tag(*value as u8);
                    }
                }
                self.arguments.push(argument);
            }
        }
    }
}
