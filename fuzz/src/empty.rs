//! A store that answers nothing: what a target asks of it is planned, and that is all.

use std::sync::atomic::{AtomicBool, Ordering};

use mainstay_core::Error;
use mainstay_plan::ReadPlan;
use mainstay_store::{Committed, ReadDone, RowSink, Told, ToldStore, WriteError, WriteSet};

/// A store without rows that takes every write.
pub(crate) type Empty = ToldStore<Nothing>;

/// What it says, and whether it was asked for anything since this was last looked at.
#[derive(Debug, Default)]
pub(crate) struct Nothing {
    asked: AtomicBool,
}

impl Nothing {
    /// Whether it was asked for anything since this was last asked.
    pub(crate) fn was_asked(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }
}

impl Told for Nothing {
    fn read(&self, _: &ReadPlan, _: &mut dyn RowSink) -> Result<ReadDone, Error> {
        self.asked.store(true, Ordering::Relaxed);
        Ok(ReadDone::default())
    }

    fn write(&self, set: &WriteSet, _: &mut dyn RowSink) -> Result<Committed, WriteError> {
        self.asked.store(true, Ordering::Relaxed);
        let plans = set.plans.len();
        Ok(Committed { mark: None, affected: vec![Vec::new(); plans], inserted: vec![0; plans] })
    }
}
