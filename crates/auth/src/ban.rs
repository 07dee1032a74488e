//! How long a user is banned, as Go writes durations.
//!
//! `24h`, `1h30m`, `1.5h`, `300ms`, and `none` for no longer. Days are not among Go's
//! units, and clients send what GoTrue takes, so `1d` is refused with Go's message.

use mainstay_core::Timestamp;

/// Bytes of a duration.
const DURATION_BYTES_MAX: usize = 64;

/// What is asked of a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BanDuration {
    /// Lift it.
    Lift,
    /// Let it end so many microseconds from now. Below zero it has ended.
    For {
        /// Microseconds, not zero.
        micros: i64,
    },
}

/// Why a text is no duration. The message is GoTrue's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid format for ban duration: time: {0}")]
pub struct BanDurationError(String);

impl BanDuration {
    /// Reads `none` or a duration.
    ///
    /// # Errors
    /// When it is neither, or longer than Go's 292 years.
    pub fn parse(text: &str) -> Result<Self, BanDurationError> {
        if text == "none" {
            return Ok(Self::Lift);
        }
        if text.len() > DURATION_BYTES_MAX {
            return Err(BanDurationError("invalid duration".to_owned()));
        }
        let micros = nanos(text)? / 1_000;
        Ok(if micros == 0 { Self::Lift } else { Self::For { micros } })
    }

    /// What `banned_until` becomes: `None` where the ban is lifted.
    #[must_use]
    pub fn until(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Lift => None,
            // Whoever is banned beyond the last moment there is, stays banned.
            Self::For { micros } => now.shifted(micros).or_else(|| last_moment(micros)),
        }
    }
}

/// Where a duration leaves the range of time, its end.
fn last_moment(micros: i64) -> Option<Timestamp> {
    let text = if micros > 0 { "9999-12-30T22:00:00Z" } else { "0001-01-01T00:00:00Z" };
    Timestamp::parse(text)
}

/// Go's `time.ParseDuration`: a sign, then numbers, each with its unit.
fn nanos(text: &str) -> Result<i64, BanDurationError> {
    let invalid = || BanDurationError(format!("invalid duration {text:?}"));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(invalid());
        }
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        if unit.is_empty() {
            return Err(BanDurationError(format!("missing unit in duration {text:?}")));
        }
        let unit_nanos = unit_nanos(unit).ok_or_else(|| {
            BanDurationError(format!(
                "unknown unit {unit:?} in duration {text:?}: expected h, m, s, ms, us or ns"
            ))
        })?;
        total += amount(whole, fraction, unit_nanos).ok_or_else(invalid)?;
        rest = next;
    }
    let signed = if negative { -total } else { total };
    i64::try_from(signed).map_err(|_| invalid())
}

/// A number of a unit in nanoseconds, what is below one left out.
fn amount(whole: &str, fraction: &str, unit_nanos: i128) -> Option<i128> {
    let number = |digits: &str| match digits {
        "" => Some(0),
        digits => digits.parse::<i64>().ok().map(i128::from),
    };
    // A fraction's digits beyond the twelfth are below any unit's nanosecond.
    let fraction = &fraction[..fraction.len().min(12)];
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    Some(number(whole)? * unit_nanos + number(fraction)? * unit_nanos / scale)
}

fn unit_nanos(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn a_duration_is_read_as_go_reads_it() {
        for (text, micros) in [
            ("24h", 86_400 * SECOND),
            ("1h30m", 5_400 * SECOND),
            ("1.5h", 5_400 * SECOND),
            (".5m", 30 * SECOND),
            ("1.s", SECOND),
            ("300ms", 300_000),
            ("5us", 5),
            ("5µs", 5),
            ("5μs", 5),
            ("1500ns", 1),
            ("+1s", SECOND),
            ("-1h", -3_600 * SECOND),
            ("1h1h", 7_200 * SECOND),
            ("876600h", 3_155_760_000 * SECOND),
            ("0.3333333333333333333s", 333_333),
        ] {
            assert_eq!(BanDuration::parse(text), Ok(BanDuration::For { micros }), "{text}");
        }
        for text in ["none", "0", "0s", "-0", "10ns", "0h0m"] {
            assert_eq!(BanDuration::parse(text), Ok(BanDuration::Lift), "{text}");
        }
    }

    #[test]
    fn what_go_does_not_read_is_refused_in_its_words() {
        for (text, expected) in [
            ("", r#"time: invalid duration """#),
            ("-", r#"time: invalid duration "-""#),
            ("h", r#"time: invalid duration "h""#),
            (".h", r#"time: invalid duration ".h""#),
            ("1", r#"time: missing unit in duration "1""#),
            ("1h2", r#"time: missing unit in duration "1h2""#),
            ("1d", r#"time: unknown unit "d" in duration "1d": expected h, m, s, ms, us or ns"#),
            ("1 h", r#"time: unknown unit " h" in duration "1 h": expected h, m, s, ms, us or ns"#),
            ("None", r#"time: invalid duration "None""#),
            ("--1h", r#"time: invalid duration "--1h""#),
            ("1..2h", r#"time: invalid duration "1..2h""#),
            ("3000000h", r#"time: invalid duration "3000000h""#),
            ("9223372036854775808ns", r#"time: invalid duration "9223372036854775808ns""#),
            (&"1h".repeat(40), "time: invalid duration"),
        ] {
            let message = BanDuration::parse(text).unwrap_err().to_string();
            assert_eq!(message, format!("invalid format for ban duration: {expected}"), "{text}");
        }
    }

    #[test]
    fn a_ban_ends_that_long_from_now() {
        let now = Timestamp::from_micros(1_795_000_000 * SECOND).unwrap();
        let until = |text: &str| BanDuration::parse(text).unwrap().until(now);
        assert_eq!(until("1h"), now.shifted(3_600 * SECOND));
        assert_eq!(until("-1h"), now.shifted(-3_600 * SECOND));
        assert_eq!(until("none"), None);
        let late = Timestamp::parse("9999-01-01").unwrap();
        let ban = BanDuration::parse("876600h").unwrap();
        assert!(ban.until(late).unwrap() > late, "a ban too long for time is not none");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r"[-+]?([0-9.]{0,20}[a-zµμ]{0,3}){0,4}") {
            let _ = BanDuration::parse(&text);
        }
    }
}
