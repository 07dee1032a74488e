//! The `Prefer` header (RFC 7240): what is asked for, and what was applied.
//!
//! Where a preference is given twice the first counts. What is not known is passed
//! over, or with `handling=strict` refused. `tx=rollback` where it is switched off
//! is refused always, so that no rehearsal commits.

use axum::http::{HeaderName, HeaderValue};
use mainstay_core::{Code, Error};
use mainstay_plan::{Count, Resolution, Return};

/// The header that says which preferences were applied.
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Preferences of one request at most; more are refused.
const PREFERENCES_MAX: usize = 32;

/// What a request prefers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    pub(crate) returning: Option<Return>,
    pub(crate) count: Option<Count>,
    pub(crate) resolution: Option<Resolution>,
    pub(crate) missing: Option<Missing>,
    pub(crate) handling: Option<Handling>,
    pub(crate) tx: Option<Tx>,
    /// Counts under `handling=strict` alone.
    pub(crate) max_affected: Option<u64>,
}

/// What a field takes that one row of several does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Default,
    Null,
}

/// What becomes of preferences that are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handling {
    Strict,
    Lenient,
}

/// How a write's transaction is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tx {
    Commit,
    RollBack,
}

/// Whether `tx=rollback` may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rehearsal {
    /// It may.
    Allowed,
    /// It is refused.
    Refused,
}

impl Preferences {
    /// Reads every `Prefer` header.
    ///
    /// # Errors
    /// `PGRST122` for what is not known under `handling=strict`, and for
    /// `tx=rollback` where it is refused.
    pub(crate) fn read(prefer: &[&HeaderValue], rehearsal: Rehearsal) -> Result<Self, Error> {
        let mut read = Self::default();
        let mut unknown: Vec<String> = Vec::new();
        let values = prefer.iter().filter_map(|value| value.to_str().ok());
        let words = values.flat_map(|value| value.split(',')).map(str::trim);
        for (at, word) in words.filter(|word| !word.is_empty()).enumerate() {
            if at == PREFERENCES_MAX {
                return Err(Error::new(Code::PreferenceInvalid, "there are too many preferences"));
            }
            if !read.take(word) {
                unknown.push(word.to_owned());
            }
        }
        if read.tx == Some(Tx::RollBack) && rehearsal == Rehearsal::Refused {
            return Err(Error::new(Code::PreferenceInvalid, "tx=rollback is not allowed here")
                .with_details("Nothing was written.")
                .with_hint("The server allows it with [rest] tx_rollback = true."));
        }
        if read.handling == Some(Handling::Strict) && !unknown.is_empty() {
            return Err(Error::new(
                Code::PreferenceInvalid,
                "Invalid preferences given with handling=strict",
            )
            .with_details(format!("Invalid preferences: {}", unknown.join(", "))));
        }
        Ok(read)
    }

    /// The rows that may be affected, where that is asked strictly.
    pub(crate) fn affected_max(&self) -> Option<u64> {
        self.max_affected.filter(|_| self.handling == Some(Handling::Strict))
    }

    /// Whether the rows are to be counted.
    pub(crate) fn counts(&self) -> bool {
        matches!(self.count, Some(Count::Exact | Count::Estimated))
    }

    /// Takes one preference, if it is known.
    fn take(&mut self, word: &str) -> bool {
        match word {
            "return=representation" => first(&mut self.returning, Return::Representation),
            "return=minimal" => first(&mut self.returning, Return::Minimal),
            "return=headers-only" => first(&mut self.returning, Return::HeadersOnly),
            "count=exact" => first(&mut self.count, Count::Exact),
            "count=planned" => first(&mut self.count, Count::Planned),
            "count=estimated" => first(&mut self.count, Count::Estimated),
            "resolution=merge-duplicates" => {
                first(&mut self.resolution, Resolution::MergeDuplicates)
            }
            "resolution=ignore-duplicates" => {
                first(&mut self.resolution, Resolution::IgnoreDuplicates)
            }
            "missing=default" => first(&mut self.missing, Missing::Default),
            "missing=null" => first(&mut self.missing, Missing::Null),
            "handling=strict" => first(&mut self.handling, Handling::Strict),
            "handling=lenient" => first(&mut self.handling, Handling::Lenient),
            "tx=commit" => first(&mut self.tx, Tx::Commit),
            "tx=rollback" => first(&mut self.tx, Tx::RollBack),
            _ => match word.strip_prefix("max-affected=").map(str::parse) {
                Some(Ok(max)) => first(&mut self.max_affected, max),
                _ => false,
            },
        }
    }

