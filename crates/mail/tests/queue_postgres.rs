//! The queue of mails on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

#[path = "mail/harness.rs"]
mod harness;
#[path = "mail/scripted.rs"]
mod scripted;

#[path = "mail"]
mod on_postgres {
    #[path = "postgres.rs"]
    mod engine;
    mod queue;
}
