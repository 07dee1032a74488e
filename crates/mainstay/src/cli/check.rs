//! `mainstay check`: every mistake in an application folder.

use mainstay_core::{Diagnostic, SETTINGS_FILE, Severity};
use mainstay_store::MigrationMistake;
use serde_json::{Value as Json, json};

use super::{Failure, arguments::FolderArguments, output::Output, print_warnings};
use crate::{
    Mode, StartError,
    built_in::BuiltInMigrations,
    database,
    folder::Folder,
    identity::identity_settings,
    load::{Loaded, Mistakes, environment, load},
};

pub(super) fn run(arguments: &FolderArguments, output: &Output) -> Result<(), Failure> {
    let folder = Folder::open(&arguments.dir)?;
    let checked = load(folder.read()?, &environment()).and_then(|loaded| {
        match database::refused_by_engine(&loaded.settings.database, &loaded.catalog, &loaded.files)
        {
            Some(mistakes) => Err(mistakes),
            None => Ok(loaded),
        }
    });
    let checked = checked.and_then(|loaded| {
        match identity_settings(&loaded.settings, Mode::Production, None) {
            Err(StartError::Setting(message)) => {
                let mistake = Diagnostic::unplaced(SETTINGS_FILE, message);
                Err(Mistakes::new(vec![mistake], loaded.files))
            }
            _ => Ok(loaded),
        }
    });
    let files = folder.read_migrations()?.unwrap_or_default();
    let read = BuiltInMigrations::read().and_then(|built_in| database::of_app(&built_in, &files));
    let checked = checked.and_then(|loaded| match read {
        Ok(_) => Ok(loaded),
        Err(mistake) => {
            let MigrationMistake { file, line, message } = mistake;
            let message = if line > 0 { format!("line {line}: {message}") } else { message };
            Err(Mistakes::new(vec![Diagnostic::unplaced(&file, message)], loaded.files))
        }
    });
    if arguments.json {
        let found = match &checked {
            Ok(loaded) => &loaded.warnings,
            Err(mistakes) => mistakes.diagnostics(),
        };
        let found: Vec<Json> = found.iter().map(as_json).collect();
        let report = json!({ "ok": checked.is_ok(), "mistakes": found });
        output.print(&format!("{report:#}"));
        return checked.map(drop).map_err(|_| Failure::Told);
    }
    let loaded = checked?;
    print_warnings(&loaded, output);
    output.print(&summary(&loaded));
    Ok(())
}

fn summary(loaded: &Loaded) -> String {
    let (mut models, mut fields) = (0, 0);
    for model in loaded.catalog.exposed_models() {
        models += 1;
        fields += model.fields.len();
    }
    format!("no mistakes in {models} models with {fields} fields")
}

fn as_json(found: &Diagnostic) -> Json {
    json!({
        "severity": match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "file": found.file,
        "line": found.line,
        "column": found.column,
        "message": found.message,
        "label": found.label,
        "hint": found.hint,
    })
}
