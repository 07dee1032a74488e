//! The order of rows: complete, so that pages never overlap.

use mainstay_core::{Code, Error, ModelId, Operand, Path, RowRef, Scope, Type, Value};

use crate::{
    Clauses, Link, Order, OrderTerm, names,
    read::{
        ReadBuilder, columns,
        embeds::{Child, not_to_one},
    },
};

impl<'r, 'a> ReadBuilder<'_, 'r, 'a, '_> {
    /// The order the caller asks for, and after it the key in the direction of its
    /// last term. Groups are ordered by what they are grouped by alone.
    pub(super) fn order(
        &mut self,
        model: ModelId,
        clauses: &'r Clauses<'a>,
        children: &[Child<'r>],
        group_by: Option<&[Operand]>,
    ) -> Result<Vec<Order>, Error> {
        let mut order = Vec::with_capacity(clauses.order.len() + 1);
        for term in &clauses.order {
            let (operand, value_type) = match &term.relation {
                None => self.open_operand(model, &term.field)?,
                Some(relation) => self.related_operand(model, relation, term, children)?,
            };
            if group_by.is_some_and(|keys| !keys.contains(&operand)) {
                return Err(Error::new(
                    Code::GroupingInvalid,
                    format!(
                        "groups cannot be ordered by \"{}\", which is not one of their fields",
                        term.field.name
                    ),
                ));
            }
            order.push(Order {
                operand,
                value_type,
                descending: term.descending,
                nulls_first: term.nulls_first.unwrap_or(term.descending),
            });
        }
        if group_by.is_none() {
            let descending = clauses.order.last().is_some_and(|term| term.descending);
            for tie in self.key_order(model, descending) {
                if !order.iter().any(|term| term.operand == tie.operand) {
                    order.push(tie);
                }
            }
        }
        Ok(order)
    }

    /// The order by key.
    pub(super) fn key_order(&self, model: ModelId, descending: bool) -> Vec<Order> {
        let declared = self.catalog.model(model);
        let order_by = |id: &mainstay_core::FieldId| Order {
            operand: Operand::Field(Path::of(*id)),
            value_type: declared.field(*id).value_type,
            descending,
            nulls_first: descending,
        };
        declared.key.iter().map(order_by).collect()
    }

    /// A field of an embedded to-one row; absent where the caller cannot see the row.
    fn related_operand(
        &mut self,
        model: ModelId,
        relation: &str,
        term: &'r OrderTerm<'a>,
        children: &[Child<'r>],
    ) -> Result<(Operand, Type), Error> {
        let Some(child) = children.iter().find(|child| child.name == relation) else {
            return Err(super::embeds::not_selected(&[relation.into()]));
        };
        let Link::One(reference) = child.embed.link else {
            return Err(not_to_one(&self.catalog.model(model).name, relation));
        };
        let target = child.embed.query.model;
        let declared = self.catalog.model(target);
        let field = names::field(declared, &term.field.name)?;
        self.open_field(target, field)?;
        let row = RowRef { scope: Scope::Row(0), hops: vec![reference] };
        let (operand, kind) =
            columns::operand_of(declared, field, &term.field, Path { row, field })?;
        // What is answered as null is ordered as null: the embed's filter holds its rule.
        if child.embed.query.filter.is_always() {
            return Ok((operand, kind));
        }
        let visible = self.exists(child)?;
        let hidden = Operand::Literal(Value::Null);
        Ok((Operand::If(Box::new(visible), Box::new(operand), Box::new(hidden)), kind))
    }
}
