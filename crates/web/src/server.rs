//! The server: accepts connections, bounds them in number and time, and drains
//! them when it is told to stop.
//!
//! axum's own `serve` has no header time-out, no connection limit and no bound on a
//! drain, so the accept loop is ours and hyper drives each connection. HTTP/1.1
//! only: HTTP/2 belongs to whatever ends TLS in front.
//!
//! Over `connections_max` a connection is answered 503 with `Retry-After` and
//! closed, and does not wait in the backlog: a balancer can send its request
//! elsewhere, and a caller learns what is wrong instead of timing out. The refusals
//! in progress are bounded too; beyond that bound a connection is closed unanswered.
//!
//! It reads no request and knows no route; what holds for each request is the
//! middleware's.

mod connection;
mod handler;
mod progress;
mod stage;
mod transport;
mod wire;

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use hyper::server::conn::http1;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::middleware::Stack;
use stage::{CUTTING, DRAINING, Stage};

/// Refused connections that are being told so at the same time.
const REFUSALS_MAX: usize = 128;
/// Milliseconds the accept loop rests when the operating system has no more sockets.
const ACCEPT_PAUSE_MS: u64 = 100;
/// Milliseconds that connections get to notice that they are cut off.
const CUT_MS: u64 = 1_000;
/// The least that hyper's buffer may hold.
const HEADER_BYTES_LEAST: usize = 8 * 1024;

/// The bounds of connections.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Connections open at a time; one more is answered 503.
    pub connections_max: usize,
    /// Milliseconds from the first byte of a request to the end of its head, else 408;
    /// and from a connection's acceptance to its first byte, else it is closed.
    pub header_ms: u64,
    /// Milliseconds a connection may stay open between requests.
    pub idle_ms: u64,
    /// Milliseconds a caller may leave an answer unread before it is given up.
    pub write_ms: u64,
    /// Bytes of a request's head, request line included; at least 8 KiB. More is 431.
    pub header_bytes_max: usize,
    /// Milliseconds that requests in flight get when the server stops.
    pub drain_ms: u64,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            connections_max: 4096,
            header_ms: 10_000,
            idle_ms: 75_000,
            write_ms: 30_000,
            header_bytes_max: 64 * 1024,
            drain_ms: 10_000,
        }
    }
}

/// How a server went down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections whose requests were not answered within `drain_ms` and were cut
    /// off.
    pub connections_cut: usize,
}

/// What every connection shares.
struct Shared {
    stack: Stack,
    settings: ServerSettings,
    http: http1::Builder,
    stage: Stage,
    connections: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    refused: AtomicU64,
    cut: AtomicUsize,
}

/// Serves what arrives at the listeners until `shutdown` completes; then stops
/// accepting, closes idle connections at once, answers what is in flight with
/// `Connection: close`, and returns when all of it is answered or `drain_ms` is over.
pub async fn serve(
    listeners: Vec<TcpListener>,
    stack: Stack,
    settings: ServerSettings,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    let connections_max = settings.connections_max.clamp(1, MAX_PERMITS);
    let mut http = http1::Builder::new();
    let header_bytes_max = settings.header_bytes_max.max(HEADER_BYTES_LEAST);
    // The clocks are ours; see the module `connection`.
    http.header_read_timeout(None).max_header_size(header_bytes_max);
    let shared = Arc::new(Shared {
        stack,
        settings: ServerSettings { connections_max, header_bytes_max, ..settings },
        http,
        stage: Stage::default(),
        connections: Arc::new(Semaphore::new(connections_max)),
        refusals: Arc::new(Semaphore::new(REFUSALS_MAX)),
        refused: AtomicU64::new(0),
        cut: AtomicUsize::new(0),
    });
    let mut accepting = JoinSet::new();
    for listener in listeners {
        accepting.spawn(accept(listener, Arc::clone(&shared)));
    }
    shutdown.await;
    shared.stage.advance(DRAINING);
    while accepting.join_next().await.is_some() {}
    drain(&shared, connections_max).await
}

/// The most permits that can be taken back in one call.
const MAX_PERMITS: usize = u32::MAX as usize >> 4;

/// Waits for every connection's permit to come back.
async fn drain(shared: &Shared, connections_max: usize) -> Drained {
    let all = u32::try_from(connections_max).expect("BUG: clamped when the server began");
    let patience = Duration::from_millis(shared.settings.drain_ms);
    if timeout(patience, shared.connections.acquire_many(all)).await.is_ok() {
        return Drained { connections_cut: 0 };
    }
    shared.stage.advance(CUTTING);
    let patience = Duration::from_millis(CUT_MS);
    let stuck = match timeout(patience, shared.connections.acquire_many(all)).await {
        Ok(_) => 0,
        // A handler that holds its thread cannot be cut, and does not hold us.
        Err(_) => connections_max - shared.connections.available_permits(),
    };
    Drained { connections_cut: shared.cut.load(Ordering::Relaxed) + stuck }
}

/// Accepts until the server drains. Dropping the listener closes it.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let draining = shared.stage.reached(DRAINING);
    tokio::pin!(draining);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut draining => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => admit(socket, peer, &shared),
            Err(error) if is_the_callers(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::select! {
                    () = &mut draining => return,
                    () = sleep(Duration::from_millis(ACCEPT_PAUSE_MS)) => {}
                }
            }
        }
    }
}

/// Whether one caller went away while it was accepted, which says nothing of the next.
fn is_the_callers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

fn admit(socket: TcpStream, peer: SocketAddr, shared: &Arc<Shared>) {
    let Ok(permit) = Arc::clone(&shared.connections).try_acquire_owned() else {
        return refuse(socket, shared);
    };
    // Answers are written whole: waiting to fill a packet only delays them. A socket
    // that cannot be told is already gone, which its first read will say.
    let _ = socket.set_nodelay(true);
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let _permit: OwnedSemaphorePermit = permit;
        if connection::serve(socket, peer, &shared).await {
            shared.cut.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// Answers 503, if not too many others are being told the same.
fn refuse(mut socket: TcpStream, shared: &Arc<Shared>) {
    let connections_max = shared.settings.connections_max;
    let refused = shared.refused.fetch_add(1, Ordering::Relaxed) + 1;
    // The log hears of the first, and then ever more rarely.
    if refused.is_power_of_two() {
        tracing::warn!(refused, connections_max, "connections are refused: the limit is reached");
    }
    let Ok(permit) = Arc::clone(&shared.refusals).try_acquire_owned() else { return };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let _permit: OwnedSemaphorePermit = permit;
        let answer = wire::answer(&shared.stack, wire::too_many_connections(connections_max));
        connection::send_and_linger(&mut socket, &answer).await;
    });
}
