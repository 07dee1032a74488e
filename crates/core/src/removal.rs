//! Switches that take one protection out, so that its test can be seen to fail.
//!
//! A test that passes with its protection removed proves nothing. Each documented
//! protection asks [`removed`] by the name of its switch at the one line that makes
//! it; the test command throws a switch through `MAINSTAY_REMOVE` and expects the
//! protection's test to turn red.
//!
//! Without the feature `removals` the answer is a constant `false`, which the
//! compiler folds away, and a build without debug assertions refuses the feature.
//! Reading the environment here is this crate's one exception to its rule of
//! asking for nothing, and exists under that feature alone.

#[cfg(all(feature = "removals", not(debug_assertions)))]
compile_error!("the feature `removals` takes protections out and has no place in a release build");

/// Whether the protection behind this switch is taken out. Always `false` in a
/// build that people use.
#[cfg(not(feature = "removals"))]
#[inline(always)]
#[must_use]
pub const fn removed(_switch: &str) -> bool {
    false
}

/// Whether the protection behind this switch is taken out: `MAINSTAY_REMOVE` names
/// the switches thrown, with commas between them, and is read once.
#[cfg(feature = "removals")]
#[must_use]
pub fn removed(switch: &str) -> bool {
    static THROWN: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let thrown = THROWN.get_or_init(|| std::env::var("MAINSTAY_REMOVE").unwrap_or_default());
    names(thrown, switch)
}

#[cfg(any(feature = "removals", test))]
fn names(thrown: &str, switch: &str) -> bool {
    thrown.split(',').any(|name| name.trim() == switch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_thrown_by_its_whole_name_only() {
        assert!(names("default-deny, algorithm-pinning", "algorithm-pinning"));
        assert!(!names("algorithm-pinning-too", "algorithm-pinning"));
        assert!(!names("", "algorithm-pinning"));
    }

    #[cfg(not(feature = "removals"))]
    #[test]
    fn without_the_feature_no_protection_can_be_taken_out() {
        const { assert!(!removed("algorithm-pinning")) }
    }
}
