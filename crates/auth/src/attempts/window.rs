//! So many in so much time.

use mainstay_core::Timestamp;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// What was counted since the window began; another begins with what comes after its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    since: Option<Timestamp>,
    count: u32,
}

/// That no more are taken, for so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) left_s: u64,
    /// Whether the window has not refused anything before.
    pub(super) is_first: bool,
}

impl Window {
    /// Counts one more, of `max` in so many seconds.
    ///
    /// # Errors
    /// When it is full.
    pub(super) fn take(&mut self, now: Timestamp, seconds: i64, max: u32) -> Result<(), Full> {
        let since = self.since.unwrap_or(now);
        let mut age_s = (now.as_micros() - since.as_micros()).div_euclid(MICROS_PER_SECOND);
        if self.since.is_none() || !(0..seconds).contains(&age_s) {
            *self = Self { since: Some(now), count: 0 };
            age_s = 0;
        }
        if self.count < max {
            self.count += 1;
            return Ok(());
        }
        let is_first = self.count == max;
        self.count = max.saturating_add(1);
        let left_s = u64::try_from(seconds - age_s).unwrap_or(1).max(1);
        Err(Full { left_s, is_first })
    }

    /// Whether one more would be taken.
    ///
    /// # Errors
    /// When it is full.
    pub(super) fn look(&self, now: Timestamp, seconds: i64, max: u32) -> Result<(), Full> {
        self.clone().take(now, seconds, max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_so_many_and_says_when_the_next_begins() {
        let at = |s: i64| Timestamp::from_micros(s * MICROS_PER_SECOND).unwrap();
        let mut window = Window::default();
        assert_eq!([1, 2].map(|s| window.take(at(s), 10, 2)), [Ok(()); 2]);
        assert_eq!(window.take(at(4), 10, 2), Err(Full { left_s: 7, is_first: true }));
        assert_eq!(window.take(at(10), 10, 2), Err(Full { left_s: 1, is_first: false }));
        assert_eq!([11, 12].map(|s| window.take(at(s), 10, 2)), [Ok(()); 2]);
        assert_eq!(window.take(at(12), 10, 2), Err(Full { left_s: 9, is_first: true }));
        // A clock that was set back begins anew.
        assert_eq!(window.take(at(3), 10, 2), Ok(()));
        let mut closed = Window::default();
        assert_eq!(closed.take(at(1), 10, 0), Err(Full { left_s: 10, is_first: true }));
    }
}
