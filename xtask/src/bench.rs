//! `cargo xtask bench`: Mainstay, a hand-written server as the limit, and PocketBase
//! as the peer, in one run on one machine over the same rows, under `wrk`.
//!
//! Every case is run three times, the contenders in turn within each round, so that
//! a slow minute of the machine's falls on all of them. The medians are compared. A
//! limit that is not several times the peer was written badly, and fails the bench:
//! being close to it would then say nothing.
//!
//! What identity costs, and what it tells, is measured apart: `--logins`, `--timing`.

mod case;
pub(crate) mod contender;
mod dataset;
mod logins;
mod report;
mod timing;
mod wrk;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use self::{
    case::{Case, Durability, Engine},
    contender::{Contender, Limit, Mainstay, Name, PocketBase},
    dataset::Dataset,
    report::Report,
    wrk::Sample,
};
use crate::{
    args::{Args, Flag, Takes},
    http::Connection,
    process::{self, Server, target_dir},
    scratch::Scratch,
    services::Postgres,
};

/// How often each case is run; the median counts.
const ROUNDS: usize = 3;

const FLAGS: &[Flag] = &[
    ("--quick", Takes::Nothing, "one second per run, and fewer cases with durability full"),
    ("--rows", Takes::Value, "posts to seed: 10000, or 1000000"),
    ("--seconds", Takes::Value, "seconds per run: 3"),
    ("--only", Takes::Value, "contenders, with commas: limit,mainstay,pocketbase"),
    ("--postgres", Takes::Nothing, "over a private PostgreSQL server, beside a limit of its own"),
    ("--connections", Takes::Value, "connections of each run: 64"),
    ("--timing", Takes::Nothing, "only: whether answers tell by their time whose an address is"),
    ("--logins", Takes::Nothing, "only: reads beside sign-ins, and what a cached token costs"),
    ("--requests", Takes::Value, "requests of each kind with --timing: 200"),
    ("--no-build", Takes::Nothing, "measure the binaries that are there"),
    ("--strict", Takes::Nothing, "fail where a required figure is not met"),
];

/// What one run of the bench does.
#[derive(Debug)]
struct Options {
    engine: Engine,
    connections: u32,
    quick: bool,
    dataset: Dataset,
    seconds: u32,
    only: Option<Vec<String>>,
}

impl Options {
    fn takes(&self, name: Name) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&name.to_string()))
    }

    fn cases(&self, durability: Durability) -> &'static [Case] {
        match durability {
            Durability::Full if self.engine == Engine::Postgres => {
                &[Case::Read, Case::List, Case::Embed, Case::Create, Case::Update]
            }
            Durability::Process => {
                &[Case::Read, Case::List, Case::Embed, Case::Create, Case::Update, Case::ReadBeside]
            }
            Durability::Full if self.quick => &[Case::Create],
            Durability::Full => &[Case::Create, Case::Update, Case::ReadBeside],
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let Some(args) = Args::parse(args, FLAGS)? else { return Ok(ExitCode::SUCCESS) };
    if args.has("--timing") || args.has("--logins") {
        return run_identity(&args);
    }
    let quick = args.has("--quick");
    let engine = if args.has("--postgres") { Engine::Postgres } else { Engine::Sqlite };
    let options = Options {
        engine,
        connections: args.value("--connections")?.unwrap_or(wrk::CONNECTIONS),
        quick,
        dataset: Dataset::new(args.value("--rows")?.unwrap_or(10_000)),
        seconds: args.value("--seconds")?.unwrap_or(if quick { 1 } else { 3 }),
        only: args.text("--only").map(|names| names.split(',').map(str::to_owned).collect()),
    };
    ensure!(options.dataset.posts >= 100, "--rows wants at least 100");
    if process::find("wrk").is_none() {
        bail!("the load generator `wrk` is missing: install it, for example `apt-get install wrk`");
    }
    if !args.has("--no-build") {
        build(&options)?;
    }
    let started = Instant::now();
    let scratch = Scratch::new("bench")?;
    let server = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(Postgres::start_new(&[])?),
    };
    let mut contenders = contenders(&options, &scratch, server.as_ref())?;
    for contender in &mut contenders {
        let since = Instant::now();
        contender.seed(options.dataset)?;
        println!("seeded {:<10} in {:.1} s", contender.name(), since.elapsed().as_secs_f64());
    }
    let mut report = Report::new(engine, options.connections, options.dataset);
    let durabilities: &[_] = match engine {
        Engine::Sqlite => &[Durability::Process, Durability::Full],
        Engine::Postgres => &[Durability::Full],
    };
    for &durability in durabilities {
        measure(&options, &scratch, &contenders, durability, &mut report)?;
    }
    let verdict = report.print();
    println!("\n{:.0} s in all", started.elapsed().as_secs_f64());
    let failed = verdict.limit_too_slow || (args.has("--strict") && verdict.missed > 0);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Runs what is measured of identity.
fn run_identity(args: &Args) -> anyhow::Result<ExitCode> {
    if !args.has("--no-build") {
        build_package("mainstay")?;
    }
    let program = built()?;
    if args.has("--timing") {
        return timing::run(args.value("--requests")?.unwrap_or(timing::REQUESTS), &program);
    }
    let strict = if args.has("--strict") { logins::Strict::Yes } else { logins::Strict::No };
    logins::run(args.value("--seconds")?.unwrap_or(5), &program, strict)
}

