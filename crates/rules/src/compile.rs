//! From a rule's tree to a typed condition.
//!
//! The checker walks the tree once, from the leaves up. A part of an expression is
//! [`Typed`]: a condition, a value of a known type, or something whose type the other
//! side decides (a literal, a claim). A mistake is noted and the walk goes on beside
//! it, so that one run finds them all. Nothing is guessed: what has no exact meaning
//! on every store is refused with a sentence that says what to write.

mod calls;
mod comparison;
mod literal;
mod names;
mod typed;

use std::ops::Range;

use cel::{
    IdedExpr,
    common::ast::{Expr, LiteralValue, operators},
};
use mainstay_core::{
    Catalog, CompareOp, Declarations, Filter, ModelId, Operand, RuleText, TextOp, Truth, Type,
    Value, nearest,
};

use self::typed::{Literal, Typed};
pub(crate) use self::{names::ways_from, typed::Way};
use crate::{
    mistake::RuleMistake,
    rule::{Rule, RuleKind},
    source::{self, Source},
};

/// How deep `exists` and `all` nest; each is a subquery within another.
const SCOPES_MAX: u8 = 8;

/// Compiles one rule of a model's.
///
/// # Errors
/// With every mistake in it.
pub fn compile_rule(
    catalog: &Catalog,
    model: ModelId,
    text: &RuleText,
    kind: RuleKind,
) -> Result<Rule, Vec<RuleMistake>> {
    let Checked { filter, mistakes } = check_rule(catalog.declarations(), model, text, kind);
    if mistakes.is_empty() {
        // In a catalog nothing is in doubt, so a rule is given up only with a mistake.
        return Ok(Rule::new(filter.expect("BUG: a rule without a mistake is a condition")));
    }
    Err(mistakes)
}

/// What checking a rule came to.
pub(crate) struct Checked {
    /// What the rule says; none where it has a mistake, or names what is in doubt.
    filter: Option<Filter>,
    pub(crate) mistakes: Vec<RuleMistake>,
}

/// Checks one rule of a model's. Of what is in doubt nothing is said.
pub(crate) fn check_rule(
    declared: Declarations<'_>,
    model: ModelId,
    text: &RuleText,
    kind: RuleKind,
) -> Checked {
    let mistake = |span, message: String| Checked {
        filter: None,
        mistakes: vec![RuleMistake { rule: text.clone(), span, message, hint: None }],
    };
    source::on_deep_stack(|| match source::read(&text.text) {
        Ok(source) => check(declared, model, text, kind, &source),
        Err(fault) => mistake(fault.span, fault.message),
    })
    .unwrap_or_else(|| mistake(0..text.text.len(), "the rule cannot be read".to_owned()))
}

fn check(
    declared: Declarations<'_>,
    model: ModelId,
    text: &RuleText,
    kind: RuleKind,
    source: &Source,
) -> Checked {
    let mut checker = Checker {
        declared,
        model,
        kind,
        text,
        source,
        variables: Vec::new(),
        scopes: 0,
        mistakes: Vec::new(),
    };
    let filter = checker.condition(&source.tree);
    Checked { filter, mistakes: checker.mistakes }
}

/// A name that `exists` or `all` gives to the rows it goes through.
struct Variable {
    name: String,
    scope: u8,
    model: ModelId,
}

/// One rule being checked.
struct Checker<'c> {
    declared: Declarations<'c>,
    model: ModelId,
    kind: RuleKind,
    text: &'c RuleText,
    source: &'c Source,
    variables: Vec<Variable>,
    /// The scope of the innermost row in sight.
    scopes: u8,
    mistakes: Vec<RuleMistake>,
}

impl<'c> Checker<'c> {
    /// An expression that must be a condition.
    fn condition(&mut self, node: &IdedExpr) -> Option<Filter> {
        let typed = self.typed(node)?;
        self.as_condition(node, typed)
    }

