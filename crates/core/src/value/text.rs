//! Values and their text form: what stands in a query string, a CSV cell or a
//! JSON string.
//!
//! [`Value::parse`] takes what PostgreSQL takes for the same type, within reason;
//! [`ValueRef::write_text`] appends what the one encoder sends.

use std::io::Write;

use uuid::Uuid;

use super::{Date, Decimal, Timestamp, Type, Value, ValueRef};

/// Why a text is not a value of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueError {
    /// It does not read as this type.
    Unreadable,
    /// It reads as a number that the type cannot hold.
    OutOfRange,
    /// It holds U+0000, which no text may.
    Nul,
    /// It nests deeper than allowed.
    TooDeep,
}

impl Value {
    /// Reads a text as a value of a type. An empty text is an empty text, never null.
    ///
    /// # Errors
    /// Where the text is not of the type's form, does not fit, or holds U+0000.
    pub fn parse(text: &str, kind: Type, json_depth_max: usize) -> Result<Self, ValueError> {
        let unreadable = ValueError::Unreadable;
        Ok(match kind {
            Type::Text => {
                if text.as_bytes().contains(&0) {
                    return Err(ValueError::Nul);
                }
                Self::Text(text.into())
            }
            Type::Int => Self::Int(parse_int(text)?),
            Type::Float => {
                let number: f64 = number_text(text)?.parse().map_err(|_| unreadable)?;
                if !number.is_finite() {
                    return Err(ValueError::OutOfRange);
                }
                Self::Float(number)
            }
            Type::Decimal { precision, scale } => {
                Self::Decimal(parse_decimal(text, precision, scale)?)
            }
            Type::Bool => Self::Bool(parse_bool(text).ok_or(unreadable)?),
            Type::Uuid => Self::Uuid(parse_uuid(text).ok_or(unreadable)?),
            Type::Timestamp => Self::Timestamp(Timestamp::parse(text).ok_or(unreadable)?),
            Type::Date => Self::Date(Date::parse(text).ok_or(unreadable)?),
            Type::Json => return Self::json(text, json_depth_max),
            Type::Bytes => Self::Bytes(parse_bytes(text).ok_or(unreadable)?),
        })
    }
}

/// A number without an outer sign of `+`, blanks or the words Rust also reads.
fn number_text(text: &str) -> Result<&str, ValueError> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    match digits.as_bytes().first() {
        Some(b'0'..=b'9' | b'.') => Ok(text),
        _ => Err(ValueError::Unreadable),
    }
}

fn parse_int(text: &str) -> Result<i64, ValueError> {
    let text = number_text(text)?;
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ValueError::Unreadable);
    }
    text.parse().map_err(|_| ValueError::OutOfRange)
}

/// `12.5`, `-3`, `1e3`: read exactly; digits beyond the scale are rounded half
/// away from zero, as `numeric` does.
fn parse_decimal(text: &str, precision: u8, scale: u8) -> Result<Decimal, ValueError> {
    let text = number_text(text)?;
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            (mantissa, exponent.parse::<i32>().map_err(|_| ValueError::Unreadable)?)
        }
        None => (text, 0),
    };
    let negative = mantissa.starts_with('-');
    let mantissa = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if (whole.is_empty() && fraction.is_empty())
        || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
    {
        return Err(ValueError::Unreadable);
    }
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
    // How many of the digits stand before the point once it is moved to the scale.
    let kept =
        i64::try_from(whole.len()).unwrap_or(i64::MAX) + i64::from(exponent) + i64::from(scale);
    let mut units: i64 = 0;
    let shown = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    if digits.iter().all(|digit| *digit == 0) {
        return Ok(Decimal { units: 0, scale });
    }
    if kept > shown + 18 {
        return Err(ValueError::OutOfRange);
    }
    for at in 0..kept.max(0) {
        let digit = usize::try_from(at).ok().and_then(|at| digits.get(at)).copied().unwrap_or(0);
        units = units
            .checked_mul(10)
            .and_then(|units| units.checked_add(i64::from(digit)))
            .ok_or(ValueError::OutOfRange)?;
    }
    let next = usize::try_from(kept).ok().and_then(|at| digits.get(at)).copied().unwrap_or(0);
    if next >= 5 {
        units = units.checked_add(1).ok_or(ValueError::OutOfRange)?;
    }
    if units >= 10_i64.pow(u32::from(precision.min(18))) {
        return Err(ValueError::OutOfRange);
    }
    Ok(Decimal { units: if negative { -units } else { units }, scale })
}

fn parse_bool(text: &str) -> Option<bool> {
    let text = text.trim();
    ["true", "t", "yes", "on", "1"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
        .then_some(true)
        .or_else(|| {
            ["false", "f", "no", "off", "0"]
                .iter()
                .any(|word| text.eq_ignore_ascii_case(word))
                .then_some(false)
        })
}

fn parse_uuid(text: &str) -> Option<Uuid> {
    // The crate also takes `urn:uuid:`, which no store does.
    if text.len() > 38 { None } else { Uuid::try_parse(text).ok() }
}

fn parse_bytes(text: &str) -> Option<Box<[u8]>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let nibble =
        |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digits
        .chunks_exact(2)
        .map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?))
        .collect::<Option<Vec<u8>>>()
        .map(Vec::into_boxed_slice)
}

