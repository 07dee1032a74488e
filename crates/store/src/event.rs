//! What a committed write did, for those who follow.

use mainstay_core::{FieldId, ModelId, Value};

/// The place of an event in a store's outbox; later commits have greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventOp {
    /// It was created.
    Insert,
    /// It was changed.
    Update,
    /// It was deleted.
    Delete,
}

impl EventOp {
    /// The word it is stored and logged under.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// One row's change, as it stands in the outbox. Cascades are events of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its place in the outbox.
    pub seq: Seq,
    /// The transaction it was part of.
    pub txid: u64,
    /// The row's model.
    pub model: ModelId,
    /// The row's key.
    pub key: Box<[Value]>,
    /// What happened.
    pub op: EventOp,
    /// The fields that were written; empty for a delete.
    pub fields: Box<[FieldId]>,
}
