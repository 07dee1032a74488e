//! Plans in a transaction, done again where another was in its way.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mainstay_core::{Code, Error, Value};
use mainstay_plan::Isolation;
use mainstay_store::{
    Committed, Cx, End, EventEntries, RowSink, WriteError, WriteSet, refusal::deadline_exceeded,
};

use super::{CompiledWrite, not_kept};
use crate::{
    connection::Connection,
    error::Trouble,
    lanes::jittered,
    outbox,
    pool::Owned,
    statement::{Bindings, Statement},
    store::Inner,
};

/// How long a transaction that was in another's way waits, at first and at the most.
const AGAIN_MIN: Duration = Duration::from_millis(1);
const AGAIN_MAX: Duration = Duration::from_millis(50);

/// How far a transaction had come when it failed.
enum Failure {
    /// Nothing of it was kept.
    NotKept(Trouble),
    /// It may or may not have been kept.
    Unknown(Trouble),
}

/// Carries out plans in one transaction.
pub(super) async fn run(
    inner: &Inner,
    compiled: &[Arc<CompiledWrite>],
    set: &WriteSet,
    cx: &Cx,
    sink: &mut dyn RowSink,
) -> Result<Committed, WriteError> {
    let mut wait = AGAIN_MIN;
    for again in 0..=inner.settings.retries_max {
        if Instant::now() >= cx.deadline {
            return Err(WriteError::NotApplied(deadline_exceeded()));
        }
        let connection = inner.pool.take(cx.deadline).await.map_err(WriteError::NotApplied)?;
        match attempt(connection, compiled, set, cx, sink).await {
            Ok(committed) => return Ok(committed),
            Err(Failure::NotKept(Trouble::Conflict(_))) if again < inner.settings.retries_max => {
                sink.reset();
                tokio::time::sleep(jittered(wait)).await;
                wait = (wait * 2).min(AGAIN_MAX);
            }
            Err(Failure::NotKept(trouble)) => return Err(not_kept(trouble)),
            Err(Failure::Unknown(trouble)) => {
                return Err(WriteError::Unknown(outcome_unknown(trouble)));
            }
        }
    }
    Err(WriteError::NotApplied(Error::unavailable("too many writes to the same rows at once")))
}

/// The error of a write of which it is not known whether it was kept.
pub(super) fn outcome_unknown(trouble: Trouble) -> Error {
    Error::new(
        Code::OutcomeUnknown,
        "the connection to the database was lost during the commit: the write may or may not \
         have been kept",
    )
    .with_source(trouble.into_error())
}

async fn attempt(
    connection: Owned,
    compiled: &[Arc<CompiledWrite>],
    set: &WriteSet,
    cx: &Cx,
    sink: &mut dyn RowSink,
) -> Result<Committed, Failure> {
    let doing = do_all(&connection, compiled, set, cx, sink);
    // Past the deadline the connection is dropped, and the server ends the transaction.
    let done = tokio::time::timeout_at(cx.deadline.into(), doing)
        .await
        .map_err(|_| Failure::NotKept(Trouble::Deadline))?;
    let (committed, events) = match done {
        Ok(done) => done,
        Err((at, trouble)) => {
            let Ok(()) = roll_back(&connection, cx).await else {
                return Err(Failure::NotKept(trouble));
            };
            let told = match (compiled.get(at), set.plans.get(at)) {
                (Some(one), Some(plan)) => one.explain(&connection, plan, trouble, cx).await,
                _ => trouble,
            };
            connection.give_back();
            return Err(Failure::NotKept(told));
        }
    };
    if set.end == End::RollBack || events.is_empty() {
        roll_back(&connection, cx).await.map_err(Failure::NotKept)?;
        connection.give_back();
        return Ok(committed);
    }
    let committing = commit(&connection, &events);
    match tokio::time::timeout_at(cx.deadline.into(), committing).await {
        Ok(Ok(())) => {
            connection.give_back();
            Ok(committed)
        }
        // The server answered, and what it says is that nothing was kept.
        Ok(Err(
            trouble @ (Trouble::Conflict(_) | Trouble::Unavailable(_) | Trouble::Caller(_)),
        )) => Err(Failure::NotKept(trouble)),
        Ok(Err(trouble)) => Err(Failure::Unknown(trouble)),
        Err(_) => Err(Failure::Unknown(Trouble::Deadline)),
    }
}

/// Ends a transaction of which nothing is to be kept; not waited for past the deadline.
async fn roll_back(connection: &Connection, cx: &Cx) -> Result<(), Trouble> {
    let ending = connection.batch("ROLLBACK");
    match tokio::time::timeout_at(cx.deadline.into(), ending).await {
        Ok(ended) => ended,
        Err(_) => Err(Trouble::Deadline),
    }
}

/// Everything up to the commit. Gives also the events of what was changed; on failure,
/// which plan failed.
async fn do_all(
    connection: &Connection,
    compiled: &[Arc<CompiledWrite>],
    set: &WriteSet,
    cx: &Cx,
    sink: &mut dyn RowSink,
) -> Result<(Committed, EventEntries), (usize, Trouble)> {
    let nobody = |trouble| (usize::MAX, trouble);
    connection.batch(&begin(compiled, cx)).await.map_err(nobody)?;
    let mut committed = Committed::default();
    let mut events = EventEntries::default();
    events.begin_write();
    for (at, (one, plan)) in compiled.iter().zip(&set.plans).enumerate() {
        if committed.passes_over(plan) {
            continue;
        }
        let affected = one.run(connection, plan, sink, &mut events).await;
        let affected = affected.map_err(|trouble| (at, trouble))?;
        committed.affected.push(affected.keys);
        committed.inserted.push(affected.inserted);
    }
    Ok((committed, events))
}

/// Writes the events and commits, in one go. Where the events cannot be written the
/// transaction is lost, and what the server makes of the commit is a roll-back.
async fn commit(connection: &Connection, events: &EventEntries) -> Result<(), Trouble> {
    let mut array = String::with_capacity(160);
    // The server knows the transaction's number, and keeps it beside the array.
    events.write_array(0, &mut array);
    let links = [Value::Text(array.into_boxed_str())];
    let bindings = Bindings { links: &links, ..Bindings::default() };
    connection.prepare_first(connection.outbox()).await?;
    let (written, committed) = tokio::join!(
        connection.execute(connection.outbox(), bindings),
        connection.batch("COMMIT"),
    );
    written.map(drop).and(committed)
}

fn begin(compiled: &[Arc<CompiledWrite>], cx: &Cx) -> String {
    let serialisable = compiled.iter().any(|one| one.isolation == Isolation::Serialisable);
    let level = if serialisable { "SERIALIZABLE" } else { "READ COMMITTED" };
    let left = cx.deadline.saturating_duration_since(Instant::now()).as_millis().max(1);
    format!("BEGIN ISOLATION LEVEL {level}; SET LOCAL statement_timeout = {left}")
}

/// The statement that writes a transaction's events.
pub(crate) fn outbox_statement() -> Arc<Statement> {
    use mainstay_store::sql::{Param, Sql};
    Statement::of(
        Sql::text(outbox::INSERT).then(Sql::param(Param::Link(0, mainstay_core::Type::Text))),
    )
}
