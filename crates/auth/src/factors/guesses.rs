//! How often codes of a factor may be tried.
//!
//! Three of a million codes are right at a time, so that whoever has the password would
//! find one in a day by trying. What was tried since the last right code is counted with
//! the factor: for all nodes and all addresses together, and before a code is looked at, so
//! that of many at once each is counted or not looked at. After some the next has to wait,
//! twice as long each time, up to an hour: 24 in a day, of which one is right in 14,000
//! days. Somebody else's guesses make the user wait as well; they have their recovery
//! codes, of which nothing is counted because nobody guesses one.

use mainstay_core::{Timestamp, removal::removed};

use super::{FACTORS, StoredFactor};
use crate::{
    Identity,
    call::Call,
    refusal::{AuthCode, AuthResult, refused},
    rows::{Change, is},
};

/// Codes that may be tried without waiting.
const FREE: i64 = 5;
/// Seconds to wait after the first one more, and at the most.
const WAIT_S: (i64, i64) = (2, 3_600);
const MICROS_PER_SECOND: i64 = 1_000_000;

/// What was tried since the last right code.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Guesses {
    pub(super) count: i64,
    pub(super) last: Option<Timestamp>,
}

impl Guesses {
    /// Seconds until the next code is looked at, if that is not now.
    fn wait_s(self, now: Timestamp) -> Option<u64> {
        let beyond = u32::try_from(self.count.checked_sub(FREE)?).ok()?;
        let (first_s, most_s) = WAIT_S;
        let wait_s = first_s.checked_shl(beyond.min(30)).map_or(most_s, |wait| wait.min(most_s));
        let until = self.last?.as_micros() + wait_s * MICROS_PER_SECOND;
        let left = until - now.as_micros();
        (left > 0).then(|| u64::try_from(left / MICROS_PER_SECOND + 1).unwrap_or(1))
    }
}

impl Identity {
    /// Counts a code before it is looked at.
    ///
    /// # Errors
    /// `over_request_rate_limit`, and when to come again; `Overtaken` where another was
    /// counted since the factor was read; where the store cannot be asked.
    pub(super) async fn count_guess(&self, factor: &StoredFactor, call: &Call) -> AuthResult<()> {
        if removed("factor-guesses") {
            return Ok(());
        }
        if let Some(wait_s) = factor.guesses.wait_s(call.now) {
            let message = "Too many wrong codes: wait before the next";
            return Err(refused(429, AuthCode::OverRequestRateLimit, message).retry_after(wait_s));
        }
        let count = factor.guesses.count;
        let filters = vec![is("id", factor.shown.id), is("guesses", count)];
        let values = [("guesses", (count + 1).into()), ("guessed_at", call.now.into())];
        let counted = Change::update(FACTORS, filters, values).or_nothing();
        self.rows.write(vec![counted], &call.cx, call.now).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_free_and_then_each_waits_twice_as_long_up_to_an_hour() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * MICROS_PER_SECOND).unwrap();
        let wait = |count, after_s: i64| {
            Guesses { count, last: Some(at(1_000)) }.wait_s(at(1_000 + after_s))
        };
        for count in 0..FREE {
            assert_eq!(wait(count, 0), None, "{count}");
        }
        assert_eq!(wait(5, 1), Some(2));
        assert_eq!(wait(5, 2), None);
        assert_eq!(wait(6, 2), Some(3));
        assert_eq!(wait(6, 4), None);
        for count in [16, 40, 1_000, i64::from(u32::MAX)] {
            assert_eq!(wait(count, 3_599), Some(2), "{count}");
            assert_eq!(wait(count, 3_600), None, "{count}");
        }
        assert_eq!(Guesses { count: 9, last: None }.wait_s(at(0)), None);
    }
}
