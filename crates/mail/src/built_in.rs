//! The model that mails wait in, and the migrations that make its table: part of every
//! app.

use mainstay_core::BuiltIn;

/// The built-in model of mails.
#[must_use]
pub fn models() -> &'static [BuiltIn] {
    &[BuiltIn {
        path: "built-in/mail/mainstay_mails.toml",
        text: include_str!("models/mainstay_mails.toml"),
    }]
}

/// The migrations that make its table, in order.
#[must_use]
pub fn migrations() -> &'static [BuiltIn] {
    &[BuiltIn {
        path: "built-in/mail/0001_mails.toml",
        text: include_str!("migrations/0001_mails.toml"),
    }]
}
