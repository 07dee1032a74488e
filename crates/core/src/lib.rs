//! The nouns of Mainstay.
//!
//! What every other room speaks of: a [`Model`] and its [`Field`]s, the
//! [`Catalog`] that holds them, a [`Value`] and its [`Type`], the [`Actor`] on
//! whose behalf a request runs, the [`Filter`] a rule or a query string becomes,
//! the [`Error`] a caller sees, and the [`Limits`] that bound all of it.
//!
//! This crate is synchronous and pure: it parses text it is handed and never
//! reads a file, a clock, a socket or a source of randomness.

mod actor;
mod app;
mod catalog;
mod declarations;
mod diagnostic;
mod error;
mod field;
mod filter;
mod limits;
mod model;
mod names;
mod pattern;
pub mod removal;
mod time;
mod value;

pub use actor::{Actor, ActorKind, UserClaims};
pub use app::{
    App, AppMistakes, AppSettings, AuthSettings, BuiltIn, DatabaseSettings, Durability, LogFormat,
    LogLevel, LogSettings, MailSender, MailSettings, Network, RedisSettings, RestSettings, Role,
    Roles, SETTINGS_FILE, Secret, ServerSettings, SettingDoc, Settings, SourceFile, WebOrigin,
    read_app,
};
pub use catalog::{Catalog, CatalogVersion, FieldId, ModelId, RefId};
pub use declarations::{Declarations, PartialCatalog};
pub use diagnostic::{Colour, Diagnostic, Severity, render_diagnostics, sort_diagnostics};
pub use error::{Code, Error};
pub use field::{
    Constraints, DefaultValue, Field, FieldKind, FieldRules, OnDelete, RuleText, TextFormat,
};
pub use filter::{
    CallerTerm, CompareOp, Filter, JsonStep, Operand, Path, Quantifier, Relation, RowRef, Scope,
    SlotId, TextOp, Truth, Way,
};
pub use limits::Limits;
pub use model::{IdKind, Index, Model, ModelRules, Reference, TableName, Unique, Visibility};
pub use names::{NAME_BYTES_MAX, nearest};
pub use pattern::character_classes;
pub use time::{Date, Timestamp};
pub use value::{Decimal, Type, Value, ValueError, ValueRef, json_depth};
