//! Inputs made of other inputs.
//!
//! Most of what a stranger could send that is not an accident looks like what is
//! right: a word in another's place, a number at the edge of its type, a bracket too
//! many. So the mutations know words, numbers and brackets, and inputs that reached
//! a plan are kept to be mutated further. The same seed makes the same inputs as
//! long as the same ones are kept.

use std::ops::Range;

use crate::{Target, random::Random, seeds};

/// Inputs that are kept to be mutated; beyond that, one replaces another.
const POOL_MAX: usize = 2_000;
/// Bytes of the longest input that is kept; longer ones make the rest slow.
const KEPT_BYTES_MAX: usize = 8 * 1024;
/// Bytes of an input, but for the few that are made as long as any may be.
const USUAL_BYTES_MAX: usize = 16 * 1024;
/// One input in so many is made long.
const LONG_ONE_IN: usize = 400;

/// Texts that are at the edge of something, whatever the language.
const EDGES: [&str; 44] = [
    "0",
    "-0",
    "-1",
    "127",
    "32768",
    "65536",
    "2147483648",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "1e308",
    "1e999",
    "-1e-999",
    "0.1",
    "00",
    "0x10",
    "1_0",
    "NaN",
    "Infinity",
    "null",
    "true",
    "\u{0}",
    "\u{7f}",
    "\u{85}",
    "\u{200b}",
    "\u{202e}",
    "\u{feff}",
    "\u{fffd}",
    "\u{10ffff}",
    "é",
    "e\u{301}",
    "ß",
    "İ",
    "🦀",
    "\\",
    "\\u0000",
    "\\ud800",
    "%00",
    "%ff",
    "%",
];

/// Where brackets open, and what closes them.
const BRACKETS: [(u8, u8); 3] = [(b'(', b')'), (b'[', b']'), (b'{', b'}')];

/// Makes inputs for one target.
#[derive(Debug)]
pub struct Mutator {
    random: Random,
    pool: Vec<Vec<u8>>,
    /// How many of the pool are seeds: they are never replaced.
    seeds: usize,
    words: Vec<Vec<u8>>,
    bytes_max: usize,
}

impl Mutator {
    /// Makes inputs of a target's seeds and words.
    #[must_use]
    pub fn new(target: &Target, seed: u64) -> Self {
        let pool = seeds::inputs(target.seeds);
        Self {
            random: Random::new(seed),
            seeds: pool.len(),
            pool,
            words: seeds::words(target.dictionary),
            bytes_max: target.bytes_max,
        }
    }

    /// Keeps an input that came far.
    pub fn keep(&mut self, input: &[u8]) {
        if input.len() > KEPT_BYTES_MAX {
            return;
        }
        if self.pool.len() < POOL_MAX {
            self.pool.push(input.to_vec());
        } else {
            let at = self.seeds + self.random.below(POOL_MAX - self.seeds);
            self.pool[at] = input.to_vec();
        }
    }

    /// The next input.
    pub fn input(&mut self) -> Vec<u8> {
        let mut input = self.base().to_vec();
        for _ in 0..1 << self.random.below(4) {
            self.mutate(&mut input);
            input.truncate(USUAL_BYTES_MAX.min(self.bytes_max));
        }
        if self.random.one_in(LONG_ONE_IN) {
            self.lengthen(&mut input);
        }
        input
    }

    /// A seed as often as an input that was kept.
    fn base(&mut self) -> &[u8] {
        let end = if self.random.one_in(2) { self.seeds } else { self.pool.len() };
        let at = self.random.below(end);
        &self.pool[at]
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        match self.random.below(14) {
            0 => self.flip(input),
            1 => {
                let word = self.word();
                self.insert(input, &word);
            }
            2 => self.replace_word(input),
            3 => {
                let cut = self.random.stretch(input.len(), 32);
                input.drain(cut);
            }
            4 => {
                let copied = self.random.stretch(input.len(), 64);
                let copied = input[copied].to_vec();
                self.insert(input, &copied);
            }
            5 => self.splice(input),
            6 => {
                let other = self.base().to_vec();
                let taken = self.random.stretch(other.len(), 64);
                self.insert(input, &other[taken]);
            }
            7 => self.replace_number(input),
            8 => self.nest(input),
            9 => self.replace_group(input),
            10 => self.repeat(input),
            11 => self.escape(input),
            12 => {
                let edge = *self.random.of(&EDGES);
                self.insert(input, edge.as_bytes());
            }
            _ => self.cut_group(input),
        }
    }

    /// A word of the language, sometimes an edge.
    fn word(&mut self) -> Vec<u8> {
        if self.words.is_empty() || self.random.one_in(8) {
            return self.random.of(&EDGES).as_bytes().to_vec();
        }
        self.random.of(&self.words).clone()
    }

    fn insert(&mut self, input: &mut Vec<u8>, what: &[u8]) {
        let at = self.random.below(input.len() + 1);
        input.splice(at..at, what.iter().copied());
    }

    fn flip(&mut self, input: &mut [u8]) {
        let at = self.random.below(input.len());
        if let Some(byte) = input.get_mut(at) {
            *byte ^= 1 << self.random.below(8);
        }
    }

