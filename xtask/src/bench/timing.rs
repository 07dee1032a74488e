//! `cargo xtask bench --timing`: whether an address is somebody's is not to be told by how
//! long an answer takes.
//!
//! Each endpoint that takes an address from a stranger is asked for addresses that are
//! somebody's and for as many that are nobody's, in random order, on one connection, by
//! the only client there is: what a stranger never has. Two rows of times that one would
//! see as two in less than one run of a thousand by chance are told apart, which fails. The
//! same is done of two things that do take different times, and there it must tell.

mod rank;

use std::{
    hash::{BuildHasher as _, RandomState},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

use anyhow::{Context as _, bail, ensure};
use serde_json::json;

use self::rank::{Comparison, compare};
use super::contender::write_app;
use crate::{
    http::Connection,
    process::{Server, free_address},
    scratch::Scratch,
    services::{Smtp, ensure_smtp},
    tools::Missing,
};

/// Requests of each kind to each endpoint, where nothing else is asked.
pub(super) const REQUESTS: usize = 200;
/// Requests of each kind before the clock runs.
const WARM_UP: usize = 20;
/// Two kinds that chance would set so far apart less often than this are told apart.
const CHANCE_MAX: f64 = 0.001;

const FILES: [(&str, &str); 1] = [("mainstay.toml", "[app]\nname = \"timing\"\n")];
const PASSWORD: &str = "a horse of its own";

/// Nobody is made to wait, and a password costs little: what it costs is the same for
/// everybody, and would hide what is not.
const SETTINGS: [(&str, &str); 5] = [
    ("MAINSTAY_AUTH__MAIL_EVERY_S", "0"),
    ("MAINSTAY_AUTH__REQUESTS_MAX", "1000000"),
    ("MAINSTAY_AUTH__TOKENS_MAX", "1000000"),
    ("MAINSTAY_AUTH__PASSWORD_MEMORY_KIB", "1024"),
    ("MAINSTAY_MAIL__FROM", "no-reply@example.com"),
];

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Login,
    SignUp,
    Recover,
    Otp,
    /// A wrong code: after the mails above each account waits for one.
    Verify,
    /// What must be told apart: a wrong password that is hashed, and one that is too long
    /// to be.
    Control,
}

impl Endpoint {
    const ALL: [Self; 6] =
        [Self::Login, Self::SignUp, Self::Recover, Self::Otp, Self::Verify, Self::Control];

    fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::SignUp => "signup",
            Self::Recover => "recover",
            Self::Otp => "otp",
            Self::Verify => "verify",
            Self::Control => "control",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Login | Self::Control => "/auth/v1/token?grant_type=password",
            Self::SignUp => "/auth/v1/signup",
            Self::Recover => "/auth/v1/recover",
            Self::Otp => "/auth/v1/otp",
            Self::Verify => "/auth/v1/verify",
        }
    }

    fn status(self) -> u16 {
        match self {
            Self::Login | Self::Control => 400,
            Self::Verify => 403,
            _ => 200,
        }
    }

    /// The body for the `at`th address that is somebody's, or nobody's. All have the same
    /// length, but for the control's.
    fn body(self, kind: Kind, at: usize) -> String {
        let name = self.name();
        let email = match kind {
            _ if self == Self::Control => format!("control-{at:06}@example.com"),
            Kind::Known => address(at),
            Kind::Unknown => format!("{name:-<7}-{at:06}@example.com"),
        };
        let body = match (self, kind) {
            (Self::Login, _) => json!({ "email": email, "password": "not this one" }),
            (Self::Control, Kind::Known) => json!({ "email": email, "password": "12345678" }),
            (Self::Control, Kind::Unknown) => {
                json!({ "email": email, "password": "1".repeat(4_096) })
            }
            (Self::SignUp, _) => json!({ "email": email, "password": PASSWORD }),
            (Self::Recover | Self::Otp, _) => json!({ "email": email }),
            (Self::Verify, _) => json!({ "email": email, "token": "000000", "type": "email" }),
        };
        body.to_string()
    }
}

/// Whose address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Known,
    Unknown,
}

/// The address of the `at`th account.
fn address(at: usize) -> String {
    format!("visitor-{at:06}@example.com")
}

/// Runs it, and fails where an endpoint tells or the control does not.
pub(super) fn run(requests: usize, program: &Path) -> anyhow::Result<ExitCode> {
    ensure_smtp(Missing::Install).map_err(anyhow::Error::msg)?;
    ensure!((20..=100_000).contains(&requests), "--requests wants 20 to 100000");
    println!("{}, {requests} requests of each kind to each endpoint\n", program.display());
    let scratch = Scratch::new("timing")?;
    let smtp = Smtp::start_new()?;
    let stage = Stage {
        program: program.to_owned(),
        app: scratch.join("app"),
        log: scratch.join("server.log"),
        smtp: format!("smtp://127.0.0.1:{}", smtp.port()),
    };
    write_app(&stage.app, &FILES)?;
    stage.make_accounts(requests + WARM_UP)?;
    let server = stage.start("true")?;
    let mut connection = Connection::open(&server.address)?;
    println!("{:<10}{:>14}{:>14}{:>8}{:>12}  verdict", "", "known", "unknown", "first", "p");
    let mut wrong = Vec::new();
    for endpoint in Endpoint::ALL {
        let [known, unknown] = measure(&mut connection, endpoint, requests)?;
        let told = compare(&known, &unknown);
        let is_told = told.p < CHANCE_MAX;
        if is_told != (endpoint == Endpoint::Control) {
            wrong.push(endpoint.name());
        }
        print(endpoint, &told, is_told);
    }
    server.stop();
    if wrong.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("\nnot as it must be: {}", wrong.join(", "));
    Ok(ExitCode::FAILURE)
}

