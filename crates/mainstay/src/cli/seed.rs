//! `mainstay seed`: the rows of `seed/`, into the database.

use serde_json::{Value as Json, json};

use super::{Failure, arguments::FolderArguments, block_on, output::Output};
use crate::{App, seed::Seeded};

pub(super) fn run(arguments: &FolderArguments, output: &Output) -> Result<(), Failure> {
    let app = App::load(&arguments.dir)?;
    block_on(async {
        let (opened, _) = app.open(None).await?;
        let seeded = opened.seed().await;
        opened.database.close().await;
        let seeded = seeded?;
        if arguments.json {
            output.print(&format!("{:#}", as_json(&seeded)));
        } else if seeded.files.is_empty() {
            output.note("there is nothing in seed/");
        }
        if !arguments.json {
            for file in &seeded.files {
                output.print(&file.to_string());
            }
        }
        Ok(())
    })
}

fn as_json(seeded: &Seeded) -> Json {
    let files: Vec<Json> = seeded
        .files
        .iter()
        .map(|file| {
            json!({
                "file": file.file,
                "model": file.model,
                "rows": file.rows,
                "inserted": file.inserted,
                "updated": file.updated,
                "skipped": file.skipped,
            })
        })
        .collect();
    json!({ "files": files })
}
