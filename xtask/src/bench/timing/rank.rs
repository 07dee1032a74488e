//! Whether two rows of times are of one kind: the test of Mann and Whitney (Annals of
//! Mathematical Statistics 18, 1947), two-sided, by its normal approximation with ties
//! corrected for. It asks for order alone, so that a few slow answers weigh no more than
//! any others.

/// What a comparison comes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparison {
    /// How often chance alone sets two rows of one kind as far apart.
    pub(super) p: f64,
    /// Of all pairs, the share in which the first is less; a half where nothing tells.
    pub(super) first_is_less: f64,
    /// The medians.
    pub(super) medians: [f64; 2],
}

/// Compares two rows of times.
pub(super) fn compare(first: &[f64], second: &[f64]) -> Comparison {
    let (count, others) = (first.len() as f64, second.len() as f64);
    let all = count + others;
    let mut ordered: Vec<(f64, bool)> = first
        .iter()
        .map(|time| (*time, true))
        .chain(second.iter().map(|time| (*time, false)))
        .collect();
    ordered.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut rank_sum, mut ties, mut before) = (0.0, 0.0, 0.0);
    for equal in ordered.chunk_by(|one, other| one.0 == other.0) {
        let size = equal.len() as f64;
        let of_first = equal.iter().filter(|(_, is_first)| *is_first).count() as f64;
        rank_sum += of_first * (before + f64::midpoint(size, 1.0));
        ties += size.powi(3) - size;
        before += size;
    }
    let first_is_greater = rank_sum - count * (count + 1.0) / 2.0;
    let pairs = count * others;
    let variance = pairs / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    // Half a pair is taken off, as what is counted is whole and the curve is not.
    let distance = ((first_is_greater - pairs / 2.0).abs() - 0.5).max(0.0);
    let p = if variance > 0.0 { both_tails(distance / variance.sqrt()) } else { 1.0 };
    Comparison {
        p,
        first_is_less: 1.0 - first_is_greater / pairs,
        medians: [median(first), median(second)],
    }
}

/// How much of the normal distribution lies farther out than this, on both sides:
/// Abramowitz and Stegun, 26.2.17, good to 10⁻⁷.
fn both_tails(z: f64) -> f64 {
    const WEIGHTS: [f64; 5] =
        [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let step = 1.0 / (1.0 + 0.231_641_9 * z);
    let sum = WEIGHTS.iter().rev().fold(0.0, |sum, weight| (sum + weight) * step);
    let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (2.0 * density * sum).clamp(0.0, 1.0)
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-4
    }

    #[test]
    fn the_tails_are_those_of_the_tables() {
        for (z, both) in [(0.0, 1.0), (1.0, 0.317_31), (1.96, 0.05), (3.290_53, 0.001)] {
            assert!(close(both_tails(z), both), "{z}: {}", both_tails(z));
        }
    }

    #[test]
    fn what_is_apart_is_told_apart_and_what_is_mixed_is_not() {
        let row = |from: u32, step: usize| -> Vec<f64> {
            (from..from + 400).step_by(step).map(f64::from).collect()
        };
        let mixed = compare(&row(0, 2), &row(1, 2));
        assert!(mixed.p > 0.9 && close(mixed.first_is_less, 0.5025), "{mixed:?}");
        let apart = compare(&row(0, 2), &row(60, 2));
        assert!(apart.p < 1e-3 && apart.first_is_less > 0.6, "{apart:?}");
        let same = compare(&[1.0; 50], &[1.0; 50]);
        assert!(close(same.p, 1.0) && close(same.first_is_less, 0.5), "{same:?}");
    }

    #[test]
    fn a_worked_example_comes_out_as_by_hand() {
        // Ranks of the first: 1, 2.5, 4, 7; their sum 14.5, so 4.5 of 16 pairs are greater.
        let example = compare(&[1.0, 2.0, 3.0, 6.0], &[2.0, 4.0, 5.0, 7.0]);
        assert!(close(example.first_is_less, 1.0 - 4.5 / 16.0), "{example:?}");
        assert_eq!(example.medians, [3.0, 5.0]);
    }
}
