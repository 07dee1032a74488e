//! One connection that reads, with its prepared statements.
//!
//! A statement borrows its connection, so the two are kept in one cell. Statements
//! are found by the number of their shape: hashing SQL text for each read would cost
//! as much as some reads do.

use std::sync::Arc;

use mainstay_core::Error;
use mainstay_plan::{ReadPlan, ReadShape};
use mainstay_store::{ReadDone, RowSink};
use rusqlite::Connection;
use rustc_hash::FxHashMap;
use self_cell::self_cell;

use crate::{
    compile, connection,
    error::Trouble,
    prepared::{Bindings, Links, Prepared, PreparedQuery},
    shared::Shared,
};

/// Shapes whose statements one connection keeps; each takes some tens of KiB.
const SHAPES_MAX: usize = 128;
/// Steps of SQLite's virtual machine between two looks at whether to go on.
pub(crate) const STEPS_PER_TICK: u32 = 1_000;

self_cell!(
    struct Cell {
        owner: Connection,
        #[not_covariant]
        dependent: Statements,
    }
);

/// A connection that reads.
pub(crate) struct Reader {
    cell: Cell,
}

struct Statements<'c> {
    connection: &'c Connection,
    by_shape: FxHashMap<u64, PreparedRead<'c>>,
    /// Counts the reads, to tell which shape was not asked for the longest.
    reads: u64,
}

struct PreparedRead<'c> {
    shape: Arc<ReadShape>,
    rows: PreparedQuery<'c>,
    count: Option<Prepared<'c>>,
    read_last: u64,
}

impl Reader {
    /// Opens a connection. `stop` is asked every [`STEPS_PER_TICK`] steps whether
    /// the statement that runs is to end.
    pub(crate) fn open(
        shared: &Shared,
        stop: impl FnMut() -> bool + Send + 'static,
    ) -> Result<Self, Error> {
        let mut connection = connection::open_reader(&shared.settings)?;
        let steps = i32::try_from(STEPS_PER_TICK).expect("BUG: a tick is few steps");
        connection
            .progress_handler(steps, Some(stop))
            .map_err(|error| Trouble::from(error).into_error())?;
        let cell = Cell::new(connection, |connection| Statements {
            connection,
            by_shape: FxHashMap::default(),
            reads: 0,
        });
        Ok(Self { cell })
    }

    /// Carries out a read in one snapshot.
    pub(crate) fn read(
        &mut self,
        shared: &Shared,
        plan: &ReadPlan,
        sink: &mut dyn RowSink,
    ) -> Result<ReadDone, Trouble> {
        self.cell.with_dependent_mut(|_, statements| statements.read(shared, plan, sink))
    }

    /// The connection itself.
    pub(crate) fn connection(&self) -> &Connection {
        self.cell.borrow_owner()
    }
}

impl<'c> Statements<'c> {
    fn read(
        &mut self,
        shared: &Shared,
        plan: &ReadPlan,
        sink: &mut dyn RowSink,
    ) -> Result<ReadDone, Trouble> {
        let bindings = Bindings::slots(plan.values());
        let PreparedRead { rows, count, .. } = self.prepared(shared, plan.shape())?;
        let Some(count) = count else {
            let rows = rows.send(bindings, Links::None, sink)?;
            return Ok(ReadDone { rows, total: None });
        };
        // The count's statement is left standing at its row while the rows are read: a
        // connection sees one snapshot for as long as any of its statements runs.
        let mut counted = count.rows(bindings, Links::None)?;
        let total = match counted.next()? {
            Some(row) => row.get::<_, i64>(0)?,
            None => 0,
        };
        let rows = rows.send(bindings, Links::None, sink)?;
        Ok(ReadDone { rows, total: u64::try_from(total).ok() })
    }

    fn prepared(
        &mut self,
        shared: &Shared,
        shape: &Arc<ReadShape>,
    ) -> Result<&mut PreparedRead<'c>, Trouble> {
        self.reads += 1;
        let id = shape.id().get();
        if !self.by_shape.contains_key(&id) {
            let catalog = shared.catalogs.get(shape.catalog()).map_err(Trouble::Unavailable)?;
            let (rows, count) = compile::read(&catalog, shape);
            self.make_room(shared);
            self.by_shape.insert(
                id,
                PreparedRead {
                    shape: Arc::clone(shape),
                    rows: PreparedQuery::new(self.connection, rows),
                    count: count.map(|text| Prepared::new(self.connection, text)),
                    read_last: 0,
                },
            );
        }
        let prepared = self.by_shape.get_mut(&id).expect("BUG: it is there by now");
        prepared.read_last = self.reads;
        Ok(prepared)
    }

    /// Lets go of the shapes of catalogs that are gone, and if that is not enough of
    /// the one that was not read for the longest.
    fn make_room(&mut self, shared: &Shared) {
        if self.by_shape.len() < SHAPES_MAX {
            return;
        }
        self.by_shape.retain(|_, prepared| shared.catalogs.takes(prepared.shape.catalog()));
        if self.by_shape.len() < SHAPES_MAX {
            return;
        }
        let oldest =
            self.by_shape.iter().min_by_key(|(_, prepared)| prepared.read_last).map(|(id, _)| *id);
        if let Some(id) = oldest {
            self.by_shape.remove(&id);
        }
    }
}
