//! Which roles a condition asks for together.
//!
//! Mostly a rule names roles as alternatives: whoever has two of them may what either of
//! them may, and there is nothing more to say. It is otherwise with roles that stand on both
//! sides of an `&&`, and with one that is refused by a `!`, where it is with whichever other.
//! Those are found here by how the rule is written. Too many may be found, none too few:
//! whoever asks what two of them come to sees whether it is what either has.

use std::collections::BTreeSet;

use mainstay_core::{CallerTerm, Filter, Operand, Value};

use crate::visit::{self, Part};

/// What a condition asks of its caller's roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AskedRole<'f> {
    /// That this is one of them.
    Named(&'f str),
    /// That one of them can do this.
    Can(&'f str),
}

/// Which of them may come to something else together than each alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedTogether<'f> {
    /// Two that are both asked for, the lesser one first.
    pub pairs: BTreeSet<(AskedRole<'f>, AskedRole<'f>)>,
    /// Those whose absence is asked for: beside any other they may take what that one gives.
    pub refused: BTreeSet<AskedRole<'f>>,
}

/// The roles that conditions, all of which must hold, ask for together.
#[must_use]
pub fn asked_together<'f>(conditions: &[&'f Filter]) -> AskedTogether<'f> {
    let mut found = AskedTogether::default();
    all_of(conditions.iter().copied(), &mut found);
    found
}

/// Notes what is asked together in a condition, and returns all that is asked in it.
fn note<'f>(condition: &'f Filter, found: &mut AskedTogether<'f>) -> BTreeSet<AskedRole<'f>> {
    if let Some(asked) = asked_by(condition) {
        return BTreeSet::from([asked]);
    }
    match condition {
        Filter::And(all) => all_of(all, found),
        Filter::Or(all) => all.iter().flat_map(|one| note(one, found)).collect(),
        Filter::IsTrue(inner) | Filter::Exists { filter: inner, .. } => note(inner, found),
        Filter::If(test, yes, no) => {
            let tested = named_in(test);
            found.refused.extend(&tested);
            let mut asked = note(yes, found);
            asked.extend(note(no, found));
            asked.extend(tested);
            asked
        }
        // What stands within a negation or a value counts where it is false as well.
        other => {
            let asked = named_in(other);
            found.refused.extend(&asked);
            asked
        }
    }
}

fn all_of<'f>(
    conditions: impl IntoIterator<Item = &'f Filter>,
    found: &mut AskedTogether<'f>,
) -> BTreeSet<AskedRole<'f>> {
    let mut before: BTreeSet<AskedRole<'f>> = BTreeSet::new();
    for condition in conditions {
        let asked = note(condition, found);
        for one in &before {
            let others = asked.iter().filter(|other| *other != one);
            found.pairs.extend(others.map(|other| (*one.min(other), *one.max(other))));
        }
        before.extend(asked);
    }
    before
}

/// All that a condition asks of roles, wherever it stands.
fn named_in(condition: &Filter) -> BTreeSet<AskedRole<'_>> {
    let mut named = BTreeSet::new();
    visit::parts(condition, &mut |part| {
        if let Part::Condition(filter) = part {
            named.extend(asked_by(filter));
        }
    });
    named
}

fn asked_by(condition: &Filter) -> Option<AskedRole<'_>> {
    match condition {
        Filter::In(Operand::Literal(Value::Text(role)), Operand::Caller(CallerTerm::Roles, _)) => {
            Some(AskedRole::Named(role))
        }
        Filter::Is(Operand::Caller(CallerTerm::Can(permission), _)) => {
            Some(AskedRole::Can(permission))
        }
        _ => None,
    }
}
