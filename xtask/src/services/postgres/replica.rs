//! A streaming replica: a copy of a running PostgreSQL that follows it, answers reads,
//! and can be made a primary of its own. It follows asynchronously: a commit is
//! acknowledged before it is here, as it is wherever nobody has set it otherwise.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::{Postgres, Stop, installed, query};
use crate::{
    process::{output, steady_port},
    services::supervisor::Supervisor,
};

/// How long a replica may be behind.
const CATCH_UP_MAX: Duration = Duration::from_secs(60);
/// Between two looks at how far it is.
const POLL: Duration = Duration::from_millis(10);

impl Postgres {
    /// Copies it as it runs and starts the copy, which follows it from there on. The
    /// settings are copied too; folder, port and life are the copy's own.
    pub(crate) fn replica(&self) -> anyhow::Result<Self> {
        let supervisor = Supervisor::new("postgres-replica", Stop::Immediate.signal())?;
        let mut copy = supervisor.command(&installed("pg_basebackup")?);
        copy.args(["--host=127.0.0.1", &format!("--port={}", self.port), "--username=postgres"]);
        copy.args(["--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf"]);
        copy.args(["--no-sync", "--no-password", "--pgdata"]).arg(supervisor.join("data"));
        output(&mut copy)?;
        let mut replica = Self { supervisor, port: steady_port()? };
        replica.start()?;
        Ok(replica)
    }

    /// Waits until this replica has what its primary has committed by now.
    pub(crate) fn catch_up(&self, primary: &Self) -> anyhow::Result<()> {
        let committed = query(&primary.url(), "SELECT pg_current_wal_flush_lsn()")?;
        let is_here = format!("SELECT pg_last_wal_replay_lsn() >= '{committed}'");
        let asked = Instant::now();
        while query(&self.url(), &is_here)? != "t" {
            let seconds = CATCH_UP_MAX.as_secs();
            ensure!(asked.elapsed() < CATCH_UP_MAX, "not at {committed} after {seconds} s");
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Makes a primary of this replica, and waits until it takes writes. Whether its old
    /// primary still runs is not asked.
    pub(crate) fn promote(&self) -> anyhow::Result<()> {
        let promoted = query(&self.url(), "SELECT pg_promote(true, 60)")?;
        ensure!(promoted == "t", "the replica is not promoted after 60 s");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    mod on_postgres {
        use super::super::*;

        #[test]
        fn a_replica_follows_through_both_restarts_and_takes_over_when_promoted() {
            let mut primary = Postgres::start_new(&[]).unwrap();
            query(&primary.url(), "CREATE TABLE kept (n int)").unwrap();
            let mut replica = primary.replica().unwrap();
            let insert = |n: u8| format!("INSERT INTO kept VALUES ({n})");
            query(&primary.url(), &insert(1)).unwrap();
            replica.catch_up(&primary).unwrap();
            let refused = query(&replica.url(), &insert(9)).unwrap_err().to_string();
            assert!(refused.contains("read-only"), "{refused}");

            replica.stop(Stop::Fast).unwrap();
            primary.stop(Stop::Immediate).unwrap();
            primary.start().unwrap();
            query(&primary.url(), &insert(2)).unwrap();
            replica.start().unwrap();
            replica.catch_up(&primary).unwrap();

            drop(primary);
            replica.promote().unwrap();
            query(&replica.url(), &insert(3)).unwrap();
            let kept = query(&replica.url(), "SELECT n FROM kept ORDER BY n").unwrap();
            assert_eq!(kept, "1\n2\n3");
        }
    }
}
