//! Loading the rows of `seed/`, through plans, as the app itself.
//!
//! Models that are pointed at come first, and within a circle of refs a row waits for
//! the rows it names. A row that says its id, or all fields of a unique, is updated
//! where it is there already, so that loading twice changes nothing; rows of a model
//! that say neither are loaded only while the model is empty. Every set of rows is one
//! transaction. No rule is asked; types, constraints and refs are.

mod names;
mod order;
mod read;

use std::{
    fmt,
    time::{Duration, Instant},
};

use mainstay_core::{Diagnostic, Error, FieldId, IdKind, Model};
use mainstay_plan::{
    Clauses, InsertRequest, PayloadRow, PayloadValue, Planner, Resolution, Return, WriteAction,
    WritePlan, WriteRequest,
};
use mainstay_store::{Committed, Cx, End, NoRows, Store, WriteError, WriteSet};
use uuid::Uuid;

use self::{
    names::{Meaning, Names, is_empty, name_of, naming_fields, service, text_of},
    read::{Cell, Row, SeedFile},
};
use crate::{
    folder::{Folder, FolderError},
    load::Mistakes,
};

/// How long one set of rows may take.
const WRITE_MAX: Duration = Duration::from_secs(60);

/// What loading came to, file by file in the order they were loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seeded {
    pub(crate) files: Vec<SeededFile>,
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeededFile {
    /// The file's path in the application folder.
    pub(crate) file: String,
    /// The model's name.
    pub(crate) model: String,
    /// Rows in the file.
    pub(crate) rows: u64,
    /// Rows that were not there before.
    pub(crate) inserted: u64,
    /// Rows that were there already and are as the file says now.
    pub(crate) updated: u64,
    /// Rows left alone: the model has rows, and these do not say which they are.
    pub(crate) skipped: u64,
}

/// Why rows were not loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{0}")]
    Mistakes(Mistakes),
    #[error("the rows of seed/ cannot be loaded: {0}")]
    Store(Error),
}

/// Loads every file of the folder's `seed/`; without one, nothing.
///
/// # Errors
/// Where a file cannot be read, a row is wrong, or the store cannot be asked. Rows
/// that were loaded before the mistake was met stay.
pub(crate) async fn seed(
    folder: &Folder,
    planner: &Planner,
    store: &dyn Store,
) -> Result<Seeded, SeedError> {
    let sources = read::read_texts(folder)?;
    let files = read::read_rows(sources, planner.catalog()).map_err(SeedError::Mistakes)?;
    Loader::new(planner, store, &files).await?.load().await
}

struct Loader<'a> {
    planner: &'a Planner,
    store: &'a dyn Store,
    names: Names,
    files: Vec<Waiting<'a>>,
}

/// A file and its rows that are not loaded yet.
struct Waiting<'a> {
    file: &'a SeedFile,
    rows: Vec<&'a Row>,
    done: SeededFile,
}

/// A row whose refs are all found, ready to be planned.
struct Ready<'a> {
    row: &'a Row,
    values: Vec<(&'a str, PayloadValue<'a>)>,
}

/// What a row waits for.
struct Unresolved<'a> {
    cell: &'a Cell,
    target: &'a Model,
}

impl<'a> Loader<'a> {
    async fn new(
        planner: &'a Planner,
        store: &'a dyn Store,
        files: &'a [SeedFile],
    ) -> Result<Self, SeedError> {
        let catalog = planner.catalog();
        let models: Vec<_> = files.iter().map(|file| file.model).collect();
        let mut names = Names::default();
        let mut waiting = Vec::new();
        for id in order::by_references(catalog, &models) {
            let model = catalog.model(id);
            for file in files.iter().filter(|file| file.model == id) {
                let is_identified = |row: &&Row| identity(model, row).is_some();
                let (mut rows, unidentified): (Vec<_>, Vec<_>) =
                    file.rows.iter().partition(is_identified);
                let mut skipped = 0;
                if !unidentified.is_empty() {
                    if is_empty(model, planner, store).await.map_err(SeedError::Store)? {
                        rows = file.rows.iter().collect();
                    } else {
                        skipped = unidentified.len() as u64;
                    }
                }
                for row in &rows {
                    for (field, name) in names_of(model, row) {
                        names.expect(id, field, name);
                    }
                }
                let done = SeededFile {
                    file: file.source.path.clone(),
                    model: model.name.to_string(),
                    rows: file.rows.len() as u64,
                    inserted: 0,
                    updated: 0,
                    skipped,
                };
                waiting.push(Waiting { file, rows, done });
            }
        }
        Ok(Self { planner, store, names, files: waiting })
    }

