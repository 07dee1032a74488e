//! Values, as a rule writes them.

use std::fmt::Write as _;

use mainstay_core::Value;
use serde_json::Value as Json;

/// Units of a duration with the microseconds they have, largest first.
const UNITS: [(&str, u64); 5] =
    [("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];

/// A value written in a rule.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => quoted(text),
        Value::Uuid(_) | Value::Date(_) => quoted(&value.as_ref().to_text()),
        Value::Timestamp(moment) => format!("timestamp('{moment}')"),
        Value::Bytes(bytes) => {
            let digits: String = bytes.iter().fold(String::new(), |mut digits, byte| {
                // Writing to a string does not fail.
                let _ = write!(digits, "\\x{byte:02x}");
                digits
            });
            format!("b'{digits}'")
        }
        Value::Json(text) => json(text),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Decimal(_) => {
            value.as_ref().to_text()
        }
    }
}

/// What a JSON array of one item holds.
pub(super) fn only_item(value: &Value) -> Option<String> {
    let Value::Json(text) = value else { return None };
    text.strip_prefix('[')?.strip_suffix(']').map(json)
}

/// JSON is written as what it is: a text in quotes, a number, a bool.
fn json(text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(Json::String(text)) => quoted(&text),
        _ => text.to_owned(),
    }
}

/// A text in quotes. What a reader would not see, or would see in another order, is
/// written out.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for letter in text.chars() {
        match letter {
            '\'' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            unseen if is_unseen(unseen) => {
                let _ = write!(out, "\\u{:04x}", u32::from(unseen));
            }
            seen => out.push(seen),
        }
    }
    out.push('\'');
    out
}

/// Controls, and what joins, hides or turns round the letters beside it.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}')
}

/// A span of time: `duration('1h30m')`.
pub(super) fn duration(micros: i64) -> String {
    let mut rest = micros.unsigned_abs();
    let mut text = String::new();
    for (unit, size) in UNITS {
        if rest >= size {
            let _ = write!(text, "{}{unit}", rest / size);
            rest %= size;
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    let sign = if micros < 0 { "-" } else { "" };
    format!("duration('{sign}{text}')")
}

/// Whether a name can stand after a dot as it is.
pub(super) fn is_plain(name: &str) -> bool {
    const WORDS: [&str; 4] = ["in", "true", "false", "null"];
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !WORDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_shows_what_a_reader_would_not_see() {
        assert_eq!(quoted("it's \\ ü\n"), r"'it\'s \\ ü\n'");
        assert_eq!(quoted("a\u{202e}b\u{200b}"), r"'a\u202eb\u200b'");
    }

    #[test]
    fn a_duration_is_written_in_the_largest_units_it_has() {
        assert_eq!(duration(86_400_000_000), "duration('24h')");
        assert_eq!(duration(-5_400_000_000), "duration('-1h30m')");
        assert_eq!(duration(1_001_002), "duration('1s1ms2us')");
        assert_eq!(duration(0), "duration('0s')");
    }
}
