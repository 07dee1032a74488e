//! Mainstay itself: an application folder written here, served by the release binary.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};

use super::{Contender, Name, limit::rest_load};
use crate::{
    bench::{
        case::{Case, Durability},
        dataset::{self, Dataset, Spelling, Table},
        wrk::Load,
    },
    http::Connection,
    process::{Server, free_address, output, target_dir},
};

/// Rows of one bulk insert.
const ROWS_PER_POST: u64 = 1000;

const FILES: [(&str, &str); 5] = [
    (
        "mainstay.toml",
        "[app]\nname = \"bench\"\n\n[auth]\nconfirm_email = false\nsessionless_tokens = true\n",
    ),
    (
        "models/authors.toml",
        r#"[fields]
name = { type = "text", required = true }

[rules]
read = "true"
"#,
    ),
    (
        "models/posts.toml",
        r#"[fields]
title     = { type = "text", required = true, max = 200 }
body      = { type = "text", default = "" }
views     = { type = "int", default = 0, min = 0 }
published = { type = "bool", default = false }
author    = { type = "ref", to = "authors", required = true }
posted_at = { type = "timestamp", required = true }

[rules]
read   = "published || author == auth.id"
update = "author == auth.id"

[[index]]
fields = ["published", "-posted_at"]
"#,
    ),
    (
        "models/comments.toml",
        r#"[fields]
post = { type = "ref", to = "posts", required = true }
body = { type = "text", required = true }

[rules]
read = "true"

[[index]]
fields = ["post"]
"#,
    ),
    (
        "models/entries.toml",
        r#"[fields]
title = { type = "text", required = true, max = 200 }
body  = { type = "text", default = "" }

[rules]
create = "true"
"#,
    ),
];

/// Mainstay, its application folder, and what its callers carry.
#[derive(Debug)]
pub(crate) struct Mainstay {
    directory: PathBuf,
    author_token: String,
    /// The PostgreSQL database; none for the one in the application folder.
    postgres: Option<String>,
}

impl Mainstay {
    /// An application folder in this directory.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, author_token: String::new(), postgres: None }
    }

    /// The same over a PostgreSQL database.
    pub(crate) fn on_postgres(directory: PathBuf, url: String) -> Self {
        Self { postgres: Some(url), ..Self::new(directory) }
    }

    fn app(&self) -> PathBuf {
        self.directory.join("app")
    }

    fn run(&self, args: &[&str]) -> anyhow::Result<String> {
        let (first, rest) = args.split_first().expect("BUG: a command has a name");
        output(Command::new(program()).arg(first).arg(self.app()).args(rest))
    }
}

/// The binary that is measured.
fn program() -> PathBuf {
    target_dir().join("release/mainstay")
}

/// Writes an application folder: each file's path in it, and its text.
pub(crate) fn write_app(app: &Path, files: &[(&str, &str)]) -> anyhow::Result<()> {
    for (name, text) in files {
        let path = app.join(name);
        fs::create_dir_all(path.parent().expect("BUG: a file has a directory"))?;
        fs::write(path, text)?;
    }
    Ok(())
}

impl Contender for Mainstay {
    fn name(&self) -> Name {
        Name::Mainstay
    }

    fn seed(&mut self, dataset: Dataset) -> anyhow::Result<()> {
        write_app(&self.app(), &FILES)?;
        let server = self.start(Durability::Process)?.context("it always starts")?;
        let keys: serde_json::Value = serde_json::from_str(&self.run(&["keys", "--json"])?)?;
        let service = keys["service"].as_str().context("keys --json names no service key")?;
        let author = dataset::id(Spelling::Mainstay, Table::Authors, 0);
        self.author_token =
            self.run(&["token", "--user", &author, "--role", "authenticated"])?.trim().to_owned();
        let authorization = format!("Bearer {service}");
        let headers = [
            ("apikey", service),
            ("Authorization", authorization.as_str()),
            ("Prefer", "return=minimal"),
        ];
        let mut connection = Connection::open(&server.address)?;
        for table in Table::ALL {
            let count = dataset.count(table);
            for first in (0..count).step_by(ROWS_PER_POST as usize) {
                let numbers = first..count.min(first + ROWS_PER_POST);
                let rows: Vec<String> =
                    numbers.map(|n| dataset.row(Spelling::Mainstay, table, n)).collect();
                let body = format!("[{}]", rows.join(","));
                let path = format!("/rest/v1/{}", table.name());
                let response = connection.send("POST", &path, &headers, &body)?;
                ensure!(
                    response.status == 201,
                    "seeding {}: {} {}",
                    table.name(),
                    response.status,
                    response.body
                );
            }
        }
        server.stop();
        Ok(())
    }

    fn start(&self, durability: Durability) -> anyhow::Result<Option<Server>> {
        let address = free_address()?;
        let mut command = Command::new(program());
        command.arg("serve").arg(self.app()).args(["--listen", &address]);
        command.env("MAINSTAY_DATABASE__DURABILITY", durability.name());
        if let Some(url) = &self.postgres {
            command.env("MAINSTAY_DATABASE__URL", url);
        }
        let log = self.directory.join("mainstay.log");
        Server::start(command, address, "/healthz", &log).map(Some)
    }

    fn load(&self, case: Case, dataset: Dataset) -> Load {
        let bearer = format!("Bearer {}", self.author_token);
        rest_load(case, dataset, vec![("Authorization", bearer)])
    }
}
