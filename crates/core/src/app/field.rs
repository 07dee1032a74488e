//! One entry of `[fields]`: a table of options, or the name of a type alone.

use regex::RegexBuilder;

use super::{
    default::{literal, order, read_default, wanted},
    document::{Entry, Place, Problems, Table},
};
use crate::{
    Constraints, DefaultValue, FieldRules, OnDelete, RuleText, TextFormat, Type, Value,
    names::{listed, name_fault, nearest, suggested_name},
};

/// Bytes of one rule.
const RULE_BYTES_MAX: usize = 10_000;
/// Bytes of a description.
const DESCRIPTION_BYTES_MAX: usize = 4_000;
/// Bytes of a field's pattern.
const PATTERN_BYTES_MAX: usize = 1_000;
/// Bytes a compiled pattern may take.
const PATTERN_COMPILED_BYTES_MAX: usize = 1_048_576;
/// Texts of one enum.
const ENUM_VALUES_MAX: usize = 500;
/// Bytes of one text of an enum.
const ENUM_VALUE_BYTES_MAX: usize = 200;
/// Digits of a decimal, so that it fits 64 bits as a scaled integer.
const PRECISION_MAX: i64 = 18;
/// Digits after the point of a decimal that does not say.
const SCALE_DEFAULT: i64 = 2;

/// Options of every field.
const COMMON: [&str; 7] = ["type", "required", "unique", "default", "read", "write", "description"];

/// A field as written; a ref's default waits for the type of its target's key.
#[derive(Clone, Debug)]
pub(super) struct FieldDraft<'d> {
    pub(super) entry: Entry<'d>,
    pub(super) shape: Shape<'d>,
    pub(super) required: bool,
    pub(super) unique: bool,
    pub(super) default: Option<DefaultValue>,
    pub(super) ref_default: Option<Entry<'d>>,
    pub(super) constraints: Constraints,
    pub(super) rules: FieldRules,
    pub(super) description: Option<Box<str>>,
}

/// What a field holds.
#[derive(Clone, Debug)]
pub(super) enum Shape<'d> {
    Plain(Type),
    Enum(Vec<Box<str>>),
    Ref {
        to: &'d str,
        to_place: Place<'d>,
        on_delete: OnDelete,
        blind: bool,
    },
    /// Its type was not understood, which has been reported.
    Unknown,
}

/// The types as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
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

/// Reads one field. What is wrong is reported; a draft is made all the same, so
/// that whatever names the field finds it.
pub(super) fn read_field<'d>(entry: &Entry<'d>, problems: &mut Problems) -> FieldDraft<'d> {
    if let Some(fault) = name_fault(entry.key) {
        problems.add(|| {
            let found = entry.key_mistake(format!("this cannot name a field: {fault}"));
            found.with_nearest(suggested_name(entry.key).as_deref())
        });
    }
    let mut draft = FieldDraft {
        entry: entry.clone(),
        shape: Shape::Unknown,
        required: false,
        unique: false,
        default: None,
        ref_default: None,
        constraints: Constraints::default(),
        rules: FieldRules::default(),
        description: None,
    };
    let (options, name) = match entry.value.get_ref().as_str() {
        Some(name) => {
            (Table { file: entry.file, entries: Vec::new() }, Some((name, entry.clone())))
        }
        None if !entry.value.get_ref().is_table() => {
            problems.add(|| entry.wants("a table such as `{ type = \"text\" }`"));
            return draft;
        }
        None => {
            let Some(options) = entry.table(problems) else { return draft };
            let kind = options.get("type").cloned();
            if kind.is_none() {
                problems.add(|| no_type(entry, &options));
            }
            let name = kind.and_then(|kind| Some((kind.text(problems)?, kind)));
            (options, name)
        }
    };
    let known = name.and_then(|(name, place)| {
        let found = TYPES.iter().find(|(known, ..)| *known == name);
        if found.is_none() {
            problems.add(|| unknown_type(name, &place));
        }
        found
    });
    match known {
        Some((name, written, extra)) => {
            check_options(&options, name, extra, problems);
            read_shape(*written, entry, &options, &mut draft, problems);
        }
        None => {
            let all: Vec<&str> = COMMON
                .iter()
                .copied()
                .chain(TYPES.iter().flat_map(|(.., extra)| *extra).copied())
                .collect();
            options.only(&all, "a field", problems);
        }
    }
    draft
}

