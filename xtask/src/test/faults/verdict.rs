//! What must hold when a database goes away and comes back, and what of it did not.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::load::{Answer, Asked, Record};

/// How long a request may take in the store: `[limits] request_ms`.
pub(super) const REQUEST_MS: u64 = 2_000;
/// How long any request may take.
const ANSWER_MAX: Duration = Duration::from_millis(REQUEST_MS + 1_000);
/// How soon `/readyz` says that the store is away.
const NOTICE_MAX: Duration = Duration::from_secs(3);
/// How soon after a fault everything is served again.
pub(super) const RECOVERY_MAX: Duration = Duration::from_secs(5);
/// Different wrong answers that are told of.
const WRONG_SHOWN_MAX: usize = 4;

/// One of each that must be served again.
const KINDS: [(Asked, &str); 5] = [
    (Asked::OneRow(0), "a write of one row"),
    (Asked::TwoRows(0), "a write of two rows"),
    (Asked::Rows, "a read"),
    (Asked::CountedRows, "a counted read"),
    (Asked::Ready, "/readyz"),
];

/// When a fault was on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) on: Instant,
    pub(super) off: Instant,
}

/// What `/readyz` is to say of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// That the store is away.
    Away,
    /// Either.
    Any,
}

/// What was measured around one fault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) writes: Counts,
    pub(super) reads: Counts,
    pub(super) slowest: Duration,
    /// From the fault's begin to the first `/readyz` that said so.
    pub(super) noticed: Option<Duration>,
    /// From its end until each of [`KINDS`] was served once; none where one never was.
    pub(super) served: Option<Duration>,
    /// From its end to the last answer that was no success.
    pub(super) calm: Duration,
}

/// How many of each answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) done: usize,
    pub(super) unavailable: usize,
    pub(super) deadline: usize,
    pub(super) unknown: usize,
    pub(super) wrong: usize,
}

impl Counts {
    fn of<'a>(records: impl Iterator<Item = &'a Record>) -> Self {
        let mut counts = Self::default();
        for record in records {
            *match record.answer {
                Answer::Done => &mut counts.done,
                Answer::Unavailable => &mut counts.unavailable,
                Answer::Deadline => &mut counts.deadline,
                Answer::Unknown => &mut counts.unknown,
                Answer::Wrong(_) => &mut counts.wrong,
            } += 1;
        }
        counts
    }
}

/// Measures the answers around a fault.
pub(super) fn figures(records: &[Record], span: Span) -> Figures {
    let writes = records.iter().filter(|it| !it.asked.numbers().is_empty());
    let reads = records.iter().filter(|it| matches!(it.asked, Asked::Rows | Asked::CountedRows));
    let is_ready = |it: &&Record| it.asked == Asked::Ready;
    let mut probes = records.iter().filter(is_ready);
    let noticed = probes.find(|it| it.ended >= span.on && it.answer != Answer::Done);
    let served = KINDS.map(|(kind, _)| served(records, span, kind));
    let bad = records.iter().filter(|it| it.answer != Answer::Done);
    Figures {
        writes: Counts::of(writes),
        reads: Counts::of(reads),
        slowest: records.iter().map(took).max().unwrap_or_default(),
        noticed: noticed.map(|it| it.ended - span.on),
        served: served
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .and_then(|all| all.into_iter().max()),
        calm: bad.map(|it| it.ended.saturating_duration_since(span.off)).max().unwrap_or_default(),
    }
}

/// What of the answers must not be, in words; nothing where all is well.
pub(super) fn complaints(records: &[Record], span: Span, readiness: Readiness) -> Vec<String> {
    let mut found = wrong(records);
    let slow: Vec<&Record> = records.iter().filter(|it| took(it) > ANSWER_MAX).collect();
    if let Some(slowest) = slow.iter().max_by_key(|it| took(it)) {
        found.push(format!(
            "{} requests took longer than {} s; the slowest {:.1} s, {:?}: {:?}",
            slow.len(),
            ANSWER_MAX.as_secs(),
            took(slowest).as_secs_f64(),
            slowest.asked,
            slowest.answer
        ));
    }
    let figures = figures(records, span);
    if readiness == Readiness::Away && figures.noticed.is_none_or(|it| it > NOTICE_MAX) {
        found.push(format!("/readyz noticed nothing in time ({:?})", figures.noticed));
    }
    for (kind, name) in KINDS {
        match served(records, span, kind) {
            Some(after) if after <= RECOVERY_MAX => {}
            Some(after) => {
                found.push(format!("{name} was served {:.1} s later", after.as_secs_f64()))
            }
            None => found.push(format!("{name} was never served again")),
        }
    }
    if figures.calm > RECOVERY_MAX {
        found.push(format!("requests still failed {:.1} s later", figures.calm.as_secs_f64()));
    }
    found
}

