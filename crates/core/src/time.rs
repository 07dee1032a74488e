//! Moments and days, as they are stored and as they are printed.
//!
//! A [`Timestamp`] is microseconds since 1970 in UTC, the finest step every store
//! keeps. It is printed as PostgreSQL's `to_json` prints a `timestamptz` in UTC:
//! `2026-11-23T09:30:00.5+00:00`, the fraction without trailing zeros. Years run
//! from 0001 to 9999, which all stores and clients can hold; the last moment is
//! 9999-12-30T22:00:00.999999Z, so that it has a local time in every zone.

use std::fmt;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

/// Bytes of `YYYY-MM-DD`.
const DATE_BYTES: usize = 10;
const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// 0001-01-01T00:00:00Z.
const MICROS_MIN: i64 = -62_135_596_800_000_000;
/// 9999-12-30T22:00:00.999999Z.
const MICROS_MAX: i64 = 253_402_207_200_999_999;
/// 0001-01-01, in days since 1970.
const DAY_MIN: i32 = -719_162;
/// 9999-12-31, in days since 1970.
const DAY_MAX: i32 = 2_932_896;

impl Timestamp {
    /// The moment so many microseconds after 1970 began, if its year is 1 to 9999.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        (MICROS_MIN..=MICROS_MAX).contains(&micros).then_some(Self(micros))
    }

    /// Microseconds since 1970 began.
    #[must_use]
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// This moment moved by so many microseconds, if it stays within its range.
    #[must_use]
    pub fn shifted(self, micros: i64) -> Option<Self> {
        self.0.checked_add(micros).and_then(Self::from_micros)
    }

    /// Reads RFC 3339 and the looser forms PostgreSQL takes for it: a space for
    /// the `T`, an offset of hours alone, no offset (UTC), or a date alone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(date) = Date::parse(text) {
            return Self::from_micros(i64::from(date.0) * MICROS_PER_DAY);
        }
        let read = |text: &str| text.parse::<jiff::Timestamp>().ok();
        let moment =
            read(text).or_else(|| read(&pad_offset(text))).or_else(|| read(&format!("{text}Z")))?;
        let micros = moment.as_microsecond();
        Self::from_micros(micros)
    }

    /// Appends this moment as it is sent to callers.
    pub fn write_to(self, out: &mut Vec<u8>) {
        let day = self.0.div_euclid(MICROS_PER_DAY);
        let within = self.0.rem_euclid(MICROS_PER_DAY);
        let (seconds, fraction) = (within / MICROS_PER_SECOND, within % MICROS_PER_SECOND);
        let seconds = u32::try_from(seconds).unwrap_or(0);
        let mut text = *b"0000-00-00T00:00:00+00:00";
        text[..DATE_BYTES].copy_from_slice(&Date(i32::try_from(day).unwrap_or(0)).digits());
        write_two(&mut text[11..], seconds / 3600);
        write_two(&mut text[14..], seconds / 60 % 60);
        write_two(&mut text[17..], seconds % 60);
        if fraction == 0 {
            out.extend_from_slice(&text);
            return;
        }
        let (moment, offset) = text.split_at(19);
        out.extend_from_slice(moment);
        write_fraction(out, u32::try_from(fraction).unwrap_or(0));
        out.extend_from_slice(offset);
    }
}

impl Date {
    /// The day so many days after 1970-01-01, if its year is 1 to 9999.
    #[must_use]
    pub fn from_days(days: i32) -> Option<Self> {
        (DAY_MIN..=DAY_MAX).contains(&days).then_some(Self(days))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn as_days(self) -> i32 {
        self.0
    }

    /// Reads `YYYY-MM-DD`, and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let number = |range: std::ops::Range<usize>| -> Option<i16> {
            let part = &bytes[range];
            part.iter()
                .all(u8::is_ascii_digit)
                .then(|| part.iter().fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0')))
        };
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let civil =
            jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
                .ok()?;
        let epoch = jiff::civil::Date::constant(1970, 1, 1);
        Self::from_days(epoch.until(civil).ok()?.get_days())
    }

