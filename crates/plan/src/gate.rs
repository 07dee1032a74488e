//! What the rules say to this caller, for the model or field at hand.
//!
//! Every rule that a plan depends on is asked for here. Folding replaces what is
//! known of the caller and the time; which terms were consulted, and what they came
//! to, is kept for the plan cache.

use mainstay_core::{
    Actor, Code, Error, FieldId, Filter, ModelId, Operand, Timestamp, Truth, Type, removal::removed,
};
use mainstay_rules::{GuardClass, ModelRuleSet, Rule, Rulebook, Term};

use crate::{
    bind::{SlotSource, Slots},
    rewrite,
};

/// What a rule is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Which rows may be seen.
    Read,
    /// Which rows may be created.
    Create,
    /// Which stored rows may be changed.
    Update,
    /// What a changed row must satisfy: the `check` rule, or where it is missing the
    /// `update` rule.
    Check,
    /// Which rows may be deleted.
    Delete,
}

/// The rules, folded for one caller at one time.
pub(crate) struct Gate<'p> {
    rulebook: &'p Rulebook,
    actor: &'p Actor,
    now: Timestamp,
    /// The values the plan leaves open.
    pub(crate) slots: Slots,
    consulted: Vec<(Term, Truth)>,
}

impl<'p> Gate<'p> {
    /// A gate for one caller at one time.
    pub(crate) fn new(rulebook: &'p Rulebook, actor: &'p Actor, now: Timestamp) -> Self {
        Self { rulebook, actor, now, slots: Slots::default(), consulted: Vec::new() }
    }

    /// The caller.
    pub(crate) fn actor(&self) -> &'p Actor {
        self.actor
    }

    /// The slots, and every term that was consulted with what it came to.
    pub(crate) fn finish(self) -> (Vec<SlotSource>, Vec<(Term, Truth)>) {
        (self.slots.into_sources(), self.consulted)
    }

    /// The condition under which a row of this model may be so treated; none where
    /// the model has no rule for it.
    pub(crate) fn rule(&mut self, model: ModelId, operation: Operation) -> Option<Filter> {
        if self.actor.is_service() {
            return Some(Filter::ALWAYS);
        }
        let rule = rule_of(self.rulebook.model(model), operation)?;
        Some(self.fold(rule))
    }

    /// The same, where a missing rule refuses the request.
    ///
    /// # Errors
    /// `Denied` where the model has no rule for it.
    pub(crate) fn required(
        &mut self,
        model: ModelId,
        name: &str,
        operation: Operation,
    ) -> Result<Filter, Error> {
        match self.rule(model, operation) {
            Some(filter) => Ok(filter),
            None if removed("default-deny") => Ok(Filter::ALWAYS),
            None => Err(denied(name)),
        }
    }

    /// What it takes to keep this rule true while others write.
    pub(crate) fn class(&self, model: ModelId, operation: Operation) -> GuardClass {
        rule_of(self.rulebook.model(model), operation).map_or(GuardClass::RowLocal, Rule::class)
    }

    /// The condition under which a row's field may be seen.
    pub(crate) fn field_read(&mut self, model: ModelId, field: FieldId) -> Filter {
        let rulebook = self.rulebook;
        self.field_rule(rulebook.model(model).fields[field.index()].read.as_ref())
    }

    /// The condition under which a row's field may be written, and what it takes to
    /// keep it true.
    pub(crate) fn field_write(&mut self, model: ModelId, field: FieldId) -> (Filter, GuardClass) {
        let rulebook = self.rulebook;
        let rules = &rulebook.model(model).fields[field.index()];
        let class_of =
            |rule: &Option<Rule>| rule.as_ref().map_or(GuardClass::RowLocal, Rule::class);
        let class = class_of(&rules.read).max(class_of(&rules.write));
        let read = self.field_rule(rules.read.as_ref());
        let write = self.field_rule(rules.write.as_ref());
        if read.is_never() || write.is_never() {
            return (Filter::NEVER, class);
        }
        (read.and(write), class)
    }

    fn field_rule(&mut self, rule: Option<&Rule>) -> Filter {
        match rule {
            Some(rule) if !self.actor.is_service() => self.fold(rule),
            _ => Filter::ALWAYS,
        }
    }

    fn fold(&mut self, rule: &Rule) -> Filter {
        for term in rule.terms() {
            if !self.consulted.iter().any(|(known, _)| known == term) {
                self.consulted.push((term.clone(), term.evaluate(self.actor, self.now)));
            }
        }
        let consulted = &self.consulted;
        let folded = rule.fold(&|term| {
            consulted
                .iter()
                .find(|(known, _)| known == term)
                .map_or_else(|| term.evaluate(self.actor, self.now), |(_, truth)| *truth)
        });
        let slots = &mut self.slots;
        rewrite::with_operands(folded, &mut |operand| match operand {
            Operand::Caller(term, kind) => {
                Operand::Slot(slots.slot(SlotSource::Caller(term, kind)), kind)
            }
            Operand::Now => Operand::Slot(slots.slot(SlotSource::Now), Type::Timestamp),
            other => other,
        })
    }
}

/// The rule that decides an operation, if the model has it.
pub(crate) fn rule_of(rules: &ModelRuleSet, operation: Operation) -> Option<&Rule> {
    match operation {
        Operation::Read => rules.read.as_ref(),
        Operation::Create => rules.create.as_ref(),
        Operation::Update => rules.update.as_ref(),
        Operation::Check => rules.check.as_ref().or(rules.update.as_ref()),
        Operation::Delete => rules.delete.as_ref(),
    }
}

/// The refusal of a model.
pub(crate) fn denied(model: &str) -> Error {
    Error::new(Code::Denied, format!("permission denied for model {model}"))
}

/// The refusal of a field.
pub(crate) fn denied_field(model: &str, field: &str) -> Error {
    Error::new(Code::Denied, format!("permission denied for field {field} of {model}"))
}
