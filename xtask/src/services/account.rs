//! Whom servers run as: PostgreSQL and PgBouncer refuse to run as root, so where this
//! program does, they get an account that is there already.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::Path,
    process::Command,
};

use anyhow::Context as _;

/// The accounts that will do, the best first. Debian's package of PostgreSQL makes one.
const NAMES: [&str; 2] = ["postgres", "nobody"];

/// Another account than ours; none where ours will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account(Option<Ids>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ids {
    user: u32,
    group: u32,
}

impl Account {
    /// The account for a server whose folder we made just now, as whoever we are.
    pub(crate) fn for_servers(folder: &Path) -> anyhow::Result<Self> {
        if fs::metadata(folder)?.uid() != 0 {
            return Ok(Self(None));
        }
        let accounts = fs::read_to_string("/etc/passwd").context("reading /etc/passwd")?;
        let ids = NAMES.iter().find_map(|name| ids(&accounts, name));
        let names = NAMES.join(" nor ");
        Ok(Self(Some(ids.with_context(|| {
            format!("servers refuse to run as root, and there is neither {names}")
        })?)))
    }

    /// Makes it the owner of a file or folder.
    pub(crate) fn give(&self, path: &Path) -> anyhow::Result<()> {
        let Some(ids) = self.0 else { return Ok(()) };
        chown(path, Some(ids.user), Some(ids.group))
            .with_context(|| format!("giving away {}", path.display()))
    }

    /// A program to be run by it in this folder, untouched by what the environment says
    /// of other PostgreSQL servers (`PGHOST`, `PGOPTIONS` and the like).
    pub(crate) fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder);
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_postgres(name)) {
            command.env_remove(name);
        }
        if let Some(ids) = self.0 {
            command.uid(ids.user).gid(ids.group).env("HOME", folder);
        }
        command
    }
}

fn is_of_postgres(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"PG")
}

/// The account's numbers, from the text of `/etc/passwd`.
fn ids(accounts: &str, name: &str) -> Option<Ids> {
    let mut fields = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let fields = fields.find(|fields| fields.first() == Some(&name))?;
    Some(Ids { user: fields.get(2)?.parse().ok()?, group: fields.get(3)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_s_numbers_are_read() {
        let accounts = "root:x:0:0::/:/bin/sh\nnobody:x:65534:65533:a b:/:/bin/false\n";
        assert_eq!(ids(accounts, "nobody"), Some(Ids { user: 65534, group: 65533 }));
        assert_eq!(ids(accounts, "nobo"), None);
    }
}
