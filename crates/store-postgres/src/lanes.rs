//! Lanes: connections that many statements share, one after the other on the wire.
//!
//! A statement that is a whole transaction by itself needs no connection of its own.
//! It is sent behind those that are under way, so that sixty callers need eight
//! connections and few system calls. What is sent behind a slow statement waits for it;
//! so the lane with the fewest under way is taken.
//!
//! A connection can fall silent without being lost: the host is gone and nobody says so, or
//! a pooler before it hangs. Whoever gives up on a lane, having heard nothing of it for
//! some time, takes it out of use: it is opened anew, and what others have under way on
//! the old connection may still end there.
//!
//! A lane whose connection is lost is opened again in the background, at growing
//! intervals with some jitter, so that many nodes do not come back at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use mainstay_core::Error;

use crate::{
    connection::{Connection, Connector},
    error::away,
};

/// How long after a failure a lane is tried again, at first and at the most.
const AGAIN_MIN: Duration = Duration::from_millis(50);
const AGAIN_MAX: Duration = Duration::from_millis(1_000);
/// How long a lane must have said nothing before whoever gives up on it closes it.
const SILENT_MIN: Duration = Duration::from_millis(500);

/// Connections that many statements share.
pub(crate) struct Lanes {
    lanes: Vec<Arc<Lane>>,
    connector: Connector,
}

struct Lane {
    connection: ArcSwapOption<Connection>,
    under_way: AtomicUsize,
    made: Instant,
    /// Microseconds from when it was made to when the last of those under way ended.
    ended_us: AtomicU64,
    /// Whether somebody is opening it.
    is_opening: AtomicBool,
}

/// A lane that is taken; it counts as one under way until it is dropped.
pub(crate) struct Taken {
    lane: Arc<Lane>,
    connection: Arc<Connection>,
    since: Instant,
}

impl Taken {
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Since when it has the server to itself: since those sent before it have ended.
    pub(crate) fn served_since(&self) -> Instant {
        let ended = Duration::from_micros(self.lane.ended_us.load(Ordering::Relaxed));
        self.since.max(self.lane.made + ended)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.lane.under_way.fetch_sub(1, Ordering::Relaxed);
        let ended_us = u64::try_from(self.lane.made.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.lane.ended_us.fetch_max(ended_us, Ordering::Relaxed);
        let is_silent = || !self.connection.has_answered_since(self.since);
        if self.since.elapsed() >= SILENT_MIN && is_silent() {
            tracing::warn!("a connection to the database is silent and is not used any more");
            // Another may have been opened in its place already.
            let silent = Some(Arc::clone(&self.connection));
            self.lane.connection.compare_and_swap(&silent, None);
        }
    }
}

impl Lanes {
    /// Lanes with this connection in the first; the others are opened when first wanted.
    pub(crate) fn new(connector: Connector, count: usize, first: Connection) -> Self {
        let lanes: Vec<_> = (0..count.max(1))
            .map(|_| {
                Arc::new(Lane {
                    connection: ArcSwapOption::empty(),
                    under_way: AtomicUsize::new(0),
                    made: Instant::now(),
                    ended_us: AtomicU64::new(0),
                    is_opening: AtomicBool::new(false),
                })
            })
            .collect();
        lanes[0].connection.store(Some(Arc::new(first)));
        Self { lanes, connector }
    }

    /// The lane with the fewest under way, of those that are open.
    ///
    /// # Errors
    /// `Unavailable` where none is.
    pub(crate) fn take(&self) -> Result<Taken, Error> {
        let mut best: Option<(&Arc<Lane>, Arc<Connection>, usize)> = None;
        for lane in &self.lanes {
            let connection = lane.connection.load_full().filter(|known| !known.is_closed());
            let Some(connection) = connection else {
                self.open(lane);
                continue;
            };
            let under_way = lane.under_way.load(Ordering::Relaxed);
            if best.as_ref().is_none_or(|(_, _, least)| under_way < *least) {
                best = Some((lane, connection, under_way));
            }
            if under_way == 0 {
                break;
            }
        }
        let (lane, connection, _) = best.ok_or_else(away)?;
        lane.under_way.fetch_add(1, Ordering::Relaxed);
        Ok(Taken { lane: Arc::clone(lane), connection, since: Instant::now() })
    }

    /// Closes every lane; those under way end first.
    pub(crate) fn close(&self) {
        for lane in &self.lanes {
            // Whoever would open it again finds that somebody is doing so.
            lane.is_opening.store(true, Ordering::Release);
            lane.connection.store(None);
        }
    }

    fn open(&self, lane: &Arc<Lane>) {
        if lane.is_opening.swap(true, Ordering::AcqRel) {
            return;
        }
        let (lane, connector) = (Arc::downgrade(lane), self.connector.clone());
        tokio::spawn(async move {
            let mut wait = AGAIN_MIN;
            loop {
                let tried = Instant::now();
                let opened = connector.connect().await;
                let Some(lane) = lane.upgrade() else { return };
                match opened {
                    Ok(connection) => {
                        lane.connection.store(Some(Arc::new(connection)));
                        lane.is_opening.store(false, Ordering::Release);
                        return;
                    }
                    Err(error) => tracing::debug!(%error, "the database cannot be reached yet"),
                }
                drop(lane);
                // What a silent host took of the time is not waited once more.
                tokio::time::sleep(jittered(wait).saturating_sub(tried.elapsed())).await;
                wait = (wait * 2).min(AGAIN_MAX);
            }
        });
    }
}

/// A time between half of it and all of it.
pub(crate) fn jittered(time: Duration) -> Duration {
    let random = uuid::Uuid::new_v4().as_u128() % 1_000;
    let share = u32::try_from(random).unwrap_or(0);
    time / 2 + time / 2 * share / 1_000
}
