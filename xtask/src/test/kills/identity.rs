//! Accounts, sessions and mails under `kill -9`: visitors who sign up, confirm, refresh,
//! sign out and ask for mails, a server that is killed again and again, and a mail server
//! that is not.
//!
//! What was acknowledged holds in the end. Every account signs in, every session goes on
//! with the last token that was given for it, none that was ended does, and every mail
//! that was asked for has arrived. Of each mail no more have arrived than its row counts
//! attempts, which is looked at after every kill: a mail that is sent twice is one whose
//! sender died before it could note the first.
//!
//! A mail that was claimed by a server that is dead waits for its claim to run out, which
//! is minutes. Here those times are moved into the past, now and then.

mod api;
mod database;
mod mailbox;
mod verdict;
mod visitor;

use std::{
    hash::{BuildHasher as _, RandomState},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use self::{
    database::Database,
    mailbox::Mailbox,
    verdict::{Tally, compare_mails},
    visitor::{Done, Visitor},
};
use crate::{
    bench::contender::write_app,
    http::Connection,
    process::{Server, debug_binary, free_address},
    scratch::Scratch,
    services::{Postgres, Smtp},
};

/// Visitors at once.
const VISITORS: usize = 8;
/// How long a server lives before it is killed, at most.
const LIFE_MAX_MS: u64 = 500;
/// Claims of dead servers run out after every so many kills. A mail has six attempts, and on a
/// machine that is short of processors none of them may come to its end before the kill: so in
/// thirty rounds claims run out four times, and once more in the end.
const EXPIRED_EVERY: u32 = 7;
/// What must have been acknowledged of each in the end.
const DONE_MIN: Done = Done { signed_up: 40, refreshed: 40, signed_out: 10, mailed: 50 };
/// How long the mails that still wait have to arrive in the end.
const ARRIVAL_MAX: Duration = Duration::from_secs(60);

const FILES: [(&str, &str); 2] = [
    ("mainstay.toml", "[app]\nname = \"kills\"\n"),
    ("models/entries.toml", "[fields]\nmark = \"text\"\n\n[rules]\nread = \"true\"\n"),
];

/// Who visits is not slowed down, and forgives an answer that was lost with its server.
const SETTINGS: [(&str, &str); 6] = [
    ("MAINSTAY_AUTH__MAIL_EVERY_S", "0"),
    ("MAINSTAY_AUTH__REQUESTS_MAX", "1000000"),
    ("MAINSTAY_AUTH__TOKENS_MAX", "1000000"),
    ("MAINSTAY_AUTH__PASSWORD_MEMORY_KIB", "1024"),
    ("MAINSTAY_AUTH__REUSE_S", "60"),
    ("MAINSTAY_MAIL__FROM", "no-reply@example.com"),
];

/// What everything is kept in.
pub(super) enum On<'a> {
    Sqlite,
    Postgres(&'a Postgres),
}

/// Kills the server so often, and says what was acknowledged and held.
pub(super) fn kill(on: &On<'_>, rounds: u32) -> anyhow::Result<String> {
    let binary = debug_binary()?;
    let scratch = Scratch::new(match on {
        On::Sqlite => "kills-identity",
        On::Postgres(_) => "kills-identity-postgres",
    })?;
    let app = scratch.join("app");
    write_app(&app, &FILES)?;
    let database = match on {
        On::Sqlite => Database::sqlite(app.join(".mainstay"), scratch.join("copy")),
        On::Postgres(postgres) => Database::Postgres(postgres),
    };
    let smtp = Smtp::start_new()?;
    let stage = Stage {
        binary: &binary,
        app: &app,
        scratch: &scratch,
        database,
        mailbox: Mailbox::new(&smtp),
        smtp: format!("smtp://127.0.0.1:{}", smtp.port()),
    };
    let mut visitors: Vec<Visitor> = (0..VISITORS).map(Visitor::new).collect();
    let mut round = 0;
    // A slow machine acknowledges little in a short life; then there are more of them.
    while round < rounds || (!done(&visitors).reaches(DONE_MIN) && round < rounds * 4) {
        stage.live_and_die(&mut visitors, round)?;
        round += 1;
        stage.look_at_mails().with_context(|| format!("after kill {round}"))?;
        if round % EXPIRED_EVERY == 0 {
            stage.database.expire_claims()?;
        }
    }
    let arrived = stage.settle(&mut visitors).context("in the end")?;
    let done = done(&visitors);
    ensure!(done.reaches(DONE_MIN), "only {done:?} was acknowledged, {DONE_MIN:?} is wanted");
    Ok(format!("{round} kills: {done}; {arrived}"))
}

fn done(visitors: &[Visitor]) -> Done {
    visitors.iter().fold(Done::default(), |sum, visitor| sum.plus(visitor.done()))
}

/// What a server is started on, and looked at with.
struct Stage<'s> {
    binary: &'s Path,
    app: &'s Path,
    scratch: &'s Scratch,
    database: Database<'s>,
    mailbox: Mailbox,
    smtp: String,
}