fn print(endpoint: Endpoint, told: &Comparison, is_told: bool) {
    let verdict = match (is_told, endpoint) {
        (true, Endpoint::Control) => "told apart, as it must be",
        (false, Endpoint::Control) => "NOT told apart: the measure is blind",
        (true, _) => "TOLD APART",
        (false, _) => "not told apart",
    };
    let [known, unknown] = told.medians.map(|median| format!("{median:.0} µs"));
    let (name, share, p) = (endpoint.name(), told.first_is_less, told.p);
    println!("{name:<10}{known:>14}{unknown:>14}{share:>8.3}{p:>12.2e}  {verdict}");
}

struct Stage {
    program: PathBuf,
    app: PathBuf,
    log: PathBuf,
    smtp: String,
}

impl Stage {
    fn start(&self, confirm_email: &str) -> anyhow::Result<Server> {
        let address = free_address()?;
        let mut command = Command::new(&self.program);
        command.arg("serve").arg(&self.app).args(["--listen", &address]).envs(SETTINGS);
        command.env("MAINSTAY_AUTH__CONFIRM_EMAIL", confirm_email);
        command.env("MAINSTAY_MAIL__SMTP", &self.smtp).env_remove("MAINSTAY_DATABASE__URL");
        Server::start(command, address, "/healthz", &self.log)
    }

    /// Makes accounts whose addresses count as confirmed.
    fn make_accounts(&self, count: usize) -> anyhow::Result<()> {
        let server = self.start("false")?;
        let mut connection = Connection::open(&server.address)?;
        for at in 0..count {
            let body = Endpoint::SignUp.body(Kind::Known, at);
            let response = connection.send("POST", Endpoint::SignUp.path(), &[], &body)?;
            ensure!(response.status == 200, "making an account: {}", response.body);
        }
        server.stop();
        Ok(())
    }
}

/// The times of both kinds, in microseconds.
fn measure(
    connection: &mut Connection,
    endpoint: Endpoint,
    requests: usize,
) -> anyhow::Result<[Vec<f64>; 2]> {
    let mut times = [Vec::new(), Vec::new()];
    let warming = shuffled(requests, WARM_UP);
    for (count, (kind, at)) in warming.into_iter().chain(shuffled(0, requests)).enumerate() {
        let body = endpoint.body(kind, at);
        let since = Instant::now();
        let response = connection
            .send("POST", endpoint.path(), &[], &body)
            .with_context(|| endpoint.name().to_owned())?;
        let took = since.elapsed();
        if response.status != endpoint.status() {
            bail!("{} answers {}: {}", endpoint.name(), response.status, response.body);
        }
        if count >= 2 * WARM_UP {
            times[usize::from(kind == Kind::Unknown)].push(took.as_secs_f64() * 1e6);
        }
    }
    Ok(times)
}

/// So many of each kind, in random order.
fn shuffled(first: usize, count: usize) -> Vec<(Kind, usize)> {
    let each = (first..first + count).flat_map(|at| [(Kind::Known, at), (Kind::Unknown, at)]);
    let random = RandomState::new();
    let mut order: Vec<_> =
        each.map(|(kind, at)| (random.hash_one((kind == Kind::Known, at)), kind, at)).collect();
    order.sort_by_key(|(chance, ..)| *chance);
    order.into_iter().map(|(_, kind, at)| (kind, at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_both_kinds_are_of_one_length() {
        for endpoint in Endpoint::ALL.into_iter().filter(|it| *it != Endpoint::Control) {
            let [known, unknown] = [Kind::Known, Kind::Unknown].map(|kind| endpoint.body(kind, 7));
            assert_eq!(known.len(), unknown.len(), "{known} {unknown}");
            assert_ne!(known, unknown);
        }
    }

    #[test]
    fn the_order_is_of_all_of_both_kinds() {
        let order = shuffled(3, 50);
        let known = order.iter().filter(|(kind, _)| *kind == Kind::Known);
        let mut known: Vec<usize> = known.map(|(_, at)| *at).collect();
        assert_ne!(known, (3..53).collect::<Vec<_>>());
        known.sort_unstable();
        assert_eq!(known, (3..53).collect::<Vec<_>>());
        assert_eq!(order.len(), 100);
    }
}
