//! Values written straight into the answer's buffer as JSON.

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A JSON string, escaping what must be; runs that need no escape are copied whole.
pub(crate) fn text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut copied = 0;
    for (at, &byte) in text.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text[copied..at]);
        copied = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
    }
    out.extend_from_slice(&text[copied..]);
    out.push(b'"');
}

/// A uuid in quotes, lower case, with hyphens.
pub(crate) fn uuid(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut quoted = [b'-'; 38];
    quoted[0] = b'"';
    quoted[37] = b'"';
    let mut at = 1;
    for (index, &byte) in bytes.iter().take(16).enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        quoted[at] = HEX[usize::from(byte >> 4)];
        quoted[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    out.extend_from_slice(&quoted);
}

/// An integer.
pub(crate) fn int(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
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

/// A bool stored as 0 or 1.
pub(crate) fn bool(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(if value == 0 { b"false" } else { b"true" });
}

/// A timestamp in quotes, in the form PostgreSQL's `to_json` gives it, from
/// microseconds since 1970 in UTC. The date follows Howard Hinnant's
/// `civil_from_days`, for the years the bench has.
pub(crate) fn timestamp(out: &mut Vec<u8>, micros: i64) {
    let days = micros.div_euclid(86_400_000_000);
    let mut rest = micros.rem_euclid(86_400_000_000);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);

    let fraction = rest % 1_000_000;
    rest /= 1_000_000;
    let mut stamp = *b"\"0000-00-00T00:00:00";
    digits(&mut stamp[1..5], year);
    digits(&mut stamp[6..8], month);
    digits(&mut stamp[9..11], day);
    digits(&mut stamp[12..14], rest / 3600);
    digits(&mut stamp[15..17], rest / 60 % 60);
    digits(&mut stamp[18..20], rest % 60);
    out.extend_from_slice(&stamp);
    if fraction != 0 {
        let mut six = *b".000000";
        digits(&mut six[1..], fraction);
        let kept = six.iter().rposition(|&byte| byte != b'0').map_or(0, |last| last + 1);
        out.extend_from_slice(&six[..kept]);
    }
    out.extend_from_slice(b"+00:00\"");
}

/// Fills the slice with the last digits of the value.
fn digits(into: &mut [u8], mut value: i64) {
    for digit in into.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_timestamp_reads_as_postgresql_prints_it() {
        assert_eq!(written(|out| timestamp(out, 0)), "\"1970-01-01T00:00:00+00:00\"");
        assert_eq!(
            written(|out| timestamp(out, 1_709_210_096_120_000)),
            "\"2024-02-29T12:34:56.12+00:00\""
        );
        assert_eq!(written(|out| timestamp(out, -1)), "\"1969-12-31T23:59:59.999999+00:00\"");
    }

    #[test]
    fn text_uuids_and_ints_are_json() {
        assert_eq!(written(|out| text(out, b"a\"b\\c\n\x01d")), r#""a\"b\\c\n\u0001d""#);
        assert_eq!(
            written(|out| uuid(out, &[0xab; 16])),
            "\"abababab-abab-abab-abab-abababababab\""
        );
        assert_eq!(written(|out| int(out, i64::MIN)), i64::MIN.to_string());
        assert_eq!(written(|out| int(out, 0)), "0");
    }
}
