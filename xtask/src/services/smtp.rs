//! A private SMTP server: aiosmtpd, which takes mails and delivers none, with the
//! manners that `smtp.py` gives it. It asks for nobody's account, and runs as we do.

use std::{
    net::TcpStream,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::Context as _;

use super::supervisor::Supervisor;
use crate::{
    process::{find, output, steady_port, target_dir},
    tools::{self, Missing},
};

/// What pip installs, into a folder of the build's own.
const PACKAGE: &str = "aiosmtpd==1.4.6";
const SCRIPT: &str = include_str!("smtp.py");

/// A running SMTP server; dropped, it is killed and its folder removed.
#[derive(Debug)]
pub(crate) struct Smtp {
    supervisor: Supervisor,
    port: u16,
    tls_port: u16,
}

impl Smtp {
    /// Starts one with what [`ensure`] has made sure of. Fails if it does not start.
    pub(crate) fn start_new() -> anyhow::Result<Self> {
        let mut supervisor = Supervisor::new("smtp", "KILL")?;
        let (port, tls_port) = (steady_port()?, steady_port()?);
        let mut command = python().context("there is no python3")?;
        command.args(["-c", SCRIPT]).arg(supervisor.join(""));
        command.args([port, tls_port].map(|port| port.to_string()));
        let listens = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
        supervisor.start(command, || listens(port) && listens(tls_port))?;
        Ok(Self { supervisor, port, tls_port })
    }

    /// The port on which it speaks without TLS, on this machine.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where it keeps its certificate and, under `mails`, what it took.
    pub(crate) fn folder(&self) -> PathBuf {
        self.supervisor.join("")
    }

    /// Where it is, on which port it speaks TLS from the start, and in which folder it
    /// keeps its certificate and the mails.
    pub(crate) fn url(&self) -> String {
        let folder = self.folder();
        let folder = folder.to_string_lossy();
        format!("smtp://127.0.0.1:{}?tls_port={}&folder={folder}", self.port, self.tls_port)
    }
}

/// Makes sure of Python, aiosmtpd and openssl, which makes a certificate. An error says, in
/// words for the table, why they are not there.
pub(crate) fn ensure(missing: Missing) -> Result<(), String> {
    tools::ensure("openssl", "openssl", missing)?;
    tools::ensure("python3", "python3-pip", missing)?;
    if is_there() {
        return Ok(());
    }
    if missing == Missing::Skip {
        return Err("aiosmtpd is not installed; `cargo xtask test --all` installs it".to_owned());
    }
    println!("installing {PACKAGE}");
    let mut pip = python().ok_or("there is no python3")?;
    pip.args(["-m", "pip", "install", "--quiet", "--target"]).arg(packages()).arg(PACKAGE);
    let failed = |why: String| format!("aiosmtpd is missing and `pip install` failed: {why}");
    output(&mut pip).map_err(|error| failed(error.to_string()))?;
    if is_there() { Ok(()) } else { Err(failed("it is not there afterwards".to_owned())) }
}

fn is_there() -> bool {
    python().is_some_and(|mut python| {
        python.args(["-c", "import aiosmtpd.smtp"]).stderr(Stdio::null());
        python.stdin(Stdio::null()).status().is_ok_and(|status| status.success())
    })
}

/// Python, which finds what pip has installed for us, or what the system has.
fn python() -> Option<Command> {
    let mut command = Command::new(find("python3")?);
    command.env("PYTHONPATH", packages());
    Some(command)
}

fn packages() -> PathBuf {
    target_dir().join("aiosmtpd")
}

#[cfg(test)]
mod tests {
    mod on_smtp {
        use super::super::*;

        #[test]
        fn it_listens_and_keeps_its_certificate_where_it_says() {
            let smtp = Smtp::start_new().unwrap();
            let url = smtp.url();
            let (_, folder) = url.split_once("folder=").unwrap();
            assert!(std::path::Path::new(folder).join("root.crt").is_file(), "{url}");
        }
    }
}
