//! Plans carried out on SQLite.
//!
//! Reads run on the thread that asks, on a connection of its own, and move to reader
//! threads where they take long. Writes go through one thread, which commits those
//! that are waiting together. Rows go from SQLite's buffer into the
//! [`RowSink`](mainstay_store::RowSink) one value at a time.
//!
//! Nothing here decides who may do what, and no text of SQLite's reaches a caller.

mod compile;
mod connection;
mod dialect;
mod error;
mod functions;
mod inline;
mod introspect;
mod migrate;
mod outbox;
mod prepared;
mod reader;
mod reader_pool;
mod schema;
mod settings;
mod shared;
mod store;
mod value;
mod write;
mod writer;

pub use settings::{Durability, SqliteSettings};
pub use store::SqliteStore;
