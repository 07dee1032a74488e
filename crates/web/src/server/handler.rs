//! hyper's service for one connection: hands requests to the stack, and tells
//! [`Progress`] when one begins and when its answer ends.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::{body::Incoming, service::Service};
use pin_project_lite::pin_project;

use super::progress::Progress;
use crate::middleware::{Answering, Stack};

/// The service of one connection.
pub(super) struct Handler {
    pub(super) stack: Stack,
    pub(super) peer: SocketAddr,
    pub(super) progress: Arc<Progress>,
}

impl Service<Request<Incoming>> for Handler {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Handled;

    fn call(&self, request: Request<Incoming>) -> Handled {
        self.progress.request_begins();
        let request = request.map(|inner| RequestBody {
            ended: inner.is_end_stream(),
            inner,
            progress: Arc::clone(&self.progress),
        });
        let answering = self.stack.handle(request, self.peer);
        Handled { answering, progress: Arc::clone(&self.progress) }
    }
}

pin_project! {
    /// The future of one answer, its body watched.
    pub(super) struct Handled {
        #[pin]
        answering: Answering,
        progress: Arc<Progress>,
    }
}

impl Future for Handled {
    type Output = Result<Response<AnswerBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(response) = ready!(this.answering.poll(cx));
        let progress = Arc::clone(this.progress);
        Poll::Ready(Ok(response.map(|inner| AnswerBody { inner, progress })))
    }
}

/// A request's body, noting whether it was read to its end.
pub(super) struct RequestBody {
    inner: Incoming,
    ended: bool,
    progress: Arc<Progress>,
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        self.ended |= matches!(frame, Poll::Ready(None)) || self.inner.is_end_stream();
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.ended {
            self.progress.body_left_unread();
        }
    }
}

/// An answer's body, noting when hyper is done with it.
pub(super) struct AnswerBody {
    inner: Body,
    progress: Arc<Progress>,
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.progress.answer_ends();
    }
}
