//! Reads on the thread that asks for them.
//!
//! Handing a read to another thread and back costs more than most reads do. So each
//! thread that asks keeps a connection of its own for each store, and runs the read
//! at once, but within a budget of steps: what exceeds it is taken back and done
//! again by the reader threads, and a shape that exceeded it goes there directly for
//! some time.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use mainstay_core::Error;
use mainstay_plan::ReadPlan;
use mainstay_store::{ReadDone, RowSink, refusal::closed};
use rustc_hash::FxHashMap;

use crate::{
    error::Trouble,
    reader::{Reader, STEPS_PER_TICK},
    shared::Shared,
};

/// Reads of a shape that go to the reader threads after one exceeded its budget.
const DETOURS: u32 = 32;
/// Shapes remembered as slow, on one thread.
const SLOW_SHAPES_MAX: usize = 1_024;

thread_local! {
    static READERS: RefCell<Vec<InlineReader>> = const { RefCell::new(Vec::new()) };
}

struct InlineReader {
    shared: Arc<Shared>,
    reader: Reader,
    budget: Arc<AtomicU32>,
    /// Shapes that exceeded their budget, with the detours they have left.
    slow: FxHashMap<u64, u32>,
}

/// What became of a read on its caller's thread.
pub(crate) enum Inline {
    /// It was done.
    Done(ReadDone),
    /// It takes too long, or is known to. Whatever it sent is to be forgotten.
    TooLong,
}

/// Carries out a read on this thread, within its budget.
pub(crate) fn read(
    shared: &Arc<Shared>,
    plan: &ReadPlan,
    sink: &mut dyn RowSink,
) -> Result<Inline, Error> {
    READERS.with_borrow_mut(|readers| {
        let at = match readers.iter().position(|known| known.shared.id == shared.id) {
            Some(at) => at,
            None => {
                // A good moment to let go of connections to stores that were closed.
                readers.retain(|known| !known.shared.is_closed());
                readers.push(InlineReader::open(shared)?);
                readers.len() - 1
            }
        };
        readers[at].read(plan, sink)
    })
}

impl InlineReader {
    fn open(shared: &Arc<Shared>) -> Result<Self, Error> {
        if shared.is_closed() {
            return Err(closed());
        }
        let budget = Arc::new(AtomicU32::new(0));
        let ticks = Arc::clone(&budget);
        let reader = Reader::open(shared, move || {
            // One thread alone touches this; it is atomic only to be shared safely.
            let left = ticks.load(Ordering::Relaxed);
            ticks.store(left.saturating_sub(1), Ordering::Relaxed);
            left == 0
        })?;
        Ok(Self { shared: Arc::clone(shared), reader, budget, slow: FxHashMap::default() })
    }

    fn read(&mut self, plan: &ReadPlan, sink: &mut dyn RowSink) -> Result<Inline, Error> {
        let shape = plan.shape().id().get();
        if let Some(detours) = self.slow.get_mut(&shape) {
            *detours -= 1;
            if *detours == 0 {
                self.slow.remove(&shape);
            }
            return Ok(Inline::TooLong);
        }
        let ticks = self.shared.settings.inline_steps_max / STEPS_PER_TICK;
        self.budget.store(ticks, Ordering::Relaxed);
        match self.reader.read(&self.shared, plan, sink) {
            Ok(done) => Ok(Inline::Done(done)),
            Err(Trouble::Interrupted) => {
                if self.slow.len() < SLOW_SHAPES_MAX {
                    self.slow.insert(shape, DETOURS);
                }
                Ok(Inline::TooLong)
            }
            Err(trouble) => Err(trouble.into_error()),
        }
    }
}
