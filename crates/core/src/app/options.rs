//! The types of fields, the options each takes, and what other systems call both.

use super::document::{Entry, Problems, Table};
use crate::{
    Diagnostic,
    names::{either, listed, nearest},
};

/// Options of every field.
const COMMON: [&str; 7] = ["type", "required", "unique", "default", "read", "write", "description"];

/// The types as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Text,
    Int,
    Float,
    Decimal,
    Bool,
    Uuid,
    Timestamp,
    Date,
    Json,
    Bytes,
    Enum,
    Ref,
}

/// Each type with its name and the options it takes beyond [`COMMON`].
const TYPES: [(&str, Written, &[&str]); 12] = [
    ("text", Written::Text, &["min", "max", "pattern", "format"]),
    ("int", Written::Int, &["min", "max"]),
    ("float", Written::Float, &["min", "max"]),
    ("decimal", Written::Decimal, &["min", "max", "precision", "scale"]),
    ("bool", Written::Bool, &[]),
    ("uuid", Written::Uuid, &[]),
    ("timestamp", Written::Timestamp, &[]),
    ("date", Written::Date, &[]),
    ("json", Written::Json, &[]),
    ("bytes", Written::Bytes, &[]),
    ("enum", Written::Enum, &["values"]),
    ("ref", Written::Ref, &["to", "on_delete", "blind"]),
];

/// What other systems call our types.
const TYPE_ALIASES: [(&str, &str); 24] = [
    ("string", "text"),
    ("str", "text"),
    ("varchar", "text"),
    ("char", "text"),
    ("email", "text"),
    ("url", "text"),
    ("integer", "int"),
    ("bigint", "int"),
    ("serial", "int"),
    ("number", "float"),
    ("double", "float"),
    ("real", "float"),
    ("numeric", "decimal"),
    ("money", "decimal"),
    ("boolean", "bool"),
    ("datetime", "timestamp"),
    ("timestamptz", "timestamp"),
    ("time", "timestamp"),
    ("jsonb", "json"),
    ("object", "json"),
    ("blob", "bytes"),
    ("select", "enum"),
    ("relation", "ref"),
    ("reference", "ref"),
];

/// What other systems call our options.
const OPTION_ALIASES: [(&str, &str); 10] = [
    ("max_length", "max"),
    ("min_length", "min"),
    ("length", "max"),
    ("regex", "pattern"),
    ("choices", "values"),
    ("options", "values"),
    ("references", "to"),
    ("model", "to"),
    ("not_null", "required"),
    ("comment", "description"),
];

/// A type by its name: the name, what it is, and the options it takes beyond those
/// of every field.
pub(super) fn type_named(
    name: &str,
) -> Option<&'static (&'static str, Written, &'static [&'static str])> {
    TYPES.iter().find(|(known, ..)| *known == name)
}

/// The options of every type together.
pub(super) fn every_option() -> Vec<&'static str> {
    let extra = TYPES.iter().flat_map(|(.., extra)| extra.iter());
    COMMON.iter().chain(extra).copied().collect()
}

/// The mistake of a field without a `type`.
pub(super) fn no_type(entry: &Entry<'_>, options: &Table<'_>) -> Diagnostic {
    let found = entry.key_mistake(format!("the field `{}` has no `type`", entry.key));
    let has = |key| options.get(key).is_some();
    if has("to") {
        return found.with_hint("a field that points at a model has `type = \"ref\"`");
    }
    if has("values") {
        return found.with_hint("a field with fixed values has `type = \"enum\"`");
    }
    found.with_hint(format!("the types are {}", listed(&type_names())))
}

/// The mistake of a type that is none.
pub(super) fn unknown_type(name: &str, entry: &Entry<'_>) -> Diagnostic {
    let found = entry.mistake(format!("`{name}` is not a type"));
    let lower = name.to_lowercase();
    let alias = TYPE_ALIASES.iter().find(|(other, _)| *other == lower).map(|(_, ours)| *ours);
    match alias.or_else(|| nearest(name, type_names())) {
        Some(near) => found.with_nearest(Some(near)),
        None => found.with_hint(format!("the types are {}", listed(&type_names()))),
    }
}

fn type_names() -> [&'static str; 12] {
    TYPES.map(|(name, ..)| name)
}

/// Reports options that this type does not take.
pub(super) fn check_options(
    options: &Table<'_>,
    name: &str,
    extra: &[&str],
    problems: &mut Problems,
) {
    let known: Vec<&str> = COMMON.iter().chain(extra).copied().collect();
    let article =
        if name.starts_with(['a', 'e', 'i', 'o', 'u']) && name != "uuid" { "an" } else { "a" };
    for option in options.entries.iter().filter(|option| !known.contains(&option.key)) {
        problems.add(|| {
            let owners: Vec<&str> = TYPES
                .iter()
                .filter(|(.., extra)| extra.contains(&option.key))
                .map(|(name, ..)| *name)
                .collect();
            let owner = format!("{article} {name} field");
            if !owners.is_empty() {
                let message = format!("`{}` is not a key of {owner}", option.key);
                return option
                    .key_mistake(message)
                    .with_hint(format!("it belongs to fields of type {}", listed(&owners)));
            }
            let alias = OPTION_ALIASES
                .iter()
                .find(|(other, ours)| *other == option.key && known.contains(ours))
                .map(|(_, ours)| *ours);
            let found = option.unknown_key(&known, owner);
            if alias.is_some() { found.with_nearest(alias) } else { found }
        });
    }
}

/// The mistake of a word that is not one of these.
pub(super) fn unknown_word(entry: &Entry<'_>, word: &str, words: &[&str]) -> Diagnostic {
    let found = entry.mistake(format!("`{}` cannot be `{word}`", entry.key));
    match nearest(word, words.iter().copied()) {
        Some(near) => found.with_nearest(Some(near)),
        None => found.with_hint(format!("it is {}", either(words))),
    }
}