    /// What an expression is. None where it has a mistake, which is noted, or names what
    /// is in doubt.
    fn typed(&mut self, node: &IdedExpr) -> Option<Typed<'c>> {
        match &node.expr {
            Expr::Literal(literal) => self.literal(node, literal),
            Expr::Ident(name) => self.name(node, name),
            Expr::Select(select) => self.select(node, select),
            Expr::List(list) => self.list(node, list),
            Expr::Call(call) => match (&*call.func_name, &call.target, &call.args[..]) {
                (operators::LOGICAL_AND, None, _) => self.junction(node, operators::LOGICAL_AND),
                (operators::LOGICAL_OR, None, _) => self.junction(node, operators::LOGICAL_OR),
                (operators::LOGICAL_NOT, None, [one]) => {
                    let inner = self.condition(one)?;
                    Some(Typed::Condition(Filter::Not(Box::new(inner))))
                }
                (operators::CONDITIONAL, None, [test, yes, no]) => self.choice(test, yes, no),
                (operators::EQUALS, None, [one, two]) => {
                    self.equality(node, one, CompareOp::Eq, two)
                }
                (operators::NOT_EQUALS, None, [one, two]) => {
                    self.equality(node, one, CompareOp::Ne, two)
                }
                (operators::LESS, None, [one, two]) => self.order(node, one, CompareOp::Lt, two),
                (operators::LESS_EQUALS, None, [one, two]) => {
                    self.order(node, one, CompareOp::Le, two)
                }
                (operators::GREATER, None, [one, two]) => self.order(node, one, CompareOp::Gt, two),
                (operators::GREATER_EQUALS, None, [one, two]) => {
                    self.order(node, one, CompareOp::Ge, two)
                }
                (operators::IN, None, [item, list]) => self.membership(node, item, list),
                (operators::INDEX, None, [of, index]) => self.index(node, of, index),
                (operators::ADD, None, [one, two]) => self.sum(node, one, two),
                (operators::SUBSTRACT, None, [one, two]) => self.difference(node, one, two),
                (operators::NEGATE, None, [one]) => self.negative(node, one),
                (operators::MULTIPLY | operators::DIVIDE | operators::MODULO, None, _) => {
                    self.mistake(self.source.whole(node), "arithmetic is not part of rules")
                }
                _ => self.call(node, call),
            },
            Expr::Map(_) | Expr::Struct(_) | Expr::Comprehension(_) | Expr::Unspecified => {
                self.mistake(self.source.whole(node), "this is not part of rules")
            }
        }
    }

    /// `a && b && …` or `a || b || …`, however the parser nested it.
    fn junction(&mut self, node: &IdedExpr, operator: &str) -> Option<Typed<'c>> {
        let mut parts = Vec::new();
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            match &node.expr {
                Expr::Call(call) if call.func_name == operator && call.target.is_none() => {
                    open.extend(call.args.iter().rev());
                }
                _ => parts.push(node),
            }
        }
        // All parts are checked before any is given up.
        let filters: Vec<_> = parts.into_iter().map(|part| self.condition(part)).collect();
        let filters = filters.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Typed::Condition(if operator == operators::LOGICAL_AND {
            Filter::And(filters)
        } else {
            Filter::Or(filters)
        }))
    }

    /// `test ? yes : no`, of conditions or of values.
    fn choice(&mut self, test: &IdedExpr, yes: &IdedExpr, no: &IdedExpr) -> Option<Typed<'c>> {
        let test = self.condition(test);
        let (one, two) = (self.typed(yes), self.typed(no));
        let (test, one, two) = (test?, one?, two?);
        if matches!(one, Typed::Condition(_)) || matches!(two, Typed::Condition(_)) {
            let (one, two) = (self.as_condition(yes, one), self.as_condition(no, two));
            return Some(Typed::Condition(Filter::If(
                Box::new(test),
                Box::new(one?),
                Box::new(two?),
            )));
        }
        let (one, two) = (self.choosable(yes, one)?, self.choosable(no, two)?);
        Some(Typed::Choice(Box::new(test), Box::new((one, two))))
    }

    /// A branch of a choice between values.
    fn choosable(&mut self, node: &IdedExpr, typed: Typed<'c>) -> Option<Typed<'c>> {
        match typed {
            Typed::Row { key: Some((path, kind)), .. } => {
                Some(Typed::Value { operand: Operand::Field(path), kind, allowed: None })
            }
            Typed::Value { .. } | Typed::Literal(_) | Typed::Caller(_) | Typed::Choice(..) => {
                Some(typed)
            }
            other => self.mistake(
                self.source.whole(node),
                format!("{} cannot be chosen with `?:`", other.described()),
            ),
        }
    }

    /// Something typed, as a condition.
    fn as_condition(&mut self, node: &IdedExpr, typed: Typed<'c>) -> Option<Filter> {
        match typed {
            Typed::Condition(filter) => Some(filter),
            Typed::Value { operand, kind: Type::Bool, .. } => Some(Filter::Is(operand)),
            Typed::Literal(Literal::Bool(value)) => Some(Filter::Const(Truth::of(Some(value)))),
            Typed::Caller(term @ mainstay_core::CallerTerm::Claim(_)) => {
                Some(Filter::Is(Operand::Caller(term, Type::Bool)))
            }
            Typed::Json { path, steps } => Some(Filter::Compare(
                Operand::Json { path, steps, as_text: false },
                CompareOp::Eq,
                Operand::Literal(Value::Json("true".into())),
            )),
            Typed::Choice(test, branches) => {
                let (one, two) = *branches;
                let (one, two) = (self.as_condition(node, one)?, self.as_condition(node, two)?);
                Some(Filter::If(test, Box::new(one), Box::new(two)))
            }
            Typed::Rows { name, .. } => self.hinted(
                self.source.whole(node),
                format!("a condition was expected here, not the rows of `{name}`"),
                Some(format!("whether there are any is `{name}.exists(row, true)`")),
            ),
            other => self.mistake(
                self.source.whole(node),
                format!("a condition was expected here, not {}", other.described()),
            ),
        }
    }

    fn literal(&mut self, node: &IdedExpr, literal: &LiteralValue) -> Option<Typed<'c>> {
        Some(Typed::Literal(match literal {
            LiteralValue::Boolean(value) => Literal::Bool(*value.inner()),
            LiteralValue::Int(value) => Literal::Int(*value.inner()),
            LiteralValue::Double(value) => Literal::Float(*value.inner()),
            LiteralValue::Null => Literal::Null,
            LiteralValue::Bytes(value) => Literal::Bytes(value.inner().into()),
            LiteralValue::String(value) if value.inner().contains('\0') => {
                return self.mistake(self.source.anchor(node), "a text may not hold U+0000");
            }
            LiteralValue::String(value) => Literal::Text(value.inner().into()),
            LiteralValue::UInt(_) => {
                return self
                    .mistake(self.source.anchor(node), "whole numbers are written without a `u`");
            }
        }))
    }

    /// `-5`.
    fn negative(&mut self, node: &IdedExpr, inner: &IdedExpr) -> Option<Typed<'c>> {
        match self.typed(inner)? {
            Typed::Literal(Literal::Int(value)) if value != i64::MIN => {
                Some(Typed::Literal(Literal::Int(-value)))
            }
            Typed::Literal(Literal::Float(value)) => Some(Typed::Literal(Literal::Float(-value))),
            Typed::Duration(micros) if micros != i64::MIN => Some(Typed::Duration(-micros)),
            _ => self.mistake(self.source.whole(node), "arithmetic is not part of rules"),
        }
    }

    /// A search in a text: `text.contains(other)` and the like.
    fn search(&mut self, of: &IdedExpr, op: TextOp, other: &IdedExpr) -> Option<Typed<'c>> {
        let (one, two) = (self.typed(of), self.typed(other));
        let one = self.text(of, one?);
        let two = self.text(other, two?);
        Some(Typed::Condition(Filter::Text(one?, op, two?)))
    }

    /// Something that must be a text.
    fn text(&mut self, node: &IdedExpr, typed: Typed<'c>) -> Option<Operand> {
        match typed {
            Typed::Value { operand, kind: Type::Text, .. } => Some(operand),
            Typed::Json { path, steps } => Some(Operand::Json { path, steps, as_text: true }),
            Typed::Literal(Literal::Text(_)) | Typed::Caller(_) | Typed::Choice(..) => {
                self.converted(node, typed, Type::Text, None)
            }
            Typed::Row { key: Some((path, Type::Text)), .. } => Some(Operand::Field(path)),
            other => self.mistake(
                self.source.whole(node),
                format!("a text was expected here, not {}", other.described()),
            ),
        }
    }

    fn mistake<T>(&mut self, span: Range<usize>, message: impl Into<String>) -> Option<T> {
        self.hinted(span, message, None)
    }

    fn hinted<T>(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Option<T> {
        let (rule, message) = (self.text.clone(), message.into());
        self.mistakes.push(RuleMistake { rule, span, message, hint });
        None
    }

    /// The mistake of an unknown name, with the nearest known one.
    fn unknown<'n, T>(
        &mut self,
        span: Range<usize>,
        message: String,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Option<T> {
        let hint = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
        self.hinted(span, message, hint)
    }
}
