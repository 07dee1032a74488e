//! Rows on their way into a sink: a statement's columns, and the rows within them, in
//! `record_send`'s and `array_send`'s binary formats.

use mainstay_core::{Error, ValueRef};
use mainstay_store::RowSink;
use tokio_postgres::Row;

use crate::{
    compile::Output,
    value::{self, Raw},
};

/// Sends one row.
///
/// # Errors
/// Where the sink is full, or a value out of its type's range.
pub(crate) fn send(row: &Row, outputs: &[Output], sink: &mut dyn RowSink) -> Result<(), Error> {
    sink.begin_row();
    for (at, output) in outputs.iter().enumerate() {
        let raw: Option<Raw<'_>> = row.try_get(at).map_err(Error::internal)?;
        send_output(raw.map(|raw| raw.0), output, sink)?;
    }
    sink.end_row()
}

fn send_output(bytes: Option<&[u8]>, output: &Output, sink: &mut dyn RowSink) -> Result<(), Error> {
    match (output, bytes) {
        (Output::Value(kind), bytes) => value::read(bytes, *kind, |value| sink.value(value)),
        (Output::One(inner), Some(record)) => {
            sink.begin_one();
            send_record(record, inner, sink)?;
            sink.end_one();
            Ok(())
        }
        (Output::One(_), None) => {
            sink.value(ValueRef::Null);
            Ok(())
        }
        (Output::Many(inner), array) => {
            sink.begin_many();
            if let Some(array) = array {
                send_array(array, inner, sink)?;
            }
            sink.end_many();
            Ok(())
        }
        (Output::Spread(inner), Some(record)) => send_record(record, inner, sink),
        (Output::Spread(inner), None) => {
            for _ in 0..Output::width(inner) {
                sink.value(ValueRef::Null);
            }
            Ok(())
        }
    }
}

/// `record_send`: how many columns, then of each its type, its length and its bytes.
fn send_record(record: &[u8], outputs: &[Output], sink: &mut dyn RowSink) -> Result<(), Error> {
    let mut bytes = Reader(record);
    let count = bytes.int()?;
    // A row of no columns is sent with one that stands for none.
    if usize::try_from(count).ok() != Some(outputs.len().max(1)) {
        return Err(broken());
    }
    for output in outputs {
        bytes.int()?;
        send_output(bytes.field()?, output, sink)?;
    }
    Ok(())
}

/// `array_send` of one dimension: its header, then of each item its length and bytes.
fn send_array(array: &[u8], outputs: &[Output], sink: &mut dyn RowSink) -> Result<(), Error> {
    let mut bytes = Reader(array);
    let dimensions = bytes.int()?;
    let _has_nulls = bytes.int()?;
    let _element = bytes.int()?;
    if dimensions == 0 {
        return Ok(());
    }
    let count = bytes.int()?;
    let _first = bytes.int()?;
    for _ in 0..count {
        let record = bytes.field()?.ok_or_else(broken)?;
        sink.begin_row();
        send_record(record, outputs, sink)?;
        sink.end_row()?;
    }
    Ok(())
}

/// Reads a binary format from its beginning on.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn int(&mut self) -> Result<i32, Error> {
        let (int, rest) = self.0.split_first_chunk::<4>().ok_or_else(broken)?;
        self.0 = rest;
        Ok(i32::from_be_bytes(*int))
    }

    /// A length and so many bytes; none where the length is -1.
    fn field(&mut self) -> Result<Option<&'b [u8]>, Error> {
        let Ok(length) = usize::try_from(self.int()?) else { return Ok(None) };
        let (field, rest) = self.0.split_at_checked(length).ok_or_else(broken)?;
        self.0 = rest;
        Ok(Some(field))
    }
}

fn broken() -> Error {
    Error::internal("a row is not of PostgreSQL's binary format")
}
