//! `mainstay access`: who may do what, as a table, as a file to be reviewed, and of one
//! row why.
//!
//! What is said is worked out by `plan` and `rules`; nothing is decided here.

mod explain;
mod facts;
mod lock;
mod table;

use serde_json::json;

use self::{facts::Facts, lock::compare};
use super::{
    Failure,
    arguments::{AccessArguments, AccessCommand},
    output::Output,
    print_warnings,
};
use crate::{
    folder::{ACCESS_LOCK, Folder},
    load::{environment, load},
};

pub(super) fn run(arguments: &AccessArguments, output: &Output) -> Result<(), Failure> {
    if let Some(AccessCommand::Explain(arguments)) = &arguments.command {
        return explain::run(arguments, output);
    }
    let folder = Folder::open(&arguments.dir)?;
    let loaded = load(folder.read()?, &environment())?;
    let facts = Facts::of(&loaded);
    if arguments.check {
        return check(&folder, &facts, arguments, output);
    }
    if arguments.lock {
        let path = folder.write_access_lock(&lock::text(&facts))?;
        let shown = path.display().to_string();
        output.print(&match arguments.json {
            true => format!("{:#}", json!({ "written": shown })),
            false => format!("wrote {shown}"),
        });
        return Ok(());
    }
    if arguments.json {
        output.print(&format!("{:#}", table::as_json(&facts)));
        return Ok(());
    }
    print_warnings(&loaded, output);
    output.print(&table::table(&facts, output.style));
    Ok(())
}

/// Compares the file with the rules.
fn check(
    folder: &Folder,
    facts: &Facts,
    arguments: &AccessArguments,
    output: &Output,
) -> Result<(), Failure> {
    let command = format!("mainstay access --lock {}", arguments.dir.display());
    let Some(written) = folder.read_access_lock()? else {
        return Err(Failure::App(format!("there is no {ACCESS_LOCK}: `{command}` writes it")));
    };
    let difference = compare(&written, facts);
    if arguments.json {
        let (added, removed) = (&difference.added, &difference.removed);
        let ok = difference.is_empty();
        output.print(&format!("{:#}", json!({ "ok": ok, "removed": removed, "added": added })));
        return if ok { Ok(()) } else { Err(Failure::Told) };
    }
    if difference.is_empty() {
        output.print(&format!("{ACCESS_LOCK} is what the rules say"));
        return Ok(());
    }
    for (sign, line) in difference.lines() {
        let line = format!("{sign} {line}");
        output.print(&if sign == '-' {
            output.style.red(&line)
        } else {
            output.style.green(&line)
        });
    }
    Err(Failure::App(format!(
        "{ACCESS_LOCK} is not what the rules say. Where the change is meant, `{command}` \
         writes it anew, to be reviewed and committed with the rules"
    )))
}
