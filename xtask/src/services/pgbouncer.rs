//! A private PgBouncer before a private PostgreSQL, in transaction mode: what one
//! client says in two transactions may be said to two servers. Debian's 1.18 keeps no
//! prepared statements from one to the next, so whoever works behind it works behind
//! any.

use std::{fs, path::PathBuf};

use anyhow::Context as _;

use super::{
    postgres::{Postgres, query, url},
    supervisor::Supervisor,
};
use crate::process::{find, steady_port};

/// A running PgBouncer; dropped, it is killed and its folder removed.
#[derive(Debug)]
pub(crate) struct PgBouncer {
    _supervisor: Supervisor,
    port: u16,
}

impl PgBouncer {
    /// Starts one before this PostgreSQL, for all its databases and roles, also those
    /// made later. Fails if PgBouncer is not installed or does not start.
    pub(crate) fn start_new(postgres: &Postgres) -> anyhow::Result<Self> {
        let mut supervisor = Supervisor::new("pgbouncer", "KILL")?;
        let port = steady_port()?;
        let (config, users) = (supervisor.join("pgbouncer.ini"), supervisor.join("users.txt"));
        fs::write(&users, "\"postgres\" \"\"\n")?;
        let text = config_text(postgres.port(), port, &users.to_string_lossy());
        fs::write(&config, text)?;
        let mut command = supervisor.command(&program("pgbouncer").context("not installed")?);
        command.arg(config);
        let url = url(port);
        supervisor.start(command, || query(&url, "SELECT 1").is_ok())?;
        Ok(Self { _supervisor: supervisor, port })
    }

    /// Where PostgreSQL's superuser finds its first database through it.
    pub(crate) fn url(&self) -> String {
        url(self.port)
    }
}

/// Debian's `/usr/sbin` is on the `PATH` of few but root.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    find(name).or_else(|| Some(PathBuf::from("/usr/sbin").join(name)).filter(|it| it.is_file()))
}

/// Roles that are not in the file of users are looked up as the superuser, who is.
fn config_text(postgres_port: u16, port: u16, users: &str) -> String {
    format!(
        "[databases]
* = host=127.0.0.1 port={postgres_port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
pool_mode = transaction
auth_type = trust
auth_file = {users}
auth_user = postgres
admin_users = postgres
max_client_conn = 1000
default_pool_size = 20
"
    )
}

#[cfg(test)]
mod tests {
    mod on_pgbouncer {
        use super::super::*;

        #[test]
        fn databases_and_roles_made_later_are_reached_in_transaction_mode() {
            let postgres = Postgres::start_new(&[]).unwrap();
            let bouncer = PgBouncer::start_new(&postgres).unwrap();
            query(&postgres.url(), "CREATE ROLE reader LOGIN").unwrap();
            query(&postgres.url(), "CREATE DATABASE later").unwrap();
            let url = bouncer.url().replace("postgres@", "reader@");
            let url = url.strip_suffix("postgres").unwrap().to_owned() + "later";
            let found = query(&url, "SELECT current_database(), current_user").unwrap();
            assert_eq!(found, "later|reader");
            let admin = bouncer.url().strip_suffix("postgres").unwrap().to_owned() + "pgbouncer";
            assert!(query(&admin, "SHOW CONFIG").unwrap().contains("pool_mode|transaction"));
        }
    }
}
