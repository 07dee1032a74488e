//! The server on a real socket: time-outs, limits, draining, and what holds for
//! every answer. The files are named after what they ask about.

#![expect(clippy::unwrap_used, reason = "a test's own trouble is a failed test")]

mod compression;
mod connections;
mod cors;
mod drain;
mod heads;
mod hosts;
mod panics;
mod requests;
mod socket;
mod static_files;