    /// Puts a word where another stands.
    fn replace_word(&mut self, input: &mut Vec<u8>) {
        let at = self.random.below(input.len());
        let place = run(input, at, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let word = self.word();
        input.splice(place, word);
    }

    fn replace_number(&mut self, input: &mut Vec<u8>) {
        let digits: Vec<usize> =
            (0..input.len()).filter(|at| input[*at].is_ascii_digit()).collect();
        if digits.is_empty() {
            return;
        }
        let at = *self.random.of(&digits);
        let place = run(input, at, |byte| byte.is_ascii_digit());
        let number = self.random.of(&EDGES[..21]).as_bytes().to_vec();
        input.splice(place, number);
    }

    /// The beginning of this one and the end of another.
    fn splice(&mut self, input: &mut Vec<u8>) {
        let other = self.base().to_vec();
        let from = self.random.below(other.len());
        input.truncate(self.random.below(input.len() + 1));
        input.extend_from_slice(&other[from..]);
    }

    /// Puts brackets around something, seldom very many.
    fn nest(&mut self, input: &mut Vec<u8>) {
        let (open, close) = *self.random.of(&BRACKETS);
        let deep = if self.random.one_in(20) { 3_000 } else { 12 };
        let times = 1 + self.random.below(deep);
        let place = self.group(input).unwrap_or_else(|| self.random.stretch(input.len(), 64));
        // What stands before a bracket belongs to it: `and(`, `size(`, `"a":`.
        let prefix = if self.random.one_in(2) { self.word() } else { Vec::new() };
        let mut nested = Vec::new();
        for _ in 0..times {
            nested.extend_from_slice(&prefix);
            nested.push(open);
        }
        nested.extend_from_slice(&input[place.clone()]);
        nested.extend(std::iter::repeat_n(close, times));
        input.splice(place, nested);
    }

    /// Puts what stands in another's brackets where something stands in brackets.
    fn replace_group(&mut self, input: &mut Vec<u8>) {
        let other = self.base().to_vec();
        if let (Some(here), Some(there)) = (self.group(input), self.group(&other)) {
            input.splice(here, other[there].iter().copied());
        }
    }

    fn cut_group(&mut self, input: &mut Vec<u8>) {
        if let Some(group) = self.group(input) {
            input.drain(group);
        }
    }

    /// A stretch from an opening bracket to the one that closes it.
    fn group(&mut self, input: &[u8]) -> Option<Range<usize>> {
        let start = self.random.below(input.len());
        let is_open = |byte: &u8| BRACKETS.iter().any(|(open, _)| open == byte);
        let open = start + input.get(start..)?.iter().position(is_open)?;
        let mut depth = 0_usize;
        for (at, byte) in input.iter().enumerate().skip(open) {
            if is_open(byte) {
                depth += 1;
            } else if BRACKETS.iter().any(|(_, close)| close == byte) {
                depth -= 1;
            }
            if depth == 0 {
                return Some(open..at + 1);
            }
        }
        None
    }

    /// Repeats something where it stands.
    fn repeat(&mut self, input: &mut Vec<u8>) {
        let place = self.random.stretch(input.len(), 32);
        let most = if self.random.one_in(10) { 2_000 } else { 8 };
        let times = self.random.below(most);
        let repeated = input[place.clone()].repeat(times);
        input.splice(place.end..place.end, repeated);
    }

    /// Writes a byte as a URL or a JSON text may write it.
    fn escape(&mut self, input: &mut Vec<u8>) {
        let at = self.random.below(input.len());
        let Some(byte) = input.get(at) else { return };
        let escaped = match self.random.below(3) {
            0 => format!("%{byte:02x}"),
            1 => format!("\\u{byte:04x}"),
            _ => format!("\\{}", char::from(*byte)),
        };
        input.splice(at..=at, escaped.into_bytes());
    }

    /// Repeats something until the input is as long as any may be.
    fn lengthen(&mut self, input: &mut Vec<u8>) {
        let place = match self.group(input) {
            Some(group) if self.random.one_in(2) => group,
            _ => self.random.stretch(input.len(), 200),
        };
        let room = self.bytes_max.saturating_sub(input.len());
        let times = room / place.len().max(1);
        let repeated = input[place.clone()].repeat(if place.is_empty() { 0 } else { times });
        input.splice(place.end..place.end, repeated);
    }
}

/// The stretch around a place in which all bytes are such.
fn run(input: &[u8], at: usize, such: impl Fn(u8) -> bool) -> Range<usize> {
    let is_such = |at: &usize| input.get(*at).is_some_and(|byte| such(*byte));
    let start = (0..at).rev().take_while(is_such).last().unwrap_or(at);
    let end = (at..input.len()).take_while(is_such).last().map_or(at, |last| last + 1);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TARGETS;

    #[test]
    fn one_seed_makes_the_same_inputs_twice_and_another_seed_makes_others() {
        let made = |seed| {
            let mut mutator = Mutator::new(&TARGETS[0], seed);
            (0..500).map(|_| mutator.input()).collect::<Vec<_>>()
        };
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
    }

    #[test]
    fn inputs_differ_and_none_is_longer_than_its_target_takes() {
        for target in TARGETS {
            let mut mutator = Mutator::new(&target, 1);
            let mut inputs: Vec<_> = (0..1_000).map(|_| mutator.input()).collect();
            assert!(inputs.iter().all(|input| input.len() <= target.bytes_max));
            inputs.sort();
            inputs.dedup();
            assert!(inputs.len() > 900, "{}: {} inputs", target.name, inputs.len());
        }
    }

    #[test]
    fn a_mutator_without_anything_to_go_on_makes_inputs_all_the_same() {
        let target = Target { seeds: "x", dictionary: "", ..TARGETS[0] };
        let mut mutator = Mutator::new(&target, 1);
        mutator.keep(b"");
        assert!((0..200).any(|_| mutator.input().len() > 3));
    }

    #[test]
    fn the_run_around_a_place_is_found() {
        let digit = |byte: u8| byte.is_ascii_digit();
        assert_eq!(run(b"ab123c", 3, digit), 2..5);
        assert_eq!(run(b"ab123", 4, digit), 2..5);
        assert_eq!(run(b"abc", 1, digit), 1..1);
        assert_eq!(run(b"", 0, digit), 0..0);
    }
}
