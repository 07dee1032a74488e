//! A folder and the server that runs in it, both gone when their owner is, in
//! whichever way it goes.
//!
//! A destructor is not run by ctrl-C, nor by SIGKILL. A signal handler and
//! `PR_SET_PDEATHSIG` both want unsafe code; the latter also ends the server with the
//! *thread* that started it, and neither removes the folder. So a small shell process
//! stands by in a process group of its own and reads a pipe that only the owner holds
//! open: when that ends, it kills the server and removes the folder. The destructor
//! does no more than to close the pipe, so the way that must never fail is the one
//! that is taken every time.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use super::account::Account;
use crate::{
    process::{signal, tail},
    scratch::Scratch,
};

/// How long a server may take until it is ready: crash recovery on a busy machine.
const READY_MAX: Duration = Duration::from_secs(60);
/// How long a server may take to stop before it is killed.
const STOP_MAX: Duration = Duration::from_secs(30);
/// Between two looks at a server that is starting or stopping.
const POLL: Duration = Duration::from_millis(10);
/// Lines of a server's log that an error shows.
const LOG_LINES: usize = 20;

/// A folder, and at most one server in it.
#[derive(Debug)]
pub(crate) struct Supervisor {
    scratch: Scratch,
    account: Account,
    shell: Child,
    server: Option<Child>,
}

impl Supervisor {
    /// Makes an empty folder that belongs to the account its server will run as.
    /// `last_signal` is what ends a server whose owner is gone: `QUIT`, `KILL`.
    pub(crate) fn new(purpose: &str, last_signal: &str) -> anyhow::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let scratch = Scratch::new(&format!("{purpose}-{number}"))?;
        let account = Account::for_servers(&scratch.join(""))?;
        account.give(&scratch.join(""))?;
        let shell = Command::new("sh")
            .args(["-c", include_str!("supervisor.sh"), "supervisor"])
            .arg(scratch.join(""))
            .arg(last_signal)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting sh")?;
        Ok(Self { scratch, account, shell, server: None })
    }

    /// A path in the folder.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// A program to be run in the folder, as the folder's account.
    pub(crate) fn command(&self, program: &Path) -> Command {
        self.account.command(program, &self.scratch.join(""))
    }

    /// Starts the server and waits until `is_ready`. What it prints is added to its log,
    /// whose end is shown if it ends or does not get ready in time.
    pub(crate) fn start(
        &mut self,
        mut command: Command,
        is_ready: impl Fn() -> bool,
    ) -> anyhow::Result<()> {
        ensure!(self.server.is_none(), "the server runs already");
        let program = command.get_program().to_string_lossy().into_owned();
        let log = self.join("server.log");
        let output = File::options().create(true).append(true).open(&log)?;
        command.process_group(0).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("starting {program}"))?;
        let id = child.id();
        self.server = Some(child);
        self.tell(&id.to_string())?;
        let started = Instant::now();
        while !is_ready() {
            let ended = self.has_ended()?;
            if ended.is_some() || started.elapsed() > READY_MAX {
                let state = ended.map_or_else(
                    || format!("is not ready after {} s", READY_MAX.as_secs()),
                    |status| format!("ended, {status}"),
                );
                let said = fs::read(&log).unwrap_or_default();
                let said = tail(&String::from_utf8_lossy(&said), LOG_LINES);
                bail!("{program} {state}; its log ends with:\n{said}");
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Sends the server a signal and waits for its end; kills it if it takes too long,
    /// which is an error. Nothing is done where no server runs.
    pub(crate) fn stop(&mut self, name: &str) -> anyhow::Result<()> {
        let Some(server) = &mut self.server else { return Ok(()) };
        signal(server, name)?;
        let asked = Instant::now();
        while server.try_wait()?.is_none() {
            if asked.elapsed() > STOP_MAX {
                server.kill()?;
                server.wait()?;
                self.forget()?;
                bail!("the server did not end within {} s of SIG{name}", STOP_MAX.as_secs());
            }
            std::thread::sleep(POLL);
        }
        self.forget()
    }

    /// How the server ended, if it did so by itself.
    fn has_ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        let Some(server) = &mut self.server else { return Ok(None) };
        let ended = server.try_wait()?;
        if ended.is_some() {
            self.forget()?;
        }
        Ok(ended)
    }

    /// Its process id may soon be another's.
    fn forget(&mut self) -> anyhow::Result<()> {
        self.server = None;
        Ok(self.tell("")?)
    }

    fn tell(&mut self, line: &str) -> io::Result<()> {
        let input = self.shell.stdin.as_mut();
        writeln!(input.expect("BUG: the pipe is open while the supervisor lives"), "{line}")
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // The shell waits for the server's end, which is only seen once it is waited for.
        if let Some(server) = &mut self.server {
            let _ = server.wait();
        }
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeping() -> Supervisor {
        let mut supervisor = Supervisor::new("supervisor", "TERM").unwrap();
        let mut sleep = supervisor.command(Path::new("sleep"));
        sleep.arg("1000");
        supervisor.start(sleep, || true).unwrap();
        supervisor
    }

    #[test]
    fn the_end_of_the_owner_ends_the_server_and_removes_the_folder() {
        let mut supervisor = sleeping();
        let folder = supervisor.join("");
        assert!(folder.exists());
        // What the kernel does for an owner that was killed.
        drop(supervisor.shell.stdin.take());
        assert!(!supervisor.server.as_mut().unwrap().wait().unwrap().success());
        assert!(supervisor.shell.wait().unwrap().success());
        assert!(!folder.exists());
    }

    #[test]
    fn a_server_that_was_stopped_starts_again_in_the_same_folder() {
        let mut supervisor = sleeping();
        let folder = supervisor.join("");
        supervisor.stop("INT").unwrap();
        supervisor.stop("INT").unwrap();
        let mut sleep = supervisor.command(Path::new("sleep"));
        sleep.arg("1000");
        supervisor.start(sleep, || true).unwrap();
        drop(supervisor);
        assert!(!folder.exists());
    }

    #[test]
    fn a_server_that_ends_before_it_is_ready_is_an_error_that_shows_its_log() {
        let mut supervisor = Supervisor::new("supervisor", "TERM").unwrap();
        let mut fails = supervisor.command(Path::new("sh"));
        fails.args(["-c", "echo no room left; exit 3"]);
        let error = supervisor.start(fails, || false).unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.contains("no room left"), "{error}");
    }
}
