//! Makes an input that breaks something as short as it can be and still break it.

use crate::trial::{Broken, Trials};

/// Runs that are spent on it.
const RUNS_MAX: usize = 2_000;

/// The shortest input found that breaks the same. One that is slow is left as it is:
/// trying would take too long.
pub(crate) fn shrink(trials: &Trials, input: Vec<u8>, broken: &Broken) -> Vec<u8> {
    let same = |input: &[u8]| match (trials.run(input), broken) {
        (Err(Broken::Panicked(found)), Broken::Panicked(wanted)) => found.place == wanted.place,
        (Err(Broken::Heavy(_)), Broken::Heavy(_)) => true,
        _ => false,
    };
    if matches!(broken, Broken::Slow(_)) || !same(&input) {
        return input;
    }
    let mut runs = 0;
    let mut shortest = input;
    let mut piece = shortest.len() / 2;
    while piece > 0 {
        let mut at = 0;
        while at < shortest.len() && runs < RUNS_MAX {
            let mut shorter = shortest.clone();
            shorter.drain(at..(at + piece).min(shortest.len()));
            runs += 1;
            if same(&shorter) {
                shortest = shorter;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    shortest
}
