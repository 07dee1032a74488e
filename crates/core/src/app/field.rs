//! One entry of `[fields]`: a table of options, or the name of a type alone.

use super::{
    constraints::read_constraints,
    default::read_default,
    document::{Entry, Problems, Table},
    options::{Written, check_options, every_option, no_type, type_named, unknown_type},
    shape::{Shape, read_decimal, read_enum, read_ref},
};
use crate::{
    Constraints, DefaultValue, FieldRules, RuleText, Type,
    names::{name_fault, suggested_name},
};

/// Bytes of one rule.
const RULE_BYTES_MAX: usize = 10_000;
/// Bytes of a description.
const DESCRIPTION_BYTES_MAX: usize = 4_000;

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
    /// Whether no more is known of it than its name: what a rule that names it would
    /// go by has a mistake.
    pub(super) in_doubt: bool,
}

/// Reads one field. What is wrong is reported; a draft is made all the same, so
/// that whatever names the field finds it.
pub(super) fn read_field<'d>(entry: &Entry<'d>, problems: &mut Problems) -> FieldDraft<'d> {
    let before = problems.count();
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
        in_doubt: true,
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
        let found = type_named(name);
        if found.is_none() {
            problems.add(|| unknown_type(name, &place));
        }
        found
    });
    match known {
        Some((name, written, extra)) => {
            check_options(&options, name, extra, problems);
            draft.required = read_flag(&options, "required", problems);
            draft.shape = read_shape(*written, entry, &options, draft.required, problems);
            draft.in_doubt = problems.count() > before;
            read_values(&options, &mut draft, problems);
        }
        None => {
            options.only(&every_option(), "a field", problems);
        }
    }
    draft.description =
        options.get("description").and_then(|entry| read_description(entry, problems));
    draft.rules.read = options.get("read").and_then(|entry| read_rule(entry, problems));
    draft.rules.write = options.get("write").and_then(|entry| read_rule(entry, problems));
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

fn read_flag(options: &Table<'_>, key: &str, problems: &mut Problems) -> bool {
    options.get(key).and_then(|entry| entry.flag(problems)).unwrap_or(false)
}

fn read_shape<'d>(
    written: Written,
    entry: &Entry<'d>,
    options: &Table<'d>,
    required: bool,
    problems: &mut Problems,
) -> Shape<'d> {
    match written {
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
            let blind = read_flag(options, "blind", problems);
            read_ref(entry, options, required, blind, problems).unwrap_or(Shape::Unknown)
        }
    }
}

/// Reads what values may be and which one is the default.
fn read_values<'d>(options: &Table<'d>, draft: &mut FieldDraft<'d>, problems: &mut Problems) {
    draft.unique = read_flag(options, "unique", problems);
    if let (Some(unique), Shape::Plain(Type::Json)) = (options.get("unique"), &draft.shape)
        && draft.unique
    {
        problems
            .add(|| unique.key_mistake("a json field cannot be unique: no store indexes it alike"));
    }
    let is_unsure = matches!(draft.shape, Shape::Plain(Type::Decimal { .. }) | Shape::Enum(_));
    if draft.in_doubt && is_unsure {
        // How many digits there are, or which texts, is not known, so no value is wrong yet.
        return;
    }
    let faultless = read_constraints(options, &draft.shape, &mut draft.constraints, problems);
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
