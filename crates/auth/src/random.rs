//! The one place that asks the operating system for randomness.
//!
//! It panics where the system has none to give, because nothing that follows would
//! be a secret.

use p256::elliptic_curve::rand_core::{OsRng, RngCore};

/// So many unpredictable bytes.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

/// A number below `bound`, each as likely as any other.
///
/// The remainder of a random number favours small results unless the numbers above
/// the last whole multiple are drawn again.
pub(crate) fn random_below(bound: u32) -> u32 {
    let fair = u32::MAX - u32::MAX % bound;
    loop {
        let drawn = u32::from_be_bytes(random_bytes());
        if drawn < fair {
            return drawn % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ_and_a_bounded_one_stays_below_its_bound() {
        assert_ne!(random_bytes::<32>(), random_bytes::<32>());
        assert!((0..1000).all(|_| random_below(7) < 7));
        assert_eq!(random_below(1), 0);
        let drawn: std::collections::BTreeSet<u32> = (0..1000).map(|_| random_below(3)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [0, 1, 2]);
    }
}
