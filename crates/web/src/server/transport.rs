//! The socket as hyper sees it, telling [`Progress`] what happens on it.
//!
//! It does one thing more. hyper answers a head that it cannot read (400, 414, 431)
//! by itself, with a bare status. Such an answer is recognised by being written
//! while no request is in hand; it is held back, and one with our body and headers
//! is sent in its place.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{progress::Progress, wire};
use crate::middleware::Stack;

/// One connection's socket.
pub(super) struct Transport {
    socket: TokioIo<TcpStream>,
    progress: Arc<Progress>,
    stack: Stack,
    header_bytes_max: usize,
    replacement: Option<Bytes>,
}

impl Transport {
    pub(super) fn new(
        socket: TcpStream,
        progress: Arc<Progress>,
        stack: Stack,
        header_bytes_max: usize,
    ) -> Self {
        let socket = TokioIo::new(socket);
        Self { socket, progress, stack, header_bytes_max, replacement: None }
    }

    /// The socket, and whether hyper's own answer was replaced on it.
    pub(super) fn into_parts(self) -> (TcpStream, bool) {
        (self.socket.into_inner(), self.replacement.is_some())
    }

    /// Takes what hyper writes between requests for what it is.
    fn hold_back(&mut self, head: &[u8]) {
        if self.replacement.is_none() {
            let refusal = wire::unreadable_head(head, self.header_bytes_max);
            self.replacement = Some(wire::answer(&self.stack, refusal));
        }
    }

    fn poll_replacement(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(answer) = &mut self.replacement else { return Poll::Ready(Ok(())) };
        while answer.has_remaining() {
            let count = ready!(Pin::new(&mut self.socket).poll_write(cx, answer))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            answer.advance(count);
        }
        Poll::Ready(Ok(()))
    }

    fn noted<T>(&self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match &written {
            Poll::Ready(_) => self.progress.has_written(),
            Poll::Pending => self.progress.is_blocked(),
        }
        written
    }
}

impl Read for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.socket).poll_read(cx, buffer);
        if read.is_ready() {
            self.progress.has_read();
        }
        read
    }
}

impl Write for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.progress.is_between_requests() {
            self.hold_back(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.progress.is_between_requests() {
            self.hold_back(slices.first().map_or(&[], |slice| slice));
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replacement(cx))?;
        self.progress.has_flushed();
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replacement(cx))?;
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
