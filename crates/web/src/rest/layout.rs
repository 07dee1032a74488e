//! The names around an answer's values, worked out once for each shape.
//!
//! A shape answers many requests; what its rows look like as JSON (each name
//! escaped, with its comma and colon; spreads lifted into the row that holds them)
//! is the same for all of them. The cache is bounded by count and emptied when it
//! is full: shapes are few, and making a layout again is cheap.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use mainstay_plan::{Query, ShapeId, Source};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;

use super::encode::write_json_text;

/// Layouts held at most.
const LAYOUTS_MAX: usize = 2_048;

/// An answer of the first request of a shape is given so many bytes to begin with.
const FIRST_ANSWER_BYTES: usize = 512;
/// And those after it at most so many, however large the last one was.
const ANSWER_BYTES_GUESS_MAX: usize = 256 * 1024;

/// The names around one shape's values.
#[derive(Debug)]
pub(crate) struct Layout {
    levels: Vec<Level>,
    /// The size of the last answer, as a guess at the next one's.
    last_bytes: AtomicUsize,
}

/// The columns of one query, those of its spreads among them.
#[derive(Debug, Default)]
struct Level {
    columns: Vec<Column>,
}

#[derive(Debug)]
pub(super) struct Column {
    /// `,"name":`
    lead: Box<[u8]>,
    /// The level of an embed.
    below: Option<usize>,
}

impl Column {
    /// What goes before a value that is not the first of its row.
    pub(super) fn lead(&self) -> &[u8] {
        &self.lead
    }

    /// What goes before the first value of a row.
    pub(super) fn first_lead(&self) -> &[u8] {
        &self.lead[1..]
    }

    /// The level of the rows embedded here, if this is an embed.
    pub(super) fn below(&self) -> Option<usize> {
        self.below
    }
}

impl Layout {
    /// The layout of a query's rows.
    pub(crate) fn of(query: &Query) -> Self {
        let mut layout =
            Self { levels: Vec::new(), last_bytes: AtomicUsize::new(FIRST_ANSWER_BYTES) };
        layout.level(query);
        layout
    }

    /// Adds the level of a query, and those below it; levels nest as deep as a plan
    /// may.
    fn level(&mut self, query: &Query) -> usize {
        let at = self.levels.len();
        self.levels.push(Level::default());
        let mut columns = Vec::with_capacity(query.columns.len());
        self.columns(query, &mut columns);
        self.levels[at].columns = columns;
        at
    }

    fn columns(&mut self, query: &Query, columns: &mut Vec<Column>) {
        for column in &query.columns {
            let below = match &column.source {
                Source::Spread(embed) => {
                    self.columns(&embed.query, columns);
                    continue;
                }
                Source::Embed(embed) => Some(self.level(&embed.query)),
                Source::Value(..) | Source::Aggregate(..) => None,
            };
            let mut lead = vec![b','];
            write_json_text(&column.name, &mut lead);
            lead.push(b':');
            columns.push(Column { lead: lead.into_boxed_slice(), below });
        }
    }

    pub(super) fn column(&self, level: usize, at: usize) -> &Column {
        &self.levels[level].columns[at]
    }

    /// The names of a row's columns as JSON strings, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.levels[0].columns.iter().map(|column| &column.lead[1..column.lead.len() - 1])
    }

    /// How large the next answer may well be.
    pub(super) fn bytes_guess(&self) -> usize {
        self.last_bytes.load(Ordering::Relaxed)
    }

    /// Remembers how large an answer was.
    pub(super) fn answered(&self, bytes: usize) {
        let guess = (bytes + bytes / 8).min(ANSWER_BYTES_GUESS_MAX);
        self.last_bytes.store(guess, Ordering::Relaxed);
    }
}

/// Layouts by the ids of their shapes, which are never reused.
#[derive(Debug, Default)]
pub(crate) struct Layouts(RwLock<FxHashMap<u64, Arc<Layout>>>);

impl Layouts {
    /// The layout of a shape whose rows these are.
    pub(crate) fn get(&self, shape: ShapeId, query: &Query) -> Arc<Layout> {
        if let Some(known) = self.0.read().get(&shape.get()) {
            return Arc::clone(known);
        }
        let made = Arc::new(Layout::of(query));
        let mut held = self.0.write();
        if held.len() >= LAYOUTS_MAX {
            held.clear();
        }
        held.insert(shape.get(), Arc::clone(&made));
        made
    }

    /// Forgets all of them: their catalog has gone.
    pub(crate) fn clear(&self) {
        self.0.write().clear();
    }
}
