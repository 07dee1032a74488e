//! Plans carried out on PostgreSQL.
//!
//! A read is one statement, embeds included, sent along a lane that many share; a
//! write is one statement where its guards are the row's own affair, and otherwise a
//! transaction in which what the guards read is locked. Rows come in binary and go into
//! the [`RowSink`](mainstay_store::RowSink) one value at a time.
//!
//! Nothing here decides who may do what, and no text of PostgreSQL's reaches a caller.

mod compile;
mod connection;
mod dialect;
mod error;
mod introspect;
mod lanes;
mod migrate;
mod outbox;
mod own;
mod pool;
mod read;
mod rows;
mod schema;
mod scratch;
mod settings;
mod shapes;
mod statement;
mod store;
mod tls;
mod value;
mod write;

pub use scratch::ScratchDatabase;
pub use settings::PostgresSettings;
pub use store::PostgresStore;