    async fn load(mut self) -> Result<Seeded, SeedError> {
        loop {
            let mut stuck = Vec::new();
            let mut progress = false;
            for at in 0..self.files.len() {
                let (ready, waiting) = self.ready(at).await?;
                if !ready.is_empty() {
                    progress = true;
                    self.write(at, &ready).await?;
                }
                stuck.extend(waiting);
            }
            if stuck.is_empty() {
                let files = self.files.into_iter().map(|waiting| waiting.done).collect();
                return Ok(Seeded { files });
            }
            if !progress {
                return Err(SeedError::Mistakes(Mistakes::new(stuck, self.sources())));
            }
        }
    }

    fn sources(&self) -> Vec<mainstay_core::SourceFile> {
        self.files.iter().map(|waiting| waiting.file.source.clone()).collect()
    }

    /// Takes from a file the rows whose refs are all found, and tells of the others
    /// what is missing. What names nothing at all is an error at once.
    async fn ready(&mut self, at: usize) -> Result<(Vec<Ready<'a>>, Vec<Diagnostic>), SeedError> {
        let file = self.files[at].file;
        let (mut ready, mut waiting, mut stuck) = (Vec::new(), Vec::new(), Vec::new());
        let mut nothing = Vec::new();
        for row in std::mem::take(&mut self.files[at].rows) {
            match self.resolve(file, row).await? {
                Ok(values) => ready.push(Ready { row, values }),
                Err((meaning, unresolved)) => {
                    let mistake = unresolved.mistake(file);
                    if meaning == Meaning::NotYet || self.may_come(at, unresolved.target) {
                        waiting.push(row);
                        stuck.push(mistake.with_hint(
                            "the row it names is not loaded, or waits for this one in a circle",
                        ));
                    } else {
                        nothing.push(mistake);
                    }
                }
            }
        }
        if !nothing.is_empty() {
            return Err(SeedError::Mistakes(Mistakes::new(nothing, self.sources())));
        }
        self.files[at].rows = waiting;
        Ok((ready, stuck))
    }

    /// Whether rows of a model are still to come whose ids nobody knows yet.
    fn may_come(&self, at: usize, target: &Model) -> bool {
        let is_of = |waiting: &Waiting<'_>| waiting.done.model == *target.name;
        let current = is_of(&self.files[at]);
        let waiting = self.files.iter().any(|file| is_of(file) && !file.rows.is_empty());
        target.id == IdKind::Int && (current || waiting)
    }

