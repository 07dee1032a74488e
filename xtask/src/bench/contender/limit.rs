//! The limit: the program in `bench/limit`.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

use super::{Contender, ENTRY, NO_ROW, Name, TITLE};
use crate::{
    bench::{
        case::{Case, Durability},
        dataset::{self, Dataset, Spelling, Table},
        wrk::Load,
    },
    process::{Server, free_address, target_dir},
};

/// The limit and its database.
#[derive(Debug)]
pub(crate) struct Limit {
    directory: PathBuf,
    /// The PostgreSQL database that Mainstay has made; none where it has a file of its own.
    postgres: Option<String>,
}

impl Limit {
    /// A database in this directory.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, postgres: None }
    }

    /// Over the tables that Mainstay has made in a PostgreSQL database.
    pub(crate) fn on_postgres(directory: PathBuf, url: String) -> Self {
        Self { directory, postgres: Some(url) }
    }
}

/// The program that is the limit, and loads rows.
pub(super) fn program() -> PathBuf {
    target_dir().join("release/bench-limit")
}

/// Hands all rows to the loader.
pub(super) fn load_rows(
    loader: &str,
    db: &std::path::Path,
    spelling: Spelling,
    dataset: Dataset,
) -> anyhow::Result<()> {
    let mut child = Command::new(program())
        .arg(loader)
        .arg(db)
        .stdin(Stdio::piped())
        .spawn()
        .context("starting the loader")?;
    let input = child.stdin.take().context("the loader has no input")?;
    let mut input = std::io::BufWriter::new(input);
    let written = dataset.write_lines(spelling, &mut input);
    drop(input);
    ensure!(child.wait()?.success(), "the loader failed");
    Ok(written?)
}

impl Contender for Limit {
    fn name(&self) -> Name {
        Name::Limit
    }

    fn seed(&mut self, dataset: Dataset) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.directory)?;
        if self.postgres.is_some() {
            return Ok(());
        }
        load_rows("load", &self.directory.join("limit.db"), Spelling::Mainstay, dataset)
    }

    fn start(&self, durability: Durability) -> anyhow::Result<Option<Server>> {
        let address = free_address()?;
        let mut command = Command::new(program());
        match &self.postgres {
            Some(url) => {
                let commit = if durability == Durability::Full { "on" } else { "off" };
                command.args(["serve-postgres", url, &address, commit]);
            }
            None => {
                command.arg("serve").arg(self.directory.join("limit.db"));
                command.arg(&address).arg(durability.synchronous());
            }
        }
        let log = self.directory.join("limit.log");
        Server::start(command, address, "/healthz", &log).map(Some)
    }

    fn load(&self, case: Case, dataset: Dataset) -> Load {
        let author = dataset::id(Spelling::Mainstay, Table::Authors, 0);
        rest_load(case, dataset, vec![("x-caller", author)])
    }
}

/// The cases at the URLs that Mainstay and the limit share. `caller` are the
/// headers by which the update says whose it is.
pub(super) fn rest_load(case: Case, dataset: Dataset, caller: Vec<(&'static str, String)>) -> Load {
    let by_id = format!("/rest/v1/posts?id=eq.{}", dataset::post_id_pattern(Spelling::Mainstay));
    let front = "published=is.true&order=posted_at.desc&limit=30";
    let get = |path: String, row: String| Load {
        method: "GET",
        path,
        headers: Vec::new(),
        body: None,
        row,
    };
    match case {
        Case::Read | Case::ReadBeside => get(by_id, super::any_published_post(dataset)),
        Case::List => get(format!("/rest/v1/posts?{front}"), NO_ROW.into()),
        Case::Embed => get(
            format!("/rest/v1/posts?select=id,title,author(name),comments(id,body)&{front}"),
            NO_ROW.into(),
        ),
        Case::Create | Case::CreateBeside => Load {
            method: "POST",
            path: "/rest/v1/entries".into(),
            headers: vec![("Prefer", "return=minimal".into())],
            body: Some(ENTRY.into()),
            row: NO_ROW.into(),
        },
        Case::Update => Load {
            method: "PATCH",
            path: by_id,
            headers: [vec![("Prefer", "return=minimal".into())], caller].concat(),
            body: Some(TITLE.into()),
            row: super::any_post_of_the_first_author(dataset),
        },
    }
}
