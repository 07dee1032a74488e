//! Schema changes: what is written of them, what they come to, and what a database has
//! seen of them.
//!
//! # Steps carry all they need
//!
//! A migration is a file of steps in no engine's words. Each says the types, names and
//! values it needs, so that a later model changes nothing in an earlier migration. A
//! [`MigrationStep`] is made here alone, by reading such a file or by comparing, and each
//! store renders it in its own words.
//!
//! # Why there is no file with the snapshot
//!
//! What the models are compared with is the [`Snapshot`] after the last migration. It is
//! not kept beside the files but made from them, by taking every step on an empty one
//! ([`Snapshot::take`]). A file of its own could say otherwise than the steps: after a
//! merge of two branches, or after a person has mended a step by hand, which is what the
//! files are there for. Taking the steps also finds the step that cannot be taken (a
//! column renamed that is not there) before any database does. The price is that what raw
//! SQL does to a table is not seen; columns and tables are for the other steps. Should
//! chains grow so long that reading them takes a second, a snapshot that replaces the
//! oldest files would be worth its file.
//!
//! # What is built in
//!
//! The tables of Mainstay's own models have migrations inside the binary, in the same
//! format: an app's begin with the snapshot those come to, so that they hold what the app
//! adds and no more.
//!
//! # Additive changes
//!
//! `dev` needs no file for what only adds: [`steps`] makes the same steps from what a
//! database lacks ([`Difference`]). A migration that is applied later finds them taken
//! ([`is_there`]).

mod additive;
mod choices;
mod compare;
mod difference;
mod history;
mod loss;
mod presence;
mod read;
mod render;
mod replay;
mod snapshot;

use mainstay_core::{Type, Value};

pub use self::{
    additive::{Rows, steps},
    choices::{Choices, Question, Rename},
    compare::{CompareError, compare},
    difference::{Difference, DifferenceKind, differences},
    history::{
        APP_LINEAGE, AppliedMigration, HistoryError, MigrationMistake, MigrationRecord, Migrations,
        Standing,
    },
    loss::{can_convert, convert},
    presence::{Presence, in_the_way, is_there, there_already},
    render::{render, render_empty},
    snapshot::{FieldShape, ModelShape, ReferenceShape, Snapshot},
};

/// Schema changes that are made together, and what is noted of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    record: Option<MigrationRecord>,
    steps: Vec<MigrationStep>,
}

impl Migration {
    /// Steps that leave no note: what `dev` adds by itself.
    #[must_use]
    pub fn unrecorded(steps: Vec<MigrationStep>) -> Self {
        Self { record: None, steps }
    }

    /// What is noted once it is applied; none for what needs no file.
    #[must_use]
    pub fn record(&self) -> Option<&MigrationRecord> {
        self.record.as_ref()
    }

    /// The steps in order.
    #[must_use]
    pub fn steps(&self) -> &[MigrationStep] {
        &self.steps
    }
}

/// One schema change. Made by this crate alone: read from a file, or by comparing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStep {
    change: Change,
    shape: Option<ModelShape>,
    loses: Option<String>,
}

/// What a [`MigrationStep`] changes. Names are those of tables and columns.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A model's table comes to be, with its indexes and references.
    CreateModel {
        /// The table.
        model: String,
        /// What it is to be.
        shape: ModelShape,
    },
    /// A table and all of its rows go.
    DropModel {
        /// The table.
        model: String,
    },
    /// A table gets another name; what points at it goes on doing so.
    RenameModel {
        /// Its name before.
        model: String,
        /// Its name after.
        to: String,
    },
    /// A column comes to be, with its reference if it has one.
    AddField {
        /// The table.
        model: String,
        /// The column.
        field: FieldShape,
        /// What rows that are there take.
        fill: Option<Fill>,
        /// Its reference, by name.
        reference: Option<(String, ReferenceShape)>,
    },
    /// A column and all its values go.
    DropField {
        /// The table.
        model: String,
        /// The column.
        field: String,
    },
    /// A column gets another name.
    RenameField {
        /// The table.
        model: String,
        /// Its name before.
        field: String,
        /// Its name after.
        to: String,
    },
    /// A column gets another type, or becomes required or not.
    ChangeField {
        /// The table.
        model: String,
        /// The column as it was.
        from: FieldShape,
        /// The column as it is to be, under the same name.
        to: FieldShape,
        /// What rows without a value take.
        fill: Option<Fill>,
    },
    /// A unique constraint comes to be.
    AddUnique {
        /// The table.
        model: String,
        /// Its name.
        name: String,
        /// Its columns.
        fields: Vec<String>,
    },
    /// An index comes to be.
    AddIndex {
        /// The table.
        model: String,
        /// Its name.
        name: String,
        /// Its columns, each with whether it descends.
        fields: Vec<(String, bool)>,
    },
    /// A unique constraint or an index goes.
    DropIndex {
        /// The table.
        model: String,
        /// Its name.
        name: String,
        /// Whether it is a unique constraint.
        unique: bool,
    },
    /// A unique constraint or an index gets another name.
    RenameIndex {
        /// The table.
        model: String,
        /// Its name before.
        name: String,
        /// Its name after.
        to: String,
    },
    /// A reference comes to be.
    AddReference {
        /// The table that points.
        model: String,
        /// Its name.
        name: String,
        /// What points where.
        reference: ReferenceShape,
    },
    /// A reference goes; its columns stay.
    DropReference {
        /// The table that points.
        model: String,
        /// Its name.
        name: String,
        /// The columns that point.
        fields: Vec<String>,
    },
    /// A reference gets another name.
    RenameReference {
        /// The table that points.
        model: String,
        /// Its name before.
        name: String,
        /// Its name after.
        to: String,
    },
    /// Statements of the developer's own, for each engine; an engine without any has
    /// nothing to do.
    Sql {
        /// For SQLite.
        sqlite: Option<String>,
        /// For PostgreSQL.
        postgres: Option<String>,
    },
}

