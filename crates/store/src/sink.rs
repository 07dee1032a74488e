//! Where rows go on their way out.

use std::any::Any;

use mainstay_core::{Error, Value, ValueRef};

/// Takes rows one value at a time, in the order of a plan's columns, so that no
/// map and no list of rows is ever built.
///
/// For each row: [`begin_row`](Self::begin_row), then for each column one
/// [`value`](Self::value), or for an embed either `begin_one`, its columns,
/// `end_one`; or `begin_many`, its rows, `end_many`; or, where there is no such
/// row, `value(Null)`; then [`end_row`](Self::end_row). The columns of a spread
/// come in its place without anything around them; where there is no such row each
/// of them is `value(Null)`.
pub trait RowSink: Any + Send {
    /// A row begins.
    fn begin_row(&mut self);
    /// The next column's value.
    fn value(&mut self, value: ValueRef<'_>);
    /// The next column is a related row, whose columns follow.
    fn begin_one(&mut self);
    /// The related row is complete.
    fn end_one(&mut self);
    /// The next column is a list of related rows, which follow.
    fn begin_many(&mut self);
    /// The list is complete.
    fn end_many(&mut self);
    /// The row is complete.
    ///
    /// # Errors
    /// Where the sink holds as much as it may; the store stops and passes it on.
    fn end_row(&mut self) -> Result<(), Error>;
    /// Forgets every row taken so far: the store begins again.
    fn reset(&mut self);
}

/// Takes rows and forgets them: for plans whose rows nobody is to see.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRows;

impl RowSink for NoRows {
    fn begin_row(&mut self) {}

    fn value(&mut self, _: ValueRef<'_>) {}

    fn begin_one(&mut self) {}

    fn end_one(&mut self) {}

    fn begin_many(&mut self) {}

    fn end_many(&mut self) {}

    fn end_row(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn reset(&mut self) {}
}

/// Keeps rows without embeds, value by value: for the few that Mainstay reads for itself.
#[derive(Debug, Default)]
pub struct FlatRows {
    rows: Vec<Vec<Value>>,
}

impl FlatRows {
    /// The rows in a sink that a store was given as one of these and has given back.
    ///
    /// # Panics
    /// Where it was another.
    #[must_use]
    pub fn out_of(sink: Box<dyn RowSink>) -> Vec<Vec<Value>> {
        let sink: Box<dyn Any> = sink;
        sink.downcast::<Self>().expect("BUG: a store gives back the sink it got").rows
    }
}

impl RowSink for FlatRows {
    fn begin_row(&mut self) {
        self.rows.push(Vec::new());
    }

    fn value(&mut self, value: ValueRef<'_>) {
        self.rows.last_mut().expect("BUG: values come within a row").push(value.to_value());
    }

    fn begin_one(&mut self) {}

    fn end_one(&mut self) {}

    fn begin_many(&mut self) {}

    fn end_many(&mut self) {}

    fn end_row(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn reset(&mut self) {
        self.rows.clear();
    }
}