/// Reads the text of a rule.
pub(super) fn read_rule(entry: &Entry<'_>, problems: &mut Problems) -> Option<RuleText> {
    if let Some(flag) = entry.value.get_ref().as_bool() {
        problems.add(|| {
            entry
                .wants("a rule, which is a text")
                .with_hint(format!("write `{} = \"{flag}\"`", entry.key))
        });
        return None;
    }
    let text = entry.text(problems)?;
    if text.trim().is_empty() {
        problems.add(|| {
            entry.mistake("a rule is not empty").with_hint("a rule that never holds is `\"false\"`")
        });
        return None;
    }
    if text.len() > RULE_BYTES_MAX {
        problems.add(|| entry.mistake(format!("a rule has at most {RULE_BYTES_MAX} bytes")));
        return None;
    }
    let span = entry.value.span();
    let raw = entry.file.text.get(span.clone()).unwrap_or_default();
    let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
    let content = raw.get(quotes..).unwrap_or_default();
    let line_break = match quotes {
        3 if content.starts_with("\r\n") => 2,
        3 if content.starts_with('\n') => 1,
        _ => 0,
    };
    Some(RuleText {
        text: text.into(),
        file: entry.file.path.as_str().into(),
        offset: span.start + quotes + line_break,
    })
}

/// Reads a description.
pub(super) fn read_description(entry: &Entry<'_>, problems: &mut Problems) -> Option<Box<str>> {
    let text = entry.text(problems)?;
    if text.len() > DESCRIPTION_BYTES_MAX {
        problems.add(|| {
            entry.mistake(format!("a description has at most {DESCRIPTION_BYTES_MAX} bytes"))
        });
        return None;
    }
    Some(text.into())
}

