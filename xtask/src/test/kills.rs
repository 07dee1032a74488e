//! What is acknowledged is kept: sixteen writers, a server that is killed again and
//! again with SIGKILL, and a look at the database with plain `sqlite3` after each.
//!
//! A write whose answer never came is sent again, with the id it had, once the server
//! is back: it must be stored now or be there already. So at the end every row sent
//! is acknowledged, and each is in the database once. What is acknowledged of accounts,
//! sessions and mails is another matter ([`identity`]).

mod identity;

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    hash::{BuildHasher as _, RandomState},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use self::identity::On;
use super::table::{Suite, Table};
use crate::{
    bench::contender::write_app,
    http::Connection,
    process::{Server, debug_binary, free_address, output},
    scratch::Scratch,
    services::{Postgres, ensure_smtp, postgres_program},
    tools::{Missing, ensure as ensure_tool, ensure_found},
};

/// Writers at once.
const WRITERS: u64 = 16;
/// Acknowledged writes there must be in the end.
const ACKNOWLEDGED_MIN: usize = 200;
/// How long a server lives before it is killed, at most.
const LIFE_MAX_MS: u64 = 250;

const FILES: [(&str, &str); 2] = [
    ("mainstay.toml", "[app]\nname = \"kills\"\n\n[auth]\nconfirm_email = false\n"),
    (
        "models/entries.toml",
        "[fields]\nmark = { type = \"text\", required = true }\n\n[rules]\ncreate = \"true\"\n",
    ),
];

/// Runs the kills and notes the results.
pub(super) fn run(table: &mut Table, missing: Missing, rounds: u32) -> anyhow::Result<()> {
    let name = format!("kills, {rounds} rounds");
    let of_identity = format!("kills of identity, {rounds} rounds");
    if let Err(why) = ensure_tool("sqlite3", "sqlite3", missing) {
        table.skipped_suite(format!("{name}: {why}"));
        table.skipped_suite(format!("{of_identity}: {why}"));
        return Ok(());
    }
    note(table, name, || kill(rounds));
    if let Err(why) = ensure_smtp(missing) {
        table.skipped_suite(format!("{of_identity}: {why}"));
        return Ok(());
    }
    note(table, format!("{of_identity}, on SQLite"), || identity::kill(&On::Sqlite, rounds));
    let name = format!("{of_identity}, on PostgreSQL");
    if let Err(why) = ensure_found(postgres_program, "initdb", "postgresql", missing) {
        table.skipped_suite(format!("{name}: {why}"));
        return Ok(());
    }
    note(table, name, || identity::kill(&On::Postgres(&Postgres::start_new(&[])?), rounds));
    Ok(())
}

/// Runs one of them, and notes what came of it.
fn note(table: &mut Table, name: String, kill: impl FnOnce() -> anyhow::Result<String>) {
    let started = Instant::now();
    let outcome = kill();
    let mut suite = Suite { name: name.clone(), time: started.elapsed(), ..Suite::default() };
    match outcome {
        Ok(held) => {
            println!("{name}: {held}");
            suite.passed = 1;
        }
        Err(error) => {
            table.failure(format!("{name}: {error:#}"));
            suite.failed = 1;
        }
    }
    table.ran(suite);
}

fn kill(rounds: u32) -> anyhow::Result<String> {
    let binary = debug_binary()?;
    let scratch = Scratch::new("kills")?;
    let app = scratch.join("app");
    write_app(&app, &FILES)?;
    let mut writers: Vec<Writer> = (0..WRITERS).map(Writer::new).collect();
    let mut round = 0;
    // A slow machine acknowledges little in a short life; then there are more of them.
    while round < rounds || (acknowledged(&writers) < ACKNOWLEDGED_MIN && round < rounds * 4) {
        let server = start(&binary, &app, &scratch)?;
        let address = server.address.clone();
        let life = Duration::from_millis(RandomState::new().hash_one(round) % LIFE_MAX_MS);
        let outcome: anyhow::Result<()> = thread::scope(|scope| {
            let running: Vec<_> =
                writers.iter_mut().map(|writer| scope.spawn(|| writer.write(&address))).collect();
            thread::sleep(life);
            server.kill()?;
            for writer in running {
                writer.join().map_err(|_| anyhow::anyhow!("a writer panicked"))??;
            }
            Ok(())
        });
        outcome?;
        round += 1;
        verify(&scratch, &app, &writers).with_context(|| format!("after kill {round}"))?;
    }
    let server = start(&binary, &app, &scratch)?;
    for writer in &mut writers {
        writer.settle(&mut Connection::open(&server.address)?)?;
    }
    server.stop();
    verify(&scratch, &app, &writers).context("in the end")?;
    let acknowledged = acknowledged(&writers);
    ensure!(
        acknowledged >= ACKNOWLEDGED_MIN,
        "only {acknowledged} writes were acknowledged, {ACKNOWLEDGED_MIN} are wanted"
    );
    Ok(format!(
        "{round} kills: {acknowledged} acknowledged writes, none missing, none doubled, integrity ok"
    ))
}

fn acknowledged(writers: &[Writer]) -> usize {
    writers.iter().map(|writer| writer.acknowledged.len()).sum()
}

fn start(binary: &Path, app: &Path, scratch: &Scratch) -> anyhow::Result<Server> {
    let address = free_address()?;
    let mut command = Command::new(binary);
    command.arg("serve").arg(app).args(["--listen", &address]);
    Server::start(command, address, "/healthz", &scratch.join("server.log"))
}

