//! All callers of one role at once: what is known of each of them before any comes.
//!
//! Their roles and what those can do are known, and of a signed-in caller that there
//! is an id. Which id it is, the email, the claims and the time are not, so what
//! depends on those is left as it is written. What is decided here is decided alike
//! for every one of them.

use std::sync::Arc;

use mainstay_core::{Actor, CallerTerm, Filter, Operand, Truth, Type, UserClaims};

use crate::{
    fold,
    interpret::{Situation, evaluate},
    term::Term,
    visit::{self, Part},
};

/// Everyone without a credential, or everyone with the same roles.
#[derive(Clone, Debug)]
pub struct Callers {
    /// One of them, of whom no more is asked than is known of all.
    one: Actor,
}

impl Callers {
    /// Callers without a credential.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { one: Actor::anonymous() }
    }

    /// Users with these roles, inherited ones included, and no others; `permissions`
    /// is what the roles can do.
    #[must_use]
    pub fn with_roles(roles: Vec<Box<str>>, permissions: Vec<Box<str>>) -> Self {
        let claims = UserClaims { roles, permissions, ..UserClaims::default() };
        Self { one: Actor::user(Arc::new(claims)) }
    }

    /// What a term comes to for every one of them; none where it may differ.
    pub(crate) fn decide(&self, term: &Term) -> Option<Truth> {
        let is_known = match term {
            Term::Condition(filter) => self.knows(filter),
            Term::Present(term, kind) | Term::PresentList(term, kind) => {
                self.knows_value(term) || matches!((term, kind), (CallerTerm::Id, Type::Text))
            }
        };
        is_known.then(|| match term {
            Term::Condition(filter) => {
                evaluate(filter, &Situation::of_caller(&self.one, fold::epoch()))
            }
            term => term.evaluate(&self.one, fold::epoch()),
        })
    }

    /// Whether a condition on the caller and the time has the same truth for all.
    fn knows(&self, filter: &Filter) -> bool {
        // That there is an id is known of users, and nothing else of it.
        if matches!(filter, Filter::IsNull(Operand::Caller(CallerTerm::Id, Type::Text))) {
            return true;
        }
        let mut known = true;
        visit::parts(filter, &mut |part| {
            known &= match part {
                Part::Value(Operand::Caller(term, _)) => self.knows_value(term),
                Part::Value(Operand::Now) => false,
                _ => true,
            };
        });
        known
    }

    fn knows_value(&self, term: &CallerTerm) -> bool {
        match term {
            CallerTerm::Roles | CallerTerm::Can(_) => true,
            CallerTerm::Id | CallerTerm::Email | CallerTerm::Claim(_) => self.one.is_anonymous(),
        }
    }
}
