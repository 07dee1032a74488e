//! The one writer: a thread, a connection, and transactions that many writes share.
//!
//! A commit costs a flush to the disk, whatever is in it. So whoever is waiting when
//! the writer becomes free is committed together; nobody is ever made to wait for
//! more to come. No write is answered before the commit that holds it.
//!
//! One that is refused takes nothing with it. A savepoint for each write would see to
//! that, but costs a copy of every page the write touches, and most writes are not
//! refused: so a batch is first tried without. If one of it is refused, all of it is
//! undone and done again with savepoints, and so are the next few batches.
//!
//! A write is never interrupted, because that would undo all that share its
//! transaction; its deadline is looked at before it begins. Some errors (a full
//! disk, most of all) make SQLite roll the whole transaction back by itself. Then
//! every write that was part of it is done again, alone, once.

mod batch;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use mainstay_core::Error;
use mainstay_store::{Answer, Committed, Cx, RowSink, WriteError, WriteSet, refusal::closed};
use rusqlite::Connection;
use tokio::sync::oneshot;

use self::batch::{Batches, Pending};
use crate::shared::Shared;

/// Writes that share one transaction at most, so that the first is not kept waiting
/// by the last.
const BATCH_MAX: usize = 256;

/// The way to the writer's thread.
pub(crate) struct Writer {
    jobs: SyncSender<Job>,
}

enum Job {
    Write(WriteJob),
    Run(RunJob),
    Close(oneshot::Sender<()>),
}

type RunJob = Box<dyn FnOnce(&Connection) + Send>;

/// What became of a write, and its plans.
type Reply = (Result<Answer<Committed>, WriteError>, WriteSet);

struct WriteJob {
    set: WriteSet,
    cx: Cx,
    sink: Box<dyn RowSink>,
    reply: oneshot::Sender<Reply>,
}

impl Writer {
    pub(crate) fn start(shared: &Arc<Shared>, connection: Connection) -> Result<Self, Error> {
        let (jobs, queue) = sync_channel(shared.settings.write_queue_max.max(1));
        let shared = Arc::clone(shared);
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || serve(&shared, &connection, &queue))
            .map_err(Error::internal)?;
        Ok(Self { jobs })
    }

    /// Carries out a write. It goes on if the future is dropped.
    pub(crate) async fn write(
        &self,
        set: WriteSet,
        cx: Cx,
        sink: Box<dyn RowSink>,
    ) -> Result<Answer<Committed>, WriteError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Write(WriteJob { set, cx, sink, reply })).map_err(WriteError::NotApplied)?;
        match answer.await {
            Ok((result, _)) => result,
            Err(_) => Err(WriteError::Unknown(Error::internal("the writer ended during a write"))),
        }
    }

    /// Runs something on the writer's connection, outside any transaction.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Run(Box::new(move |connection| {
            // Whoever asked may have gone; then nobody wants the answer.
            let _ = reply.send(work(connection));
        })))?;
        answer.await.unwrap_or_else(|_| Err(Error::internal("the writer gave up")))
    }

    /// Ends the thread once it has done what is waiting. What comes back is answered
    /// when it has ended.
    pub(crate) fn close(&self) -> Option<oneshot::Receiver<()>> {
        let (reply, closed) = oneshot::channel();
        self.send(Job::Close(reply)).ok().map(|()| closed)
    }

    fn send(&self, job: Job) -> Result<(), Error> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => {
                Error::unavailable("too many writes are waiting for the database")
            }
            TrySendError::Disconnected(_) => closed(),
        })
    }
}

fn serve(shared: &Shared, connection: &Connection, queue: &Receiver<Job>) {
    let mut batches = match Batches::new(shared, connection) {
        Ok(batches) => batches,
        Err(trouble) => {
            tracing::error!(error = ?trouble, "the writer cannot start");
            return;
        }
    };
    let mut next = None;
    while let Some(job) = next.take().or_else(|| queue.recv().ok()) {
        match job {
            Job::Write(first) => {
                let mut batch = vec![Pending::new(first)];
                while batch.len() < BATCH_MAX {
                    match queue.try_recv() {
                        Ok(Job::Write(job)) => batch.push(Pending::new(job)),
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                batches.commit(batch);
            }
            Job::Run(work) => {
                if catch_unwind(AssertUnwindSafe(|| work(connection))).is_err() {
                    tracing::error!("a job on the writer panicked");
                }
                batches.roll_back();
            }
            Job::Close(reply) => {
                drop(batches);
                let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
                // Whoever closes may have stopped waiting.
                let _ = reply.send(());
                return;
            }
        }
    }
}
