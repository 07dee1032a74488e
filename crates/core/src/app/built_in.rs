//! Models that are there whatever the application folder says.
//!
//! One whose name begins with `mainstay_` is internal: for Mainstay alone. Any other
//! can be added to by the folder's file of its name, which is `users`: fields, rules
//! and indexes. What is built in stays as it is, since Mainstay's own code goes by it;
//! the folder may say of a built-in field who reads it, and describe it, no more.

use toml::{Spanned, de::DeTable};

use super::{
    SourceFile,
    document::{Entry, Problems, Table},
    field::{FieldDraft, read_description, read_rule},
    model::{ModelDraft, empty_model, has_other_tables, read_contents},
};
use crate::Visibility;

/// How the names of internal models and of built-in tables begin.
const INTERNAL: &str = "mainstay_";

/// Reads the models that are built in.
pub(super) fn read<'d>(
    files: &'d [SourceFile],
    documents: &'d [Option<Spanned<DeTable<'d>>>],
    problems: &mut Problems,
) -> Vec<ModelDraft<'d>> {
    let parsed = files.iter().zip(documents).filter_map(|(file, it)| Some((file, it.as_ref()?)));
    parsed
        .map(|(file, document)| {
            let path = file.path.strip_suffix(".toml").unwrap_or(&file.path);
            let name = path.rsplit('/').next().unwrap_or(path);
            read_one(name, &Table::new(file, document.get_ref()), problems)
        })
        .collect()
}

fn read_one<'d>(name: &'d str, file: &Table<'d>, problems: &mut Problems) -> ModelDraft<'d> {
    let mut draft = empty_model(name, file.file);
    if name.starts_with(INTERNAL) {
        draft.visibility = Visibility::Internal;
    }
    has_other_tables(file, problems);
    if let Some(table) = file.get("model").and_then(|entry| entry.table(problems)) {
        table.only(&["append_only", "description", "table"], "`[model]`", problems);
        if let Some(entry) = table.get("append_only") {
            draft.append_only = entry.flag(problems).unwrap_or_default();
        }
        if let Some(entry) = table.get("table")
            && let Some(name) = entry.text(problems)
        {
            draft.table = (name, entry.place());
        }
        draft.description =
            table.get("description").and_then(|entry| read_description(entry, problems));
    }
    read_contents(file, false, &mut draft, problems);
    draft.built_in_fields = draft.fields.len();
    draft
}

/// Adds to a built-in model what the folder's file of its name says; none where that
/// cannot be read.
pub(super) fn extend<'d>(
    draft: &mut ModelDraft<'d>,
    file: &'d SourceFile,
    contents: Option<&Table<'d>>,
    problems: &mut Problems,
) {
    if draft.visibility == Visibility::Internal {
        // No file can have its name, which has been reported.
        return;
    }
    draft.file = file;
    let Some(contents) = contents else {
        draft.doubt.any_field = true;
        return;
    };
    let is_misspelt = has_other_tables(contents, problems);
    if let Some(table) = contents.get("model").and_then(|entry| entry.table(problems)) {
        extend_options(draft, &table, problems);
    }
    read_contents(contents, is_misspelt, draft, problems);
}

/// Reads `[model]` of a file that adds to a built-in model: what it can say otherwise is
/// the description.
fn extend_options<'d>(draft: &mut ModelDraft<'d>, table: &Table<'d>, problems: &mut Problems) {
    const KEYS: [&str; 6] = ["id", "timestamps", "description", "junction", "table", "store"];
    table.only(&KEYS, "`[model]`", problems);
    for entry in &table.entries {
        let written = entry.value.get_ref();
        let as_it_is = match entry.key {
            "id" => written.as_str() == Some("uuid"),
            "timestamps" => written.as_bool() == Some(true),
            "junction" => written.as_bool() == Some(false),
            key => !KEYS.contains(&key) || key == "description",
        };
        if !as_it_is {
            problems.add(|| {
                let found = entry.mistake(format!(
                    "`{}` of the built-in model `{}` cannot be chosen",
                    entry.key, draft.name
                ));
                found.with_hint(match entry.key {
                    "id" => "its ids are uuids, as those in tokens are: leave it out",
                    _ => "leave it out",
                })
            });
        }
    }
    if let Some(entry) = table.get("description") {
        draft.description = read_description(entry, problems);
    }
}

/// Takes what the folder says of a built-in field: who reads it, and what it is for.
pub(super) fn restate<'d>(
    field: &mut FieldDraft<'d>,
    model: &str,
    entry: &Entry<'d>,
    problems: &mut Problems,
) {
    let name = entry.key;
    if !entry.value.get_ref().is_table() {
        problems.add(|| {
            entry
                .mistake(format!("`{name}` is a built-in field of `{model}`"))
                .with_hint(format!("say no more than who reads it: `{name} = {{ read = \"…\" }}`"))
        });
        return;
    }
    let Some(options) = entry.table(problems) else { return };
    for option in &options.entries {
        match option.key {
            "read" => field.rules.read = read_rule(option, problems).or(field.rules.read.take()),
            "description" => field.description = read_description(option, problems),
            key => problems.add(|| {
                option
                    .key_mistake(format!(
                        "`{key}` of the built-in field `{model}.{name}` cannot be chosen"
                    ))
                    .with_hint("it takes `read` and `description` alone: leave the rest out")
            }),
        }
    }
}
