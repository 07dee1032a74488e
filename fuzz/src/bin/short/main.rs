//! The short form of the fuzz targets, on a plain toolchain.
//!
//! `short --seconds 10` feeds every target with mutated inputs for that long, each
//! target in a process of its own, and fails where an input panics, takes more than
//! a second (three in a build that is not optimised), makes the heap larger than 256 MiB or ends the process, and where no
//! mutated input reaches a plan: such a target proves nothing. What it found is
//! saved under `fuzz/artifacts`.
//!
//! `--target NAME` runs one, `--seed N` makes other inputs, `--input FILE` (with
//! `--target`) runs one input, `--write-corpus` writes the seeds where `cargo fuzz`
//! looks for them.
#![expect(clippy::print_stdout, reason = "a command-line tool: printing is what it does")]
#![expect(clippy::print_stderr, reason = "mistakes go where a terminal expects them")]

mod arguments;
mod campaign;
mod overview;
mod shrink;
mod trial;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use mainstay_fuzz::{Reached, TARGETS, heap::Counting, seeds};

use self::{
    arguments::{Arguments, Task},
    trial::Trials,
};

#[global_allocator]
static HEAP: Counting = Counting;

fn main() -> ExitCode {
    let outcome = Arguments::read(std::env::args().skip(1)).and_then(|arguments| run(&arguments));
    outcome.unwrap_or_else(|error| {
        eprintln!("short: {error:#}");
        ExitCode::from(2)
    })
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.task {
        Task::All => overview::run(&TARGETS, arguments),
        Task::Only(target) => overview::run(std::slice::from_ref(target), arguments),
        Task::Campaign(target) => campaign::run(target, arguments),
        Task::Input(target, file) => {
            let input = fs::read(file)?;
            match Trials::begin(target).run(&input) {
                Ok(measured) => {
                    let plan = if measured.reached == Reached::Plan { "a plan" } else { "no plan" };
                    let (time, peak) = (measured.time.as_secs_f64() * 1e3, measured.peak_bytes);
                    println!("{plan}, {time:.1} ms, {:.1} MiB", mebibytes(peak));
                    Ok(ExitCode::SUCCESS)
                }
                Err(broken) => {
                    println!("{broken}");
                    Ok(ExitCode::FAILURE)
                }
            }
        }
        Task::WriteCorpus => {
            for target in TARGETS {
                let directory = directory("corpus").join(target.name);
                fs::create_dir_all(&directory)?;
                for (at, seed) in seeds::inputs(target.seeds).iter().enumerate() {
                    fs::write(directory.join(format!("seed-{at:02}")), seed)?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A directory of this package.
fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
