//! One connection, from its acceptance to its end, and the clocks it runs under.
//!
//! hyper has a header time-out of its own, but it arms and disarms a timer for each
//! request. Here a connection has one timer, which is moved only when a deadline
//! becomes earlier than the one it is set to or when it fires: on a busy
//! connection, once in an idle time-out. What the deadline is follows from what the
//! connection is [`Waiting`] for.

use std::{
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hyper::server::conn::http1;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until, timeout},
};

use super::{
    Shared,
    handler::Handler,
    progress::{Progress, Waiting},
    stage::{CUTTING, DRAINING, SERVING},
    transport::Transport,
    wire,
};

/// Milliseconds for which bytes that nobody will read are taken off the caller, so
/// that it reads its answer before it hears that the connection is gone.
const LINGER_MS: u64 = 1_000;
/// Bytes taken off the caller in that time.
const LINGER_BYTES_MAX: usize = 8 * 1024 * 1024;

type Connection = http1::Connection<Transport, Handler>;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// As HTTP has it: either side closed.
    Closed,
    /// The head of a request did not arrive in time.
    LateHead,
    /// Nothing came, or nothing was read at the other end.
    TimedOut,
    /// The server stopped, and had no more patience.
    Cut,
}

/// Serves a connection to its end. Returns whether it was cut off by a shutdown.
pub(super) async fn serve(socket: TcpStream, peer: SocketAddr, shared: &Shared) -> bool {
    let progress = Arc::new(Progress::default());
    let transport = Transport::new(
        socket,
        Arc::clone(&progress),
        shared.stack.clone(),
        shared.settings.header_bytes_max,
    );
    let handler = Handler { stack: shared.stack.clone(), peer, progress: Arc::clone(&progress) };
    let mut connection = shared.http.serve_connection(transport, handler);
    let end = drive(&mut connection, &progress, shared).await;
    if matches!(end, End::TimedOut | End::Cut) {
        return end == End::Cut;
    }
    let (mut socket, replaced) = connection.into_parts().io.into_parts();
    if end == End::LateHead {
        let answer = wire::answer(&shared.stack, wire::late_head(shared.settings.header_ms));
        send_and_linger(&mut socket, &answer).await;
    } else if replaced || progress.has_unread() {
        send_and_linger(&mut socket, &[]).await;
    }
    false
}

/// Sends a last answer, says that nothing follows, and waits a moment for the
/// caller to stop sending. Closing a socket with unread bytes in it resets the
/// connection, and the caller may lose the answer it was sent.
pub(super) async fn send_and_linger(socket: &mut TcpStream, answer: &[u8]) {
    let goodbye = async {
        socket.write_all(answer).await?;
        socket.shutdown().await?;
        let mut scratch = [0; 8 * 1024];
        let mut left = LINGER_BYTES_MAX;
        while left > 0 {
            match socket.read(&mut scratch).await? {
                0 => break,
                count => left = left.saturating_sub(count),
            }
        }
        Ok::<(), std::io::Error>(())
    };
    // Whether the caller heard it is the caller's affair: either way we are done.
    let _ = timeout(Duration::from_millis(LINGER_MS), goodbye).await;
}

/// Polls hyper, the stage and the clock until one of them ends the connection.
async fn drive(connection: &mut Connection, progress: &Progress, shared: &Shared) -> End {
    let mut clock = pin!(Clock::new(shared));
    let mut change = pin!(shared.stage.change());
    let mut stage = SERVING;
    let mut listening = false;
    poll_fn(|cx| {
        // The task's waker never changes, so listening once is listening until the
        // next change.
        while !listening || shared.stage.now() != stage {
            change.set(shared.stage.change());
            listening = change.as_mut().poll(cx).is_pending();
            stage = shared.stage.now();
            if stage == DRAINING {
                Pin::new(&mut *connection).graceful_shutdown();
            }
        }
        if stage == CUTTING {
            return Poll::Ready(End::Cut);
        }
        // An error here is the caller's (it went away, or sent no HTTP): it has been
        // answered where that was possible.
        if Pin::new(&mut *connection).poll(cx).is_ready() {
            return Poll::Ready(End::Closed);
        }
        clock.as_mut().poll(cx, progress.waiting())
    })
    .await
}

pin_project_lite::pin_project! {
    /// The one timer of a connection.
    struct Clock<'a> {
        shared: &'a Shared,
        waiting: Waiting,
        deadline: Option<Instant>,
        #[pin]
        timer: Sleep,
        started: bool,
    }
}

impl<'a> Clock<'a> {
    fn new(shared: &'a Shared) -> Self {
        let deadline = Instant::now() + Duration::from_millis(shared.settings.header_ms);
        Self {
            shared,
            waiting: Waiting::FirstRequest,
            deadline: Some(deadline),
            timer: sleep_until(deadline),
            started: false,
        }
    }

    /// Ends the connection when what it waits for has not come in time.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>, waiting: Waiting) -> Poll<End> {
        let mut this = self.project();
        if waiting != *this.waiting {
            *this.waiting = waiting;
            *this.deadline = patience(waiting, this.shared).map(|time| Instant::now() + time);
        }
        if let Some(deadline) = *this.deadline
            && deadline < this.timer.deadline()
        {
            this.timer.as_mut().reset(deadline);
        } else if *this.started && !this.timer.is_elapsed() {
            return Poll::Pending;
        }
        *this.started = true;
        while this.timer.as_mut().poll(cx).is_ready() {
            match *this.deadline {
                Some(deadline) if deadline <= Instant::now() => {
                    return Poll::Ready(match waiting {
                        Waiting::RestOfHead(_) => End::LateHead,
                        _ => End::TimedOut,
                    });
                }
                // A busy connection has outlived its last deadline; the next one
                // that is earlier than this moves the timer again.
                later => {
                    let idle = Duration::from_millis(this.shared.settings.idle_ms);
                    this.timer.as_mut().reset(later.unwrap_or(Instant::now() + idle));
                }
            }
        }
        Poll::Pending
    }
}

/// How long a connection may wait for that.
fn patience(waiting: Waiting, shared: &Shared) -> Option<Duration> {
    let settings = &shared.settings;
    let time_ms = match waiting {
        Waiting::FirstRequest | Waiting::RestOfHead(_) => settings.header_ms,
        Waiting::NextRequest(_) => settings.idle_ms,
        Waiting::Reader(_) => settings.write_ms,
        Waiting::Answer => return None,
    };
    Some(Duration::from_millis(time_ms))
}
