//! Numbers that look random and are the same for the same seed (`SplitMix64`).

use std::ops::Range;

/// A sequence of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// The sequence of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one, or 0 where there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let random = (self.next() >> 32) as usize;
        random.checked_rem(end).unwrap_or(0)
    }

    /// Whether one in so many times has come.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these, of which there must be one.
    pub(crate) fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// A stretch of something this long, itself at most so long.
    pub(crate) fn stretch(&mut self, length: usize, most: usize) -> Range<usize> {
        let start = self.below(length + 1);
        let rest = (length - start).min(most);
        start..start + self.below(rest + 1)
    }
}
