//! `mainstay migrate status`: what the database has seen, and whether the models ask for
//! more.

use mainstay_store::{AppliedMigration, Choices, MigrationRecord, MigrationStep, compare};
use serde_json::{Value as Json, json};

use super::Opened;
use crate::cli::{Failure, arguments::FolderArguments, block_on, output::Output};

pub(super) fn run(arguments: &FolderArguments, output: &Output) -> Result<(), Failure> {
    block_on(async {
        let opened = Opened::open(&arguments.dir).await?;
        let outcome = tell(&opened, arguments, output).await;
        opened.database.close().await;
        outcome
    })
}

/// A migration, and whether the database has seen it.
struct Line<'m> {
    record: &'m MigrationRecord,
    state: &'static str,
    applied_at: Option<&'m str>,
    loses: Vec<&'m str>,
}

async fn tell(
    opened: &Opened,
    arguments: &FolderArguments,
    output: &Output,
) -> Result<(), Failure> {
    let Opened { loaded, migrations, database } = opened;
    let standing = database.standing(migrations).await?;
    let applied = database.store.migrations().await;
    let applied = applied.map_err(|error| Failure::App(error.to_string()))?;
    let mut lines: Vec<Line<'_>> = Vec::new();
    for migration in migrations.all() {
        let Some(record) = migration.record() else { continue };
        let is_same = |it: &&AppliedMigration| {
            it.record.lineage == record.lineage && it.record.number == record.number
        };
        let seen = applied.iter().find(is_same);
        lines.push(Line {
            record,
            state: if seen.is_some() { "applied" } else { "pending" },
            applied_at: seen.map(|it| it.applied_at.as_str()),
            loses: migration.steps().iter().filter_map(MigrationStep::loses).collect(),
        });
    }
    lines.extend(standing.ahead().map(|AppliedMigration { record, applied_at }| Line {
        record,
        state: "ahead",
        applied_at: Some(applied_at),
        loses: Vec::new(),
    }));
    let no_choice = Choices::default();
    let is_equal = compare(migrations.snapshot(), &loaded.catalog, &no_choice)
        .is_ok_and(|steps| steps.is_empty());
    if arguments.json {
        let lines: Vec<Json> = lines.iter().map(as_json).collect();
        let place = &database.place;
        let report = json!({ "database": place, "migrations": lines, "models_equal": is_equal });
        output.print(&format!("{report:#}"));
        return Ok(());
    }
    print(&lines, output);
    if !is_equal {
        output.note("the models are not what these come to: `mainstay migrate new NAME`");
    }
    Ok(())
}

fn print(lines: &[Line<'_>], output: &Output) {
    let width = lines.iter().map(|line| line.record.file().len()).max().unwrap_or(0);
    for line in lines {
        let file = line.record.file();
        let state = match line.state {
            "applied" => output.style.green(line.state),
            "pending" => output.style.yellow(line.state),
            state => output.style.red(state),
        };
        let at = line.applied_at.map_or(String::new(), |at| format!(" {}", output.style.dim(at)));
        output.print(&format!("{file:<width$}  {state}{at}"));
        if line.state == "pending" {
            for loses in &line.loses {
                output.print(&format!("  loses {loses}"));
            }
        }
    }
    if lines.is_empty() {
        output.print("there are no migrations");
    }
}

fn as_json(line: &Line<'_>) -> Json {
    json!({
        "lineage": line.record.lineage,
        "number": line.record.number,
        "name": line.record.name,
        "file": line.record.file(),
        "state": line.state,
        "applied_at": line.applied_at,
        "compatible": line.record.compatible,
        "loses": line.loses,
    })
}
