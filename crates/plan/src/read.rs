//! Making the shape of a read.
//!
//! For each model on the way (the root, then each embed) the read rule is asked
//! for, the names are looked up, and the rules are joined to the caller's filters.
//! What the caller wrote passes the read and field rules of every model it crosses;
//! nothing a caller cannot see can decide which rows come, in which order, or what
//! is computed over them.

mod columns;
mod conditions;
mod embeds;
mod order;

use mainstay_core::{Catalog, Error, FieldId, Filter, Limits, Model, ModelId, Operand, Path, Type};

use crate::{
    Clauses, Query, SelectItem,
    bind::SlotSource,
    gate::{Gate, Operation, denied_field},
    key::Key,
    request::Text,
};

/// What an app allows of the dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// Whether `count sum avg min max` may be used.
    pub aggregates: bool,
}

/// Clauses of embedded models, by path.
pub(crate) type Embedded<'r, 'a> = &'r [(Vec<Text<'a>>, Clauses<'a>)];

/// The shape of a read, in the making.
pub(crate) struct ReadBuilder<'b, 'r, 'a, 'p> {
    pub(crate) catalog: &'b Catalog,
    pub(crate) gate: &'b mut Gate<'p>,
    pub(crate) key: &'b Key<'r, 'a>,
    pub(crate) limits: &'b Limits,
    pub(crate) features: Features,
    pub(crate) embedded: Embedded<'r, 'a>,
    /// The names of the embeds from the root to here.
    path: Vec<&'r str>,
    /// Which of `embedded` were met.
    used: Vec<bool>,
    /// Embeds met so far.
    embeds: usize,
    /// Nodes of the conditions on embeds so far.
    exists_nodes: usize,
}

impl<'b, 'r, 'a, 'p> ReadBuilder<'b, 'r, 'a, 'p> {
    pub(crate) fn new(
        catalog: &'b Catalog,
        gate: &'b mut Gate<'p>,
        key: &'b Key<'r, 'a>,
        limits: &'b Limits,
        features: Features,
        embedded: Embedded<'r, 'a>,
    ) -> Self {
        let used = vec![false; embedded.len()];
        Self {
            catalog,
            gate,
            key,
            limits,
            features,
            embedded,
            path: Vec::new(),
            used,
            embeds: 0,
            exists_nodes: 0,
        }
    }

    /// The rows of the root.
    pub(crate) fn root(
        &mut self,
        model: ModelId,
        select: &'r [SelectItem<'a>],
    ) -> Result<Query, Error> {
        let query = self.query(model, select)?;
        self.all_met()?;
        Ok(query)
    }

    /// The rows of a write that the caller asks for, whatever the rules say.
    pub(crate) fn asked(&mut self, model: ModelId) -> Result<Filter, Error> {
        let mut filter = Filter::ALWAYS;
        for condition in self.clauses().iter().flat_map(|clauses| &clauses.filters) {
            filter = filter.and(self.condition(model, condition, &[])?);
        }
        Ok(filter)
    }

    /// What is answered of the rows a write wrote: the root's clauses chose the rows
    /// already, and only its order counts here.
    pub(crate) fn returning(
        &mut self,
        model: ModelId,
        select: &'r [SelectItem<'a>],
    ) -> Result<Query, Error> {
        let children = self.children(model, select)?;
        let filter = self.inner(&children)?;
        let order = match self.clauses() {
            Some(clauses) if !clauses.order.is_empty() => {
                self.order(model, clauses, &children, None)?
            }
            _ => Vec::new(),
        };
        let (columns, group_by) = self.columns(model, select, children)?;
        self.all_met()?;
        Ok(Query { model, columns, filter, group_by, order, limit: None, offset: None })
    }

    fn query(&mut self, model: ModelId, select: &'r [SelectItem<'a>]) -> Result<Query, Error> {
        let name = &*self.catalog.model(model).name;
        let readable = self.gate.required(model, name, Operation::Read)?;
        let children = self.children(model, select)?;
        let clauses = self.clauses();
        let never = readable.is_never();
        let mut filter = readable;
        for condition in clauses.iter().flat_map(|clauses| &clauses.filters) {
            filter = filter.and(self.condition(model, condition, &children)?);
        }
        filter = filter.and(self.inner(&children)?);
        if never {
            // What the caller asks is checked all the same, so that mistakes are told.
            filter = Filter::NEVER;
        }
        let group_by = self.group_by(model, select)?;
        let order = match (clauses, &group_by) {
            (None, Some(_)) => Vec::new(),
            (None, None) => self.key_order(model, false),
            (Some(clauses), _) => self.order(model, clauses, &children, group_by.as_deref())?,
        };
        let at = self.clauses_at();
        let limit = Some(self.gate.slots.slot(SlotSource::Limit(at)));
        let offset = at
            .filter(|at| self.key.clauses[*at].offset.is_some())
            .map(|at| self.gate.slots.slot(SlotSource::Offset(at)));
        let (columns, group_by) = self.columns(model, select, children)?;
        Ok(Query { model, columns, filter, group_by, order, limit, offset })
    }

    /// The clauses of the model at hand, if the request has any.
    fn clauses(&mut self) -> Option<&'r Clauses<'a>> {
        let at = self.clauses_at()?;
        Some(self.key.clauses[at])
    }

    /// Their place among the request's clauses: the root's first.
    fn clauses_at(&mut self) -> Option<usize> {
        if self.path.is_empty() {
            return Some(0);
        }
        let path = &self.path;
        let at = self.embedded.iter().position(|(names, _)| {
            names.len() == path.len() && names.iter().zip(path).all(|(name, embed)| name == embed)
        })?;
        self.used[at] = true;
        Some(at + 1)
    }

    fn all_met(&self) -> Result<(), Error> {
        match self.used.iter().position(|used| !used) {
            None => Ok(()),
            Some(at) => Err(embeds::not_selected(&self.embedded[at].0)),
        }
    }

    /// A field that the caller filters, orders or computes by: its rule must admit
    /// every row, or the answer would tell of what is hidden.
    fn open_field(&mut self, model: ModelId, field: FieldId) -> Result<(), Error> {
        if mainstay_core::removal::removed("field-rule-in-filters")
            || self.gate.field_read(model, field).is_always()
        {
            return Ok(());
        }
        let model = self.catalog.model(model);
        Err(denied_field(&model.name, &model.field(field).name))
    }

    /// A field expression of the caller's: its value and type, open to filters.
    fn open_operand(
        &mut self,
        model: ModelId,
        expr: &crate::FieldExpr<'_>,
    ) -> Result<(Operand, Type), Error> {
        let declared: &Model = self.catalog.model(model);
        let field = crate::names::field(declared, &expr.name)?;
        self.open_field(model, field)?;
        columns::operand_of(declared, field, expr, Path::of(field))
    }
}
