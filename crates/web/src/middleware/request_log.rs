//! The record of requests, written by a thread of its own.
//!
//! A request pays for one struct and one `try_send`, and under
//! [`LogPolicy::SlowAndFailed`] for two looks at the clock. A reader that cannot
//! keep up loses events, never slows requests: the queue is bounded, and what is
//! lost is counted and told. Formatting and printing are the reader's. The query
//! string is never in an event: filters hold people's data.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use http::{Method, StatusCode};

use super::request_id::RequestId;

/// Events that wait for the reader at most.
const QUEUE_EVENTS_MAX: usize = 4096;

/// Which requests are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPolicy {
    /// Every request.
    All,
    /// Requests whose answer took at least `slow_ms`, and those answered with a 5xx.
    SlowAndFailed {
        /// Milliseconds from which an answer is slow.
        slow_ms: u64,
    },
}

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct RequestEvent {
    /// The request's method.
    pub method: Method,
    /// The request's path as it was sent, without its query.
    pub path: Box<str>,
    /// The answer's status.
    pub status: StatusCode,
    /// Microseconds from the request's head to the answer's head.
    pub duration_us: u64,
    /// The request's id.
    pub request_id: RequestId,
    /// Bytes of the answer's body, where they are known before it is sent.
    pub bytes: Option<u64>,
}

/// What the reader is given.
#[derive(Clone, Debug)]
pub enum LogEntry {
    /// A request was answered.
    Request(RequestEvent),
    /// So many events were lost since the last entry, because the queue was full.
    Lost(u64),
}

/// The sending end. Clones share one queue; when the last is dropped, the thread
/// reads what is left and ends.
#[derive(Clone, Debug)]
pub struct RequestLog {
    policy: LogPolicy,
    queue: SyncSender<RequestEvent>,
    lost: Arc<AtomicU64>,
}

impl RequestLog {
    /// Starts the thread that hands entries to `reader`.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(
        policy: LogPolicy,
        reader: impl FnMut(LogEntry) + Send + 'static,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (queue, events) = sync_channel(QUEUE_EVENTS_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let thread = {
            let lost = Arc::clone(&lost);
            thread::Builder::new()
                .name("request-log".to_owned())
                .spawn(move || read(&events, &lost, reader))?
        };
        Ok((Self { policy, queue, lost }, thread))
    }

    /// Records the request if the policy asks for it.
    pub(crate) fn offer(
        &self,
        started: Instant,
        status: StatusCode,
        event: impl FnOnce(u64) -> RequestEvent,
    ) {
        let duration = started.elapsed();
        if let LogPolicy::SlowAndFailed { slow_ms } = self.policy
            && duration < Duration::from_millis(slow_ms)
            && !status.is_server_error()
        {
            return;
        }
        let duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        match self.queue.try_send(event(duration_us)) {
            // A reader that is gone has panicked; its thread's name is in that report.
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn read(events: &Receiver<RequestEvent>, lost: &AtomicU64, mut reader: impl FnMut(LogEntry)) {
    while let Ok(event) = events.recv() {
        let missing = lost.swap(0, Ordering::Relaxed);
        if missing > 0 {
            reader(LogEntry::Lost(missing));
        }
        reader(LogEntry::Request(event));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::{super::request_id::RequestIds, *};

    fn event(path: &str, status: StatusCode) -> impl FnOnce(u64) -> RequestEvent {
        let path = Box::from(path);
        move |duration_us| RequestEvent {
            method: Method::GET,
            path,
            status,
            duration_us,
            request_id: RequestIds::new().next(),
            bytes: None,
        }
    }

    #[test]
    fn slow_and_failed_leaves_quick_and_well_out() {
        let (seen, entries) = mpsc::channel();
        let policy = LogPolicy::SlowAndFailed { slow_ms: 60_000 };
        let (log, thread) =
            RequestLog::start(policy, move |entry| seen.send(entry).unwrap()).unwrap();
        let now = Instant::now();
        let long_ago = now.checked_sub(Duration::from_secs(61)).expect("a clock past a minute");
        log.offer(now, StatusCode::NOT_FOUND, event("/quick", StatusCode::NOT_FOUND));
        log.offer(now, StatusCode::BAD_GATEWAY, event("/failed", StatusCode::BAD_GATEWAY));
        log.offer(long_ago, StatusCode::OK, event("/slow", StatusCode::OK));
        drop(log);
        thread.join().unwrap();
        let paths: Vec<String> = entries
            .iter()
            .map(|entry| match entry {
                LogEntry::Request(event) => event.path.into(),
                LogEntry::Lost(count) => format!("lost {count}"),
            })
            .collect();
        assert_eq!(paths, ["/failed", "/slow"]);
    }

    #[test]
    fn a_reader_that_stands_still_loses_events_and_is_told_how_many() {
        let (seen, entries) = mpsc::channel();
        let (go, gate) = mpsc::channel::<()>();
        let (log, thread) = RequestLog::start(LogPolicy::All, move |entry| {
            let lost = matches!(entry, LogEntry::Lost(_));
            seen.send(entry).unwrap();
            if !lost {
                let _ = gate.recv();
            }
        })
        .unwrap();
        log.offer(Instant::now(), StatusCode::OK, event("/first", StatusCode::OK));
        // The reader holds the first event and waits at its gate from here on.
        assert!(matches!(entries.recv().unwrap(), LogEntry::Request(_)));
        for _ in 0..QUEUE_EVENTS_MAX + 7 {
            log.offer(Instant::now(), StatusCode::OK, event("/next", StatusCode::OK));
        }
        drop((go, log));
        thread.join().unwrap();
        let lost: Vec<u64> = entries
            .iter()
            .filter_map(|entry| match entry {
                LogEntry::Lost(count) => Some(count),
                LogEntry::Request(_) => None,
            })
            .collect();
        assert_eq!(lost, [7]);
    }
}
