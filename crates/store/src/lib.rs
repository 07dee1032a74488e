//! The boundary between a plan and the engine that carries it out.
//!
//! A [`Store`] is handed sealed plans and nothing else, and pushes what it reads
//! into a [`RowSink`]. It never decides who may do what: rows it was not told to
//! leave out are answered, and a filter it cannot push down it refuses beforehand,
//! in [`Store::check`].

mod capabilities;
mod cascades;
mod catalogs;
mod context;
mod error;
mod event;
mod migration;
mod outbox;
pub mod refusal;
mod schema;
mod sink;
pub mod sql;
#[cfg(feature = "told")]
mod told;
mod traits;

pub use capabilities::{Capabilities, Mismatch};
pub use cascades::{Doomed, RowId, key_text};
pub use catalogs::Catalogs;
pub use context::{Cx, Mark};
pub use error::WriteError;
pub use event::{Event, EventOp, Seq};
pub use migration::{
    APP_LINEAGE, Applied, AppliedMigration, Change, Choices, CompareError, Difference,
    DifferenceKind, FieldShape, Fill, HistoryError, Migration, MigrationMistake, MigrationRecord,
    MigrationStep, Migrations, ModelShape, Presence, Question, ReferenceShape, Rename, Rows,
    Snapshot, Standing, can_convert, compare, convert, differences, in_the_way, is_there, render,
    render_empty, steps, there_already,
};
pub use outbox::{EventEntries, read_events};
pub use schema::{
    ColumnSchema, IndexSchema, ReferenceSchema, Schema, SchemaWords, TableSchema, VERSION_COLUMN,
    on_delete_words,
};
pub use sink::{FlatRows, NoRows, RowSink};
#[cfg(feature = "told")]
pub use told::{Told, ToldStore};
pub use traits::{Answer, Committed, End, Health, ReadDone, Store, StoreFuture, WriteSet};
