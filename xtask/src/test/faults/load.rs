//! What asks Mainstay while a fault is on and around it, and what it was answered:
//! writers of numbered rows, readers of rows that never change, and whoever probes
//! `/readyz`.

use std::{
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;

use crate::http::{Connection, Response};

/// Writers at once: every other one writes two rows, which takes a transaction of several
/// statements; one row is a single statement.
const WRITERS: usize = 8;
/// Readers at once: every other one has its rows counted, which takes a snapshot.
const READERS: usize = 4;
/// Rows that readers read, numbered below zero. Their notes make an answer longer than
/// what a socket takes at once.
const FIXED_ROWS: i64 = 40;
const NOTE_BYTES: usize = 200;
/// A row with this many flags, each given or not, is a statement that the server has not
/// seen yet, and must prepare, 2 to that power times; one in so many is.
pub(super) const FLAGS: u32 = 12;
const ROWS_TO_A_NEW_STATEMENT: i64 = 8;
/// Between an answer and the next request of the same caller.
const PAUSE: Duration = Duration::from_millis(10);
/// Between two probes of `/readyz`.
const PROBE_EVERY: Duration = Duration::from_millis(50);
/// Past this a request is given up; what is wrong with it is known long before.
const ANSWER_MAX: Duration = Duration::from_secs(8);

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To keep the row with this number.
    OneRow(i64),
    /// To keep the rows with this number and the next, both or neither.
    TwoRows(i64),
    /// The rows that never change.
    Rows,
    /// The same, and how many there are.
    CountedRows,
    /// Whether the store is there.
    Ready,
}

impl Asked {
    /// The numbers to be kept.
    pub(super) fn numbers(self) -> std::ops::Range<i64> {
        match self {
            Self::OneRow(number) => number..number + 1,
            Self::TwoRows(number) => number..number + 2,
            _ => 0..0,
        }
    }

    /// Whether both are of a kind, whatever their numbers.
    pub(super) fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }

    fn is_write(self) -> bool {
        !self.numbers().is_empty()
    }
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is done.
    Done,
    /// 503, with a time to ask again: nothing was written.
    Unavailable,
    /// 504: it took too long, and nothing was written.
    Deadline,
    /// 504: the write may have been kept.
    Unknown,
    /// What must not be, in words.
    Wrong(String),
}

/// A request and its answer.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) asked: Asked,
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) answer: Answer,
}

/// A load that runs until it is told to end.
#[derive(Debug)]
pub(super) struct Load<'a> {
    address: &'a str,
    /// The next number that no row has had.
    next: &'a AtomicI64,
    is_over: AtomicBool,
    records: Mutex<Vec<Record>>,
}

impl<'a> Load<'a> {
    /// A load on the server at this address.
    pub(super) fn new(address: &'a str, next: &'a AtomicI64) -> Self {
        Self { address, next, is_over: AtomicBool::new(false), records: Mutex::default() }
    }

