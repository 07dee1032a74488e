//! The caller's conditions, checked and typed.

use mainstay_core::{Code, CompareOp, Error, Filter, ModelId, Operand, Quantifier, TextOp, Type};

use crate::{
    Argument, Condition, FieldExpr, Group, IsValue, Operator,
    bind::{Conversion, SlotSource},
    read::{ReadBuilder, embeds::Child},
};

impl<'r, 'a> ReadBuilder<'_, 'r, 'a, '_> {
    /// A condition on rows of a model and on the embeds beside it.
    pub(super) fn condition(
        &mut self,
        model: ModelId,
        condition: &'r Condition<'a>,
        children: &[Child<'r>],
    ) -> Result<Filter, Error> {
        match condition {
            Condition::Group { negated, group, items } => {
                let all = items
                    .iter()
                    .map(|item| self.condition(model, item, children))
                    .collect::<Result<Vec<_>, _>>()?;
                let joined = match group {
                    Group::And => Filter::And(all),
                    Group::Or => Filter::Or(all),
                };
                Ok(negate(joined, *negated))
            }
            Condition::Compare { field, negated, operator, quantifier, argument } => {
                if let Some(child) = self.embed_named(model, field, children) {
                    return self.embed_condition(child, *negated, argument);
                }
                let (operand, kind) = self.open_operand(model, field)?;
                let at = self.argument_at(argument);
                let compared = match quantifier {
                    None => self.compare(operand, kind, *operator, argument, |conversion| {
                        SlotSource::Argument(at, conversion)
                    })?,
                    Some(quantifier) => {
                        self.quantified(&operand, kind, *operator, *quantifier, argument, at)?
                    }
                };
                Ok(negate(compared, *negated))
            }
        }
    }

    /// The embed a name means, where it is not a field's.
    fn embed_named<'c>(
        &self,
        model: ModelId,
        field: &FieldExpr<'_>,
        children: &'c [Child<'r>],
    ) -> Option<&'c Child<'r>> {
        if !field.json.is_empty() || self.catalog.model(model).field_id(&field.name).is_some() {
            return None;
        }
        children.iter().find(|child| child.name == field.name)
    }

    /// `comments=is.null`: whether the row has related rows that pass their filters.
    fn embed_condition(
        &mut self,
        child: &Child<'r>,
        negated: bool,
        argument: &Argument<'_>,
    ) -> Result<Filter, Error> {
        let negated = match argument {
            Argument::Is(IsValue::Null) => !negated,
            Argument::Is(IsValue::NotNull) => negated,
            Argument::Is(_) | Argument::Text(_) | Argument::List(_) => {
                return Err(Error::new(
                    Code::EmbedFilterInvalid,
                    format!("bad operator on the embedded model \"{}\"", child.name),
                )
                .with_details("only is null or not is null can be asked of an embedded model"));
            }
        };
        Ok(negate(self.exists(child)?, negated))
    }

    /// The place of an argument among the request's; each was met once when the key
    /// was made.
    fn argument_at(&self, argument: &'r Argument<'a>) -> usize {
        self.key
            .arguments
            .iter()
            .position(|known| std::ptr::eq(*known, argument))
            .expect("BUG: the key holds every argument")
    }

    fn quantified(
        &mut self,
        operand: &Operand,
        kind: Type,
        operator: Operator,
        quantifier: Quantifier,
        argument: &'r Argument<'a>,
        at: usize,
    ) -> Result<Filter, Error> {
        let Argument::List(items) = argument else {
            return Err(Error::new(Code::QueryUnreadable, "any and all need a list: {a,b}"));
        };
        let all = (0..items.len())
            .map(|item| {
                self.compare(operand.clone(), kind, operator, argument, |conversion| {
                    SlotSource::Item(at, item, conversion)
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(match quantifier {
            Quantifier::Any => Filter::Or(all),
            Quantifier::All => Filter::And(all),
        })
    }

    fn compare(
        &mut self,
        operand: Operand,
        kind: Type,
        operator: Operator,
        argument: &Argument<'_>,
        source: impl Fn(Conversion) -> SlotSource,
    ) -> Result<Filter, Error> {
        let mismatch = || {
            Error::new(
                Code::OperatorMismatch,
                format!("operator {operator:?} does not go with type {kind}").to_lowercase(),
            )
        };
        let mut slot = |conversion: Conversion, kind: Type| {
            Operand::Slot(self.gate.slots.slot(source(conversion)), kind)
        };
        let compared = |operand, op, other| Filter::Compare(operand, op, other);
        let value = Conversion::Parse(kind);
        Ok(match operator {
            Operator::Eq => compared(operand, CompareOp::Eq, slot(value, kind)),
            Operator::Neq => compared(operand, CompareOp::Ne, slot(value, kind)),
            Operator::IsDistinct => compared(operand, CompareOp::Distinct, slot(value, kind)),
            Operator::Gt => compared(operand, CompareOp::Gt, slot(value, kind)),
            Operator::Gte => compared(operand, CompareOp::Ge, slot(value, kind)),
            Operator::Lt => compared(operand, CompareOp::Lt, slot(value, kind)),
            Operator::Lte => compared(operand, CompareOp::Le, slot(value, kind)),
            Operator::Like | Operator::ILike | Operator::Match | Operator::IMatch => {
                if kind != Type::Text {
                    return Err(mismatch());
                }
                let (op, conversion) = match operator {
                    Operator::Like => (TextOp::Like, Conversion::Like),
                    Operator::ILike => (TextOp::ILike, Conversion::Like),
                    Operator::Match => (TextOp::Match, Conversion::Pattern),
                    _ => (TextOp::IMatch, Conversion::Pattern),
                };
                Filter::Text(operand, op, slot(conversion, Type::Text))
            }
            Operator::In => Filter::In(operand, slot(value, kind)),
            Operator::Is => is(operand, kind, argument).ok_or_else(mismatch)?,
            Operator::Contains if kind == Type::Json => {
                Filter::JsonContains(operand, slot(Conversion::Contained, kind))
            }
            Operator::ContainedBy if kind == Type::Json => {
                Filter::JsonContains(slot(Conversion::Contained, kind), operand)
            }
            Operator::Contains | Operator::ContainedBy => return Err(mismatch()),
        })
    }
}

/// What `is` asks: never unknown, whatever the value.
fn is(operand: Operand, kind: Type, argument: &Argument<'_>) -> Option<Filter> {
    let Argument::Is(value) = argument else { return None };
    let absent = Filter::IsNull(operand.clone());
    let present = || Filter::Not(Box::new(absent.clone()));
    let truth = || Filter::Is(operand.clone());
    match (value, kind) {
        (IsValue::Null, _) | (IsValue::Unknown, Type::Bool) => Some(absent),
        (IsValue::NotNull, _) => Some(present()),
        (IsValue::True, Type::Bool) => Some(Filter::And(vec![present(), truth()])),
        (IsValue::False, Type::Bool) => {
            Some(Filter::And(vec![present(), Filter::Not(Box::new(truth()))]))
        }
        (IsValue::True | IsValue::False | IsValue::Unknown, _) => None,
    }
}

fn negate(filter: Filter, negated: bool) -> Filter {
    if negated { Filter::Not(Box::new(filter)) } else { filter }
}
