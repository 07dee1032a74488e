//! Servers as child processes: started on a free port, waited for, always stopped.

use std::{
    fs::File,
    hash::{BuildHasher as _, RandomState},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use crate::http::Connection;

/// How long a server may take until it answers.
const READY_MAX: Duration = Duration::from_secs(20);

/// The first of the ports that [`steady_port`] chooses from, and how many there are.
const STEADY_PORTS: (u16, u16) = (15_000, 15_000);
/// How many of them it tries.
const PORT_ATTEMPTS_MAX: u32 = 100;

/// A running server; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// `host:port`.
    pub(crate) address: String,
    /// From before exec to its first good answer.
    pub(crate) ready: Duration,
}

impl Server {
    /// Starts the command and waits until `GET health` answers 200. What the server
    /// prints goes to `log`, whose end is shown if it never gets ready.
    pub(crate) fn start(
        mut command: Command,
        address: String,
        health: &str,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let output = File::create(log)?;
        let program = command.get_program().to_string_lossy().into_owned();
        let started = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("starting {program}"))?;
        let mut server = Self { child, address, ready: Duration::ZERO };
        while !answers(&server.address, health) {
            let ended = server.child.try_wait()?;
            if ended.is_some() || started.elapsed() > READY_MAX {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let state =
                    ended.map_or("is not ready".into(), |status| format!("ended, {status}"));
                bail!("{program} {state}; it said:\n{}", tail(&said, 20));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        server.ready = started.elapsed();
        Ok(server)
    }

    /// Anonymous resident memory, in bytes.
    pub(crate) fn anonymous_bytes(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
        let kib: u64 = kib.context("/proc has no RssAnon")?.trim().parse()?;
        Ok(kib * 1024)
    }

    /// Asks it to stop, and waits; kills it if it takes too long.
    pub(crate) fn stop(mut self) {
        if signal(&self.child, "TERM").is_ok() {
            let since = Instant::now();
            while since.elapsed() < Duration::from_secs(5) {
                if matches!(self.child.try_wait(), Ok(Some(_))) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Ends it as a power cut would end it, for this process at least: SIGKILL.
    pub(crate) fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A child that has ended already cannot be killed; that is what was wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answers(address: &str, health: &str) -> bool {
    Connection::open(address)
        .and_then(|mut connection| connection.get(health))
        .is_ok_and(|response| response.status == 200)
}

/// A loopback address whose port nobody listens on.
pub(crate) fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// A loopback port that nobody listens on, below those that the kernel gives to outgoing
/// connections. So a server that stops finds its port free when it starts again, and a
/// client that keeps trying it meanwhile is never connected to itself.
pub(crate) fn steady_port() -> anyhow::Result<u16> {
    for attempt in 0..PORT_ATTEMPTS_MAX {
        let offset = RandomState::new().hash_one(attempt) % u64::from(STEADY_PORTS.1);
        let port = STEADY_PORTS.0 + u16::try_from(offset)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("{PORT_ATTEMPTS_MAX} ports were tried, and all are taken")
}

/// Sends a child a signal by its name: `TERM`, `INT`.
pub(crate) fn signal(child: &Child, name: &str) -> anyhow::Result<()> {
    let id = child.id().to_string();
    output(Command::new("kill").arg(format!("-{name}")).arg(id)).map(drop)
}

/// The path of a program, if the machine has it.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file())
}

/// Runs to the end and returns what it printed; a failure is an error that shows it.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let Output { status, stdout, stderr } =
        command.stdin(Stdio::null()).output().with_context(|| format!("starting {program}"))?;
    let printed = String::from_utf8_lossy(&stdout).into_owned();
    if !status.success() {
        let said = String::from_utf8_lossy(&stderr);
        bail!("{program}: {status}\n{}{}", tail(&printed, 20), tail(&said, 20));
    }
    Ok(printed)
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("BUG: xtask stands in the workspace").to_owned()
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The debug binary of Mainstay, built now; or the one that `MAINSTAY_BIN` names.
pub(crate) fn debug_binary() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os("MAINSTAY_BIN") {
        return Ok(named.into());
    }
    let status = cargo().args(["build", "--quiet", "-p", "mainstay"]).status()?;
    ensure!(status.success(), "the binary does not build");
    Ok(target_dir().join("debug/mainstay"))
}

/// Cargo, as this program was started by it.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}