fn no_type(entry: &Entry<'_>, options: &Table<'_>) -> crate::Diagnostic {
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

fn unknown_type(name: &str, entry: &Entry<'_>) -> crate::Diagnostic {
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
fn check_options(options: &Table<'_>, name: &str, extra: &[&str], problems: &mut Problems) {
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
                    .with_hint(format!("it is one of fields of type {}", listed(&owners)));
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

fn read_shape<'d>(
    written: Written,
    entry: &Entry<'d>,
    options: &Table<'d>,
    draft: &mut FieldDraft<'d>,
    problems: &mut Problems,
) {
    let flag = |key, problems: &mut Problems| {
        options.get(key).and_then(|entry| entry.flag(problems)).unwrap_or(false)
    };
    draft.required = flag("required", problems);
    draft.unique = flag("unique", problems);
    draft.description =
        options.get("description").and_then(|entry| read_description(entry, problems));
    draft.rules.read = options.get("read").and_then(|entry| read_rule(entry, problems));
    draft.rules.write = options.get("write").and_then(|entry| read_rule(entry, problems));
    draft.shape = match written {
        Written::Text => Shape::Plain(Type::Text),
        Written::Int => Shape::Plain(Type::Int),
        Written::Float => Shape::Plain(Type::Float),
        Written::Decimal => read_decimal(options, problems).map_or(Shape::Unknown, Shape::Plain),
        Written::Bool => Shape::Plain(Type::Bool),
        Written::Uuid => Shape::Plain(Type::Uuid),
        Written::Timestamp => Shape::Plain(Type::Timestamp),
        Written::Date => Shape::Plain(Type::Date),
        Written::Json => Shape::Plain(Type::Json),
        Written::Bytes => Shape::Plain(Type::Bytes),
        Written::Enum => read_enum(entry, options, problems).map_or(Shape::Unknown, Shape::Enum),
        Written::Ref => {
            let blind = flag("blind", problems);
            read_ref(entry, options, draft.required, blind, problems).unwrap_or(Shape::Unknown)
        }
    };
    if let (Some(unique), Shape::Plain(Type::Json)) = (options.get("unique"), &draft.shape)
        && draft.unique
    {
        problems
            .add(|| unique.key_mistake("a json field cannot be unique: no store indexes it alike"));
    }
    let faultless = read_constraints(options, draft, problems);
    let default = options.get("default");
    match &draft.shape {
        _ if !faultless => {}
        Shape::Plain(kind) => {
            draft.default = default
                .and_then(|entry| read_default(entry, *kind, None, &draft.constraints, problems));
        }
        Shape::Enum(values) => {
            draft.default = default.and_then(|entry| {
                read_default(entry, Type::Text, Some(values), &draft.constraints, problems)
            });
        }
        Shape::Ref { .. } => draft.ref_default = default.cloned(),
        Shape::Unknown => {}
    }
}

fn read_decimal(options: &Table<'_>, problems: &mut Problems) -> Option<Type> {
    let mut digits = |key, least: i64, most: i64, otherwise: i64| match options.get(key) {
        None => u8::try_from(otherwise).ok(),
        Some(entry) => {
            let number = super::document::whole_of(entry.value.get_ref());
            let fits = number.filter(|number| (least..=most).contains(number));
            if fits.is_none() {
                problems.add(|| {
                    entry.mistake(format!("`{key}` wants a whole number from {least} to {most}"))
                });
            }
            fits.and_then(|number| u8::try_from(number).ok())
        }
    };
    let precision = digits("precision", 1, PRECISION_MAX, PRECISION_MAX);
    let most = precision.map_or(PRECISION_MAX, i64::from);
    let scale = digits("scale", 0, most, SCALE_DEFAULT.min(most));
    Some(Type::Decimal { precision: precision?, scale: scale? })
}

fn read_enum(
    entry: &Entry<'_>,
    options: &Table<'_>,
    problems: &mut Problems,
) -> Option<Vec<Box<str>>> {
    let Some(list) = options.get("values") else {
        problems.add(|| {
            entry
                .key_mistake(format!("the enum `{}` has no `values`", entry.key))
                .with_hint("list them: `values = [\"draft\", \"published\"]`")
        });
        return None;
    };
    let texts = list.texts(problems)?;
    if texts.is_empty() || texts.len() > ENUM_VALUES_MAX {
        problems.add(|| list.mistake(format!("an enum has 1 to {ENUM_VALUES_MAX} values")));
        return None;
    }
    let mut values: Vec<Box<str>> = Vec::with_capacity(texts.len());
    for (text, place) in texts {
        if text.is_empty() || text.len() > ENUM_VALUE_BYTES_MAX || text.contains('\0') {
            problems
                .add(|| place.mistake(format!("a value has 1 to {ENUM_VALUE_BYTES_MAX} bytes")));
        } else if values.iter().any(|value| &**value == text) {
            problems.add(|| place.mistake(format!("the value `{text}` is listed twice")));
        } else {
            values.push(text.into());
        }
    }
    Some(values)
}

fn read_ref<'d>(
    entry: &Entry<'d>,
    options: &Table<'d>,
    required: bool,
    blind: bool,
    problems: &mut Problems,
) -> Option<Shape<'d>> {
    const WORDS: [(&str, OnDelete); 3] = [
        ("restrict", OnDelete::Restrict),
        ("cascade", OnDelete::Cascade),
        ("set_null", OnDelete::SetNull),
    ];
    let mut on_delete = OnDelete::Restrict;
    if let Some(entry) = options.get("on_delete")
        && let Some(word) = entry.text(problems)
    {
        match WORDS.iter().find(|(known, _)| *known == word) {
            Some((_, known)) => on_delete = *known,
            None => problems.add(|| unknown_word(entry, word, &WORDS.map(|(word, _)| word))),
        }
        if required && on_delete == OnDelete::SetNull {
            problems.add(|| {
                entry.mistake("a required ref cannot become null").with_hint(
                    "drop `required`, or delete the row too with `on_delete = \"cascade\"`",
                )
            });
        }
    }
    let Some(to) = options.get("to") else {
        problems.add(|| {
            entry
                .key_mistake(format!(
                    "the ref `{}` does not say which model it points at",
                    entry.key
                ))
                .with_hint("name the model: `to = \"users\"`")
        });
        return None;
    };
    Some(Shape::Ref { to: to.text(problems)?, to_place: to.place(), on_delete, blind })
}

