//! What becomes of requests when the database goes away and comes back: a load on
//! Mainstay, a proxy between it and PostgreSQL, and one fault after the other.
//!
//! A fault may cost requests. It may not cost an acknowledged row, nor write one twice or
//! one that was answered as not written; no request may hang or be answered otherwise
//! than "not now", "too late" or "not known"; and once it is over, everything is served
//! again without anybody's help.

mod frames;
mod ledger;
mod load;
mod proxy;
mod stand;
mod verdict;

use std::{
    sync::atomic::AtomicI64,
    thread,
    time::{Duration, Instant},
};

use self::{
    ledger::Ledger,
    load::{Load, Record, fixed_numbers},
    proxy::{Cuts, Mode, SLOW},
    stand::{Heir, Stand},
    verdict::{Counts, Figures, Readiness, Span, complaints, figures},
};
use super::table::{Suite, Table};
use crate::{
    process::debug_binary,
    services::postgres_program,
    tools::{Missing, ensure_found},
};

/// How long the load runs before a fault.
const BEFORE: Duration = Duration::from_millis(1_000);
/// How long a fault is on.
const ON: Duration = Duration::from_millis(3_500);
/// How long all must have been well after a fault before the load ends.
const CALM: Duration = Duration::from_millis(1_500);
/// How long that is waited for at most.
const AFTER_MAX: Duration = Duration::from_millis(7_000);
/// Between two looks at it.
const POLL: Duration = Duration::from_millis(50);
/// Lines of Mainstay's log that are shown of a fault it did not stand.
const LOG_LINES: usize = 15;

/// What happens to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Refuse,
    Hold,
    Silence,
    CutAnswers,
    CutCommits,
    Slow,
    Restart,
    Failover,
    SilentFailover,
}

/// In the order in which they happen to one server; the last of them is its end.
const FAULTS: [Fault; 9] = [
    Fault::Slow,
    Fault::CutAnswers,
    Fault::CutCommits,
    Fault::Refuse,
    Fault::Hold,
    Fault::Silence,
    Fault::Restart,
    Fault::Failover,
    Fault::SilentFailover,
];

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::Refuse => "connections refused",
            Self::Hold => "nothing passes, later all",
            Self::Silence => "connections silent for good",
            Self::CutAnswers => "cut in the middle of answers",
            Self::CutCommits => "cut at commits",
            Self::Slow => "slow",
            Self::Restart => "crash and restart",
            Self::Failover => "failover",
            Self::SilentFailover => "failover from a silent primary",
        }
    }

    fn readiness(self) -> Readiness {
        match self {
            Self::CutAnswers | Self::CutCommits | Self::Slow => Readiness::Any,
            _ => Readiness::Away,
        }
    }

    fn heir(self) -> Heir {
        match self {
            Self::Failover | Self::SilentFailover => Heir::Replica,
            _ => Heir::None,
        }
    }

    fn begin(self, stand: &mut Stand) -> anyhow::Result<()> {
        let mode = match self {
            Self::Restart => return stand.crash(),
            Self::Failover => {
                stand.crash()?;
                Mode::Refuse
            }
            Self::Refuse => Mode::Refuse,
            Self::Hold => Mode::Hold,
            Self::Silence | Self::SilentFailover => Mode::Silence,
            Self::CutAnswers => Mode::CutAnswers,
            Self::CutCommits => Mode::CutCommits,
            Self::Slow => Mode::Slow,
        };
        stand.set(mode);
        Ok(())
    }

    fn end(self, stand: &mut Stand) -> anyhow::Result<()> {
        match self {
            Self::Restart => stand.recover()?,
            // The old primary stays as it is.
            Self::Failover | Self::SilentFailover => stand.promote()?,
            _ => stand.set(Mode::Pass),
        }
        Ok(())
    }

    /// Whether the proxy did what it was told to.
    fn complaint(self, cut: Cuts, figures: &Figures) -> Option<&'static str> {
        let is_felt = match self {
            Self::CutAnswers => cut.answers > 0,
            Self::CutCommits => cut.commits > 0 && cut.outbox > 0,
            Self::Slow => figures.slowest >= SLOW,
            _ => true,
        };
        (!is_felt).then_some("the fault did not come about")
    }
}

/// What came of one fault.
struct Outcome {
    figures: Figures,
    cut: Cuts,
    complaints: Vec<String>,
}

