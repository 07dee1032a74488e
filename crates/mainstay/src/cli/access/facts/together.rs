//! Roles that come to something else together than each alone.
//!
//! A rule is asked of one role at a time, and of whoever has several the reader expects what
//! any of them may. That is wrong where a rule asks for two (`'a' in auth.roles && 'b' in
//! auth.roles`) and where it refuses one (`!('b' in auth.roles)`). So of each operation the
//! roles that its rules ask for together are asked together, two, three and more at a time, and
//! those are told that come to something else than expected.

use std::collections::BTreeSet;

use mainstay_core::{Filter, Roles};
use mainstay_rules::{AskedRole, Callers, asked_together, either, is_same};

use super::RoleFact;

/// Combinations of roles that are looked at for one operation: of ten roles that all depend
/// on each other there are a thousand, and nobody reviews so many lines. Where there are more,
/// that is said.
pub(in crate::cli::access) const COMBINATIONS_MAX: usize = 32;

/// The roles at the beginning that are none: `anon` and `authenticated`.
const KINDS: usize = 2;

/// Under which condition something is allowed, and what a reader should know besides.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) condition: Filter,
    pub(super) note: Option<String>,
}

/// Roles that are looked at together, as places in the list of all roles.
pub(super) type Combination = BTreeSet<usize>;

/// The combinations of roles that conditions, all of which must hold, ask for, those of fewer
/// roles first, and whether there are more than these.
pub(super) fn combinations(conditions: &[&Filter], roles: &[RoleFact]) -> (Vec<Combination>, bool) {
    let asked = asked_together(conditions);
    let mut pairs: BTreeSet<Combination> = BTreeSet::new();
    let mut add = |ones: &[usize], others: &[usize]| {
        let all = ones.iter().flat_map(|one| others.iter().map(move |other| (*one, *other)));
        let apart = all.filter(|(one, other)| !is_within(*one, *other, roles));
        pairs.extend(apart.map(|(one, other)| Combination::from([one, other])));
    };
    for (one, other) in &asked.pairs {
        add(&holders(*one, roles), &holders(*other, roles));
    }
    let every: Vec<usize> = (KINDS..roles.len()).collect();
    for refused in &asked.refused {
        add(&holders(*refused, roles), &every);
    }
    let mut found: Vec<Combination> = pairs.into_iter().collect();
    let mut last = found.clone();
    while !last.is_empty() && found.len() <= COMBINATIONS_MAX {
        last = larger(&last, roles).into_iter().collect();
        found.extend(last.iter().cloned());
    }
    let is_cut = found.len() > COMBINATIONS_MAX;
    found.truncate(COMBINATIONS_MAX);
    (found, is_cut)
}

/// The combinations with one role more: roles are asked for together where all but one of
/// them are, and all but another.
fn larger(combinations: &[Combination], roles: &[RoleFact]) -> BTreeSet<Combination> {
    let mut found: BTreeSet<Combination> = BTreeSet::new();
    for (at, one) in combinations.iter().enumerate() {
        for other in &combinations[at + 1..] {
            let mut ends = one ^ other;
            let (first, last) = (ends.pop_first(), ends.pop_last());
            let Some((first, last)) = first.zip(last) else { continue };
            // Those that differ in more than one role have more ends.
            if ends.is_empty() && !is_within(first, last, roles) {
                found.insert(one | other);
            }
        }
    }
    found
}

/// The roles that have what is asked for.
fn holders(asked: AskedRole<'_>, roles: &[RoleFact]) -> Vec<usize> {
    let has = |role: &RoleFact| match asked {
        AskedRole::Named(name) => {
            role.name == name || role.inherits.iter().any(|inherited| **inherited == *name)
        }
        AskedRole::Can(what) => role.can.iter().any(|can| **can == *what),
    };
    (KINDS..roles.len()).filter(|at| has(&roles[*at])).collect()
}

/// Whether one of two roles is the other with more, so that both are no more than that one.
fn is_within(one: usize, other: usize, roles: &[RoleFact]) -> bool {
    let has = |one: &RoleFact, other: &RoleFact| one.inherits.iter().any(|it| **it == *other.name);
    one == other || has(&roles[one], &roles[other]) || has(&roles[other], &roles[one])
}

/// All callers who have these roles and no others.
pub(super) fn callers(combination: &Combination, declared: &Roles, roles: &[RoleFact]) -> Callers {
    let names: Vec<&str> = combination.iter().map(|at| &*roles[*at].name).collect();
    let (held, can) = declared.expand(&names);
    Callers::with_roles(held, can)
}

/// Of the combinations, each with its answer, those that a reader would not expect by what is
/// said before: of each role, and of the combinations told already.
pub(super) fn unexpected<T>(
    combined: Vec<(Combination, T)>,
    alone: &[Answer],
    answer: impl Fn(&T) -> Answer,
) -> Vec<(Combination, T)> {
    let mut told: Vec<(Combination, T)> = Vec::new();
    for (combination, access) in combined {
        let own = answer(&access);
        let parts: Vec<&(Combination, T)> =
            told.iter().filter(|(part, _)| part.is_subset(&combination)).collect();
        let is_alone = |at: &&usize| !parts.iter().any(|(part, _)| part.contains(*at));
        let mut expected: Vec<Answer> =
            combination.iter().filter(is_alone).map(|at| alone[*at].clone()).collect();
        expected.extend(parts.iter().map(|(_, access)| answer(access)));
        // A note on what nobody may says nothing of what somebody may.
        let counts = |part: &&Answer| part.condition.is_never() == own.condition.is_never();
        let is_noted = expected.iter().filter(counts).any(|part| part.note == own.note);
        let conditions = expected.into_iter().map(|part| part.condition);
        let condition = conditions.fold(Filter::NEVER, either);
        if !is_noted || !is_same(&condition, &own.condition) {
            told.push((combination, access));
        }
    }
    told
}
