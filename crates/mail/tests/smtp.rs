//! Mails to a real SMTP server, sent as they are and out of a queue.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

#[path = "mail/sqlite.rs"]
mod engine;
#[path = "mail/harness.rs"]
mod harness;
#[path = "mail/server.rs"]
mod server;
#[path = "mail/smtp.rs"]
mod smtp;
