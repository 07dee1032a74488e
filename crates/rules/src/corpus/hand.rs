//! Verdicts decided by hand.
//!
//! Each line is a rule, a post and what the rule comes to for the six callers in
//! their order (anonymous, alice, bob, empty, ohara, dave): `T` true, `F` false, `U`
//! unknown. They were worked out from DESIGN's sentences and the rows, not read off
//! the interpreter; a line the interpreter contradicts is to be worked out again.

use mainstay_core::Truth;

/// One rule and one post, for all callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandDecided {
    /// The rule's name.
    pub rule: &'static str,
    /// The post's id.
    pub post: i64,
    /// What it comes to, in the callers' order.
    pub truths: Vec<Truth>,
}

/// All verdicts decided by hand.
#[must_use]
pub fn hand_decided() -> Vec<HandDecided> {
    LINES
        .iter()
        .map(|(rule, post, truths)| HandDecided {
            rule,
            post: *post,
            truths: truths
                .chars()
                .map(|letter| match letter {
                    'T' => Truth::True,
                    'F' => Truth::False,
                    _ => Truth::Unknown,
                })
                .collect(),
        })
        .collect()
}

const LINES: &[(&str, i64, &str)] = &[
    // Someone else's, one's own and nobody's post, to a caller who is nobody.
    ("published_or_own", 1, "TTTTTT"),
    ("published_or_own", 2, "UUUUUU"),
    ("published_or_own", 3, "UFTFFF"),
    ("published_or_own", 4, "UTUUUU"),
    ("published_or_own", 5, "UFFTFF"),
    ("published_and_own", 4, "UUFFFF"),
    ("not_own", 5, "UTTFTT"),
    ("not_own", 2, "UUUUUU"),
    ("not_equal_own", 6, "UTTTFT"),
    ("not_any_of_both", 3, "UTFTTT"),
    // A related row must name the caller. Of post 1 one member is not known.
    ("member", 1, "UTUUUU"),
    ("member", 2, "FFFFFF"),
    ("member", 7, "UFFFFT"),
    ("not_member", 1, "UFUUUU"),
    ("not_member", 2, "TTTTTT"),
    ("not_member", 7, "UTTTTF"),
    ("not_not_member", 7, "UFFFFT"),
    // No related row may: both shapes of it, and what looks like a third.
    ("not_banned", 1, "UTFTTT"),
    ("not_banned", 2, "TTTTTT"),
    ("not_banned", 3, "UUUUUU"),
    ("not_banned", 4, "UFTTTT"),
    ("not_banned", 5, "UTTFTT"),
    ("not_banned", 8, "UUFUUU"),
    ("all_bans_others", 1, "UTFTTT"),
    ("all_bans_others", 2, "TTTTTT"),
    ("all_bans_others", 3, "UUUUUU"),
    ("all_bans_others", 8, "UUFUUU"),
    ("not_all_bans_mine", 1, "UTFTTT"),
    ("not_all_bans_mine", 2, "FFFFFF"),
    ("not_all_bans_mine", 8, "UTUTTT"),
    // What is asked of the caller alone, inside and under a negation.
    ("caller_within_exists", 1, "UFTFFF"),
    ("caller_within_exists", 2, "FFFFFF"),
    ("caller_within_not_exists", 1, "UTFTTT"),
    ("caller_within_not_exists", 2, "TTTTTT"),
    // A list of roles is known, and empty, for the anonymous caller.
    ("editor", 2, "FFTFFF"),
    ("not_editor_published", 1, "TTFTTT"),
    ("not_editor_published", 2, "UUFUUU"),
    ("not_named_caller", 1, "UTFTTT"),
    ("cannot", 1, "TTFTTT"),
    // Through a ref: an absent one, one to a row with an absent field.
    ("parent_not_own", 1, "UUUUUU"),
    ("parent_not_own", 3, "UFTTTT"),
    ("parent_not_own", 4, "UUUUUU"),
    ("parent_without_author", 1, "TTTTTT"),
    ("parent_without_author", 3, "FFFFFF"),
    ("author_not_banned", 3, "UUUUUU"),
    ("author_not_banned", 5, "FFFFFF"),
    ("not_parent_member", 3, "UFUUUU"),
    ("not_parent_member", 2, "TTTTTT"),
    // Through a junction. Post 3's one tag does not say whether it is secret.
    ("no_secret_tag", 1, "FFFFFF"),
    ("no_secret_tag", 2, "TTTTTT"),
    ("no_secret_tag", 3, "UUUUUU"),
    ("no_secret_tag", 4, "TTTTTT"),
    ("all_tags_open", 9, "UUUUUU"),
    // Post 8: one active ban that runs, one that may be active but is over.
    ("no_active_ban", 1, "FFFFFF"),
    ("no_active_ban", 3, "UUUUUU"),
    ("no_active_ban", 4, "TTTTTT"),
    ("no_active_ban", 8, "FFFFFF"),
    ("every_ban_over", 6, "TTTTTT"),
    ("every_ban_over", 8, "FFFFFF"),
    // Conditions compared with each other.
    ("published_is_own", 1, "UTFFFF"),
    ("published_is_own", 3, "UTFTTT"),
    ("published_is_not_own", 4, "UUUUUU"),
    ("exists_equals_exists", 2, "TTTTTT"),
    ("exists_equals_exists", 5, "UTTTTT"),
    ("choice", 3, "UFTFFF"),
    ("not_choice", 2, "UUUUUU"),
    ("author_or_reviewer", 1, "UTFFFF"),
    ("author_or_reviewer", 2, "UUUUUU"),
    // Claims: exactly of the type beside them, or absent.
    ("views_in_claim", 11, "UUTFUT"),
    ("views_not_in_claim", 1, "UUTTUT"),
    ("views_of_claim", 22, "UUTUTF"),
    ("admin_claim", 3, "UUTUFU"),
    ("not_admin_claim", 1, "UUFUTU"),
    ("price_of_claim", 1, "UUTUTU"),
    ("price_not_of_claim", 22, "UUTUTU"),
    ("token_of_claim", 1, "UUTUUT"),
    ("token_of_caller", 7, "UUUUUT"),
    ("level_of_claim", 4, "UFTFFF"),
    // JSON that is absent, null or something else.
    ("json_kind_absent", 2, "TTTTTT"),
    ("json_kind_absent", 12, "TTTTTT"),
    ("json_not_kind", 12, "UUUUUU"),
    ("json_not_kind", 13, "TTTTTT"),
    ("json_number", 13, "FFFFFF"),
    ("json_not_flag", 13, "TTTTTT"),
    ("json_absent", 10, "TTTTTT"),
    // The very moment.
    ("born_today", 17, "FFFFFF"),
    ("born_long_ago", 17, "TTTTTT"),
    ("not_born_today", 2, "UUUUUU"),
    ("born_an_hour_ago", 1, "TTTTTT"),
];
