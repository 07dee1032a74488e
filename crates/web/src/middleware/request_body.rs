//! A request body with an end: so many bytes, in so much time.
//!
//! Whoever reads the body sees an error at the bound; which bound it was is kept
//! beside it, so that the answer names it whatever the reader made of the error.
//! A body that nobody reads costs nothing here.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::BoxError;
use bytes::Bytes;
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use mainstay_core::Code;
use tokio::time::Sleep;

use super::refusal::Refusal;

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the request body is larger than the limit")]
    TooLarge,
    #[error("the request body did not arrive in time")]
    TooSlow,
    #[error("the request body could not be read")]
    Transport(#[source] BoxError),
}

/// Which bound a body has met, told to the stack when the answer is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyOutcome(Arc<AtomicU8>);

const TOO_LARGE: u8 = 1;
const TOO_SLOW: u8 = 2;

impl BodyOutcome {
    /// The answer that names the bound, if one was met.
    pub(crate) fn refusal(&self, bounds: BodyBounds) -> Option<Refusal> {
        match self.0.load(Ordering::Relaxed) {
            TOO_LARGE => Some(bounds.too_large()),
            TOO_SLOW => Some(bounds.too_slow()),
            _ => None,
        }
    }
}

/// The bounds of every request's body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyBounds {
    pub(crate) bytes_max: usize,
    pub(crate) time_ms: u64,
}

impl BodyBounds {
    /// 413, naming the limit.
    pub(crate) fn too_large(self) -> Refusal {
        let message = format!("the request body is larger than {} bytes", self.bytes_max);
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLarge, message)
            .with_hint("`[limits] body_bytes_max` sets this limit.")
            .closing()
    }

    fn too_slow(self) -> Refusal {
        let message = format!("the request body did not arrive within {} ms", self.time_ms);
        Refusal::new(StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded, message)
            .with_hint("`[server] body_ms` sets this limit.")
            .closing()
    }
}

/// A body under [`BodyBounds`].
pub(crate) struct BoundedBody<B> {
    inner: B,
    bytes_left: usize,
    time_ms: u64,
    /// Armed when the body is first waited for: most bodies arrive with their head.
    alarm: Option<Pin<Box<Sleep>>>,
    outcome: BodyOutcome,
    ended: bool,
}

impl<B> BoundedBody<B> {
    pub(crate) fn new(inner: B, bounds: BodyBounds, outcome: BodyOutcome) -> Self {
        Self {
            inner,
            bytes_left: bounds.bytes_max,
            time_ms: bounds.time_ms,
            alarm: None,
            outcome,
            ended: false,
        }
    }

    fn end(
        &mut self,
        outcome: u8,
        error: BodyError,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.outcome.0.store(outcome, Ordering::Relaxed);
        self.ended = true;
        Poll::Ready(Some(Err(error)))
    }
}

impl<B> Body for BoundedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let frame = match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(error))) => {
                return Poll::Ready(Some(Err(BodyError::Transport(error.into()))));
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {
                let time = Duration::from_millis(self.time_ms);
                let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
                ready!(alarm.as_mut().poll(cx));
                return self.end(TOO_SLOW, BodyError::TooSlow);
            }
        };
        let length = frame.data_ref().map_or(0, Bytes::len);
        match self.bytes_left.checked_sub(length) {
            Some(left) => self.bytes_left = left,
            None => return self.end(TOO_LARGE, BodyError::TooLarge),
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
