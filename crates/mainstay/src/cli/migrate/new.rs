//! `mainstay migrate new`: a migration from what the models changed.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use mainstay_core::{Catalog, SourceFile};
use mainstay_store::{
    Choices, CompareError, MigrationStep, Migrations, Question, Rename, compare, render,
    render_empty,
};
use serde_json::{Value as Json, json};

use crate::{
    built_in::BuiltInMigrations,
    cli::{Failure, arguments::NewMigrationArguments, output::Output},
    database::{DatabaseError, of_app},
    folder::Folder,
    load::{environment, load},
};

pub(super) fn run(arguments: &NewMigrationArguments, output: &Output) -> Result<(), Failure> {
    let folder = Folder::open(&arguments.dir)?;
    let files = folder.read_migrations()?.unwrap_or_default();
    let built_in = BuiltInMigrations::read().map_err(DatabaseError::from)?;
    let migrations = of_app(&built_in, &files).map_err(DatabaseError::from)?;
    let file = migrations.next_file(&arguments.name).map_err(Failure::Usage)?;
    if arguments.empty {
        let path = folder.write_migration(&file, &render_empty())?;
        tell(&path, &[], arguments, output);
        return Ok(());
    }
    let loaded = load(folder.read()?, &environment())?;
    let steps = decide(&migrations, &loaded.catalog, arguments, output)?;
    if steps.is_empty() {
        if arguments.json {
            output.print(&format!("{:#}", json!({ "file": null, "steps": [] })));
        } else {
            output.print("nothing to write: the models are what the migrations come to");
        }
        return Ok(());
    }
    // Before the first migration there is nothing of the app's that could be lost.
    if !migrations.all().is_empty() {
        refuse_loss(&steps, arguments)?;
    }
    let text = render(&steps);
    check(&built_in, files, &file, &text, &loaded.catalog)?;
    let path = folder.write_migration(&file, &text)?;
    tell(&path, &steps, arguments, output);
    Ok(())
}

/// Compares, and asks about what cannot be known.
fn decide(
    migrations: &Migrations,
    catalog: &Catalog,
    arguments: &NewMigrationArguments,
    output: &Output,
) -> Result<Vec<MigrationStep>, Failure> {
    let mut choices = Choices::default();
    arguments.renames.iter().cloned().for_each(|rename| choices.rename(rename));
    arguments.drops.iter().for_each(|gone| choices.drop(gone));
    loop {
        match compare(migrations.snapshot(), catalog, &choices) {
            Ok(steps) => return Ok(steps),
            Err(CompareError::Undecided(questions)) if can_ask() => {
                // One answer may settle another question: two fields cannot become one.
                let Some(question) = questions.first() else { continue };
                ask(question, &mut choices, output)?;
            }
            Err(error @ CompareError::Undecided(_)) => {
                return Err(Failure::Usage(error.to_string()));
            }
            Err(error) => return Err(Failure::App(error.to_string())),
        }
    }
}

fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn ask(question: &Question, choices: &mut Choices, output: &Output) -> Result<(), Failure> {
    let Question { gone, came } = question;
    output.note(&format!("{gone} is gone. Is it one of these, under another name?"));
    for (at, name) in came.iter().enumerate() {
        output.note(&format!("  {}  {name}", at + 1));
    }
    output.note("  0  no: it goes, with what it holds");
    loop {
        let mut errors = io::stderr().lock();
        // A terminal that has gone away gives no answer either.
        let _ = write!(errors, "> ").and_then(|()| errors.flush());
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        if !matches!(read, Ok(1..)) {
            return Err(Failure::Usage(question.to_string()));
        }
        match line.trim().parse::<usize>() {
            Ok(0) => choices.drop(gone),
            Ok(number) if number <= came.len() => {
                choices.rename(Rename { from: gone.clone(), to: came[number - 1].clone() });
            }
            _ => continue,
        }
        return Ok(());
    }
}

fn refuse_loss(steps: &[MigrationStep], arguments: &NewMigrationArguments) -> Result<(), Failure> {
    let losing: Vec<String> = steps
        .iter()
        .filter_map(|step| Some(format!("  {}: loses {}", step.described(), step.loses()?)))
        .collect();
    if losing.is_empty() || arguments.allow_loss {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "data would be lost, or may be:\n{}\n`--allow-loss` writes the migration all the same",
        losing.join("\n")
    )))
}

/// Whether what is written is read again as what the models want.
fn check(
    built_in: &BuiltInMigrations,
    mut files: Vec<SourceFile>,
    file: &str,
    text: &str,
    catalog: &Catalog,
) -> Result<(), Failure> {
    files.push(SourceFile { path: file.to_owned(), text: text.to_owned() });
    let read = of_app(built_in, &files).map_err(DatabaseError::from)?;
    match compare(read.snapshot(), catalog, &Choices::default()) {
        Ok(steps) if steps.is_empty() => Ok(()),
        _ => Err(Failure::App("BUG: the migration does not lead to the models".to_owned())),
    }
}

fn tell(path: &str, steps: &[MigrationStep], arguments: &NewMigrationArguments, output: &Output) {
    if arguments.json {
        let steps: Vec<Json> = steps
            .iter()
            .map(|step| json!({ "step": step.described(), "loses": step.loses() }))
            .collect();
        output.print(&format!("{:#}", json!({ "file": path, "steps": steps })));
        return;
    }
    output.print(&format!("wrote {path}"));
    for step in steps {
        output.print(&format!("  {} {}", output.style.green("+"), step.described()));
        if let Some(loses) = step.loses() {
            output.print(&format!("    {} {loses}", output.style.red("loses")));
        }
    }
}