/// Runs every fault and notes each.
pub(super) fn run(table: &mut Table, missing: Missing) -> anyhow::Result<()> {
    if let Err(why) = ensure_found(postgres_program, "initdb", "postgresql", missing) {
        table.skipped_suite(format!("faults: {why}"));
        return Ok(());
    }
    let binary = debug_binary()?;
    println!("faults between Mainstay and PostgreSQL\n\n{}", heading());
    let mut stood = None;
    let (mut ledger, next) = (Ledger::default(), AtomicI64::new(1));
    for fault in FAULTS {
        let started = Instant::now();
        let name = format!("fault: {}", fault.name());
        let mut stand = match stood.take() {
            Some((heir, stand)) if heir == fault.heir() => stand,
            _ => {
                ledger = Ledger::with(fixed_numbers());
                Stand::start(&binary, fault.heir())?
            }
        };
        let outcome = strike(fault, &mut stand, &mut ledger, &next)?;
        println!("{}", line(fault, &outcome));
        let is_well = outcome.complaints.is_empty();
        if !is_well {
            println!("{}", stand.log_end(LOG_LINES));
        }
        for complaint in outcome.complaints {
            table.failure(format!("{name}: {complaint}"));
        }
        let (passed, failed) = (usize::from(is_well), usize::from(!is_well));
        table.ran(Suite { name, passed, failed, time: started.elapsed(), ..Suite::default() });
        // What one fault broke is not held against the next, and nobody takes over twice.
        let is_whole = is_well && fault.heir() == Heir::None;
        stood = is_whole.then_some((fault.heir(), stand));
    }
    Ok(())
}

fn strike(
    fault: Fault,
    stand: &mut Stand,
    ledger: &mut Ledger,
    next: &AtomicI64,
) -> anyhow::Result<Outcome> {
    let address = stand.address();
    let cut_before = stand.cuts();
    let (span, records) = Load::new(&address, next).around(|load| conduct(fault, stand, load));
    let span = span?;
    ledger.note(&records);
    let cut = since(cut_before, stand.cuts());
    let figures = figures(&records, span);
    let mut complaints = complaints(&records, span, fault.readiness());
    complaints.extend(fault.complaint(cut, &figures).map(ToOwned::to_owned));
    let (stored, events) = stand.stored()?;
    complaints.extend(ledger.complaints(&stored));
    if events != stored.len() {
        complaints.push(format!("{} rows have {events} events in the outbox", stored.len()));
    }
    if let Err(error) = stand.verify_alive() {
        complaints.push(format!("Mainstay is not alive: {error:#}"));
    }
    Ok(Outcome { figures, cut, complaints })
}

/// Lets the fault come and go while the load runs.
fn conduct(fault: Fault, stand: &mut Stand, load: &Load<'_>) -> anyhow::Result<Span> {
    thread::sleep(BEFORE);
    let on = Instant::now();
    fault.begin(stand)?;
    thread::sleep(ON);
    fault.end(stand)?;
    let span = Span { on, off: Instant::now() };
    while span.off.elapsed() < AFTER_MAX && !load.look(|records| is_calm(records, span)) {
        thread::sleep(POLL);
    }
    Ok(span)
}

/// Whether everything has been served again, and for some time nothing else was answered.
fn is_calm(records: &[Record], span: Span) -> bool {
    let figures = figures(records, span);
    figures.served.is_some() && span.off.elapsed() > figures.calm + CALM
}

fn since(before: Cuts, after: Cuts) -> Cuts {
    Cuts {
        answers: after.answers - before.answers,
        commits: after.commits - before.commits,
        outbox: after.outbox - before.outbox,
    }
}

fn heading() -> String {
    format!(
        "{:<32}{:>24}{:>20}{:>14}{:>9}{:>9}{:>9}{:>9}",
        "", "writes", "reads", "cut", "slowest", "noticed", "served", "calm"
    ) + &format!(
        "\n{:<32}{:>24}{:>20}{:>14}{:>9}{:>9}{:>9}{:>9}",
        "", "ok 503 504 unknown", "ok 503 504", "answer commit", "s", "s", "s", "s"
    )
}

fn line(fault: Fault, outcome: &Outcome) -> String {
    let Outcome { figures, cut, complaints } = outcome;
    let Counts { done, unavailable, deadline, unknown, wrong } = figures.writes;
    let writes = format!("{done} {unavailable} {deadline} {unknown}{}", plus(wrong));
    let Counts { done, unavailable, deadline, wrong, .. } = figures.reads;
    let reads = format!("{done} {unavailable} {deadline}{}", plus(wrong));
    let cut = format!("{} {}+{}", cut.answers, cut.commits, cut.outbox);
    let seconds = |time: Option<Duration>| {
        time.map_or_else(|| "-".to_owned(), |time| format!("{:.2}", time.as_secs_f64()))
    };
    format!(
        "{:<32}{writes:>24}{reads:>20}{cut:>14}{:>9}{:>9}{:>9}{:>9}  {}",
        fault.name(),
        seconds(Some(figures.slowest)),
        seconds(figures.noticed),
        seconds(figures.served),
        seconds(Some(figures.calm)),
        if complaints.is_empty() { "well" } else { "NOT WELL" }
    )
}

fn plus(wrong: usize) -> String {
    if wrong == 0 { String::new() } else { format!(" +{wrong} wrong") }
}
