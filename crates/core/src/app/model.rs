//! One model file: `[model]`, `[fields]`, `[rules]` and `[[index]]`.

use super::{
    FIELDS_MAX, INDEXES_MAX, SourceFile, built_in,
    document::{Entry, Place, Problems, Table},
    field::{FieldDraft, read_description, read_field, read_rule},
};
use crate::{
    IdKind, ModelRules, Visibility,
    declarations::Doubt,
    names::{either, name_fault, nearest, suggested_name},
};

/// A model as written, before the models it names are looked up.
#[derive(Clone, Debug)]
pub(super) struct ModelDraft<'d> {
    pub(super) name: &'d str,
    pub(super) file: &'d SourceFile,
    pub(super) id: IdKind,
    pub(super) timestamps: bool,
    pub(super) junction: Option<(bool, Place<'d>)>,
    pub(super) table: (&'d str, Place<'d>),
    pub(super) description: Option<Box<str>>,
    pub(super) fields: Vec<FieldDraft<'d>>,
    pub(super) rules: ModelRules,
    pub(super) indexes: Vec<IndexDraft<'d>>,
    pub(super) visibility: Visibility,
    pub(super) append_only: bool,
    /// How many of its fields, the first ones, are built in.
    pub(super) built_in_fields: usize,
    /// What is not known of it for the mistakes in its file.
    pub(super) doubt: Doubt,
}

/// An `[[index]]` as written.
#[derive(Clone, Debug)]
pub(super) struct IndexDraft<'d> {
    pub(super) place: Place<'d>,
    pub(super) unique: bool,
    /// Each field's name, whether it descends, and where it stands.
    pub(super) fields: Vec<(&'d str, bool, Place<'d>)>,
}

/// What is left of a model whose file cannot be read: its name.
pub(super) fn unread_model<'d>(name: &'d str, file: &'d SourceFile) -> ModelDraft<'d> {
    ModelDraft { doubt: Doubt::unread(), ..empty_model(name, file) }
}

/// A model of this name with nothing in it.
pub(super) fn empty_model<'d>(name: &'d str, file: &'d SourceFile) -> ModelDraft<'d> {
    ModelDraft {
        name,
        file,
        id: IdKind::Uuid,
        timestamps: true,
        junction: None,
        table: (name, Place::File(file, 0..0)),
        description: None,
        fields: Vec::new(),
        rules: ModelRules::default(),
        indexes: Vec::new(),
        visibility: Visibility::Exposed,
        append_only: false,
        built_in_fields: 0,
        doubt: Doubt::default(),
    }
}

/// Reads a parsed model file. What is wrong is reported; a draft is made all the same.
pub(super) fn read_model<'d>(
    name: &'d str,
    file: &Table<'d>,
    problems: &mut Problems,
) -> ModelDraft<'d> {
    let mut draft = empty_model(name, file.file);
    let is_misspelt = has_other_tables(file, problems);
    match file.get("model") {
        Some(entry) => match entry.table(problems) {
            Some(table) => read_options(&table, &mut draft, problems),
            None => draft.doubt.options(),
        },
        None if is_misspelt => draft.doubt.options(),
        None => {}
    }
    read_contents(file, is_misspelt, &mut draft, problems);
    draft
}

/// Reports tables that are none of a model file's. Whether there are any: one whose name
/// is no key may be one of those that are missing.
pub(super) fn has_other_tables(file: &Table<'_>, problems: &mut Problems) -> bool {
    const KEYS: [&str; 4] = ["model", "fields", "rules", "index"];
    file.only(&KEYS, "a model file", problems);
    file.entries.iter().any(|entry| !KEYS.contains(&entry.key))
}

/// Reads all but `[model]`.
pub(super) fn read_contents<'d>(
    file: &Table<'d>,
    is_misspelt: bool,
    draft: &mut ModelDraft<'d>,
    problems: &mut Problems,
) {
    match file.get("fields") {
        Some(entry) => match entry.table(problems) {
            Some(table) => read_fields(&table, draft, problems),
            None => draft.doubt.any_field = true,
        },
        None => draft.doubt.any_field = is_misspelt,
    }
    if let Some(table) = file.get("rules").and_then(|entry| entry.table(problems)) {
        draft.rules = read_rules(&table, problems);
    }
    if let Some(entry) = file.get("index") {
        draft.indexes.extend(read_indexes(entry, problems));
    }
}

fn read_fields<'d>(table: &Table<'d>, draft: &mut ModelDraft<'d>, problems: &mut Problems) {
    for (at, entry) in table.entries.iter().enumerate() {
        if at == FIELDS_MAX {
            problems.add(|| entry.key_mistake(format!("a model has at most {FIELDS_MAX} fields")));
            draft.doubt.any_field = true;
            break;
        }
        if let Some(hint) = generated(entry.key, draft.timestamps) {
            if entry.key != "id" && draft.doubt.may_have_field(entry.key) {
                // Who keeps the timestamps is not known: `[model]` has a mistake.
                continue;
            }
            problems.add(|| {
                entry
                    .key_mistake(format!("the field `{}` is made by the server", entry.key))
                    .with_hint(hint)
            });
            draft.doubt.fields.push(entry.key.into());
            continue;
        }
        let built_in = &mut draft.fields[..draft.built_in_fields];
        if let Some(field) = built_in.iter_mut().find(|field| field.entry.key == entry.key) {
            built_in::restate(field, draft.name, entry, problems);
            continue;
        }
        let field = read_field(entry, problems);
        if field.in_doubt {
            let better = name_fault(entry.key).and_then(|_| suggested_name(entry.key));
            draft.doubt.fields.extend(better.map(Into::into));
            draft.doubt.fields.push(entry.key.into());
        }
        draft.fields.push(field);
    }
}

