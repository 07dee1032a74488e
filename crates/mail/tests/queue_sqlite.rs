//! The queue of mails on SQLite.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

#[path = "mail/harness.rs"]
mod harness;
#[path = "mail/scripted.rs"]
mod scripted;

#[path = "mail"]
mod on_sqlite {
    #[path = "sqlite.rs"]
    mod engine;
    mod queue;
}
