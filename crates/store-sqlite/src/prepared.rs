//! Prepared statements, and their rows on the way into a sink.

use mainstay_core::{Error, Type, Value};
use mainstay_store::{RowSink, sql::Param};
use rusqlite::{Connection, Row, Rows, Statement, types::ValueRef as SqlRef};

use crate::{
    compile::{EmbedText, Output, Place, QueryText, StatementText},
    error::Trouble,
    value,
};

/// Where the values of parameters come from in one run.
#[derive(Clone, Copy)]
pub(crate) struct Bindings<'v> {
    /// The plan's values, by slot.
    pub(crate) slots: &'v [Value],
    /// The row of the payload.
    pub(crate) row: &'v [Value],
}

impl<'v> Bindings<'v> {
    /// Nothing but the plan's values.
    pub(crate) fn slots(slots: &'v [Value]) -> Self {
        Self { slots, row: &[] }
    }
}

/// What relates a statement's rows to what is above them.
#[derive(Clone, Copy)]
pub(crate) enum Links<'l> {
    /// Nothing.
    None,
    /// Columns of a row above.
    Row(&'l Row<'l>, &'l [usize]),
    /// Values, such as a key.
    Values(&'l [Value]),
}

/// A statement that is prepared when it first runs.
pub(crate) struct Prepared<'c> {
    connection: &'c Connection,
    text: StatementText,
    statement: Option<Statement<'c>>,
}

impl<'c> Prepared<'c> {
    pub(crate) fn new(connection: &'c Connection, text: StatementText) -> Self {
        Self { connection, text, statement: None }
    }

    /// The rows of one run. Dropping them ends it.
    pub(crate) fn rows(
        &mut self,
        bindings: Bindings<'_>,
        links: Links<'_>,
    ) -> Result<Rows<'_>, Trouble> {
        let statement = match &mut self.statement {
            Some(statement) => statement,
            none => none.insert(prepare(self.connection, &self.text)?),
        };
        for (at, param) in self.text.params.iter().enumerate() {
            let at = at + 1;
            match param {
                Param::Const(_) => {}
                Param::Slot(slot, _) => {
                    value::bind(statement, at, &bindings.slots[usize::from(slot.0)])?;
                }
                Param::List(slot, _) => {
                    value::bind_list(statement, at, &bindings.slots[usize::from(slot.0)])?;
                }
                Param::Row(field, _) => value::bind(statement, at, &bindings.row[field.index()])?,
                Param::Link(link, _) => {
                    let link = usize::from(*link);
                    match links {
                        Links::Values(values) => value::bind(statement, at, &values[link])?,
                        Links::Row(row, columns) => {
                            value::bind_column(statement, at, row.get_ref(columns[link])?)?;
                        }
                        Links::None => return Err(unlinked()),
                    }
                }
                // Rows are written one by one here.
                Param::Column(..) => return Err(unlinked()),
            }
        }
        Ok(statement.raw_query())
    }

    /// Runs it to its end; what it answers is let go.
    pub(crate) fn run(&mut self, bindings: Bindings<'_>, links: Links<'_>) -> Result<(), Trouble> {
        let mut rows = self.rows(bindings, links)?;
        while rows.next()?.is_some() {}
        Ok(())
    }

    /// The first row's values, read as these types; none where there is no row.
    pub(crate) fn first(
        &mut self,
        bindings: Bindings<'_>,
        links: Links<'_>,
        types: &[Type],
    ) -> Result<Option<Box<[Value]>>, Trouble> {
        let mut rows = self.rows(bindings, links)?;
        match rows.next()? {
            Some(row) => Ok(Some(values(row, types)?)),
            None => Ok(None),
        }
    }
}

/// Prepares a statement and binds what never changes: SQLite keeps it from run to run.
fn prepare<'c>(connection: &'c Connection, text: &StatementText) -> Result<Statement<'c>, Trouble> {
    let mut statement = connection.prepare(&text.sql)?;
    for (at, param) in text.params.iter().enumerate() {
        if let Param::Const(value) = param {
            value::bind(&mut statement, at + 1, value)?;
        }
    }
    Ok(statement)
}

