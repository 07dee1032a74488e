//! `mainstay migrate up`: what the database has not seen is applied.

use serde_json::{Value as Json, json};

use super::Opened;
use crate::{
    cli::{Failure, arguments::FolderArguments, block_on, output::Output},
    database::AppliedFile,
};

pub(super) fn run(arguments: &FolderArguments, output: &Output) -> Result<(), Failure> {
    block_on(async {
        let opened = Opened::open(&arguments.dir).await?;
        let outcome = apply(&opened, arguments, output).await;
        opened.database.close().await;
        outcome
    })
}

async fn apply(
    opened: &Opened,
    arguments: &FolderArguments,
    output: &Output,
) -> Result<(), Failure> {
    let Opened { migrations, database, .. } = opened;
    let standing = database.standing(migrations).await?;
    let mut told: Vec<Json> = Vec::new();
    let outcome = database
        .apply(standing, |applied| {
            told.push(as_json(applied));
            if !arguments.json {
                print(applied, output);
            }
        })
        .await;
    if arguments.json {
        let report = json!({ "database": database.place, "applied": told });
        output.print(&format!("{report:#}"));
    } else if told.is_empty() && outcome.is_ok() {
        output.print(&format!("the database {} has seen every migration", database.place));
    }
    Ok(outcome?)
}

fn print(applied: &AppliedFile, output: &Output) {
    output.print(&format!("applied {}", applied.file));
    for step in &applied.steps {
        output.print(&format!("  {} {step}", output.style.green("+")));
    }
}

fn as_json(applied: &AppliedFile) -> Json {
    json!({ "file": applied.file, "steps": applied.steps })
}