fn unknown_word(entry: &Entry<'_>, word: &str, words: &[&str]) -> crate::Diagnostic {
    let found = entry.mistake(format!("`{}` cannot be `{word}`", entry.key));
    match nearest(word, words.iter().copied()) {
        Some(near) => found.with_nearest(Some(near)),
        None => found.with_hint(format!("it is one of {}", listed(words))),
    }
}

/// Reads `min`, `max`, `pattern` and `format`. Whether nothing was wrong with them.
fn read_constraints(
    options: &Table<'_>,
    draft: &mut FieldDraft<'_>,
    problems: &mut Problems,
) -> bool {
    let Shape::Plain(kind) = draft.shape else { return true };
    let bound_type = match kind {
        Type::Text => Type::Int,
        Type::Int | Type::Float | Type::Decimal { .. } => kind,
        _ => return true,
    };
    let mut faultless = true;
    let mut bound = |key| {
        let entry: &Entry<'_> = options.get(key)?;
        let value = literal(entry.value.get_ref(), bound_type).ok();
        let value = value.filter(|value| kind != Type::Text || !matches!(value, Value::Int(..0)));
        if value.is_none() {
            faultless = false;
            let wants = if kind == Type::Text {
                "a count of characters".to_owned()
            } else {
                wanted(bound_type)
            };
            problems.add(|| entry.wants(wants));
        }
        value
    };
    let (min, max) = (bound("min"), bound("max"));
    if let (Some(least), Some(most), Some(entry)) = (&min, &max, options.get("min"))
        && order(least, most) == Some(std::cmp::Ordering::Greater)
    {
        faultless = false;
        problems.add(|| entry.mistake("`min` is above `max`, so no value would do"));
    }
    draft.constraints.min = min;
    draft.constraints.max = max;
    if kind == Type::Text {
        faultless &= read_text_constraints(options, draft, problems);
    }
    faultless
}

fn read_text_constraints(
    options: &Table<'_>,
    draft: &mut FieldDraft<'_>,
    problems: &mut Problems,
) -> bool {
    const FORMATS: [(&str, TextFormat); 3] =
        [("email", TextFormat::Email), ("url", TextFormat::Url), ("slug", TextFormat::Slug)];
    let mut faultless = true;
    if let Some(entry) = options.get("format") {
        let word = entry.text(problems);
        let format = word.and_then(|word| FORMATS.iter().find(|(known, _)| *known == word));
        draft.constraints.format = format.map(|(_, format)| *format);
        faultless &= format.is_some();
        if let (Some(word), None) = (word, format) {
            problems.add(|| unknown_word(entry, word, &FORMATS.map(|(word, _)| word)));
        }
    }
    if let Some(entry) = options.get("pattern") {
        let pattern = entry.text(problems);
        let fault = pattern.and_then(pattern_fault);
        faultless &= pattern.is_some() && fault.is_none();
        match fault {
            Some(fault) => problems.add(|| {
                entry.mistake("this is not a regular expression").with_label(fault).with_hint(
                    "the syntax is that of the Rust crate `regex`: no look-around, no back-references",
                )
            }),
            None => draft.constraints.pattern = pattern.map(Into::into),
        }
    }
    faultless
}

/// Why a pattern cannot be used.
fn pattern_fault(pattern: &str) -> Option<String> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Some(format!("longer than {PATTERN_BYTES_MAX} bytes"));
    }
    let built = RegexBuilder::new(pattern).size_limit(PATTERN_COMPILED_BYTES_MAX).build();
    match built.err()? {
        regex::Error::CompiledTooBig(_) => Some("too large when compiled".to_owned()),
        // The crate draws the pattern with a caret; its last line says what is wrong.
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim();
            Some(last.trim_start_matches("error: ").to_owned())
        }
    }
}