    /// Runs it for as long as `conduct` takes. Gives every request of it.
    pub(super) fn around<T>(self, conduct: impl FnOnce(&Self) -> T) -> (T, Vec<Record>) {
        let conducted = thread::scope(|scope| {
            for at in 0..WRITERS {
                let load = &self;
                scope.spawn(move || load.ask_on(PAUSE, || load.write_of(at)));
            }
            for at in 0..READERS {
                let asked = if at % 2 == 0 { Asked::Rows } else { Asked::CountedRows };
                let load = &self;
                scope.spawn(move || load.ask_on(PAUSE, || asked));
            }
            scope.spawn(|| self.ask_on(PROBE_EVERY, || Asked::Ready));
            let conducted = conduct(&self);
            self.is_over.store(true, Ordering::Release);
            conducted
        });
        (conducted, self.records.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at what was answered so far.
    pub(super) fn look<T>(&self, look: impl FnOnce(&[Record]) -> T) -> T {
        look(&self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write_of(&self, writer: usize) -> Asked {
        match writer % 2 {
            0 => Asked::OneRow(self.next.fetch_add(1, Ordering::Relaxed)),
            _ => Asked::TwoRows(self.next.fetch_add(2, Ordering::Relaxed)),
        }
    }

    fn ask_on(&self, pause: Duration, next: impl Fn() -> Asked) {
        let mut connection = None;
        while !self.is_over.load(Ordering::Acquire) {
            let asked = next();
            let began = Instant::now();
            let said = send(&mut connection, self.address, asked);
            let answer = answer(asked, said);
            let record = Record { asked, began, ended: Instant::now(), answer };
            self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
            thread::sleep(pause);
        }
    }
}

/// Writes the rows that readers read.
pub(super) fn write_fixed_rows(address: &str) -> anyhow::Result<()> {
    let rows = body(-FIXED_ROWS..0);
    let said = Connection::open(address)?.send("POST", "/rest/v1/entries", &[], &rows)?;
    anyhow::ensure!(said.status == 201, "the first rows: {} {}", said.status, said.body);
    Ok(())
}

/// The numbers of the rows that are there before any load.
pub(super) fn fixed_numbers() -> std::ops::Range<i64> {
    -FIXED_ROWS..0
}

fn body(numbers: std::ops::Range<i64>) -> String {
    let note = "n".repeat(NOTE_BYTES);
    let row = |number| format!(r#"{{"n":{number},"note":"{note}""#);
    if numbers.end - numbers.start == 1 {
        return row(numbers.start) + &flags(numbers.start) + "}";
    }
    let rows: Vec<String> = numbers.map(|number| row(number) + "}").collect();
    format!("[{}]", rows.join(","))
}

/// Some flags that were not given together before.
fn flags(number: i64) -> String {
    let which = number / ROWS_TO_A_NEW_STATEMENT;
    let is_given = |at: &u32| number % ROWS_TO_A_NEW_STATEMENT == 0 && which >> at & 1 == 1;
    (0..FLAGS).filter(is_given).map(|at| format!(r#","flag{at}":true"#)).collect()
}

fn send(connection: &mut Option<Connection>, address: &str, asked: Asked) -> io::Result<Response> {
    const ROWS: &str = "/rest/v1/entries?select=n,note&n=lt.0&order=n";
    let mut open = match connection.take() {
        Some(open) => open,
        None => Connection::open(address)?.patient(ANSWER_MAX)?,
    };
    let said = match asked {
        Asked::OneRow(_) | Asked::TwoRows(_) => {
            let headers = [("Prefer", "return=minimal")];
            open.send("POST", "/rest/v1/entries", &headers, &body(asked.numbers()))
        }
        Asked::Rows => open.get(ROWS),
        Asked::CountedRows => open.send("GET", ROWS, &[("Prefer", "count=exact")], ""),
        Asked::Ready => open.get("/readyz"),
    }?;
    *connection = Some(open);
    Ok(said)
}

#[derive(Deserialize)]
struct Said {
    code: String,
    message: String,
}

fn answer(asked: Asked, said: io::Result<Response>) -> Answer {
    let said = match said {
        Ok(said) => said,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            return Answer::Wrong(format!("with nothing in {} s", ANSWER_MAX.as_secs()));
        }
        Err(error) => return Answer::Wrong(format!("with nothing: {error}")),
    };
    let is_again = said.retry_after.is_some();
    let code = serde_json::from_str::<Said>(&said.body).ok();
    match (asked, said.status, code.as_ref().map_or("", |it| it.code.as_str())) {
        (Asked::OneRow(_) | Asked::TwoRows(_), 201, _) | (Asked::Ready, 200, _) => Answer::Done,
        (Asked::Rows | Asked::CountedRows, 200, _) if is_fixed_rows(&said.body) => Answer::Done,
        (Asked::Rows | Asked::CountedRows, 200, _) => {
            Answer::Wrong("200 with other rows than there are".to_owned())
        }
        (Asked::Ready, 503, _) => Answer::Unavailable,
        (_, 503, "unavailable") if is_again => Answer::Unavailable,
        (_, 504, "57014") => Answer::Deadline,
        (_, 504, "outcome_unknown") if asked.is_write() && !is_again => Answer::Unknown,
        (_, status, code_or_none) => {
            let message = code.as_ref().map_or(said.body.as_str(), |it| it.message.as_str());
            let again = if is_again { " with Retry-After" } else { "" };
            Answer::Wrong(format!("{status} {code_or_none}{again}: {message}"))
        }
    }
}

#[derive(Deserialize)]
struct Row {
    n: i64,
    note: String,
}

fn is_fixed_rows(body: &str) -> bool {
    serde_json::from_str::<Vec<Row>>(body).is_ok_and(|rows| {
        rows.iter().map(|row| row.n).eq(fixed_numbers())
            && rows.iter().all(|row| row.note.len() == NOTE_BYTES)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(asked: Asked, status: u16, body: &str, retry_after: Option<&str>) -> Answer {
        let retry_after = retry_after.map(ToOwned::to_owned);
        answer(asked, Ok(Response { status, retry_after, body: body.to_owned() }))
    }

    fn of_code(code: &str) -> String {
        format!(r#"{{"code":"{code}","message":"m","details":null,"hint":null}}"#)
    }

    #[test]
    fn answers_are_told_apart_and_what_must_not_be_is_wrong() {
        let write = Asked::OneRow(7);
        let (away, late) = (of_code("unavailable"), of_code("57014"));
        let unknown = of_code("outcome_unknown");
        assert_eq!(said(write, 201, "", None), Answer::Done);
        assert_eq!(said(write, 503, &away, Some("1")), Answer::Unavailable);
        assert_eq!(said(write, 504, &late, None), Answer::Deadline);
        assert_eq!(said(write, 504, &unknown, None), Answer::Unknown);
        assert_eq!(said(Asked::Ready, 503, "{}", None), Answer::Unavailable);
        let is_wrong = |answer| matches!(answer, Answer::Wrong(_));
        assert!(is_wrong(said(write, 503, &away, None)));
        assert!(is_wrong(said(write, 504, &unknown, Some("1"))));
        assert!(is_wrong(said(Asked::Rows, 504, &unknown, None)));
        assert!(is_wrong(said(write, 500, &of_code("internal"), None)));
        assert!(is_wrong(answer(write, Err(io::ErrorKind::UnexpectedEof.into()))));
    }

    #[test]
    fn rows_that_are_missing_doubled_or_cut_are_wrong() {
        let whole = body(fixed_numbers());
        assert_eq!(said(Asked::Rows, 200, &whole, None), Answer::Done);
        let wrong = Answer::Wrong("200 with other rows than there are".to_owned());
        for rows in [body(-FIXED_ROWS..-1), whole.replace("-39,", "-40,"), whole.replace("nn", "n")]
        {
            assert_eq!(said(Asked::CountedRows, 200, &rows, None), wrong);
        }
    }
}
