//! Where a connection stands, shared by the three that live in its task: the
//! socket, hyper's service and the loop that watches the clock.
//!
//! All three run in one task, so the atomics order nothing between threads; they
//! are there because the task may move.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Relaxed};

/// No request in hand, and everything said so far is sent.
const IDLE: u8 = 0;
/// A part of a request's head has arrived.
const HEAD: u8 = 1;
/// A request is being answered.
const BUSY: u8 = 2;
/// The answer is complete, but not all of it has left.
const LEAVING: u8 = 3;

/// The state of one connection.
#[derive(Debug, Default)]
pub(super) struct Progress {
    phase: AtomicU8,
    requests: AtomicU32,
    writes: AtomicU32,
    blocked: AtomicBool,
    unread: AtomicBool,
}

/// What a connection is waiting for. Two values are equal only if nothing has
/// happened between them, so a clock that starts with one runs as long as it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// For the first byte of the first request.
    FirstRequest,
    /// For the next request, after so many.
    NextRequest(u32),
    /// For the rest of a head, after so many requests.
    RestOfHead(u32),
    /// For the caller to read, after so many writes.
    Reader(u32),
    /// For ourselves.
    Answer,
}

impl Progress {
    /// What the connection is waiting for now.
    pub(super) fn waiting(&self) -> Waiting {
        let requests = self.requests.load(Relaxed);
        if self.blocked.load(Relaxed) {
            return Waiting::Reader(self.writes.load(Relaxed));
        }
        match self.phase.load(Relaxed) {
            IDLE if requests == 0 => Waiting::FirstRequest,
            IDLE => Waiting::NextRequest(requests),
            HEAD => Waiting::RestOfHead(requests),
            _ => Waiting::Answer,
        }
    }

    /// Bytes have arrived.
    pub(super) fn has_read(&self) {
        if self.phase.load(Relaxed) == IDLE {
            self.phase.store(HEAD, Relaxed);
        }
    }

    /// A head is complete, and its request goes to the stack.
    pub(super) fn request_begins(&self) {
        self.requests.store(self.requests.load(Relaxed).wrapping_add(1), Relaxed);
        self.phase.store(BUSY, Relaxed);
    }

    /// The last byte of an answer is with hyper.
    pub(super) fn answer_ends(&self) {
        self.phase.store(LEAVING, Relaxed);
    }

    /// Everything that hyper had is with the operating system.
    pub(super) fn has_flushed(&self) {
        if self.phase.load(Relaxed) == LEAVING {
            self.phase.store(IDLE, Relaxed);
        }
    }

    /// Whether no request is in hand: what is written now is no answer of the stack's.
    pub(super) fn is_between_requests(&self) -> bool {
        matches!(self.phase.load(Relaxed), IDLE | HEAD)
    }

    /// A write got through.
    pub(super) fn has_written(&self) {
        self.writes.store(self.writes.load(Relaxed).wrapping_add(1), Relaxed);
        self.blocked.store(false, Relaxed);
    }

    /// A write found the caller's window full.
    pub(super) fn is_blocked(&self) {
        self.blocked.store(true, Relaxed);
    }

    /// A request's body was dropped before its end.
    pub(super) fn body_left_unread(&self) {
        self.unread.store(true, Relaxed);
    }

    /// Whether the caller may still be sending what nobody will read.
    pub(super) fn has_unread(&self) -> bool {
        self.unread.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_waits_for_one_thing_after_another() {
        let progress = Progress::default();
        assert_eq!(progress.waiting(), Waiting::FirstRequest);
        progress.has_read();
        assert_eq!(progress.waiting(), Waiting::RestOfHead(0));
        progress.request_begins();
        progress.has_read();
        assert_eq!(progress.waiting(), Waiting::Answer);
        progress.is_blocked();
        assert_eq!(progress.waiting(), Waiting::Reader(0));
        progress.has_written();
        progress.answer_ends();
        progress.has_read();
        assert_eq!(progress.waiting(), Waiting::Answer);
        assert!(!progress.is_between_requests());
        progress.has_flushed();
        assert_eq!(progress.waiting(), Waiting::NextRequest(1));
        assert!(progress.is_between_requests());
    }
}
