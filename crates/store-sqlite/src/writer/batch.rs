//! Writes that share one transaction, and what becomes of each.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use mainstay_core::Error;
use mainstay_store::{
    Answer, Committed, End, EventEntries, Mark, WriteError, refusal::deadline_exceeded,
};
use rusqlite::{Connection, Statement};

use super::WriteJob;
use crate::{error::Trouble, outbox::Outbox, shared::Shared, write::Writes};

/// Batches that are done with savepoints after one in which a write was refused.
const CAREFUL_BATCHES: u32 = 16;

/// A write that is not answered yet.
pub(super) struct Pending {
    job: WriteJob,
    outcome: Outcome,
}

enum Outcome {
    /// Not begun, or undone.
    Open,
    /// Done, and answered once the transaction is committed.
    Done(Committed),
    Failed(WriteError),
}

impl Pending {
    pub(super) fn new(job: WriteJob) -> Self {
        Self { job, outcome: Outcome::Open }
    }

    /// Forgets what was done of it, to do it again.
    fn reopen(&mut self) {
        self.job.sink.reset();
        self.outcome = Outcome::Open;
    }

    fn answer(self) {
        let Self { job, outcome } = self;
        let result = match outcome {
            Outcome::Done(done) => Ok(Answer { done, sink: job.sink }),
            Outcome::Failed(error) => Err(error),
            Outcome::Open => Err(WriteError::NotApplied(Error::internal(
                "BUG: a write was neither done nor refused",
            ))),
        };
        // A client that went away leaves its write as it is. The plans go back to where
        // they were made, whose memory they are: freeing it here costs more.
        let _ = job.reply.send((result, job.set));
    }
}

/// How writes that share a transaction are kept apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Isolation {
    /// Not at all: one that is refused takes the others back.
    None,
    /// Each has a savepoint.
    Savepoints,
}

/// Why a batch was not committed.
enum BatchFailure {
    /// It could not even begin.
    NotBegun(Trouble),
    /// A write was refused, and took the others with it for want of savepoints.
    Mixed,
    /// Nothing of it was written; the error says why.
    NotApplied(Trouble),
    /// The commit may or may not have been written.
    Unknown(Trouble),
}

/// Carries out batches on the writer's connection.
pub(super) struct Batches<'c> {
    shared: &'c Shared,
    connection: &'c Connection,
    begin: Statement<'c>,
    commit: Statement<'c>,
    savepoint: Statement<'c>,
    release: Statement<'c>,
    roll_back_to: Statement<'c>,
    writes: Writes<'c>,
    outbox: Outbox<'c>,
    /// The events of the batch at hand; kept for its room.
    events: EventEntries,
    /// Batches that are still to be done with savepoints.
    careful: u32,
}

impl<'c> Batches<'c> {
    pub(super) fn new(shared: &'c Shared, connection: &'c Connection) -> Result<Self, Trouble> {
        Ok(Self {
            shared,
            connection,
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            commit: connection.prepare("COMMIT")?,
            savepoint: connection.prepare("SAVEPOINT one_write")?,
            release: connection.prepare("RELEASE one_write")?,
            roll_back_to: connection.prepare("ROLLBACK TO one_write")?,
            writes: Writes::new(connection),
            outbox: Outbox::new(connection)?,
            events: EventEntries::default(),
            careful: 0,
        })
    }

    /// Carries out writes in one transaction and answers them; where the transaction
    /// is lost, each in one of its own.
    pub(super) fn commit(&mut self, mut batch: Vec<Pending>) {
        let isolation = self.isolation(&batch);
        let mut result = self.attempt(&mut batch, isolation);
        if matches!(result, Err(BatchFailure::Mixed)) {
            self.careful = CAREFUL_BATCHES;
            batch.iter_mut().for_each(Pending::reopen);
            result = self.attempt(&mut batch, Isolation::Savepoints);
        }
        match result {
            Ok(()) => {}
            Err(BatchFailure::NotApplied(_)) if batch.len() > 1 => {
                for alone in batch.chunks_mut(1) {
                    alone.iter_mut().for_each(Pending::reopen);
                    if let Err(failure) = self.attempt(alone, Isolation::None) {
                        fail(alone, failure);
                    }
                }
            }
            Err(failure) => fail(&mut batch, failure),
        }
        batch.into_iter().for_each(Pending::answer);
    }

    fn isolation(&mut self, batch: &[Pending]) -> Isolation {
        if batch.len() == 1 {
            return Isolation::None;
        }
        if self.careful > 0 {
            self.careful -= 1;
            return Isolation::Savepoints;
        }
        if batch.iter().any(|pending| pending.job.set.end == End::RollBack) {
            return Isolation::Savepoints;
        }
        Isolation::None
    }

