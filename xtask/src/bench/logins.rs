//! `cargo xtask bench --logins`: what signing in costs those who do not.
//!
//! A password is hashed with millions of operations, on purpose, and rows are read with
//! next to none, on the same processors. So the same reads are measured alone and beside
//! sign-ins, in turn, and what 99 of 100 of them take at most may not be twice as much.
//! Beside it, what a request pays for knowing its caller again.

mod pace;

use std::{
    path::Path,
    process::{Command, ExitCode},
    thread,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use self::pace::{Figures, Pace};
use super::contender::write_app;
use crate::{
    http::Connection,
    process::{self, Server, free_address},
    scratch::Scratch,
};

/// How often reads are measured alone, and how often beside sign-ins; the medians count.
const ROUNDS: usize = 5;
const READS: Pace = Pace { per_second: 1_000, connections: 8 };
const SIGN_INS: Pace = Pace { per_second: 20, connections: 4 };
/// How much longer 99 of 100 reads may take at most.
const RATIO_MAX: f64 = 2.0;
/// What knowing a caller again may cost.
const CACHED_NS_MAX: u64 = 2_000;
const ACCOUNTS: usize = 40;
const ROWS: usize = 1_000;
const PASSWORD: &str = "a horse of its own";

const FILES: [(&str, &str); 2] = [
    ("mainstay.toml", "[app]\nname = \"logins\"\n\n[auth]\nconfirm_email = false\n"),
    (
        "models/entries.toml",
        "[fields]\ntitle = { type = \"text\", required = true }\n\n\
         [rules]\nread = \"auth.id != null\"\ncreate = \"auth.id != null\"\n",
    ),
];

/// Runs it, and fails where a figure is not met and that was asked for.
pub(super) fn run(seconds: u32, program: &Path, strict: Strict) -> anyhow::Result<ExitCode> {
    println!("{}, passwords hashed as an app's are\n", program.display());
    let (ratio, cached) = (beside(seconds, program)?, cached_token()?);
    let are_met = ratio <= RATIO_MAX && cached < CACHED_NS_MAX;
    let failed = strict == Strict::Yes && !are_met;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Whether a figure that is not met fails the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strict {
    Yes,
    No,
}

/// How many times as long reads take beside sign-ins.
fn beside(seconds: u32, program: &Path) -> anyhow::Result<f64> {
    let scratch = Scratch::new("logins")?;
    let stage = Stage::start(program, &scratch)?;
    let time = Duration::from_secs(seconds.into());
    stage.reads(Duration::from_secs(1))?;
    let (mut alone, mut beside, mut sign_ins) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(stage.reads(time)?);
        let (read, signed_in) = thread::scope(|scope| {
            let signing_in = scope.spawn(|| stage.sign_ins(time));
            (stage.reads(time), signing_in.join().expect("BUG: a load panicked"))
        });
        beside.push(read?);
        sign_ins.push(signed_in?);
    }
    stage.server.stop();
    let [alone, beside, sign_ins] =
        [alone, beside, sign_ins].map(|rounds| Figures::median(&rounds));
    println!("{:<28}{:>12}{:>12}{:>12}", "", "per second", "p50", "p99");
    for (name, it) in
        [("reads alone", alone), ("reads beside sign-ins", beside), ("sign-ins", sign_ins)]
    {
        let [p50, p99] = [it.p50_us, it.p99_us].map(|us| format!("{us:.0} µs"));
        println!("{name:<28}{:>12.0}{p50:>12}{p99:>12}", it.per_second);
    }
    let ratio = beside.p99_us / alone.p99_us;
    println!("p99 beside sign-ins: {ratio:.2} times, {}", verdict(ratio <= RATIO_MAX, "2 at most"));
    Ok(ratio)
}

fn verdict(is_met: bool, wanted: &str) -> String {
    format!("{wanted}: {}", if is_met { "met" } else { "MISSED" })
}

/// Nanoseconds that a token costs which was seen before, of a session that stands.
fn cached_token() -> anyhow::Result<u64> {
    let mut cargo = process::cargo();
    cargo.args(["run", "--quiet", "--release", "-p", "mainstay-auth", "--example", "cached_token"]);
    let printed = process::output(&mut cargo)?;
    let last = printed.lines().find_map(|line| line.strip_prefix("nanoseconds "));
    let cached: u64 = last.context("the example says nothing")?.parse()?;
    println!("a cached token: {cached} ns, {}", verdict(cached < CACHED_NS_MAX, "less than 2000"));
    Ok(cached)
}

/// A server with rows and accounts, and a user's token.
struct Stage {
    server: Server,
    bearer: String,
}

impl Stage {
    fn start(program: &Path, scratch: &Scratch) -> anyhow::Result<Self> {
        let (app, address) = (scratch.join("app"), free_address()?);
        write_app(&app, &FILES)?;
        let mut command = Command::new(program);
        command.arg("serve").arg(&app).args(["--listen", &address]);
        command.env("MAINSTAY_AUTH__REQUESTS_MAX", "1000000");
        command.env("MAINSTAY_AUTH__TOKENS_MAX", "1000000");
        command.env_remove("MAINSTAY_DATABASE__URL");
        let server = Server::start(command, address, "/healthz", &scratch.join("server.log"))?;
        let mut connection = Connection::open(&server.address)?;
        let mut token = String::new();
        for at in 0..ACCOUNTS {
            let path = "/auth/v1/signup";
            let response = connection.send("POST", path, &[], &credentials(at))?;
            ensure!(response.status == 200, "making an account: {}", response.body);
            let body: Value = serde_json::from_str(&response.body)?;
            token = body["access_token"].as_str().context("no token")?.to_owned();
        }
        let stage = Self { server, bearer: format!("Bearer {token}") };
        let rows: Vec<Value> =
            (0..ROWS).map(|at| json!({ "id": id(at), "title": "An entry" })).collect();
        let headers = [("Authorization", stage.bearer.as_str()), ("Prefer", "return=minimal")];
        let body = Value::from(rows).to_string();
        let response = connection.send("POST", "/rest/v1/entries", &headers, &body)?;
        ensure!(response.status == 201, "writing rows: {}", response.body);
        Ok(stage)
    }

    fn reads(&self, time: Duration) -> anyhow::Result<Figures> {
        let headers = [("Authorization", self.bearer.as_str())];
        READS.run(&self.server.address, time, |connection, at| {
            let path = format!("/rest/v1/entries?id=eq.{}", id(at * 7 % ROWS));
            connection.send("GET", &path, &headers, "")
        })
    }

    fn sign_ins(&self, time: Duration) -> anyhow::Result<Figures> {
        SIGN_INS.run(&self.server.address, time, |connection, at| {
            let path = "/auth/v1/token?grant_type=password";
            connection.send("POST", path, &[], &credentials(at % ACCOUNTS))
        })
    }
}

fn credentials(at: usize) -> String {
    json!({ "email": format!("visitor-{at}@example.com"), "password": PASSWORD }).to_string()
}

fn id(at: usize) -> String {
    format!("01900000-0000-7000-8000-{at:012x}")
}
