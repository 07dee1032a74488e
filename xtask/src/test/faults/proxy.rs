//! A proxy on loopback that stands between a client and PostgreSQL, and does to what
//! passes what networks and dying servers do.
//!
//! Connections are cut by closing them: std cannot set SO_LINGER to zero, so the client
//! sees an end (FIN) in the middle of a message, and a reset only where it goes on
//! sending. What is held back is acknowledged by this machine's kernel all the same, as
//! by a host whose process hangs: no TCP timeout tells the client.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::Context as _;

use super::frames::{Commit, Frames};
use crate::process::steady_port;

/// How long each chunk is kept in [`Mode::Slow`].
pub(super) const SLOW: Duration = Duration::from_millis(200);
/// Every so many-th chunk of answers is cut in [`Mode::CutAnswers`].
const ANSWERS_TO_A_CUT: u64 = 10;
/// Every so many-th commit of each kind is cut in [`Mode::CutCommits`].
const COMMITS_TO_A_CUT: u64 = 3;
/// Between two looks for a new connection.
const POLL: Duration = Duration::from_millis(2);
const CHUNK_BYTES: usize = 16 * 1024;

/// What becomes of what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It passes.
    Pass,
    /// Nobody listens; open connections are cut.
    Refuse,
    /// Connections are accepted and nothing passes; what was held passes afterwards.
    Hold,
    /// The same, but connections that were there meanwhile stay silent for good.
    Silence,
    /// Each chunk is late by [`SLOW`].
    Slow,
    /// Now and then an answer ends in its middle, and its connection with it.
    CutAnswers,
    /// Now and then a commit arrives, and its connection is cut before the answer.
    CutCommits,
}

/// How often connections were cut on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cuts {
    pub(super) answers: u64,
    pub(super) commits: u64,
    pub(super) outbox: u64,
}

/// A running proxy; dropped, it cuts what is open and is gone.
#[derive(Debug)]
pub(super) struct Proxy {
    shared: Arc<Shared>,
    port: u16,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    mode: Mutex<Mode>,
    changed: Condvar,
    is_over: AtomicBool,
    links: Mutex<Vec<Arc<Link>>>,
    answers: AtomicU64,
    commits: [AtomicU64; 2],
    answers_cut: AtomicU64,
}

/// A client's connection and the one made for it.
#[derive(Debug)]
struct Link {
    client: TcpStream,
    server: TcpStream,
    is_silent: AtomicBool,
    is_cut: AtomicBool,
}

