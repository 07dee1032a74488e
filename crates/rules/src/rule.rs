//! One compiled rule.

use mainstay_core::{Filter, Truth};

use crate::{
    callers::Callers,
    fold,
    guard::{self, GuardClass},
    term::Term,
    visit,
};

/// What a rule is asked for, which decides what is in sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleKind {
    /// Which rows may be seen.
    Read,
    /// Which rows may be created.
    Create,
    /// Which stored rows may be changed.
    Update,
    /// What a changed row must satisfy; `old` is in sight.
    Check,
    /// Which rows may be deleted.
    Delete,
    /// Who sees a field.
    FieldRead,
    /// Who writes a field.
    FieldWrite,
}

/// A rule, type-checked against its catalog.
#[derive(Clone, Debug)]
pub struct Rule {
    filter: Filter,
    terms: Vec<Term>,
    class: GuardClass,
    mentions_old: bool,
}

impl Rule {
    /// A rule that says this.
    #[must_use]
    pub(crate) fn new(filter: Filter) -> Self {
        let mut terms: Vec<Term> = Vec::new();
        // Folding asks for every term, whatever the others come to.
        let filter_of_constants = fold::fold(&filter, &mut |term| {
            if !terms.contains(&term) {
                terms.push(term);
            }
            Some(Truth::Unknown)
        });
        // Where nothing depends on the caller, folding is done once, here.
        let filter = if terms.is_empty() { filter_of_constants } else { filter };
        let class = guard::class_of(&filter);
        let mentions_old = guard::mentions_old(&filter);
        Self { filter, terms, class, mentions_old }
    }

    /// The rule before it is known who asks: exactly what was written.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What it asks of the caller and the time alone, each once. Folding depends on
    /// nothing else.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The rule for callers of whom this is true: a condition that is true of exactly
    /// the rows the rule admits. The values of the caller's that remain in it are all
    /// present; see [`caller_value`](crate::caller_value). It may be false where the
    /// rule is unknown, so it is negated only within a [`Filter::IsTrue`].
    #[must_use]
    pub fn fold(&self, truths: &dyn Fn(&Term) -> Truth) -> Filter {
        fold::verdict(self.fold_exactly(truths))
    }

    /// The same with the three-valued truth of the rule left as it is.
    #[must_use]
    pub fn fold_exactly(&self, truths: &dyn Fn(&Term) -> Truth) -> Filter {
        fold::fold(&self.filter, &mut |term| Some(truths(&term)))
    }

    /// The rule for all these callers at once, in which what differs among them stays.
    /// Where it comes to a constant, [`fold`](Self::fold) does so for each of them.
    #[must_use]
    pub fn fold_for(&self, callers: &Callers) -> Filter {
        fold::verdict(fold::fold(&self.filter, &mut |term| callers.decide(&term)))
    }

    /// The roles that it asks for by name.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        visit::roles(&self.filter).into_iter()
    }

    /// The permissions that it asks for by name, as `auth.can('posts.publish')` does.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        visit::permissions(&self.filter).into_iter()
    }

    /// What it takes to keep it true while others write.
    #[must_use]
    pub fn class(&self) -> GuardClass {
        self.class
    }

    /// Whether it asks about the row as it was before the write.
    #[must_use]
    pub fn mentions_old(&self) -> bool {
        self.mentions_old
    }
}