    /// A row's values with each ref as the key of the row it names.
    async fn resolve(
        &mut self,
        file: &SeedFile,
        row: &'a Row,
    ) -> Result<Result<Vec<(&'a str, PayloadValue<'a>)>, (Meaning, Unresolved<'a>)>, SeedError>
    {
        let catalog: &'a mainstay_core::Catalog = self.planner.catalog();
        let model = catalog.model(file.model);
        let mut values = Vec::with_capacity(row.cells.len());
        for cell in &row.cells {
            let reference = model
                .field_id(&cell.name)
                .and_then(|field| model.field(field).reference())
                .map(|reference| catalog.reference(reference))
                .filter(|reference| reference.to_fields.len() == 1);
            let (Some(reference), Some(text)) = (reference, text_of(&cell.value)) else {
                values.push((cell.name.as_str(), cell.value.clone()));
                continue;
            };
            let meaning = self.names.meaning(reference.to, text, self.planner, self.store).await;
            match meaning.map_err(SeedError::Store)? {
                Meaning::Key(key) => {
                    values.push((cell.name.as_str(), PayloadValue::String(key.into())));
                }
                meaning => {
                    let target = catalog.model(reference.to);
                    return Ok(Err((meaning, Unresolved { cell, target })));
                }
            }
        }
        Ok(Ok(values))
    }

    /// Writes rows of one file, as many at a time as one write may.
    async fn write(&mut self, at: usize, ready: &[Ready<'a>]) -> Result<(), SeedError> {
        let file = self.files[at].file;
        let catalog = self.planner.catalog();
        let model = catalog.model(file.model);
        for rows in ready.chunks(self.planner.limits().write_rows_max.max(1)) {
            let mut plans = Vec::with_capacity(rows.len());
            for row in rows {
                let plan = self.plan(model, row);
                plans.push(plan.map_err(|error| self.wrong(file, row.row, &error))?);
            }
            let committed = match carry_out(self.store, plans.clone(), End::Commit).await {
                Ok(committed) => committed,
                Err(WriteError::Refused(error)) => {
                    let (row, error) = self.first_refused(plans, error).await;
                    return Err(self.wrong(file, rows[row].row, &error));
                }
                Err(error) => return Err(SeedError::Store(error.into_error())),
            };
            let done = &mut self.files[at].done;
            let inserted: u64 = committed.inserted.iter().sum();
            done.inserted += inserted;
            done.updated += rows.len() as u64 - inserted.min(rows.len() as u64);
            for (row, affected) in rows.iter().zip(&committed.affected) {
                let Some([key]) = affected.first().map(|key| &**key) else { continue };
                let key = key.as_ref().to_text();
                for (field, name) in names_of(model, row.row) {
                    self.names.learn(file.model, field, name, key.clone());
                }
            }
        }
        Ok(())
    }

    fn plan(&self, model: &Model, ready: &Ready<'a>) -> Result<WritePlan, Error> {
        let payload: PayloadRow<'_> =
            ready.values.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        let identity = identity(model, ready.row);
        let request = WriteRequest {
            model: (&*model.name).into(),
            action: WriteAction::Insert(InsertRequest {
                payload: vec![payload],
                columns: None,
                missing_default: true,
                resolution: identity.as_ref().map(|_| Resolution::MergeDuplicates),
                on_conflict: identity
                    .unwrap_or_default()
                    .into_iter()
                    .map(|field| (&*model.field(field).name).into())
                    .collect(),
            }),
            returning: Return::Minimal,
            select: Vec::new(),
            clauses: Clauses::default(),
            embedded: Vec::new(),
            max_affected: None,
            at_most: None,
        };
        self.planner.write(&request, &service(), mainstay_web::system_time(), &mut Uuid::now_v7)
    }

    /// Which row a refused set was refused for: the last of the shortest beginning
    /// that is refused too. Nothing of it is kept.
    async fn first_refused(&self, plans: Vec<WritePlan>, error: Error) -> (usize, Error) {
        let (mut good, mut bad, mut last) = (0, plans.len(), error);
        while good + 1 < bad {
            let middle = usize::midpoint(good, bad);
            match carry_out(self.store, plans[..middle].to_vec(), End::RollBack).await {
                Ok(_) => good = middle,
                Err(error) => (bad, last) = (middle, error.into_error()),
            }
        }
        (bad.saturating_sub(1), last)
    }

    fn wrong(&self, file: &SeedFile, row: &Row, error: &Error) -> SeedError {
        let names_it = |cell: &&Cell| names_word(error.message(), &cell.name);
        let span = row.cells.iter().find(names_it).map_or(&row.span, |cell| &cell.span);
        let mut found = Diagnostic::at(&file.source, span.clone(), error.message());
        if let Some(details) = error.details() {
            found = found.with_label(details);
        }
        if let Some(hint) = error.hint() {
            found = found.with_hint(hint);
        }
        SeedError::Mistakes(Mistakes::new(vec![found], self.sources()))
    }
}

impl Unresolved<'_> {
    fn mistake(&self, file: &SeedFile) -> Diagnostic {
        let target = self.target;
        let fields: Vec<&str> =
            naming_fields(target).into_iter().map(|field| &*target.field(field).name).collect();
        let text = text_of(&self.cell.value).unwrap_or_default();
        let message = format!("no row of {} is named `{text}`", target.name);
        Diagnostic::at(&file.source, self.cell.span.clone(), message)
            .with_label(format!("looked for in {}", fields.join(", ")))
    }
}

/// The unique fields by which a row says which row it is: empty for its id, none
/// where it does not say.
fn identity(model: &Model, row: &Row) -> Option<Vec<FieldId>> {
    let given = |field: &FieldId| {
        let cell = row.cell(&model.field(*field).name);
        cell.is_some_and(|cell| cell.value != PayloadValue::Null)
    };
    if !model.key.is_empty() && model.key.iter().all(given) {
        return Some(Vec::new());
    }
    let unique = model.uniques.iter().find(|unique| unique.fields.iter().all(given))?;
    Some(unique.fields.clone())
}

/// What a row can be called by others.
fn names_of(model: &Model, row: &Row) -> Vec<(FieldId, String)> {
    naming_fields(model)
        .into_iter()
        .filter_map(|field| {
            let text = text_of(&row.cell(&model.field(field).name)?.value)?;
            Some((field, name_of(model, field, text)?))
        })
        .collect()
}

/// Whether a sentence holds a name as a word of its own.
fn names_word(sentence: &str, name: &str) -> bool {
    sentence
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .any(|word| word == name)
}

async fn carry_out(
    store: &dyn Store,
    plans: Vec<WritePlan>,
    end: End,
) -> Result<Committed, WriteError> {
    let cx = Cx::until(Instant::now() + WRITE_MAX);
    let answer = store.write(WriteSet { plans, end }, cx, Box::new(NoRows)).await?;
    Ok(answer.done)
}

impl fmt::Display for SeededFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = if self.rows == 1 { "row" } else { "rows" };
        write!(f, "{}: {} {rows}, {} new", self.file, self.rows, self.inserted)?;
        if self.updated > 0 {
            write!(f, ", {} updated", self.updated)?;
        }
        if self.skipped > 0 {
            write!(
                f,
                ", {} left alone: {} has rows, and these say neither their id nor a unique field",
                self.skipped, self.model
            )?;
        }
        Ok(())
    }
}
