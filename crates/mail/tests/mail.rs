//! Mails on their way: to a real SMTP server, and through the queue.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

#[path = "mail/smtp.rs"]
mod smtp;
