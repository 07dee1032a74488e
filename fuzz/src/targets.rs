//! The targets, and what each is fed.

mod head;

pub(crate) mod account;
pub(crate) mod body;
pub(crate) mod cookie;
pub(crate) mod model;
pub(crate) mod query;
pub(crate) mod rule;
pub(crate) mod select;
pub(crate) mod token;

use crate::Reached;

/// Something that reads what others wrote.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of its function, its libFuzzer binary, its seeds and its
    /// dictionary.
    pub name: &'static str,
    /// What is fed with input.
    pub run: fn(&[u8]) -> Reached,
    /// Bytes of the longest input worth trying: a little more than is accepted.
    pub bytes_max: usize,
    /// Inputs to begin with, in the form that [`seeds`](crate::seeds) reads. Each
    /// reaches a plan.
    pub seeds: &'static str,
    /// Words of the language, in the form of libFuzzer's dictionaries.
    pub dictionary: &'static str,
}

macro_rules! target {
    ($name:ident, $bytes_max:expr) => {
        Target {
            name: stringify!($name),
            run: $name::$name,
            bytes_max: $bytes_max,
            seeds: include_str!(concat!("../seeds/", stringify!($name), ".txt")),
            dictionary: include_str!(concat!("../dictionaries/", stringify!($name), ".dict")),
        }
    };
}

/// Every target.
pub const TARGETS: [Target; 8] = [
    target!(query, 17 * 1024),
    target!(select, 17 * 1024),
    target!(body, 2 * 1024 * 1024 + 1024),
    target!(model, 257 * 1024),
    target!(rule, 4 * 1024 + 64),
    target!(token, 8 * 1024 + 64),
    target!(cookie, 16 * 1024),
    target!(account, 1024 * 1024 + 1024),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds;

    #[test]
    fn every_seed_of_every_target_reaches_a_plan() {
        for target in TARGETS {
            let seeds = seeds::inputs(target.seeds);
            assert!(seeds.len() >= 10, "{} has {} seeds", target.name, seeds.len());
            let refused: Vec<String> = seeds
                .iter()
                .filter(|seed| (target.run)(seed) == Reached::Refused)
                .map(|seed| String::from_utf8_lossy(seed).into_owned())
                .collect();
            assert!(refused.is_empty(), "{}:\n{}", target.name, refused.join("\n"));
        }
    }

    #[test]
    fn what_is_of_no_form_reaches_no_plan() {
        for target in TARGETS {
            for input in [&b""[..], b"\xff\xfe", b"\0", b"((((", b"{{{{", b"%%%%"] {
                assert_eq!((target.run)(input), Reached::Refused, "{}: {input:?}", target.name);
            }
        }
    }
}
