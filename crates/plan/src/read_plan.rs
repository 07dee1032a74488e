//! A read that has passed the gate.

use std::sync::Arc;

use mainstay_core::{SlotId, Value};

use crate::ReadShape;

/// A read that has passed the gate: a shape and the values bound in it.
///
/// Only this crate makes one.
#[derive(Clone, Debug)]
pub struct ReadPlan {
    shape: Arc<ReadShape>,
    values: Box<[Value]>,
}

impl ReadPlan {
    pub(crate) fn new(shape: Arc<ReadShape>, values: Box<[Value]>) -> Self {
        Self { shape, values }
    }

    /// Everything but the values.
    #[must_use]
    pub fn shape(&self) -> &Arc<ReadShape> {
        &self.shape
    }

    /// Whether the rules admit no row at all to this caller, so that the answer is
    /// known without asking a store: no rows, and a count of none.
    #[must_use]
    pub fn answers_nothing(&self) -> bool {
        self.shape.answers_nothing
    }

    /// All values, in the order of their slots.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value of one slot.
    #[must_use]
    pub fn value(&self, slot: SlotId) -> &Value {
        &self.values[usize::from(slot.0)]
    }
}
