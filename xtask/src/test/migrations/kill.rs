//! A process that migrates: how long it writes, and its end in the middle of that.

use std::{
    io::Read as _,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use super::engine::{Engine, Place};
use crate::process::tail;

/// Between two looks at a process.
const POLL: Duration = Duration::from_micros(500);
/// Lines of what a process said that an error shows.
const SAID_LINES: usize = 20;

/// When a process is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Moment {
    /// After this part of the time for which it would write, from when it is seen to.
    Part(f64),
    /// Once it has come far, as the engine knows best.
    Late,
}

/// How a process was met that was to be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// Its transaction was under way.
    Writing,
    /// It was at something else: before its transaction, or after.
    Elsewhere,
    /// It had ended already, and well.
    Ended,
}

/// Runs a migration of the copy to its end and returns for how long it wrote.
pub(super) fn measure(engine: &mut dyn Engine, command: Command) -> anyhow::Result<Duration> {
    let mut process = Process::start(command)?;
    let mut seen: Option<(Instant, Instant)> = None;
    while !process.has_ended()? {
        if engine.is_writing(Place::Copy, process.id())? {
            let now = Instant::now();
            seen = Some((seen.map_or(now, |(first, _)| first), now));
        }
        thread::sleep(POLL);
    }
    Ok(seen.map_or(Duration::ZERO, |(first, last)| last - first))
}

/// Runs a migration of the app's database and kills it. Nothing is left of it after.
pub(super) fn kill(
    engine: &mut dyn Engine,
    command: Command,
    moment: Moment,
    writes_for: Duration,
) -> anyhow::Result<Met> {
    if moment == Moment::Late {
        engine.lie_in_wait()?;
    }
    let mut process = Process::start(command)?;
    let met = match wait_for(engine, &mut process, moment, writes_for)? {
        Waited::Ended => Met::Ended,
        Waited::Came if engine.is_writing(Place::App, process.id())? => Met::Writing,
        Waited::Came => Met::Elsewhere,
    };
    drop(process);
    engine.settle()?;
    Ok(met)
}

/// What waiting for a moment came to.
enum Waited {
    Came,
    /// The process ended before.
    Ended,
}

fn wait_for(
    engine: &mut dyn Engine,
    process: &mut Process,
    moment: Moment,
    writes_for: Duration,
) -> anyhow::Result<Waited> {
    while !process.has_ended()? {
        match moment {
            Moment::Late if engine.is_late()? => return Ok(Waited::Came),
            Moment::Part(part) if engine.is_writing(Place::App, process.id())? => {
                thread::sleep(writes_for.mul_f64(part));
                return Ok(Waited::Came);
            }
            _ => thread::sleep(POLL),
        }
    }
    Ok(Waited::Ended)
}

/// A process that, dropped, is killed with SIGKILL.
struct Process(Child);

impl Process {
    fn start(mut command: Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().map(Self).context("starting mainstay")
    }

    fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has ended. An error where it ended badly.
    fn has_ended(&mut self) -> anyhow::Result<bool> {
        match self.0.try_wait()? {
            None => Ok(false),
            Some(status) if status.success() => Ok(true),
            Some(status) => {
                let mut said = String::new();
                if let Some(stderr) = &mut self.0.stderr {
                    stderr.read_to_string(&mut said)?;
                }
                bail!("`migrate up`, {status}: {}", tail(&said, SAID_LINES))
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