/// What to do instead of declaring a field of this name, if the server makes it.
fn generated(name: &str, timestamps: bool) -> Option<&'static str> {
    match name {
        "id" => Some("`[model] id` chooses its type"),
        "created_at" | "updated_at" if timestamps => {
            Some("`[model] timestamps = false` leaves it to you")
        }
        _ => None,
    }
}

fn read_options<'d>(table: &Table<'d>, draft: &mut ModelDraft<'d>, problems: &mut Problems) {
    const KEYS: [&str; 6] = ["id", "timestamps", "description", "junction", "table", "store"];
    let before = problems.count();
    table.only(&KEYS, "`[model]`", problems);
    if let Some(kind) = table.get("id").and_then(|entry| read_id(entry, problems)) {
        draft.id = kind;
    }
    if let Some(entry) = table.get("timestamps") {
        draft.timestamps = entry.flag(problems).unwrap_or(draft.timestamps);
    }
    if let Some(entry) = table.get("junction") {
        draft.junction = entry.flag(problems).map(|flag| (flag, entry.place()));
    }
    if problems.count() > before {
        draft.doubt.options();
    }
    draft.description =
        table.get("description").and_then(|entry| read_description(entry, problems));
    if let Some(entry) = table.get("table")
        && let Some(name) = entry.text(problems)
    {
        match table_fault(name) {
            Some(fault) => {
                problems.add(|| entry.mistake(format!("this cannot name a table: {fault}")))
            }
            None => draft.table = (name, entry.place()),
        }
    }
    if let Some(entry) = table.get("store") {
        problems.add(|| {
            entry
                .key_mistake("a store for one model is not available in this version")
                .with_hint("leave it out: every model lives in `[database]`")
        });
    }
}

fn read_id(entry: &Entry<'_>, problems: &mut Problems) -> Option<IdKind> {
    const KINDS: [(&str, IdKind); 3] =
        [("uuid", IdKind::Uuid), ("int", IdKind::Int), ("text", IdKind::Text)];
    let word = entry.text(problems)?;
    let found = KINDS.iter().find(|(known, _)| *known == word);
    if found.is_none() {
        problems.add(|| {
            let words = KINDS.map(|(word, _)| word);
            let found = entry.mistake(format!("an id cannot be of type `{word}`"));
            match nearest(word, words) {
                Some(near) => found.with_nearest(Some(near)),
                None => found.with_hint(format!("it is {}", either(&words))),
            }
        });
    }
    found.map(|(_, kind)| *kind)
}

/// Why a name cannot be a table's: that of any name, and what SQLite keeps for itself.
pub(super) fn table_fault(name: &str) -> Option<String> {
    name_fault(name).or_else(|| {
        name.starts_with("sqlite_")
            .then(|| "names that begin with `sqlite_` are the database's own".to_owned())
    })
}

fn read_rules(table: &Table<'_>, problems: &mut Problems) -> ModelRules {
    table.only(&["read", "create", "update", "check", "delete"], "`[rules]`", problems);
    let mut rule = |key| table.get(key).and_then(|entry| read_rule(entry, problems));
    ModelRules {
        read: rule("read"),
        create: rule("create"),
        update: rule("update"),
        check: rule("check"),
        delete: rule("delete"),
    }
}

fn read_indexes<'d>(entry: &Entry<'d>, problems: &mut Problems) -> Vec<IndexDraft<'d>> {
    if entry.value.get_ref().is_table() {
        problems.add(|| {
            entry
                .key_mistake("indexes are a list of tables")
                .with_hint("write `[[index]]`, with two brackets")
        });
        return Vec::new();
    }
    let Some(items) = entry.list(problems) else { return Vec::new() };
    if items.len() > INDEXES_MAX {
        problems.add(|| entry.key_mistake(format!("a model has at most {INDEXES_MAX} indexes")));
        return Vec::new();
    }
    items.iter().filter_map(|item| read_index(item, problems)).collect()
}

fn read_index<'d>(item: &Entry<'d>, problems: &mut Problems) -> Option<IndexDraft<'d>> {
    let table = item.table(problems)?;
    table.only(&["fields", "unique"], "`[[index]]`", problems);
    let unique = table.get("unique").and_then(|entry| entry.flag(problems)).unwrap_or(false);
    let Some(list) = table.get("fields") else {
        problems.add(|| {
            item.mistake("the index has no `fields`")
                .with_hint("list them: `fields = [\"published\", \"-created_at\"]`")
        });
        return None;
    };
    let mut fields = Vec::new();
    for (text, place) in list.texts(problems)? {
        let (name, descends) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        if unique && descends {
            problems.add(|| {
                place
                    .mistake("a unique index has no direction")
                    .with_hint(format!("write `{name}`"))
            });
        }
        fields.push((name, descends, place));
    }
    if fields.is_empty() {
        problems.add(|| list.mistake("an index has at least one field"));
        return None;
    }
    Some(IndexDraft { place: list.place(), unique, fields })
}