    fn attempt(&mut self, batch: &mut [Pending], isolation: Isolation) -> Result<(), BatchFailure> {
        self.begin.raw_execute().map_err(|error| BatchFailure::NotBegun(error.into()))?;
        let seq = match self.do_all(batch, isolation) {
            Ok(Some(seq)) => seq,
            Ok(None) => {
                self.roll_back();
                return Ok(());
            }
            Err(failure) => {
                self.roll_back();
                return Err(failure);
            }
        };
        if let Err(error) = self.commit.raw_execute() {
            self.roll_back();
            return Err(match Trouble::from(error) {
                // The commit's last bytes may have reached the disk before it failed.
                trouble @ Trouble::Disk(_) => BatchFailure::Unknown(trouble),
                trouble => BatchFailure::NotApplied(trouble),
            });
        }
        for pending in batch {
            if let Outcome::Done(committed) = &mut pending.outcome
                && pending.job.set.end == End::Commit
            {
                committed.mark = Some(Mark(seq));
            }
        }
        Ok(())
    }

    /// Carries out each write, and writes down their events. Where there is anything
    /// to commit, gives the place of the last event.
    fn do_all(
        &mut self,
        batch: &mut [Pending],
        isolation: Isolation,
    ) -> Result<Option<u64>, BatchFailure> {
        let lost = |trouble: Trouble| BatchFailure::NotApplied(trouble);
        let sql = |error: rusqlite::Error| lost(error.into());
        self.events.clear();
        let mut kept = 0;
        let is_alone = batch.len() == 1;
        for pending in batch {
            if Instant::now() >= pending.job.cx.deadline {
                pending.outcome = Outcome::Failed(WriteError::NotApplied(deadline_exceeded()));
                continue;
            }
            if isolation == Isolation::Savepoints {
                self.savepoint.raw_execute().map_err(sql)?;
            }
            self.events.begin_write();
            let done = self.do_one(&mut pending.job);
            let keeps = done.is_ok() && pending.job.set.end == End::Commit;
            if keeps {
                kept += 1;
            } else {
                self.events.forget_write();
            }
            match (done, isolation) {
                (Err(trouble), _) if self.connection.is_autocommit() => return Err(lost(trouble)),
                (Err(_), Isolation::None) if !is_alone => return Err(BatchFailure::Mixed),
                (Err(trouble), _) => pending.outcome = Outcome::Failed(refusal(trouble)),
                (Ok(committed), _) => pending.outcome = Outcome::Done(committed),
            }
            if isolation == Isolation::Savepoints {
                if !keeps {
                    self.roll_back_to.raw_execute().map_err(sql)?;
                }
                self.release.raw_execute().map_err(sql)?;
            }
        }
        if kept == 0 {
            return Ok(None);
        }
        self.outbox.write(&self.events).map(|seq| Some(seq.0)).map_err(lost)
    }

    fn do_one(&mut self, job: &mut WriteJob) -> Result<Committed, Trouble> {
        let WriteJob { set, sink, .. } = job;
        let done = catch_unwind(AssertUnwindSafe(|| {
            self.writes.run(self.shared, &set.plans, &mut **sink, &mut self.events)
        }));
        done.unwrap_or_else(|_| Err(Trouble::Internal(Error::internal("a write panicked"))))
    }

    /// Ends a transaction that is not to be kept, if there still is one.
    pub(super) fn roll_back(&self) {
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.connection.execute_batch("ROLLBACK") {
            tracing::error!(%error, "a transaction cannot be rolled back");
        }
    }
}

/// Fails every write of a batch that was not refused by itself already.
fn fail(batch: &mut [Pending], failure: BatchFailure) {
    let (trouble, is_known) = match failure {
        BatchFailure::NotBegun(trouble) | BatchFailure::NotApplied(trouble) => (trouble, true),
        BatchFailure::Unknown(trouble) => (trouble, false),
        BatchFailure::Mixed => {
            (Trouble::Internal(Error::internal("BUG: a batch was mixed with savepoints")), true)
        }
    };
    tracing::error!(error = ?trouble, is_known, "a transaction was not committed");
    let mut first = Some(trouble.into_error());
    for pending in batch {
        // A rehearsal was done, and is undone as it was to be.
        let is_rehearsed = pending.job.set.end == End::RollBack;
        match pending.outcome {
            Outcome::Failed(_) => continue,
            Outcome::Done(_) if is_rehearsed => continue,
            Outcome::Done(_) | Outcome::Open => {}
        }
        let error =
            first.take().unwrap_or_else(|| Error::unavailable("the transaction was not committed"));
        pending.outcome = Outcome::Failed(if is_known {
            WriteError::NotApplied(error)
        } else {
            WriteError::Unknown(error)
        });
    }
}

/// What is told of a write that failed by itself; its transaction lives on.
fn refusal(trouble: Trouble) -> WriteError {
    match trouble {
        Trouble::Unavailable(error) | Trouble::Disk(error) => WriteError::NotApplied(error),
        other => WriteError::Refused(other.into_error()),
    }
}