/// One of the sixteen: what was acknowledged to it, and the write in flight.
#[derive(Debug)]
struct Writer {
    number: u64,
    sent: u64,
    acknowledged: Vec<String>,
    in_flight: Option<String>,
}

impl Writer {
    fn new(number: u64) -> Self {
        Self { number, sent: 0, acknowledged: Vec::new(), in_flight: None }
    }

    /// Writes until the server is gone. An error is an answer that must not be.
    fn write(&mut self, address: &str) -> anyhow::Result<()> {
        let Ok(mut connection) = Connection::open(address) else { return Ok(()) };
        loop {
            if self.in_flight.is_some() && !self.settle(&mut connection)? {
                return Ok(());
            }
            self.sent += 1;
            let id = format!("01900000-0000-7000-8{:03x}-{:012x}", self.number, self.sent);
            self.in_flight = Some(id.clone());
            match insert(&mut connection, &id) {
                Ok(201) => self.acknowledge(),
                Ok(503 | 504) => {}
                Ok(status) => bail!("a new row was answered with {status}"),
                Err(_) => return Ok(()),
            }
        }
    }

    /// Sends the write in flight again. Whether the server answered.
    fn settle(&mut self, connection: &mut Connection) -> anyhow::Result<bool> {
        let Some(id) = &self.in_flight else { return Ok(true) };
        match insert(connection, id) {
            Ok(201 | 409) => self.acknowledge(),
            Ok(503 | 504) => {}
            Ok(status) => bail!("a row sent again was answered with {status}"),
            Err(_) => return Ok(false),
        }
        Ok(true)
    }

    fn acknowledge(&mut self) {
        self.acknowledged.extend(self.in_flight.take());
    }
}

fn insert(connection: &mut Connection, id: &str) -> std::io::Result<u16> {
    let body = format!(r#"{{"id":"{id}","mark":"{id}"}}"#);
    let headers = [("Prefer", "return=minimal")];
    Ok(connection.send("POST", "/rest/v1/entries", &headers, &body)?.status)
}

/// Looks at a copy of the database, as the kill left it, with plain `sqlite3`.
fn verify(scratch: &Scratch, app: &Path, writers: &[Writer]) -> anyhow::Result<()> {
    let copy = copied(&app.join(".mainstay"), &scratch.join("copy"))?;
    let ask = |sql: &str| output(Command::new("sqlite3").arg(&copy).arg(sql));
    let integrity = ask("PRAGMA integrity_check")?;
    ensure!(integrity.trim() == "ok", "integrity_check says: {integrity}");
    let stored = ask("SELECT mark FROM entries")?;
    compare(stored.lines(), writers)
}

fn compare<'row>(
    stored: impl Iterator<Item = &'row str>,
    writers: &[Writer],
) -> anyhow::Result<()> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    for mark in stored {
        *times.entry(mark).or_default() += 1;
    }
    let doubled = times.values().filter(|times| **times > 1).count();
    let sent: BTreeSet<&str> = writers
        .iter()
        .flat_map(|writer| writer.acknowledged.iter().chain(&writer.in_flight))
        .map(String::as_str)
        .collect();
    let missing = writers
        .iter()
        .flat_map(|writer| &writer.acknowledged)
        .filter(|id| !times.contains_key(id.as_str()))
        .count();
    let unknown = times.keys().filter(|mark| !sent.contains(*mark)).count();
    ensure!(
        missing + doubled + unknown == 0,
        "{missing} acknowledged rows are missing, {doubled} are there twice, {unknown} were never sent"
    );
    Ok(())
}

/// A copy of the SQLite database in the directory, with its log, as they are.
fn copied(directory: &Path, copy: &Path) -> anyhow::Result<PathBuf> {
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    fs::create_dir_all(copy)?;
    let db = database(directory)?;
    let name = db.file_name().context("the database has no name")?.to_string_lossy().into_owned();
    for suffix in ["", "-wal", "-shm"] {
        let from = db.with_file_name(format!("{name}{suffix}"));
        if from.exists() {
            fs::copy(&from, copy.join(format!("{name}{suffix}")))?;
        }
    }
    Ok(copy.join(name))
}

/// The one SQLite database in the directory.
fn database(directory: &Path) -> anyhow::Result<PathBuf> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_file() && fs::read(&path)?.starts_with(b"SQLite format 3\0") {
            return Ok(path);
        }
    }
    bail!("there is no SQLite database in {}", directory.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> Writer {
        let acknowledged = vec!["a".to_owned(), "b".to_owned()];
        Writer { number: 0, sent: 3, acknowledged, in_flight: Some("c".to_owned()) }
    }

    #[test]
    fn a_missing_a_doubled_and_an_unknown_row_are_each_seen() {
        let compare = |stored: &[&str]| compare(stored.iter().copied(), &[writer()]);
        assert!(compare(&["a", "b"]).is_ok());
        assert!(compare(&["a", "b", "c"]).is_ok());
        assert!(compare(&["a"]).unwrap_err().to_string().starts_with("1 acknowledged"));
        assert!(compare(&["a", "b", "b"]).unwrap_err().to_string().contains("1 are there twice"));
        assert!(compare(&["a", "b", "d"]).unwrap_err().to_string().contains("1 were never sent"));
    }
}
