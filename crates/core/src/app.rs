//! The application folder: its files' text, read into [`Settings`] and a [`Catalog`].
//!
//! Whoever calls [`read_app`] has read the files. All mistakes of all files are
//! reported at once, each with its place; nothing is served while there is one.
//! Rules are carried as text, and are checked by the crate `rules`: those of an app,
//! and those of a folder with mistakes, so that the rules' are told with the others.
//!
//! Reading is bounded: bytes of a file, models, fields, indexes, refs, roles, and
//! the number of mistakes reported. No text makes it panic.

mod built_in;
mod constraints;
mod default;
mod document;
mod field;
pub(crate) mod keys;
mod link;
mod model;
mod options;
mod read_settings;
mod roles;
mod settings;
mod shape;
pub(crate) mod words;

use std::borrow::Cow;

use crate::{
    Catalog, Diagnostic, PartialCatalog,
    names::{name_fault, suggested_name},
    sort_diagnostics,
};

use self::{
    document::{Problems, Table, parse},
    model::{read_model, table_fault, unread_model},
};
pub use self::{
    roles::{Role, Roles},
    settings::{
        AppSettings, AuthSettings, DatabaseSettings, Durability, LogFormat, LogLevel, LogSettings,
        MailSettings, RedisSettings, RestSettings, ServerSettings, SettingDoc, Settings,
    },
    words::{MailSender, Network, Secret, WebOrigin},
};

/// The file that settings are read from.
pub const SETTINGS_FILE: &str = "mainstay.toml";
/// Bytes of one file.
const FILE_BYTES_MAX: usize = 262_144;
/// Models of an app.
const MODELS_MAX: usize = 1_000;
/// Fields of a model, the generated ones aside.
const FIELDS_MAX: usize = 500;
/// Indexes that a model declares.
const INDEXES_MAX: usize = 64;
/// Refs of an app.
const REFERENCES_MAX: usize = 20_000;
/// Mistakes that are reported; nobody reads more at once.
const DIAGNOSTICS_MAX: usize = 200;

/// Names of fields that a query string reads as something else.
const QUERY_WORDS: [&str; 9] =
    ["select", "order", "limit", "offset", "columns", "on_conflict", "and", "or", "not"];

/// A file of the application folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path relative to the folder, with `/` on every system.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// A file that a crate of Mainstay's brings to every app: a model, or a migration of the
/// tables of its models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// Where it is said to lie: `built-in/auth/users.toml`. The file's name is the model's.
    pub path: &'static str,
    /// What is in it.
    pub text: &'static str,
}

impl From<&BuiltIn> for SourceFile {
    fn from(built_in: &BuiltIn) -> Self {
        Self { path: built_in.path.to_owned(), text: built_in.text.to_owned() }
    }
}

/// An application folder, read and checked but for its rules.
#[derive(Clone, Debug)]
pub struct App {
    /// What `mainstay.toml` and the environment set.
    pub settings: Settings,
    /// The models.
    pub catalog: Catalog,
    /// What has no effect or will surprise, though the app can be served.
    pub warnings: Vec<Diagnostic>,
}

/// Why an application folder is no app.
#[derive(Clone, Debug)]
pub struct AppMistakes {
    /// All mistakes but those in rules, by file and place, with the warnings among them.
    pub found: Vec<Diagnostic>,
    /// What is left of the models: enough to find the mistakes in rules, and no more.
    pub for_rules: PartialCatalog,
}

