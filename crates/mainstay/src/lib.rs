//! The back end of a web application, from a folder of text files.
//!
//! The binary `mainstay` serves such a folder. This crate is the same for Rust
//! programs: [`App`] loads a folder, takes routes and layers of axum's, and serves;
//! [`testing`] starts an app for a test. The rooms of the house are re-exported under
//! their names.

mod app;
mod background;
mod built_in;
pub mod cli;
mod database;
pub mod extract;
mod folder;
mod forgetting;
mod identity;
mod load;
mod mail;
mod mailing;
mod reload;
mod running;
mod seed;
mod signing_key;
pub mod testing;
mod undeclared;
mod watch;

pub use app::{App, Mode, StartError};
pub use database::{DatabaseError, SchemaChanges, SchemaDiffers};
pub use folder::FolderError;
pub use load::Mistakes;
pub use running::Running;
pub use signing_key::SigningKeyError;

pub use axum;
pub use mainstay_auth as auth;
pub use mainstay_core as core;
pub use mainstay_plan as plan;
pub use mainstay_rules as rules;
pub use mainstay_store as store;
pub use mainstay_store_postgres as store_postgres;
pub use mainstay_store_sqlite as store_sqlite;
pub use mainstay_web as web;