    /// Appends this day as `YYYY-MM-DD`.
    pub fn write_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.digits());
    }

    fn digits(self) -> [u8; DATE_BYTES] {
        let (year, month, day) = civil_from_days(self.0);
        let mut text = *b"0000-00-00";
        write_two(&mut text, year / 100);
        write_two(&mut text[2..], year % 100);
        write_two(&mut text[5..], month);
        write_two(&mut text[8..], day);
        text
    }
}

/// Year, month and day of a count of days since 1970 in the Gregorian calendar.
///
/// The algorithm is Howard Hinnant's `civil_from_days`: years start in March, so
/// that the leap day is the last of them. As no year lies before the first, nothing in
/// it is negative.
fn civil_from_days(days: i32) -> (u32, u32, u32) {
    let shifted = days.saturating_add(719_468).max(0).unsigned_abs();
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u32::from(month <= 2);
    (year, month, day)
}

/// Writes the last two digits of a number where a text begins.
fn write_two(text: &mut [u8], number: u32) {
    text[0] = digit(number / 10);
    text[1] = digit(number);
}

/// Appends a point and microseconds without the zeros at their end.
fn write_fraction(out: &mut Vec<u8>, micros: u32) {
    let mut text = *b".000000";
    write_two(&mut text[1..], micros / 10_000);
    write_two(&mut text[3..], micros / 100);
    write_two(&mut text[5..], micros);
    let zeros = text.iter().rev().take_while(|digit| **digit == b'0').count();
    out.extend_from_slice(&text[..text.len() - zeros]);
}

/// The last digit of a number.
fn digit(number: u32) -> u8 {
    b"0123456789"[(number % 10) as usize]
}

/// Gives `+00` the minutes that RFC 3339 wants: `+00:00`.
fn pad_offset(text: &str) -> String {
    let bytes = text.as_bytes();
    let hours_only = bytes.len() > 13
        && matches!(bytes[bytes.len() - 3], b'+' | b'-')
        && bytes[bytes.len() - 2..].iter().all(u8::is_ascii_digit)
        && text.contains(':');
    if hours_only { format!("{text}:00") } else { text.to_owned() }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(32);
        self.write_to(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(10);
        self.write_to(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &str) -> String {
        Timestamp::parse(text).map_or_else(|| "unreadable".to_owned(), |moment| moment.to_string())
    }

    #[test]
    fn a_timestamp_is_printed_as_postgresql_prints_it_in_json() {
        assert_eq!(again("2026-11-23T09:30:00Z"), "2026-11-23T09:30:00+00:00");
        assert_eq!(again("2026-11-23T09:30:00.500Z"), "2026-11-23T09:30:00.5+00:00");
        assert_eq!(again("2026-11-23 10:30:00.000001+01"), "2026-11-23T09:30:00.000001+00:00");
        assert_eq!(again("2026-11-23T09:30:00"), "2026-11-23T09:30:00+00:00");
        assert_eq!(again("2024-02-29"), "2024-02-29T00:00:00+00:00");
        assert_eq!(again("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00+00:00");
        assert_eq!(again("9999-12-30T22:00:00.999999Z"), "9999-12-30T22:00:00.999999+00:00");
    }

    #[test]
    fn what_is_not_a_moment_is_not_read() {
        for text in
            ["", "now", "2023-02-29", "2026-13-01T00:00:00Z", "12345", "2026-11-23T25:00:00Z"]
        {
            assert_eq!(again(text), "unreadable", "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_day_is_read_back_as_itself(days in DAY_MIN..=DAY_MAX) {
            let date = Date::from_days(days).expect("in range");
            proptest::prop_assert_eq!(Date::parse(&date.to_string()), Some(date));
        }

        #[test]
        fn every_moment_is_read_back_as_itself(micros in MICROS_MIN..=MICROS_MAX) {
            let moment = Timestamp::from_micros(micros).expect("in range");
            proptest::prop_assert_eq!(Timestamp::parse(&moment.to_string()), Some(moment));
        }
    }
}
