//! What a field's values must satisfy, asked before a store is.

use mainstay_core::{
    Catalog, Code, Error, Field, FieldId, FieldKind, Model, ModelId, TextFormat, Value,
};
use regex::Regex;
use rustc_hash::FxHashMap;

/// The compiled patterns of a catalog's fields.
#[derive(Default)]
pub(crate) struct Patterns(FxHashMap<(ModelId, FieldId), Regex>);

impl Patterns {
    /// Compiles the patterns of a catalog. One that does not compile was refused when
    /// the catalog was read; were one to get here, it would admit nothing.
    pub(crate) fn of(catalog: &Catalog) -> Self {
        let nothing = Regex::new("[^\\s\\S]").expect("BUG: a constant pattern");
        let mut compiled = FxHashMap::default();
        for model in catalog.model_ids() {
            let declared = catalog.model(model);
            for field in declared.field_ids() {
                if let Some(pattern) = &declared.field(field).constraints.pattern {
                    compiled.insert(
                        (model, field),
                        Regex::new(pattern).unwrap_or_else(|_| nothing.clone()),
                    );
                }
            }
        }
        Self(compiled)
    }

    /// The pattern of a field, if it has one.
    pub(crate) fn get(&self, model: ModelId, field: FieldId) -> Option<&Regex> {
        self.0.get(&(model, field))
    }
}

/// Refuses a value its field may not hold. The value is of the field's type.
///
/// # Errors
/// `CheckViolation`, naming the field and what it allows.
pub(crate) fn check(
    model: &Model,
    field: &Field,
    value: &Value,
    pattern: Option<&Regex>,
) -> Result<(), Error> {
    let refused = |kind: &str, details: String| {
        Err(Error::new(
            Code::CheckViolation,
            format!(
                "new row for \"{}\" violates check constraint \"{}_{}_{kind}\"",
                model.name, model.table.table, field.column
            ),
        )
        .with_details(details))
    };
    let name = &field.name;
    if let (FieldKind::Enum { values }, Value::Text(text)) = (&field.kind, value)
        && !values.contains(text)
    {
        return refused("enum", format!("{name} is one of: {}", values.join(", ")));
    }
    let limits = &field.constraints;
    if let Some(min) = &limits.min
        && is_below(value, min)
    {
        return refused("min", bound(name, value, "at least", min));
    }
    if let Some(max) = &limits.max
        && is_above(value, max)
    {
        return refused("max", bound(name, value, "at most", max));
    }
    if let (Some(pattern), Value::Text(text)) = (pattern, value)
        && !pattern.is_match(text)
    {
        return refused("pattern", format!("{name} must match {}", pattern.as_str()));
    }
    if let (Some(format), Value::Text(text)) = (limits.format, value)
        && !has_format(text, format)
    {
        let form = match format {
            TextFormat::Email => "an email address",
            TextFormat::Url => "an absolute http or https URL",
            TextFormat::Slug => "lower-case letters, digits and single hyphens between them",
        };
        return refused("format", format!("{name} must be {form}"));
    }
    Ok(())
}

fn bound(name: &str, value: &Value, word: &str, limit: &Value) -> String {
    let limit = limit.as_ref().to_text();
    if matches!(value, Value::Text(_)) {
        format!("{name} must have {word} {limit} characters")
    } else {
        format!("{name} must be {word} {limit}")
    }
}

fn is_below(value: &Value, min: &Value) -> bool {
    compare(value, min).is_some_and(std::cmp::Ordering::is_lt)
}

fn is_above(value: &Value, max: &Value) -> bool {
    compare(value, max).is_some_and(std::cmp::Ordering::is_gt)
}

/// A number against a number of its type; a text's count of characters against an int.
fn compare(value: &Value, limit: &Value) -> Option<std::cmp::Ordering> {
    match (value, limit) {
        (Value::Int(value), Value::Int(limit)) => Some(value.cmp(limit)),
        (Value::Float(value), Value::Float(limit)) => value.partial_cmp(limit),
        (Value::Float(value), Value::Int(limit)) => value.partial_cmp(&(*limit as f64)),
        (Value::Decimal(value), Value::Decimal(limit)) => Some(value.units.cmp(&limit.units)),
        (Value::Text(text), Value::Int(limit)) => {
            // Most texts are shorter in bytes than their limit in characters.
            let characters = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
            Some(characters.cmp(limit))
        }
        _ => None,
    }
}

fn has_format(text: &str, format: TextFormat) -> bool {
    match format {
        TextFormat::Email => is_email(text),
        TextFormat::Url => is_url(text),
        TextFormat::Slug => {
            !text.is_empty()
                && text.split('-').all(|word| {
                    !word.is_empty()
                        && word
                            .bytes()
                            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                })
        }
    }
}

/// The form HTML's `<input type=email>` takes, within RFC 5321's lengths.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_fits = (1..=64).contains(&local.len())
        && local
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte));
    local_fits && domain.len() <= 253 && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !host.is_empty()
        && text.len() <= 2_048
        && !text.chars().any(|character| character.is_whitespace() || character.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_admit_what_they_name_and_nothing_else() {
        for (text, format, fits) in [
            ("ada@example.com", TextFormat::Email, true),
            ("ada@localhost", TextFormat::Email, true),
            ("ada@@example.com", TextFormat::Email, false),
            ("ada@example..com", TextFormat::Email, false),
            ("@example.com", TextFormat::Email, false),
            ("ada example@x.com", TextFormat::Email, false),
            ("https://example.com/a?b#c", TextFormat::Url, true),
            ("javascript:alert(1)", TextFormat::Url, false),
            ("https://", TextFormat::Url, false),
            ("https://a b", TextFormat::Url, false),
            ("a-b-1", TextFormat::Slug, true),
            ("a--b", TextFormat::Slug, false),
            ("A", TextFormat::Slug, false),
            ("", TextFormat::Slug, false),
        ] {
            assert_eq!(has_format(text, format), fits, "{text}");
        }
    }
}