impl Stage<'_> {
    fn start(&self) -> anyhow::Result<Server> {
        let address = free_address()?;
        let mut command = Command::new(self.binary);
        command.arg("serve").arg(self.app).args(["--listen", &address]);
        command.envs(SETTINGS).env("MAINSTAY_MAIL__SMTP", &self.smtp);
        command.env_remove("MAINSTAY_DATABASE__URL").envs(self.database.environment());
        Server::start(command, address, "/healthz", &self.scratch.join("server.log"))
    }

    /// One life of a server, with everybody at it.
    fn live_and_die(&self, visitors: &mut [Visitor], round: u32) -> anyhow::Result<()> {
        let server = self.start()?;
        let address = server.address.clone();
        let life = Duration::from_millis(RandomState::new().hash_one(round) % LIFE_MAX_MS);
        thread::scope(|scope| {
            let visit = |visitor: &mut Visitor| visitor.visit(&address, &self.mailbox);
            let running: Vec<_> =
                visitors.iter_mut().map(|visitor| scope.spawn(move || visit(visitor))).collect();
            thread::sleep(life);
            server.kill()?;
            for visitor in running {
                visitor.join().map_err(|_| anyhow::anyhow!("a visitor panicked"))??;
            }
            Ok(())
        })
    }

    /// Compares what arrived with what the queue says, while nobody sends.
    fn look_at_mails(&self) -> anyhow::Result<Tally> {
        // What arrives while the rows are read is of attempts that they count already.
        let arrived = self.mailbox.all()?;
        compare_mails(&arrived, &self.database.mails()?)
    }

    /// Lets a server live until all that was asked of it is done, and verifies it.
    fn settle(&self, visitors: &mut [Visitor]) -> anyhow::Result<Tally> {
        self.database.expire_claims()?;
        let server = self.start()?;
        let mut connection = Connection::open(&server.address)?;
        for visitor in &mut *visitors {
            visitor.settle(&mut connection, &self.mailbox)?;
        }
        self.wait_for_mails(visitors)?;
        for visitor in visitors {
            visitor.verify(&mut connection, &self.mailbox)?;
        }
        server.stop();
        self.look_at_mails()
    }

    fn wait_for_mails(&self, visitors: &[Visitor]) -> anyhow::Result<()> {
        let since = Instant::now();
        loop {
            let arrived = self.mailbox.all()?;
            let missing: Vec<String> =
                visitors.iter().flat_map(|visitor| visitor.mails_missing(&arrived)).collect();
            if missing.is_empty() {
                return Ok(());
            }
            ensure!(since.elapsed() < ARRIVAL_MAX, "mails are lost: {}", missing.join(", "));
            thread::sleep(Duration::from_millis(50));
        }
    }
}