/// The wrong answers, each text once.
fn wrong(records: &[Record]) -> Vec<String> {
    let mut times: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for record in records {
        let name = KINDS.iter().find(|(kind, _)| kind.is_like(record.asked));
        if let (Answer::Wrong(what), Some((_, name))) = (&record.answer, name) {
            *times.entry((name, what)).or_default() += 1;
        }
    }
    let shown = times.iter().take(WRONG_SHOWN_MAX);
    shown
        .map(|((name, what), times)| format!("{name} was answered {what} ({times} times)"))
        .collect()
}

/// How long after the fault the first of a kind was served.
fn served(records: &[Record], span: Span, kind: Asked) -> Option<Duration> {
    let of_kind = records.iter().filter(|it| it.asked.is_like(kind) && it.answer == Answer::Done);
    of_kind.filter_map(|it| it.ended.checked_duration_since(span.off)).min()
}

fn took(record: &Record) -> Duration {
    record.ended - record.began
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(from: Instant, asked: Asked, ms: [u64; 2], answer: Answer) -> Record {
        let at = |ms| from + Duration::from_millis(ms);
        Record { asked, began: at(ms[0]), ended: at(ms[1]), answer }
    }

    fn well(from: Instant) -> Vec<Record> {
        let served = |(kind, _)| record(from, kind, [4_000, 4_100], Answer::Done);
        let mut records: Vec<Record> = KINDS.into_iter().map(served).collect();
        records.push(record(from, Asked::Ready, [1_000, 2_000], Answer::Unavailable));
        records.push(record(from, Asked::OneRow(5), [2_500, 4_500], Answer::Unknown));
        records
    }

    fn complained(change: impl FnOnce(Instant, &mut Vec<Record>)) -> String {
        let on = Instant::now();
        let mut records = well(on);
        change(on, &mut records);
        let span = Span { on, off: on + Duration::from_millis(3_000) };
        complaints(&records, span, Readiness::Away).join("; ")
    }

    #[test]
    fn a_fault_that_was_told_of_and_recovered_from_is_well() {
        assert_eq!(complained(|_, _| ()), "");
        let on = Instant::now();
        let span = Span { on, off: on + Duration::from_millis(3_000) };
        let figures = figures(&well(on), span);
        assert_eq!((figures.writes.done, figures.writes.unknown, figures.reads.done), (2, 1, 2));
        let ms = Duration::from_millis;
        assert_eq!((figures.noticed, figures.served), (Some(ms(2_000)), Some(ms(1_100))));
        assert_eq!((figures.slowest, figures.calm), (ms(2_000), ms(1_500)));
    }

    #[test]
    fn each_thing_that_must_not_be_is_complained_of() {
        let wrong = complained(|on, records| {
            records.push(record(on, Asked::OneRow(6), [0, 1], Answer::Wrong("500".to_owned())));
        });
        assert_eq!(wrong, "a write of one row was answered 500 (1 times)");
        let slow = complained(|on, records| {
            records.push(record(on, Asked::Rows, [0, 3_001], Answer::Deadline));
        });
        assert!(slow.contains("1 requests took longer than 3 s"), "{slow}");
        let unnoticed =
            complained(|_, records| records.retain(|it| it.answer != Answer::Unavailable));
        assert!(unnoticed.contains("/readyz noticed nothing"), "{unnoticed}");
        let gone = complained(|_, records| records.retain(|it| it.asked != Asked::CountedRows));
        assert_eq!(gone, "a counted read was never served again");
        let late = complained(|on, records| {
            records.push(record(on, Asked::Rows, [8_000, 8_001], Answer::Unavailable));
        });
        assert_eq!(late, "requests still failed 5.0 s later");
    }
}
