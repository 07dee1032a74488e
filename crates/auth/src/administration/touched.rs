//! What a write that was planned elsewhere does to accounts.
//!
//! The service key and an app's own rules write users over REST, where nothing is known of
//! sessions. Once such a write is committed, this node forgets how the sessions stood of
//! whoever it was about: a ban, a role or a deletion counts from the next request on,
//! whichever way it was made.

use mainstay_core::{Catalog, OnDelete, Value, removal::removed};
use mainstay_plan::{Action, WritePlan};

use crate::{Identity, account::USERS};

/// Whom a write is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// No account.
    Nobody,
    /// The accounts whose rows it affects.
    Affected,
    /// Whichever accounts hang on the rows that it deletes.
    Anybody,
}

impl Touched {
    /// Whom a plan of this catalog is about.
    #[must_use]
    pub fn by(plan: &WritePlan, catalog: &Catalog) -> Self {
        let Some(users) = catalog.model_id(USERS) else { return Self::Nobody };
        let shape = plan.shape();
        if let Action::Delete { cascades, .. } = shape.action()
            && cascades.iter().any(|it| {
                it.on_delete == OnDelete::Cascade && catalog.reference(it.reference).from == users
            })
        {
            return Self::Anybody;
        }
        if shape.model() == users { Self::Affected } else { Self::Nobody }
    }
}

impl Identity {
    /// Takes note of a write that was committed, with the keys of the rows it affected.
    pub fn heed(&self, touched: Touched, affected: &[Box<[Value]>]) {
        if removed("heeded-writes") {
            return;
        }
        match touched {
            Touched::Nobody => {}
            Touched::Anybody => self.standing.forget_everybody(),
            Touched::Affected => {
                for key in affected {
                    if let [Value::Uuid(user)] = &key[..] {
                        self.standing.forget_user(*user);
                    }
                }
            }
        }
    }
}
