//! The gate: a request, an actor and a catalog become a sealed plan, or an error.
//!
//! Whoever may do what is decided here and nowhere else. A [`ReadPlan`] or
//! [`WritePlan`] can be made by this crate alone, carries the version of the
//! catalog it was made for, and holds everything a store needs: which rows, which
//! columns of them, which conditions guard the write. A store decides nothing.
//!
//! This crate is synchronous and pure: the time and fresh ids come in with the
//! request.

mod access;
mod bind;
mod cache;
mod gate;
mod isolation;
mod key;
mod names;
mod planner;
mod read;
mod read_plan;
mod relate;
mod request;
mod rewrite;
mod shape;
mod write;
mod write_plan;

pub use access::{Access, FieldAccess, ModelAccess, access};
pub use gate::Operation;
pub use isolation::Isolation;
pub use mainstay_rules::GuardClass;
pub use planner::Planner;
pub use read::Features;
pub use read_plan::ReadPlan;
pub use request::{
    Aggregate, Argument, Clauses, Condition, Count, FieldExpr, Group, InsertRequest, IsValue, Join,
    Operator, OrderTerm, Payload, PayloadRow, PayloadValue, ReadRequest, Resolution, Return,
    SelectEmbed, SelectField, SelectItem, Text, WriteAction, WriteRequest,
};
pub use shape::{Column, Embed, Link, Order, Query, ReadShape, ShapeId, Source, Via};
pub use write_plan::{
    Action, Cascade, Conflict, ConflictResolution, Guard, Refusal, WritePlan, WriteShape, cascades,
};
