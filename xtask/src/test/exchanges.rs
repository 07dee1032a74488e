//! Whether every store answers alike: what the scenarios asked and were answered on SQLite
//! and on PostgreSQL, compared byte for byte.
//!
//! `tests/supabase-js/exchanges.mjs` writes a file of lines for each test file and says
//! there what it replaces because no two runs share it: ids, times, ETags, the numbers of
//! requests. All else, the order of rows and every header and message, must be equal.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Instant,
};

use anyhow::Context as _;
use serde::Deserialize;

use super::table::{Suite, Table};

/// The row's name in the closing table, which the count of exchanges follows.
pub(super) const SUITE: &str = "answers equal on SQLite and PostgreSQL";

/// Characters shown of a text before and after the place where two begin to differ.
const SHOWN_BEFORE: usize = 30;
const SHOWN_AFTER: usize = 80;

/// One request and its answer.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Exchange {
    request: Request,
    answer: Answer,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Request {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

/// Compares the two folders and notes the result: a file whose exchanges are all equal has
/// passed. Every difference is printed, and the first of each file named in the table.
pub(super) fn compare(table: &mut Table, sqlite: &Path, postgres: &Path) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut suite = Suite::default();
    let mut compared = 0;
    let (sqlite, postgres) = (read(sqlite)?, read(postgres)?);
    for name in sqlite.keys().chain(postgres.keys()).collect::<BTreeSet<_>>() {
        let [sqlite, postgres] =
            [&sqlite, &postgres].map(|side| side.get(name).map_or(&[][..], Vec::as_slice));
        let Comparison { asked_alike, differences } = compare_files(sqlite, postgres);
        compared += asked_alike;
        differences.iter().for_each(|difference| println!("{name}: {difference}"));
        let Some(first) = differences.first() else {
            suite.passed += 1;
            continue;
        };
        suite.failed += 1;
        let more = differences.len() - 1;
        let more = if more == 0 { String::new() } else { format!(" (and {more} more, above)") };
        table.failure(format!("{SUITE}: {name}: {first}{more}"));
    }
    if compared == 0 {
        suite.failed += 1;
        table.failure(format!("{SUITE}: nothing was written down to compare"));
    }
    suite.name = format!("{SUITE}, {compared} exchanges");
    suite.time = started.elapsed();
    table.ran(suite);
    Ok(())
}

