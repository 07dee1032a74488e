//! The command line: what is typed, what is done, what is printed.
//!
//! In a terminal there are colours, a panel at the start and a line for each request;
//! in a pipe plain lines, and of requests only the slow and the failed. It decides
//! nothing: each command is a few calls of the rooms below.

mod arguments;
mod new;
mod output;
mod report;
mod request_line;
mod run_server;

use std::process::ExitCode;

use clap::Parser as _;

use self::{
    arguments::{Arguments, Command},
    output::Output,
};
use crate::{SigningKeyError, StartError, app::App};

/// Why a command did not do what it is for.
#[derive(Debug)]
enum Failure {
    /// The app, its folder or its database is at fault: exit code 1.
    App(String),
    /// What was typed is: exit code 2.
    Usage(String),
    /// The app has mistakes or cannot be started: exit code 1.
    Start(StartError),
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

impl From<SigningKeyError> for Failure {
    fn from(error: SigningKeyError) -> Self {
        Self::Start(error.into())
    }
}

/// Does what the command line says. The exit code is 0 where it worked, 1 where the
/// app or its database is at fault, 2 where the command line is.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::of_process();
    match run(arguments.command, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => {
            output.error(&message);
            ExitCode::from(2)
        }
        Err(Failure::App(message)) => {
            output.error(&message);
            ExitCode::FAILURE
        }
        Err(Failure::Start(StartError::Mistakes(mistakes))) => {
            output.complain(&mistakes.render(output.error_colour()));
            ExitCode::FAILURE
        }
        Err(Failure::Start(error)) => {
            output.error(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::New(arguments) => new::run(&arguments, output),
        Command::Dev(arguments) => run_server::dev(&arguments, output),
        Command::Serve(arguments) => run_server::serve(&arguments, output),
        Command::Check(arguments) => report::check(&arguments, output),
        Command::Seed(arguments) => run_server::seed(&arguments, output),
        Command::Token(arguments) => report::token(&arguments, output),
        Command::Keys(arguments) => report::keys(&arguments, output),
        Command::Routes(arguments) => report::routes(&arguments, output),
    }
}

/// The app in a folder, its warnings told.
fn load(dir: &std::path::Path, output: &Output) -> Result<App, Failure> {
    let app = App::load(dir)?;
    tell_warnings(&app, output);
    Ok(app)
}

fn tell_warnings(app: &App, output: &Output) {
    if !app.loaded.warnings.is_empty() {
        let (found, files) = (&app.loaded.warnings, &app.loaded.files);
        output.complain(&mainstay_core::render_diagnostics(found, files, output.error_colour()));
    }
}