impl Proxy {
    /// Starts one before this port of the machine.
    pub(super) fn start(target: u16) -> anyhow::Result<Self> {
        let port = steady_port()?;
        let listener = listen(port)?;
        let shared = Arc::new(Shared {
            target: SocketAddr::from(([127, 0, 0, 1], target)),
            mode: Mutex::new(Mode::Pass),
            changed: Condvar::new(),
            is_over: AtomicBool::new(false),
            links: Mutex::default(),
            answers: AtomicU64::new(0),
            commits: Default::default(),
            answers_cut: AtomicU64::new(0),
        });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&shared, port, listener)
        });
        Ok(Self { shared, port, accepting: Some(accepting) })
    }

    /// Where clients find it.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Changes what becomes of what passes, from now on.
    pub(super) fn set(&self, mode: Mode) {
        *locked(&self.shared.mode) = mode;
        for link in &*locked(&self.shared.links) {
            match mode {
                Mode::Refuse => link.end(),
                Mode::Silence => link.is_silent.store(true, Ordering::Release),
                _ => {}
            }
        }
        self.shared.changed.notify_all();
    }

    /// How often connections have been cut.
    pub(super) fn cuts(&self) -> Cuts {
        let [commits, outbox] = &self.shared.commits;
        let cut = |seen: &AtomicU64| seen.load(Ordering::Relaxed) / COMMITS_TO_A_CUT;
        let answers = self.shared.answers_cut.load(Ordering::Relaxed);
        Cuts { answers, commits: cut(commits), outbox: cut(outbox) }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        self.set(Mode::Refuse);
        if let Some(accepting) = self.accepting.take() {
            // One that panicked is gone too.
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn mode(&self) -> Mode {
        *locked(&self.mode)
    }

    /// Waits while everything is held; gives the mode then.
    fn pass(&self) -> Mode {
        let held = self.changed.wait_while(locked(&self.mode), |mode| *mode == Mode::Hold);
        *held.unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a commit; whether it is one to be cut.
    fn is_cut(&self, commit: Commit) -> bool {
        let seen = &self.commits[usize::from(commit == Commit::Outbox)];
        (seen.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(COMMITS_TO_A_CUT)
    }
}

impl Link {
    fn end(&self) {
        // What is closed already needs no closing.
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", port)).context("the proxy's port is taken")?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn accept(shared: &Arc<Shared>, port: u16, first: TcpListener) {
    let mut listener = Some(first);
    while !shared.is_over.load(Ordering::Acquire) {
        if shared.mode() == Mode::Refuse {
            listener = None;
        } else if listener.is_none() {
            listener = listen(port).ok();
        }
        match listener.as_ref().map(TcpListener::accept) {
            // A server that is not there is told by the end of the client's connection.
            Some(Ok((client, _))) => drop(connect(shared, client)),
            _ => thread::sleep(POLL),
        }
    }
}

fn connect(shared: &Arc<Shared>, client: TcpStream) -> io::Result<()> {
    client.set_nonblocking(false)?;
    let server = TcpStream::connect(shared.target)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let is_silent = AtomicBool::new(shared.mode() == Mode::Silence);
    let link = Arc::new(Link { client, server, is_silent, is_cut: AtomicBool::new(false) });
    let mut links = locked(&shared.links);
    links.retain(|known| Arc::strong_count(known) > 1);
    links.push(Arc::clone(&link));
    drop(links);
    for pump in [questions, answers] {
        let (shared, link) = (Arc::clone(shared), Arc::clone(&link));
        thread::spawn(move || {
            // However a connection fails, both of its ends are closed.
            let _ = pump(&shared, &link);
            if !link.is_cut.load(Ordering::Acquire) {
                link.end();
            }
        });
    }
    Ok(())
}

/// From the client to the server.
fn questions(shared: &Shared, link: &Link) -> io::Result<()> {
    let (mut client, mut server) = (&link.client, &link.server);
    let mut frames = Frames::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let length = client.read(&mut chunk)?;
        let mode = shared.pass();
        // The mode may have changed between the accepting and the list of what is open.
        match mode {
            _ if length == 0 => return Ok(()),
            Mode::Refuse => return Ok(()),
            Mode::Silence => link.is_silent.store(true, Ordering::Release),
            _ => {}
        }
        if link.is_silent.load(Ordering::Acquire) {
            continue;
        }
        let commit = frames.take(&chunk[..length]);
        let is_cut = mode == Mode::CutCommits && commit.is_some_and(|it| shared.is_cut(it));
        if is_cut {
            link.is_cut.store(true, Ordering::Release);
        }
        if mode == Mode::Slow {
            thread::sleep(SLOW);
        }
        server.write_all(&chunk[..length])?;
        if is_cut {
            client.shutdown(Shutdown::Both)?;
            // The server must read all of it first: it is told of the end, and not cut off.
            return server.shutdown(Shutdown::Write);
        }
    }
}

/// From the server to the client.
fn answers(shared: &Shared, link: &Link) -> io::Result<()> {
    let (mut client, mut server) = (&link.client, &link.server);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let length = server.read(&mut chunk)?;
        let mode = shared.pass();
        if length == 0 {
            return Ok(());
        }
        if link.is_silent.load(Ordering::Acquire) || link.is_cut.load(Ordering::Acquire) {
            continue;
        }
        if mode == Mode::CutAnswers {
            let seen = shared.answers.fetch_add(1, Ordering::Relaxed) + 1;
            if seen.is_multiple_of(ANSWERS_TO_A_CUT) {
                shared.answers_cut.fetch_add(1, Ordering::Relaxed);
                return client.write_all(&chunk[..length / 2]);
            }
        }
        if mode == Mode::Slow {
            thread::sleep(SLOW);
        }
        client.write_all(&chunk[..length])?;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers what it is told, once for each connection.
    fn echo() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || io::copy(&mut &stream, &mut &stream));
            }
        });
        port
    }

    fn ask(stream: &TcpStream) -> io::Result<[u8; 4]> {
        let mut answer = [0; 4];
        (&*stream).write_all(&[0, 0, 0, 4])?;
        (&*stream).read_exact(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn what_passes_passes_and_where_it_refuses_nobody_listens() {
        let proxy = Proxy::start(echo()).unwrap();
        let open = || TcpStream::connect(("127.0.0.1", proxy.port()));
        let stream = open().unwrap();
        assert_eq!(ask(&stream).unwrap(), [0, 0, 0, 4]);
        proxy.set(Mode::Refuse);
        assert!(ask(&stream).is_err());
        while open().is_ok() {}
        proxy.set(Mode::Pass);
        while open().is_err() {}
        assert!(ask(&open().unwrap()).is_ok());
    }

    #[test]
    fn what_was_held_passes_afterwards_and_what_was_silenced_does_not() {
        let proxy = Proxy::start(echo()).unwrap();
        let stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        ask(&stream).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        proxy.set(Mode::Hold);
        assert!(ask(&stream).is_err());
        proxy.set(Mode::Pass);
        stream.set_read_timeout(None).unwrap();
        (&stream).read_exact(&mut [0; 4]).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        proxy.set(Mode::Silence);
        proxy.set(Mode::Pass);
        assert!(ask(&stream).is_err());
    }

    #[test]
    fn every_tenth_answer_is_cut_in_its_middle() {
        let proxy = Proxy::start(echo()).unwrap();
        proxy.set(Mode::CutAnswers);
        let stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        for _ in 1..ANSWERS_TO_A_CUT {
            ask(&stream).unwrap();
        }
        (&stream).write_all(&[0, 0, 0, 4]).unwrap();
        let mut rest = Vec::new();
        (&stream).read_to_end(&mut rest).unwrap();
        assert_eq!((rest.len(), proxy.cuts().answers), (2, 1));
    }
}