fn unlinked() -> Trouble {
    Trouble::Internal(Error::internal("a statement's link has no row above"))
}

/// A row's leading columns as values of these types.
pub(crate) fn values(row: &Row<'_>, types: &[Type]) -> Result<Box<[Value]>, Trouble> {
    types
        .iter()
        .enumerate()
        .map(|(at, kind)| {
            let value = value::read(row.get_ref(at)?, *kind).map_err(Trouble::Internal)?;
            Ok(value.to_value())
        })
        .collect()
}

/// A query's statements, ready to run.
pub(crate) struct PreparedQuery<'c> {
    rows: Prepared<'c>,
    outputs: Vec<Output<PreparedEmbed<'c>>>,
}

pub(crate) struct PreparedEmbed<'c> {
    place: Place,
    links: Vec<usize>,
    query: PreparedQuery<'c>,
}

impl<'c> PreparedQuery<'c> {
    pub(crate) fn new(connection: &'c Connection, text: QueryText) -> Self {
        let outputs = text
            .outputs
            .into_iter()
            .map(|output| match output {
                Output::Value(at, kind) => Output::Value(at, kind),
                Output::Embed(EmbedText { place, links, query }) => Output::Embed(PreparedEmbed {
                    place,
                    links,
                    query: PreparedQuery::new(connection, query),
                }),
            })
            .collect();
        Self { rows: Prepared::new(connection, text.statement), outputs }
    }

    /// Sends all rows into the sink, and says how many there were.
    pub(crate) fn send(
        &mut self,
        bindings: Bindings<'_>,
        links: Links<'_>,
        sink: &mut dyn RowSink,
    ) -> Result<u64, Trouble> {
        let Self { rows, outputs } = self;
        let mut rows = rows.rows(bindings, links)?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            sink.begin_row();
            send_columns(outputs, row, bindings, sink)?;
            sink.end_row().map_err(Trouble::Caller)?;
            count += 1;
        }
        Ok(count)
    }

    /// Sends the first row, if there is one, as a related row or spread.
    fn send_one(
        &mut self,
        bindings: Bindings<'_>,
        links: Links<'_>,
        place: Place,
        sink: &mut dyn RowSink,
    ) -> Result<bool, Trouble> {
        let Self { rows, outputs } = self;
        let mut rows = rows.rows(bindings, links)?;
        let Some(row) = rows.next()? else { return Ok(false) };
        if let Place::Spread(_) = place {
            send_columns(outputs, row, bindings, sink)?;
        } else {
            sink.begin_one();
            send_columns(outputs, row, bindings, sink)?;
            sink.end_one();
        }
        Ok(true)
    }
}

fn send_columns(
    outputs: &mut [Output<PreparedEmbed<'_>>],
    row: &Row<'_>,
    bindings: Bindings<'_>,
    sink: &mut dyn RowSink,
) -> Result<(), Trouble> {
    for output in outputs {
        match output {
            Output::Value(at, kind) => {
                sink.value(value::read(row.get_ref(*at)?, *kind).map_err(Trouble::Caller)?);
            }
            Output::Embed(embed) => embed.send(row, bindings, sink)?,
        }
    }
    Ok(())
}

impl PreparedEmbed<'_> {
    fn send(
        &mut self,
        row: &Row<'_>,
        bindings: Bindings<'_>,
        sink: &mut dyn RowSink,
    ) -> Result<(), Trouble> {
        let links = Links::Row(row, &self.links);
        if self.place == Place::Many {
            sink.begin_many();
            self.query.send(bindings, links, sink)?;
            sink.end_many();
            return Ok(());
        }
        // A ref that is null points nowhere; no statement needs to find that out.
        let mut is_linked = true;
        for link in &self.links {
            is_linked &= row.get_ref(*link)? != SqlRef::Null;
        }
        if is_linked && self.query.send_one(bindings, links, self.place, sink)? {
            return Ok(());
        }
        let nulls = match self.place {
            Place::Spread(width) => width,
            Place::One | Place::Many => 1,
        };
        for _ in 0..nulls {
            sink.value(mainstay_core::ValueRef::Null);
        }
        Ok(())
    }
}
