//! What verdicts come to together.
//!
//! Of verdicts, unlike of conditions, only *true* counts. So what one says already may be
//! left out of both, and what one admits anyway out of either. All is decided by what is
//! written: two verdicts that are the same in other words are not found to be.

use mainstay_core::{Filter, Truth};

use crate::fold::joined;

/// What two verdicts come to together, without what one of them says already: whoever
/// must pass `a` and `a || b` must pass `a`.
#[must_use]
pub fn both(one: Filter, two: Filter) -> Filter {
    match joined(vec![one, two], Truth::True) {
        Filter::And(parts) => joined(without_idle(&parts, is_narrower), Truth::True),
        other => other,
    }
}

/// Whether whatever passes one passes the other, by their alternatives alone.
fn is_narrower(one: &Filter, other: &Filter) -> bool {
    let others = alternatives(other);
    alternatives(one).iter().all(|alternative| others.contains(alternative))
}

fn alternatives(filter: &Filter) -> &[Filter] {
    match filter {
        Filter::Or(all) => all,
        one => std::slice::from_ref(one),
    }
}

/// What passes at least one of two verdicts, without what the other admits anyway: whoever
/// may pass `a` or `a && b` may pass `a`.
#[must_use]
pub fn either(one: Filter, two: Filter) -> Filter {
    match joined(vec![one, two], Truth::False) {
        Filter::Or(parts) => joined(without_idle(&parts, asks_less), Truth::False),
        other => other,
    }
}

/// The parts that no other makes idle; of two that make each other so, the first stays.
fn without_idle(parts: &[Filter], makes_idle: fn(&Filter, &Filter) -> bool) -> Vec<Filter> {
    let is_idle = |at: usize, part: &Filter| {
        parts.iter().enumerate().any(|(place, other)| {
            place != at && makes_idle(other, part) && (place < at || !makes_idle(part, other))
        })
    };
    let kept = parts.iter().enumerate().filter(|(at, part)| !is_idle(*at, part));
    kept.map(|(_, part)| part.clone()).collect()
}

/// Whether two verdicts admit the same, as far as that can be seen without asking a row.
#[must_use]
pub fn is_same(one: &Filter, two: &Filter) -> bool {
    admits(one, two) && admits(two, one)
}

/// Whether each alternative of the narrow one passes some alternative of the wide one.
fn admits(wide: &Filter, narrow: &Filter) -> bool {
    let passes = |part: &Filter| alternatives(wide).iter().any(|other| asks_less(other, part));
    wide.is_always() || narrow.is_never() || alternatives(narrow).iter().all(passes)
}

/// Whether all that one asks for, the other asks for too.
fn asks_less(less: &Filter, more: &Filter) -> bool {
    let is_asked = |part: &Filter| demands(more).iter().any(|other| is_narrower(other, part));
    demands(less).iter().all(is_asked)
}

fn demands(filter: &Filter) -> &[Filter] {
    match filter {
        Filter::And(all) => all,
        one => std::slice::from_ref(one),
    }
}

#[cfg(test)]
mod tests {
    use mainstay_core::{CallerTerm, Operand};

    use super::*;

    /// A condition of which nothing is known but its name.
    fn named(name: &str) -> Filter {
        Filter::Is(Operand::Caller(CallerTerm::Can(name.into()), mainstay_core::Type::Bool))
    }

    fn all(names: &str) -> Filter {
        joined(names.chars().map(|name| named(&name.to_string())).collect(), Truth::True)
    }

    #[test]
    fn what_one_admits_anyway_is_left_out_of_either() {
        assert_eq!(either(all("a"), all("ab")), all("a"));
        assert_eq!(either(all("ab"), all("a")), all("a"));
        assert_eq!(either(all("a"), all("a")), all("a"));
        assert_eq!(either(all("ab"), all("c")), Filter::Or(vec![all("ab"), all("c")]));
        assert_eq!(either(Filter::NEVER, all("a")), all("a"));
        assert_eq!(either(Filter::ALWAYS, all("a")), Filter::ALWAYS);
        // Whoever passes `c` passes `a || c` as well.
        let wide = either(all("a"), all("c"));
        let narrow = Filter::And(vec![wide.clone(), all("b")]);
        assert_eq!(
            either(narrow, all("c")),
            Filter::Or(vec![Filter::And(vec![wide, all("b")]), all("c")])
        );
    }

    #[test]
    fn the_order_of_what_is_said_is_no_difference() {
        assert!(is_same(&all("abc"), &all("cab")));
        assert!(is_same(&either(all("ab"), all("c")), &either(all("c"), all("ba"))));
        assert!(!is_same(&all("a"), &all("ab")));
        assert!(!is_same(&all("a"), &Filter::NEVER) && !is_same(&Filter::ALWAYS, &all("a")));
        assert!(is_same(&Filter::NEVER, &Filter::NEVER));
    }
}