/// What a column takes in rows that have nothing for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Fill {
    /// This value.
    Value(Value),
    /// The time at which the migration is applied.
    Now,
}

// No value of a migration's is NaN: they are read from text that knows no such number.
impl Eq for Change {}
impl Eq for Fill {}

impl MigrationStep {
    /// What is changed.
    #[must_use]
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// The model it is about, as the step leaves it; as it was, where it is dropped; none
    /// for statements of the developer's own.
    #[must_use]
    pub fn shape(&self) -> Option<&ModelShape> {
        self.shape.as_ref()
    }

    /// What is lost by it, or may be; none where nothing can be.
    #[must_use]
    pub fn loses(&self) -> Option<&str> {
        self.loses.as_deref()
    }

    /// The step in words, for the log and for whoever started it.
    #[must_use]
    pub fn described(&self) -> String {
        self.change.described()
    }
}

impl Change {
    /// The table it is about, by the name it has before.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        match self {
            Self::CreateModel { model, .. }
            | Self::DropModel { model }
            | Self::RenameModel { model, .. }
            | Self::AddField { model, .. }
            | Self::DropField { model, .. }
            | Self::RenameField { model, .. }
            | Self::ChangeField { model, .. }
            | Self::AddUnique { model, .. }
            | Self::AddIndex { model, .. }
            | Self::DropIndex { model, .. }
            | Self::RenameIndex { model, .. }
            | Self::AddReference { model, .. }
            | Self::DropReference { model, .. }
            | Self::RenameReference { model, .. } => Some(model),
            Self::Sql { .. } => None,
        }
    }

    fn described(&self) -> String {
        match self {
            Self::CreateModel { model, .. } => format!("create table {model}"),
            Self::DropModel { model } => format!("drop table {model}"),
            Self::RenameModel { model, to } => format!("rename table {model} to {to}"),
            Self::AddField { model, field, .. } => format!("add column {model}.{}", field.name),
            Self::DropField { model, field } => format!("drop column {model}.{field}"),
            Self::RenameField { model, field, to } => {
                format!("rename column {model}.{field} to {to}")
            }
            Self::ChangeField { model, from, to, .. } => {
                let mut what = Vec::new();
                if from.kind != to.kind {
                    what.push(format!("to {}", type_name(to.kind)));
                }
                if from.required != to.required {
                    what.push(if to.required { "to required" } else { "to optional" }.to_owned());
                }
                format!("change column {model}.{} {}", to.name, what.join(" and "))
            }
            Self::AddUnique { model, name, .. } | Self::AddIndex { model, name, .. } => {
                format!("create index {name} on {model}")
            }
            Self::DropIndex { model, name, .. } => format!("drop index {name} on {model}"),
            Self::RenameIndex { model, name, to } => {
                format!("rename index {name} on {model} to {to}")
            }
            Self::AddReference { model, name, reference } => {
                format!("create reference {name} from {model} to {}", reference.to)
            }
            Self::DropReference { model, name, .. } => format!("drop reference {name} of {model}"),
            Self::RenameReference { model, name, to } => {
                format!("rename reference {name} of {model} to {to}")
            }
            Self::Sql { .. } => "run the migration's own SQL".to_owned(),
        }
    }
}

/// A type with its digits: `decimal(8,2)`.
fn type_name(kind: Type) -> String {
    match kind {
        Type::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        kind => kind.name().to_owned(),
    }
}

/// What a migration did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Each step in words, in the order they were taken; none where another node has
    /// applied the migration in the meantime.
    pub steps: Vec<String>,
}

#[cfg(test)]
mod tests;
