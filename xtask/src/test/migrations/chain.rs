//! The chain, written by the tool: for each version of the app its folder, with the
//! migrations that lead to it.
//!
//! Nothing here asks a database. What `migrate new` has to refuse (a rename that nobody
//! named, a loss that nobody allowed) it is seen to refuse at every step that has one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};
use serde_json::Value as Json;

use super::app::{Loss, SETTINGS, START, STEPS, Sql, Step};
use crate::{bench::contender::write_app, process::output};

/// A version of the app.
#[derive(Debug)]
pub(super) struct Version {
    /// The number of its last migration.
    pub(super) number: usize,
    /// What that migration is called.
    pub(super) name: &'static str,
    /// The application folder.
    pub(super) folder: PathBuf,
}

/// Writes every version into a folder of its own below `apps`.
pub(super) fn write(binary: &Path, apps: &Path) -> anyhow::Result<Vec<Version>> {
    let mut versions: Vec<Version> = Vec::new();
    for (at, step) in [&START].into_iter().chain(&STEPS).enumerate() {
        let folder = apps.join(format!("{at:02}"));
        match versions.last() {
            Some(before) => copy(&before.folder, &folder)?,
            None => write_app(&folder, &[("mainstay.toml", SETTINGS)])?,
        }
        let number = at + 1;
        write_models(&folder, step)?;
        let file = folder.join(format!("migrations/{number:04}_{}.toml", step.name));
        write_migration(binary, &folder, &file, step)
            .with_context(|| format!("writing {}", step.name))?;
        versions.push(Version { number, name: step.name, folder });
    }
    Ok(versions)
}

/// The same models in a folder without migrations.
pub(super) fn without_migrations(version: &Version, folder: &Path) -> anyhow::Result<()> {
    copy(&version.folder, folder)?;
    Ok(fs::remove_dir_all(folder.join("migrations"))?)
}

fn write_models(folder: &Path, step: &Step) -> anyhow::Result<()> {
    for (model, text) in step.models {
        let file = format!("models/{model}.toml");
        match text {
            Some(text) => write_app(folder, &[(&file, text)])?,
            None => fs::remove_file(folder.join(file))?,
        }
    }
    Ok(())
}

fn write_migration(binary: &Path, folder: &Path, file: &Path, step: &Step) -> anyhow::Result<()> {
    let new = |flags: &[&str]| {
        let mut command = Command::new(binary);
        command.args(["migrate", "new", step.name]).arg(folder).args(flags);
        command
    };
    if !step.said.is_empty() {
        refused(new(&["--allow-loss"]), "--rename").context("without a word of what it was")?;
    }
    let mut flags = step.said.to_vec();
    if step.loss == Loss::Wanted {
        refused(new(&flags), "`--allow-loss`").context("without leave to lose data")?;
        flags.push("--allow-loss");
    }
    ensure!(!file.exists(), "{} was written though it was refused", file.display());
    output(&mut new(&flags))?;
    let text = fs::read_to_string(file)?;
    ensure!(text.contains("\nloses = ") == (step.loss == Loss::Wanted), "a loss is not marked");
    if let Some(sql) = &step.sql {
        fs::write(file, with_sql(&text, sql)?)?;
    }
    let more = output(new(&[]).arg("--json"))?;
    let more: Json = serde_json::from_str(&more)?;
    ensure!(more["file"].is_null(), "the models ask for more: {more}");
    Ok(())
}

/// Sees a command refused as one whose line is at fault, with this in its words.
fn refused(mut command: Command, wanted: &str) -> anyhow::Result<()> {
    let ended = command.output()?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(
        ended.status.code() == Some(2) && said.contains(wanted),
        "`migrate new` was not refused with {wanted}: {}, {said}",
        ended.status
    );
    Ok(())
}

/// The migration with a developer's step in its place.
fn with_sql(text: &str, sql: &Sql) -> anyhow::Result<String> {
    let step = format!(
        "\n[[step]]\nkind = \"sql\"\nsql.sqlite = \"\"\"{}\"\"\"\nsql.postgres = \"\"\"{}\"\"\"\n",
        sql.sqlite, sql.postgres
    );
    let Some(kind) = sql.before else { return Ok(format!("{text}{step}")) };
    let next = format!("\n[[step]]\nkind = \"{kind}\"\n");
    ensure!(text.contains(&next), "there is no {kind} in it:\n{text}");
    Ok(text.replacen(&next, &format!("{step}{next}"), 1))
}

/// Copies what a developer keeps of an application folder.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for part in ["models", "migrations"] {
        fs::create_dir_all(to.join(part))?;
        for entry in fs::read_dir(from.join(part))? {
            let entry = entry?;
            fs::copy(entry.path(), to.join(part).join(entry.file_name()))?;
        }
    }
    fs::copy(from.join("mainstay.toml"), to.join("mainstay.toml"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_developer_s_step_stands_before_the_one_it_is_written_for_or_at_the_end() {
        let sql = |before| Sql { before, sqlite: "A;", postgres: "B;" };
        let text = "\n[[step]]\nkind = \"add_field\"\n\n[[step]]\nkind = \"drop_field\"\n";
        let kinds = |text: &str| -> Vec<String> {
            let lines = text.lines().filter_map(|line| line.strip_prefix("kind = "));
            lines.map(|kind| kind.trim_matches('"').to_owned()).collect()
        };
        let edited = with_sql(text, &sql(Some("drop_field"))).unwrap();
        assert_eq!(kinds(&edited), ["add_field", "sql", "drop_field"]);
        assert_eq!(kinds(&with_sql(text, &sql(None)).unwrap()).last().unwrap(), "sql");
        assert!(with_sql(text, &sql(Some("drop_model"))).is_err());
    }
}
