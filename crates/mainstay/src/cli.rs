//! The command line.
//!
//! Each command is a file of its own below. Data goes to the standard output, what a
//! person should know besides to the standard error. It exits with 0 where the command
//! did what it is for, with 1 where the app or its database is at fault, with 2 where
//! the command line is.

mod access;
mod accounts;
mod arguments;
mod audit;
mod check;
mod dev;
mod keys;
mod migrate;
mod new;
mod output;
mod panel;
mod request_line;
mod routes;
mod seed;
mod serve;
mod token;
mod users;

use std::{future::Future, path::Path, process::ExitCode, thread::available_parallelism};

use clap::Parser as _;
use mainstay_auth::Keyring;
use mainstay_core::{Roles, render_diagnostics};

use self::{
    arguments::{Arguments, Command},
    output::Output,
};
use crate::{
    FolderError, Mistakes, StartError,
    database::DatabaseError,
    folder::Folder,
    load::{Loaded, environment, load},
    seed::SeedError,
    signing_key::keyring,
};

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help that nobody reads any more is no failure.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let output = Output::of_process();
    let outcome = match &arguments.command {
        Command::New(arguments) => new::run(arguments, &output),
        Command::Dev(arguments) => dev::run(arguments, &output),
        Command::Serve(arguments) => serve::run(arguments, &output),
        Command::Check(arguments) => check::run(arguments, &output),
        Command::Access(arguments) => access::run(arguments, &output),
        Command::Seed(arguments) => seed::run(arguments, &output),
        Command::Migrate(command) => migrate::run(command, &output),
        Command::Token(arguments) => token::run(arguments, &output),
        Command::Users(command) => users::run(command, &output),
        Command::Audit(arguments) => audit::run(arguments, &output),
        Command::Keys(arguments) => keys::run(arguments, &output),
        Command::Routes(arguments) => routes::run(arguments, &output),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&output),
    }
}

/// Why a command did not do what it is for.
#[derive(Debug)]
enum Failure {
    /// The command line asks for what cannot be.
    Usage(String),
    /// The app, its database or the machine is at fault.
    App(String),
    /// There are mistakes in the application folder.
    Mistakes(Mistakes),
    /// All is said already.
    Told,
}

impl Failure {
    fn report(&self, output: &Output) -> ExitCode {
        match self {
            Self::Usage(message) | Self::App(message) => output.error(message),
            Self::Mistakes(mistakes) => print_mistakes(mistakes, output),
            Self::Told => {}
        }
        ExitCode::from(if matches!(self, Self::Usage(_)) { 2 } else { 1 })
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Missing(_) | FolderError::NotAnApp(_) => Self::Usage(error.to_string()),
            _ => Self::App(error.to_string()),
        }
    }
}

impl From<Mistakes> for Failure {
    fn from(mistakes: Mistakes) -> Self {
        Self::Mistakes(mistakes)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Folder(error) => error.into(),
            StartError::Mistakes(mistakes) => mistakes.into(),
            StartError::NotLoopback(_) => Self::Usage(error.to_string()),
            _ => Self::App(error.to_string()),
        }
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        StartError::from(error).into()
    }
}

impl From<SeedError> for Failure {
    fn from(error: SeedError) -> Self {
        match error {
            SeedError::Folder(error) => error.into(),
            SeedError::Mistakes(mistakes) => mistakes.into(),
            SeedError::Store(_) => Self::App(error.to_string()),
        }
    }
}

/// Prints every mistake, and how many there are.
fn print_mistakes(mistakes: &Mistakes, output: &Output) {
    output.complain(&mistakes.render(output.error_colour()));
    output.complain(&format!("\n{}", counted(mistakes)));
}

fn counted(mistakes: &Mistakes) -> String {
    use mainstay_core::Severity;
    let of = |severity, word: &str| {
        let found = mistakes.diagnostics().iter();
        match found.filter(|found| found.severity == severity).count() {
            0 => None,
            1 => Some(format!("1 {word}")),
            count => Some(format!("{count} {word}s")),
        }
    };
    let counts = [of(Severity::Error, "mistake"), of(Severity::Warning, "warning")];
    counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Prints what will surprise in an app that can be served.
fn print_warnings(loaded: &Loaded, output: &Output) {
    if !loaded.warnings.is_empty() {
        let colour = output.error_colour();
        output.complain(&render_diagnostics(&loaded.warnings, &loaded.files, colour));
    }
}

/// Warns of roles that are not the app's; rules may ask for one by name all the same.
fn warn_of_undeclared(roles: &[String], declared: &Roles, output: &Output) {
    let is_unknown = |role: &&String| !declared.contains(role) && *role != "authenticated";
    for role in roles.iter().filter(is_unknown) {
        output.warning(&format!("`[roles]` does not declare `{role}`"));
    }
}

/// An application folder with its app and its keys, for commands that need no database.
fn open(dir: &Path) -> Result<(Loaded, Keyring), Failure> {
    let folder = Folder::open(dir)?;
    let loaded = load(folder.read()?, &environment())?;
    let keyring = keyring(&folder, &loaded.settings).map_err(StartError::from)?;
    Ok((loaded, keyring))
}

/// Runs what waits, on a thread for each core: reads are carried out where they are
/// asked for.
fn block_on<F: Future<Output = Result<(), Failure>>>(future: F) -> Result<(), Failure> {
    let threads = available_parallelism().map_or(2, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(StartError::from)?;
    let outcome = runtime.block_on(future);
    // Whatever still runs has had its time when the server was drained.
    runtime.shutdown_background();
    outcome
}
