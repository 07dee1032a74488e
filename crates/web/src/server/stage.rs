//! How far the server is on its way down, seen by every connection.
//!
//! A connection must learn of a change at once, and must not pay for that while
//! nothing changes: it registers with the [`Notify`] once, and afterwards reads one
//! atomic whenever it runs.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::{Notify, futures::Notified};

/// The server accepts and answers.
pub(super) const SERVING: u8 = 0;
/// No new connection, no new request; requests in flight are answered.
pub(super) const DRAINING: u8 = 1;
/// What is still in flight is cut off.
pub(super) const CUTTING: u8 = 2;

/// The stage, going up only.
#[derive(Debug, Default)]
pub(super) struct Stage {
    now: AtomicU8,
    changed: Notify,
}

impl Stage {
    /// The stage now.
    pub(super) fn now(&self) -> u8 {
        self.now.load(Ordering::Acquire)
    }

    /// Goes on to a later stage and wakes all who wait.
    pub(super) fn advance(&self, stage: u8) {
        self.now.fetch_max(stage, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    /// The next change. Poll it once, then look at [`Stage::now`]: in this order no
    /// change goes unseen.
    pub(super) fn change(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Waits until the stage is reached.
    pub(super) async fn reached(&self, stage: u8) {
        loop {
            let change = self.change();
            tokio::pin!(change);
            change.as_mut().enable();
            if self.now() >= stage {
                return;
            }
            change.await;
        }
    }
}
