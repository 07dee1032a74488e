//! Threads for reads that take too long to run where they were asked.
//!
//! A read here ends at its deadline, or soon after nobody waits for it any more.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Instant,
};

use mainstay_core::Error;
use mainstay_plan::ReadPlan;
use mainstay_store::{
    Answer, ReadDone, RowSink,
    refusal::{closed, deadline_exceeded},
};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{error::Trouble, reader::Reader, shared::Shared};

/// Reads that may wait for a reader thread; one more is refused.
const QUEUE_MAX: usize = 256;

/// The reader threads of a store.
pub(crate) struct ReaderPool {
    jobs: SyncSender<Job>,
    threads: usize,
}

enum Job {
    Read(ReadJob),
    Run(RunJob),
    Close,
}

type Reply<T> = oneshot::Sender<Result<T, Error>>;
type RunJob = Box<dyn FnOnce(Result<&Connection, Error>) + Send>;

struct ReadJob {
    plan: Arc<ReadPlan>,
    sink: Box<dyn RowSink>,
    watch: Watch,
    reply: Reply<Answer<ReadDone>>,
}

/// When a read is to end before it is done.
#[derive(Clone)]
struct Watch {
    deadline: Instant,
    is_dropped: Arc<AtomicBool>,
}

impl Watch {
    fn is_over(&self) -> bool {
        self.is_dropped.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }
}

/// Says that nobody waits any more when it is dropped.
struct DropNotice(Arc<AtomicBool>);

impl Drop for DropNotice {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl ReaderPool {
    pub(crate) fn start(shared: &Arc<Shared>) -> Result<Self, Error> {
        let (jobs, queue) = sync_channel(QUEUE_MAX);
        let queue = Arc::new(Mutex::new(queue));
        let threads = shared.settings.reader_threads.max(1);
        for number in 0..threads {
            let (shared, queue) = (Arc::clone(shared), Arc::clone(&queue));
            thread::Builder::new()
                .name(format!("sqlite-reader-{number}"))
                .spawn(move || {
                    PoolThread { shared, reader: None, watch: Arc::default() }.run(&queue);
                })
                .map_err(Error::internal)?;
        }
        Ok(Self { jobs, threads })
    }

    /// Carries out a read; dropping the future ends it.
    pub(crate) async fn read(
        &self,
        plan: Arc<ReadPlan>,
        deadline: Instant,
        sink: Box<dyn RowSink>,
    ) -> Result<Answer<ReadDone>, Error> {
        let is_dropped = Arc::new(AtomicBool::new(false));
        let notice = DropNotice(Arc::clone(&is_dropped));
        let (reply, answer) = oneshot::channel();
        let watch = Watch { deadline, is_dropped };
        self.send(Job::Read(ReadJob { plan, sink, watch, reply }))?;
        let answer = answer.await;
        drop(notice);
        answer.unwrap_or_else(|_| Err(Error::internal("a reader thread gave up a read")))
    }

    /// Runs something on a reader's connection.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Run(Box::new(move |connection| {
            // Whoever asked may have gone; then nobody wants the answer.
            let _ = reply.send(connection.and_then(work));
        })))?;
        answer.await.unwrap_or_else(|_| Err(Error::internal("a reader thread gave up")))
    }

    fn send(&self, job: Job) -> Result<(), Error> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => {
                Error::unavailable("too many slow reads are waiting for the database")
            }
            TrySendError::Disconnected(_) => closed(),
        })
    }

    /// Ends the threads once they have done what is waiting.
    pub(crate) fn close(&self) {
        for _ in 0..self.threads {
            // Where the queue is full, the threads end when the store is dropped.
            let _ = self.jobs.try_send(Job::Close);
        }
    }
}

struct PoolThread {
    shared: Arc<Shared>,
    /// Opened at the first job: most stores never need all their readers.
    reader: Option<Reader>,
    watch: Arc<Mutex<Option<Watch>>>,
}

impl PoolThread {
    fn run(mut self, queue: &Mutex<Receiver<Job>>) {
        loop {
            let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            match job {
                Ok(Job::Read(job)) => self.read(job),
                Ok(Job::Run(work)) => {
                    let connection = self.reader().map(|reader| reader.connection());
                    let _ = catch_unwind(AssertUnwindSafe(|| work(connection)));
                }
                Ok(Job::Close) | Err(_) => return,
            }
        }
    }

    fn read(&mut self, job: ReadJob) {
        let ReadJob { plan, mut sink, watch, reply } = job;
        if watch.is_dropped.load(Ordering::Relaxed) {
            return;
        }
        self.watch(Some(watch));
        let shared = Arc::clone(&self.shared);
        let done = catch_unwind(AssertUnwindSafe(|| {
            self.reader().and_then(|reader| reader.read(&shared, &plan, &mut *sink).map_err(ended))
        }));
        self.watch(None);
        let done = done.unwrap_or_else(|_| Err(Error::internal("a read panicked")));
        // Whoever asked may have gone; then nobody wants the answer.
        let _ = reply.send(done.map(|done| Answer { done, sink }));
    }

    fn watch(&self, watch: Option<Watch>) {
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = watch;
    }

    fn reader(&mut self) -> Result<&mut Reader, Error> {
        match &mut self.reader {
            Some(reader) => Ok(reader),
            none => {
                let watch = Arc::clone(&self.watch);
                let stop = move || {
                    let watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
                    watch.as_ref().is_some_and(Watch::is_over)
                };
                Ok(none.insert(Reader::open(&self.shared, stop)?))
            }
        }
    }
}

fn ended(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Interrupted => deadline_exceeded(),
        other => other.into_error(),
    }
}
