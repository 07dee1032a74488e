//! The steps from one snapshot to the models of today.
//!
//! In this order: what is renamed; constraints and indexes that go; tables and columns
//! that come; columns that change; columns and tables that go; constraints and indexes
//! that come. Raw SQL that moves values has its place before what goes.

mod fields;
mod models;
mod ties;

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::Catalog;

use super::{Change, Choices, MigrationStep, Question, Snapshot, loss::loss};

pub(super) use self::models::create_models;

/// Why models cannot be compared with what was before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// Whether something was renamed or dropped has to be said.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Undecided(Vec<Question>),
    /// No step does this.
    #[error("{}", .0.join("\n"))]
    Impossible(Vec<String>),
}

/// The steps that lead from a snapshot to a catalog's models; none where nothing differs.
///
/// # Errors
/// Where something may have been renamed and nothing was said of it, and where a change is
/// none that a step makes: with all of them at once.
pub fn compare(
    before: &Snapshot,
    catalog: &Catalog,
    choices: &Choices,
) -> Result<Vec<MigrationStep>, CompareError> {
    let mut work = Work {
        now: before.clone(),
        wanted: Snapshot::of(catalog),
        catalog,
        choices,
        names_before: BTreeMap::new(),
        used: BTreeSet::new(),
        steps: Vec::new(),
        questions: Vec::new(),
        faults: Vec::new(),
    };
    work.rename_models();
    work.rename_fields();
    work.unused_choices();
    if !work.faults.is_empty() {
        return Err(CompareError::Impossible(work.faults));
    }
    if !work.questions.is_empty() {
        return Err(CompareError::Undecided(work.questions));
    }
    let ties = work.drop_ties();
    work.create();
    work.change_fields();
    // What fails after a change that cannot be made fails because of it.
    if work.faults.is_empty() {
        work.drop_fields_and_models();
        work.add_ties(ties);
    }
    if !work.faults.is_empty() {
        return Err(CompareError::Impossible(work.faults));
    }
    Ok(work.steps)
}

struct Work<'c> {
    /// What the steps so far come to.
    now: Snapshot,
    wanted: Snapshot,
    catalog: &'c Catalog,
    choices: &'c Choices,
    /// Names before, by the names that models have now, where they are others.
    names_before: BTreeMap<String, String>,
    /// The choices that spoke of something.
    used: BTreeSet<String>,
    steps: Vec<MigrationStep>,
    questions: Vec<Question>,
    faults: Vec<String>,
}

impl Work<'_> {
    fn take(&mut self, change: Change) {
        match self.now.take(&change) {
            Ok(shape) => {
                self.steps.push(MigrationStep { loses: loss(&change), change, shape });
            }
            Err(fault) => self.faults.push(fault),
        }
    }

    /// A field as a choice speaks of it: with its model's name before, or the one now.
    fn spoken(&self, model: &str, field: &str) -> String {
        let now = format!("{model}.{field}");
        let before = self.names_before.get(model).map(|before| format!("{before}.{field}"));
        before.filter(|name| self.choices.names().any(|it| it == name)).unwrap_or(now)
    }

    fn unused_choices(&mut self) {
        for name in self.choices.names().filter(|name| !self.used.contains(*name)) {
            self.faults.push(format!("`{name}` did not go: it was not there, or is there still"));
        }
    }
}