/// The exchanges of each file in a folder, by the file's name without its ending.
fn read(folder: &Path) -> anyhow::Result<BTreeMap<String, Vec<Exchange>>> {
    let mut files = BTreeMap::new();
    // Scenarios that could not even start leave no folder; they have failed already.
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let lines = text.lines().map(serde_json::from_str);
        let exchanges = lines.collect::<Result<_, _>>();
        let exchanges = exchanges.with_context(|| format!("reading {}", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        files.insert(name, exchanges);
    }
    Ok(files)
}

/// Two files side by side.
#[derive(Debug)]
struct Comparison {
    /// How many requests, from the first on, are the same; so many answers were compared.
    asked_alike: usize,
    /// Every answer that differs, and where something else was asked, that.
    differences: Vec<String>,
}

/// Compares as far as the same was asked: what is asked after that may follow from an answer.
fn compare_files(sqlite: &[Exchange], postgres: &[Exchange]) -> Comparison {
    let alike = sqlite.iter().zip(postgres).take_while(|(one, other)| one.request == other.request);
    let mut differences: Vec<String> = alike
        .clone()
        .filter(|(one, other)| one.answer != other.answer)
        .map(|(one, other)| format!("{}: {}", one.request.text(), one.answer.part(&other.answer)))
        .collect();
    let asked_alike = alike.count();
    if asked_alike < sqlite.len().max(postgres.len()) {
        let next = |side: &[Exchange]| {
            side.get(asked_alike).map_or_else(|| "nothing".to_owned(), |it| it.request.text())
        };
        differences.push(format!(
            "request {}: asked is {} on SQLite, {} on PostgreSQL",
            asked_alike + 1,
            next(sqlite),
            next(postgres)
        ));
    }
    Comparison { asked_alike, differences }
}

impl Request {
    fn text(&self) -> String {
        let mut text = format!("{} {}", self.method, self.path);
        for (name, value) in &self.headers {
            text += &format!(" [{name}: {value}]");
        }
        self.body.as_ref().map_or_else(|| text.clone(), |body| format!("{text} {body}"))
    }
}

impl Answer {
    /// Where the two part, the one of SQLite and the other of PostgreSQL, in a person's order.
    fn part(&self, other: &Self) -> String {
        if self.status != other.status {
            let answers = [self, other].map(|it| format!("{} {}", it.status, it.body));
            return format!("{} on SQLite, {} on PostgreSQL", answers[0], answers[1]);
        }
        let names: BTreeSet<&String> = self.headers.keys().chain(other.headers.keys()).collect();
        for name in names {
            let (one, other) = (self.headers.get(name), other.headers.get(name));
            if one != other {
                let [one, other] = [one, other].map(|it| it.map_or("absent", String::as_str));
                return format!("the header {name} is {one} on SQLite, {other} on PostgreSQL");
            }
        }
        let [one, other] = part(&self.body, &other.body);
        format!("the body has {one} on SQLite, {other} on PostgreSQL")
    }
}

/// Of two texts, what stands around the place where they part.
fn part<'text>(one: &'text str, other: &'text str) -> [&'text str; 2] {
    let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let around = |text: &'text str| {
        let at = |chars| text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
        &text[at(same.saturating_sub(SHOWN_BEFORE))..at(same + SHOWN_AFTER)]
    };
    [around(one), around(other)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(path: &str, status: u16, range: Option<&str>, body: &str) -> Exchange {
        let headers = range.map(|range| ("content-range".to_owned(), range.to_owned()));
        Exchange {
            request: Request {
                method: "GET".into(),
                path: path.into(),
                headers: BTreeMap::from([("prefer".into(), "count=exact".into())]),
                body: None,
            },
            answer: Answer { status, headers: headers.into_iter().collect(), body: body.into() },
        }
    }

    #[track_caller]
    fn check(one: &[Exchange], other: &[Exchange], alike: usize, expected: &[&str]) {
        let comparison = compare_files(one, other);
        assert_eq!(comparison.asked_alike, alike);
        assert_eq!(comparison.differences, expected);
    }

    #[test]
    fn a_status_a_header_and_a_byte_that_differ_are_each_named_with_their_request() {
        let one = |path: &str| exchange(path, 200, Some("0-1/*"), "[1,2]");
        check(
            &[one("/a"), one("/b"), one("/c"), one("/d"), one("/e")],
            &[
                one("/a"),
                exchange("/b", 500, Some("0-1/*"), "{}"),
                exchange("/c", 200, Some("0-1/2"), "[1,2]"),
                exchange("/d", 200, None, "[1,2]"),
                exchange("/e", 200, Some("0-1/*"), "[1, 2]"),
            ],
            5,
            &[
                "GET /b [prefer: count=exact]: 200 [1,2] on SQLite, 500 {} on PostgreSQL",
                "GET /c [prefer: count=exact]: the header content-range is 0-1/* on SQLite, 0-1/2 on PostgreSQL",
                "GET /d [prefer: count=exact]: the header content-range is 0-1/* on SQLite, absent on PostgreSQL",
                "GET /e [prefer: count=exact]: the body has [1,2] on SQLite, [1, 2] on PostgreSQL",
            ],
        );
    }

    #[test]
    fn what_follows_from_another_request_is_not_compared() {
        let one = |path: &str| exchange(path, 200, None, "[]");
        check(
            &[one("/a"), one("/b"), one("/c")],
            &[one("/a"), one("/d"), exchange("/c", 404, None, "")],
            1,
            &[
                "request 2: asked is GET /b [prefer: count=exact] on SQLite, GET /d [prefer: count=exact] on PostgreSQL",
            ],
        );
        check(
            &[one("/a")],
            &[],
            0,
            &["request 1: asked is GET /a [prefer: count=exact] on SQLite, nothing on PostgreSQL"],
        );
    }

    #[test]
    fn long_bodies_are_shown_around_the_place_where_they_part() {
        let long = |end: &str| format!("{}é{}{end}", "a".repeat(100), "b".repeat(29));
        let (one, other) = (long(&"x".repeat(100)), long("y"));
        let parted = part(&one, &other);
        assert_eq!(parted[0], format!("é{}{}", "b".repeat(29), "x".repeat(80)));
        assert_eq!(parted[1], format!("é{}y", "b".repeat(29)));
    }
}