/// The release binary, or else the debug binary.
fn built() -> anyhow::Result<PathBuf> {
    let built = ["release", "debug"].map(|profile| target_dir().join(profile).join("mainstay"));
    let found = built.into_iter().find(|path| path.is_file());
    found.context("there is no binary: leave out --no-build")
}

fn build(options: &Options) -> anyhow::Result<()> {
    for (package, wanted) in [("bench-limit", true), ("mainstay", options.takes(Name::Mainstay))] {
        if wanted {
            build_package(package)?;
        }
    }
    Ok(())
}

fn build_package(package: &str) -> anyhow::Result<()> {
    println!("building {package}, optimised");
    let status =
        process::cargo().args(["build", "--quiet", "--release", "-p", package]).status()?;
    ensure!(status.success(), "building {package} failed");
    Ok(())
}

fn contenders(
    options: &Options,
    scratch: &Scratch,
    server: Option<&Postgres>,
) -> anyhow::Result<Vec<Box<dyn Contender>>> {
    let mut contenders: Vec<Box<dyn Contender>> = Vec::new();
    if let Some(server) = server {
        // Mainstay makes the tables and fills them; the limit finds them there.
        let (mainstay, limit) = (scratch.join("mainstay"), scratch.join("limit"));
        contenders.push(Box::new(Mainstay::on_postgres(mainstay, server.url())));
        contenders.push(Box::new(Limit::on_postgres(limit, server.url())));
        return Ok(contenders);
    }
    if options.takes(Name::Limit) {
        contenders.push(Box::new(Limit::new(scratch.join("limit"))));
    }
    if options.takes(Name::Mainstay) {
        contenders.push(Box::new(Mainstay::new(scratch.join("mainstay"))));
    }
    if options.takes(Name::PocketBase) {
        contenders.push(Box::new(PocketBase::new(scratch.join("pocketbase"))?));
    }
    ensure!(!contenders.is_empty(), "--only names none of limit, mainstay, pocketbase");
    Ok(contenders)
}

/// Runs every case of one durability, three rounds, the contenders in turn.
fn measure(
    options: &Options,
    scratch: &Scratch,
    contenders: &[Box<dyn Contender>],
    durability: Durability,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut running: Vec<(&dyn Contender, Server)> = Vec::new();
    for contender in contenders {
        let mut ready = Vec::new();
        for _ in 0..ROUNDS {
            if let Some(server) = contender.start(durability)? {
                ready.push(server.ready);
                server.stop();
            }
        }
        if let Some(server) = contender.start(durability)? {
            report.ready(contender.name(), durability, median(&mut ready));
            running.push((contender.as_ref(), server));
        }
    }
    for &case in options.cases(durability) {
        for (contender, server) in &running {
            probe(*contender, server, case, options.dataset)?;
        }
        let mut samples: BTreeMap<(Name, Case), Vec<Sample>> = BTreeMap::new();
        for _ in 0..ROUNDS {
            for (contender, server) in &running {
                for (case, sample) in round(options, scratch, *contender, server, case)? {
                    samples.entry((contender.name(), case)).or_default().push(sample);
                }
            }
        }
        for ((name, case), samples) in samples {
            report.measured(name, durability, case, &samples);
        }
        println!("measured {} ({})", case.title(), durability.name());
    }
    if durability == options.engine.durability() {
        for (contender, server) in &running {
            report.memory(contender.name(), server.anonymous_bytes()?);
        }
    }
    for (_, server) in running {
        server.stop();
    }
    Ok(())
}

fn round(
    options: &Options,
    scratch: &Scratch,
    contender: &dyn Contender,
    server: &Server,
    case: Case,
) -> anyhow::Result<Vec<(Case, Sample)>> {
    let start = |case: Case| {
        let script = scratch.join(format!("{}-{case:?}.lua", contender.name()));
        contender.load(case, options.dataset).start(
            &server.address,
            &script,
            options.seconds,
            options.connections,
        )
    };
    if case != Case::ReadBeside {
        let sample = start(case)?.finish().with_context(|| contender.name().to_string())?;
        return Ok(vec![(case, sample)]);
    }
    let (readers, writers) = (start(Case::ReadBeside)?, start(Case::CreateBeside)?);
    Ok(vec![(Case::ReadBeside, readers.finish()?), (Case::CreateBeside, writers.finish()?)])
}

/// Asks once, before the clock runs, and looks at the answer: a fast wrong answer
/// is not a figure.
fn probe(
    contender: &dyn Contender,
    server: &Server,
    case: Case,
    dataset: Dataset,
) -> anyhow::Result<()> {
    let load = contender.load(case, dataset);
    let path = load.path.replace("%012x", "000000000000").replace("%014d", "00000000000000");
    let headers: Vec<(&str, &str)> =
        load.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = load.body.as_deref().unwrap_or_default();
    let response = Connection::open(&server.address)?.send(load.method, &path, &headers, body)?;
    let titles = response.body.matches("\"title\":").count();
    let comments = response.body.matches("well said").count();
    let expected = match case {
        Case::Read | Case::ReadBeside => response.status == 200 && titles == 1,
        Case::List => response.status == 200 && titles == 30,
        Case::Embed => response.status == 200 && titles == 30 && comments == 60,
        Case::Create | Case::CreateBeside | Case::Update => (200..300).contains(&response.status),
    };
    ensure!(
        expected,
        "{} answers {} {path} with {}: {}",
        contender.name(),
        load.method,
        response.status,
        response.body
    );
    Ok(())
}

fn median(durations: &mut [Duration]) -> Duration {
    durations.sort();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}