    /// The value of `Preference-Applied`, where anything was: what a read applies, or
    /// with `Applies` more.
    pub(crate) fn applied(&self, applies: Applies) -> Option<HeaderValue> {
        let resolution = self.resolution.filter(|_| applies.resolution).map(|it| match it {
            Resolution::MergeDuplicates => "resolution=merge-duplicates",
            Resolution::IgnoreDuplicates => "resolution=ignore-duplicates",
        });
        let missing = self.missing.filter(|_| applies.missing).map(|missing| match missing {
            Missing::Default => "missing=default",
            Missing::Null => "missing=null",
        });
        let returning = self.returning.filter(|_| applies.returning).map(|it| match it {
            Return::Representation => "return=representation",
            Return::Minimal => "return=minimal",
            Return::HeadersOnly => "return=headers-only",
        });
        let count = self.count.and_then(|count| match count {
            Count::Exact => Some("count=exact"),
            Count::Planned => Some("count=planned"),
            Count::Estimated => Some("count=estimated"),
            Count::None => None,
        });
        let tx = self.tx.map(|tx| match tx {
            Tx::Commit => "tx=commit",
            Tx::RollBack => "tx=rollback",
        });
        let handling = self.handling.map(|handling| match handling {
            Handling::Strict => "handling=strict",
            Handling::Lenient => "handling=lenient",
        });
        let words = [resolution, missing, returning, count, tx, handling];
        let affected = self.affected_max().filter(|_| applies.affected);
        let mut known = words.into_iter().flatten();
        match (known.next(), known.next(), affected) {
            (None, _, None) => None,
            // Mostly it is one, and nothing need be put together.
            (Some(one), None, None) => Some(HeaderValue::from_static(one)),
            _ => {
                let affected = affected.map(|max| format!("max-affected={max}"));
                let all: Vec<&str> =
                    words.into_iter().flatten().chain(affected.as_deref()).collect();
                HeaderValue::try_from(all.join(", ")).ok()
            }
        }
    }
}

/// Which preferences a method applies, beyond those every method does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Applies {
    pub(crate) resolution: bool,
    pub(crate) missing: bool,
    pub(crate) returning: bool,
    pub(crate) affected: bool,
}

fn first<T>(held: &mut Option<T>, value: T) -> bool {
    held.get_or_insert(value);
    true
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::rest::show;

    fn check(lines: &[&str], rehearsal: Rehearsal, expected: Expect) {
        let sent: Vec<HeaderValue> = lines.iter().map(|line| line.parse().unwrap()).collect();
        let sent: Vec<&HeaderValue> = sent.iter().collect();
        let all = Applies { resolution: true, missing: true, returning: true, affected: true };
        expected.assert_eq(&match Preferences::read(&sent, rehearsal) {
            Ok(read) => read.applied(all).map_or_else(
                || "nothing".to_owned(),
                |applied| applied.to_str().unwrap().to_owned(),
            ),
            Err(error) => show::error(&error),
        });
    }

    #[test]
    fn preferences_come_in_one_header_or_several() {
        let check = |lines: &[&str], expected| check(lines, Rehearsal::Allowed, expected);
        check(&[], expect!["nothing"]);
        check(
            &["return=representation,count=exact"],
            expect!["return=representation, count=exact"],
        );
        check(
            &["resolution=merge-duplicates", "missing=default ,  return=minimal"],
            expect!["resolution=merge-duplicates, missing=default, return=minimal"],
        );
        check(&["return=minimal", "return=representation"], expect!["return=minimal"]);
        check(&["tx=rollback"], expect!["tx=rollback"]);
        check(&["max-affected=5"], expect!["nothing"]);
        check(&["handling=strict, max-affected=5"], expect!["handling=strict, max-affected=5"]);
    }

    #[test]
    fn what_is_not_known_is_refused_when_strict_alone() {
        let check = |lines: &[&str], expected| check(lines, Rehearsal::Allowed, expected);
        check(&["handling=lenient, foo, timezone=UTC"], expect!["handling=lenient"]);
        check(
            &["foo, handling=strict, bar=1"],
            expect![
                "PGRST122 Invalid preferences given with handling=strict: Invalid preferences: foo, bar=1"
            ],
        );
        check(
            &["handling=strict, max-affected=x"],
            expect![
                "PGRST122 Invalid preferences given with handling=strict: Invalid preferences: max-affected=x"
            ],
        );
    }

    #[test]
    fn a_rehearsal_where_none_is_allowed_is_refused() {
        check(
            &["tx=rollback"],
            Rehearsal::Refused,
            expect!["PGRST122 tx=rollback is not allowed here: Nothing was written."],
        );
        check(&["tx=commit"], Rehearsal::Refused, expect!["tx=commit"]);
    }
}