impl ValueRef<'_> {
    /// Appends the value's text form, without quotes or escapes. Null is nothing.
    pub fn write_text(self, out: &mut Vec<u8>) {
        match self {
            Self::Null => {}
            Self::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            Self::Int(value) => write_int(value, out),
            Self::Float(value) => write_float(value, out),
            Self::Decimal(value) => write_decimal(value, out),
            Self::Text(value) | Self::Json(value) => out.extend_from_slice(value.as_bytes()),
            Self::Uuid(value) => {
                let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
                out.extend_from_slice(value.as_hyphenated().encode_lower(&mut buffer).as_bytes());
            }
            Self::Timestamp(value) => value.write_to(out),
            Self::Date(value) => value.write_to(out),
            Self::Bytes(value) => {
                out.extend_from_slice(b"\\x");
                for byte in value {
                    let hex = b"0123456789abcdef";
                    out.push(hex[usize::from(byte >> 4)]);
                    out.push(hex[usize::from(byte & 15)]);
                }
            }
        }
    }

    /// The text form as a string.
    #[must_use]
    pub fn to_text(self) -> String {
        let mut out = Vec::new();
        self.write_text(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }
}

fn write_int(value: i64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// As PostgreSQL prints a `double precision`: shortest digits that read back,
/// a whole number without a point, an exponent from 1e+16 and below 1e-04.
fn write_float(value: f64, out: &mut Vec<u8>) {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e15).contains(&magnitude) {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = match exponent.strip_prefix('-') {
            Some(digits) => ('-', digits),
            None => ('+', exponent),
        };
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{mantissa}e{sign}{digits:0>2}");
    } else if value == 0.0 {
        out.extend_from_slice(if value.is_sign_negative() { b"-0" } else { b"0" });
    } else {
        let _ = write!(out, "{value}");
    }
}

fn write_decimal(value: Decimal, out: &mut Vec<u8>) {
    let scale = usize::from(value.scale);
    if scale == 0 {
        return write_int(value.units, out);
    }
    let digits = format!("{:0>width$}", value.units.unsigned_abs(), width = scale + 1);
    if value.units < 0 {
        out.push(b'-');
    }
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    out.extend_from_slice(whole.as_bytes());
    out.push(b'.');
    out.extend_from_slice(fraction.as_bytes());
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const MONEY: Type = Type::Decimal { precision: 6, scale: 2 };

    fn check(text: &str, kind: Type, expected: Expect) {
        expected.assert_eq(&match Value::parse(text, kind, 8) {
            Ok(value) => value.as_ref().to_text(),
            Err(error) => format!("{error:?}"),
        });
    }

    #[test]
    fn numbers_are_read_exactly_or_refused() {
        check("42", Type::Int, expect!["42"]);
        check("-9223372036854775808", Type::Int, expect!["-9223372036854775808"]);
        check("9223372036854775808", Type::Int, expect!["OutOfRange"]);
        check("1.0", Type::Int, expect!["Unreadable"]);
        check("", Type::Int, expect!["Unreadable"]);
        check("9.99", MONEY, expect!["9.99"]);
        check("9.995", MONEY, expect!["10.00"]);
        check("-0.005", MONEY, expect!["-0.01"]);
        check("9999.99", MONEY, expect!["9999.99"]);
        check("10000", MONEY, expect!["OutOfRange"]);
        check("1e2", MONEY, expect!["100.00"]);
        check("1e999999999", MONEY, expect!["OutOfRange"]);
        check("0e999999999", MONEY, expect!["0.00"]);
        check("1e-999999999", MONEY, expect!["0.00"]);
        check("NaN", MONEY, expect!["Unreadable"]);
        check("1e400", Type::Float, expect!["OutOfRange"]);
        check("infinity", Type::Float, expect!["Unreadable"]);
        check("0.1", Type::Float, expect!["0.1"]);
        check("1e15", Type::Float, expect!["1e+15"]);
        check("100000", Type::Float, expect!["100000"]);
        check("0.00001", Type::Float, expect!["1e-05"]);
    }

    #[test]
    fn other_types_are_read_as_postgresql_reads_them() {
        check("T", Type::Bool, expect!["true"]);
        check("off", Type::Bool, expect!["false"]);
        check("2", Type::Bool, expect!["Unreadable"]);
        check("a\0b", Type::Text, expect!["Nul"]);
        check(r"\x00Ff", Type::Bytes, expect![[r"\x00ff"]]);
        check(r"\x0", Type::Bytes, expect!["Unreadable"]);
        check(
            "00000000-0000-0000-0000-00000000000A",
            Type::Uuid,
            expect!["00000000-0000-0000-0000-00000000000a"],
        );
        check("urn:uuid:00000000-0000-0000-0000-00000000000A", Type::Uuid, expect!["Unreadable"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_readers_panic(text in ".{0,40}") {
            for kind in [Type::Int, Type::Float, MONEY, Type::Bool, Type::Uuid, Type::Timestamp, Type::Date, Type::Json, Type::Bytes] {
                let _ = Value::parse(&text, kind, 8);
            }
        }

        #[test]
        fn a_float_is_read_back_as_itself(number in proptest::num::f64::NORMAL) {
            let text = ValueRef::Float(number).to_text();
            proptest::prop_assert_eq!(text.parse::<f64>().ok(), Some(number));
        }
    }
}
