//! `cargo xtask services`: private, throw-away servers for tests and benches.
//!
//! Each runs in a folder of its own on a port of its own and is gone with this
//! program, however that ends. Tests find them by the variables in their environment
//! and make databases of their own there; nothing that ran before is used or touched.

mod account;
mod pgbouncer;
mod postgres;
mod smtp;
mod supervisor;

pub(crate) use pgbouncer::PgBouncer;
pub(crate) use postgres::{Postgres, Session, Stop, program as postgres_program};
pub(crate) use smtp::{Smtp, ensure as ensure_smtp};

use std::{
    os::unix::process::ExitStatusExt as _,
    process::{Command, ExitCode, ExitStatus},
};

use anyhow::{Context as _, bail};

use crate::{
    args::{Args, Flag, Takes},
    tools::{Missing, ensure_found},
};

const FLAGS: &[Flag] = &[(
    "--settings",
    Takes::Value,
    "PostgreSQL's settings, with commas: fsync=off,work_mem=64MB; `-- CMD ARGS…` runs a command",
)];

/// A server that tests may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    PgBouncer,
    Smtp,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Postgres, Self::PgBouncer, Self::Smtp];

    /// As its makers call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::PgBouncer => "PgBouncer",
            Self::Smtp => "SMTP",
        }
    }

    /// The variable that holds its address.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "MAINSTAY_TEST_POSTGRES_URL",
            Self::PgBouncer => "MAINSTAY_TEST_PGBOUNCER_URL",
            Self::Smtp => "MAINSTAY_TEST_SMTP_URL",
        }
    }
}

/// Why a server does not run.
#[derive(Debug)]
pub(crate) enum Absence {
    /// The machine does not have it, in words for the table.
    Missing(String),
    /// It is there and did not start.
    Broken(anyhow::Error),
}

/// The servers of one run, as far as the machine has them. They end in the order in
/// which they stand here.
#[derive(Debug)]
pub(crate) struct Services {
    pgbouncer: Result<PgBouncer, Absence>,
    postgres: Result<Postgres, Absence>,
    smtp: Result<Smtp, Absence>,
}

impl Services {
    /// Starts what is installed, or can be. The settings are PostgreSQL's.
    pub(crate) fn start(missing: Missing, settings: &[(&str, &str)]) -> Self {
        let postgres = ensure_found(postgres::program, "initdb", "postgresql", missing)
            .map_err(Absence::Missing)
            .and_then(|_| Postgres::start_new(settings).map_err(Absence::Broken));
        let pgbouncer = ensure_found(pgbouncer::program, "pgbouncer", "pgbouncer", missing)
            .and_then(|_| {
                postgres.as_ref().map_err(|_| "there is no PostgreSQL behind it".to_owned())
            })
            .map_err(Absence::Missing)
            .and_then(|postgres| PgBouncer::start_new(postgres).map_err(Absence::Broken));
        let smtp = smtp::ensure(missing)
            .map_err(Absence::Missing)
            .and_then(|()| Smtp::start_new().map_err(Absence::Broken));
        Self { pgbouncer, postgres, smtp }
    }

    /// Each variable and its value, for the environment of tests.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let postgres = self.postgres.as_ref().ok().map(Postgres::url);
        let pgbouncer = self.pgbouncer.as_ref().ok().map(PgBouncer::url);
        let smtp = self.smtp.as_ref().ok().map(Smtp::url);
        [(Kind::Postgres, postgres), (Kind::PgBouncer, pgbouncer), (Kind::Smtp, smtp)]
            .into_iter()
            .filter_map(|(kind, url)| Some((kind.variable(), url?)))
            .collect()
    }

    /// Why this server does not run; none where it does.
    pub(crate) fn absence(&self, kind: Kind) -> Option<&Absence> {
        match kind {
            Kind::Postgres => self.postgres.as_ref().err(),
            Kind::PgBouncer => self.pgbouncer.as_ref().err(),
            Kind::Smtp => self.smtp.as_ref().err(),
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let split = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let (flags, command) = (&args[..split], args.get(split + 1..).unwrap_or_default());
    let Some(flags) = Args::parse(flags, FLAGS)? else { return Ok(ExitCode::SUCCESS) };
    let settings = settings(flags.text("--settings").unwrap_or_default())?;
    let services = Services::start(Missing::Install, &settings);
    for kind in Kind::ALL {
        match services.absence(kind) {
            Some(Absence::Missing(why)) => bail!("{}: {why}", kind.name()),
            Some(Absence::Broken(error)) => bail!("{}: {error:#}", kind.name()),
            None => {}
        }
    }
    if let Some((program, args)) = command.split_first() {
        let mut command = Command::new(program);
        command.args(args).envs(services.environment());
        let status = command.status().with_context(|| format!("starting {program}"))?;
        return Ok(ExitCode::from(exit_code(status)));
    }
    for (name, value) in services.environment() {
        println!("{name}={value}");
    }
    loop {
        std::thread::park();
    }
}

fn settings(text: &str) -> anyhow::Result<Vec<(&str, &str)>> {
    let named = text.split(',').filter(|setting| !setting.is_empty());
    named
        .map(|setting| {
            let wanted = || format!("--settings {setting}: expected name=value");
            setting.split_once('=').with_context(wanted)
        })
        .collect()
}

/// As a shell has it: a command that a signal ended answers 128 and the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_with_their_values() {
        assert_eq!(settings("fsync=off,a=b=c").unwrap(), [("fsync", "off"), ("a", "b=c")]);
        assert!(settings("").unwrap().is_empty());
        assert!(settings("fsync").unwrap_err().to_string().contains("name=value"));
    }

    #[test]
    fn a_command_s_end_is_told_as_a_shell_tells_it() {
        assert_eq!(exit_code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(exit_code(ExitStatus::from_raw(9)), 137);
    }
}
