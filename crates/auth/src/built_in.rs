//! The models that identity lies in, and the migrations that make their tables: part of
//! every app.
//!
//! Whoever changes a model here writes the migration that leads there; a test of the
//! crate `mainstay` compares the two.

use mainstay_core::BuiltIn;

/// A file below `src/`, as one that is built in.
macro_rules! built_in {
    ($folder:literal, $file:literal) => {
        BuiltIn {
            path: concat!("built-in/auth/", $file),
            text: include_str!(concat!($folder, "/", $file)),
        }
    };
}

/// The built-in models of identity.
#[must_use]
pub fn models() -> &'static [BuiltIn] {
    &[
        built_in!("models", "users.toml"),
        built_in!("models", "mainstay_audit.toml"),
        built_in!("models", "mainstay_challenges.toml"),
        built_in!("models", "mainstay_factors.toml"),
        built_in!("models", "mainstay_flows.toml"),
        built_in!("models", "mainstay_identities.toml"),
        built_in!("models", "mainstay_one_time_tokens.toml"),
        built_in!("models", "mainstay_passwords.toml"),
        built_in!("models", "mainstay_recovery_codes.toml"),
        built_in!("models", "mainstay_sessions.toml"),
    ]
}

/// The migrations that make their tables, in order.
#[must_use]
pub fn migrations() -> &'static [BuiltIn] {
    &[
        built_in!("migrations", "0001_identity.toml"),
        built_in!("migrations", "0002_session_age.toml"),
    ]
}