/// Reads an application folder. Files that are neither `mainstay.toml` nor
/// `models/*.toml` are none of its business. `built_in` are the models that are there
/// whatever the folder says; of those, it can add to `users` (`built_in.rs` says what). Of
/// the environment, variables that begin with `MAINSTAY_` override settings.
///
/// # Errors
/// All mistakes but those in rules, and what those can be found by.
pub fn read_app(
    built_in: &[BuiltIn],
    files: &[SourceFile],
    environment: &[(String, String)],
) -> Result<App, AppMistakes> {
    let mut problems = Problems::default();
    let mut warnings = Vec::new();
    let settings_file = files.iter().find(|file| file.path == SETTINGS_FILE);
    let settings =
        read_settings::read_settings(settings_file, environment, &mut problems, &mut warnings);

    let named = model_files(files, &mut problems);
    let documents: Vec<_> = named.iter().map(|(_, file)| parse(file, &mut problems)).collect();
    let own: Vec<SourceFile> = built_in.iter().map(SourceFile::from).collect();
    let own_documents: Vec<_> = own.iter().map(|file| parse(file, &mut problems)).collect();
    let mut drafts = built_in::read(&own, &own_documents, &mut problems);
    for ((name, file), document) in named.iter().zip(&documents) {
        let table = document.as_ref().map(|document| Table::new(file, document.get_ref()));
        match (drafts.iter_mut().find(|draft| draft.name == name), table) {
            (Some(draft), table) => built_in::extend(draft, file, table.as_ref(), &mut problems),
            (None, Some(table)) => drafts.push(read_model(name, &table, &mut problems)),
            (None, None) => drafts.push(unread_model(name, file)),
        }
    }
    drafts.sort_by_key(|draft| draft.name);
    for field in drafts.iter().flat_map(|draft| &draft.fields) {
        let name = field.entry.key;
        if QUERY_WORDS.contains(&name) && warnings.len() < DIAGNOSTICS_MAX {
            let message =
                format!("no filter can name the field `{name}`: `?{name}=` means something else");
            warnings.push(field.entry.key_mistake(message).as_warning());
        }
    }
    let linked = link::link(&drafts, &mut problems);

    let mut found = problems.into_found();
    if !found.is_empty() {
        found.append(&mut warnings);
        sort_diagnostics(&mut found);
        let for_rules = PartialCatalog::new(linked.models, linked.references, linked.doubts);
        return Err(AppMistakes { found, for_rules });
    }
    let version = linked.version(&settings.limits);
    let catalog = Catalog::new(version, linked.models, linked.references);
    Ok(App { settings, catalog, warnings })
}

/// The files that are models with their names, by name. One that is misnamed or
/// misplaced has the name it was probably meant to have, so that what names the model
/// finds it.
fn model_files<'f>(
    files: &'f [SourceFile],
    problems: &mut Problems,
) -> Vec<(Cow<'f, str>, &'f SourceFile)> {
    let mut named: Vec<(Cow<'f, str>, &SourceFile)> = Vec::new();
    let mut meant: Vec<(Cow<'f, str>, &SourceFile)> = Vec::new();
    for file in files {
        let Some(path) = file.path.strip_prefix("models/") else { continue };
        let Some(name) = path.strip_suffix(".toml") else { continue };
        if let Some((_, name)) = name.rsplit_once('/') {
            problems.add(|| {
                Diagnostic::at(file, 0..0, "a model's file lies directly in `models/`")
                    .with_hint("the file's name is the model's, so there are no folders between")
            });
            meant.push((name.into(), file));
            continue;
        }
        let Some(fault) = name_fault(name).or_else(|| table_fault(name)) else {
            named.push((name.into(), file));
            continue;
        };
        let better = suggested_name(name);
        problems.add(|| {
            let better = better.as_ref().map(|name| format!("models/{name}.toml"));
            Diagnostic::at(file, 0..0, format!("`{name}` cannot name a model: {fault}"))
                .with_nearest(better.as_deref())
        });
        meant.push((better.map_or(name.into(), Into::into), file));
    }
    // Those that have their names by right come first, and are kept.
    named.append(&mut meant);
    named.sort_by(|(one, _), (other, _)| one.cmp(other));
    named.dedup_by(|(one, _), (other, _)| one == other);
    if named.len() > MODELS_MAX {
        let (_, file) = named[MODELS_MAX];
        problems
            .add(|| Diagnostic::at(file, 0..0, format!("an app has at most {MODELS_MAX} models")));
        named.truncate(MODELS_MAX);
    }
    named
}

#[cfg(test)]
mod tests;
