//! Rows as CSV (RFC 4180, with `\n` between lines as PostgREST has it).
//!
//! The first line names the columns, also where there are no rows. An absent value
//! is an empty cell and an empty text is `""`. An embed's cell is its JSON.

use std::sync::Arc;

use mainstay_core::{Error, ValueRef};
use mainstay_store::RowSink;

use crate::rest::{layout::Layout, media::Nulls};

use super::{Writer, within};

/// Writes rows as CSV.
#[derive(Debug)]
pub(crate) struct CsvSink {
    writer: Writer,
    /// Where the cell of the open embed begins.
    cell: usize,
}

impl CsvSink {
    pub(super) fn new(layout: Arc<Layout>, bytes_max: usize) -> Self {
        let mut sink = Self { writer: Writer::new(layout, Nulls::Kept, bytes_max), cell: 0 };
        sink.begin();
        sink
    }

    fn begin(&mut self) {
        self.writer.begin();
        let Writer { out, layout, .. } = &mut self.writer;
        for (at, name) in layout.names().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            let start = out.len();
            // The name was written by ourselves as a JSON string.
            let name: String = serde_json::from_slice(name).unwrap_or_default();
            out.extend_from_slice(name.as_bytes());
            quote_from(start, out);
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.writer.layout.answered(self.writer.out.len());
        self.writer.out
    }

    /// Begins the next cell of a row, and tells where it begins and the level of
    /// its embed.
    fn begin_cell(&mut self) -> (usize, Option<usize>) {
        let Writer { out, layout, current, .. } = &mut self.writer;
        if current.at > 0 {
            out.push(b',');
        }
        let below = layout.column(current.level, current.at).below();
        current.at += 1;
        (out.len(), below)
    }

    fn begin_embed(&mut self, bracket: u8) {
        let (start, below) = self.begin_cell();
        self.cell = start;
        self.writer.out.push(bracket);
        self.writer.enter(below);
    }

    fn end_embed(&mut self) {
        if self.writer.is_at_root() {
            quote_from(self.cell, &mut self.writer.out);
        }
    }
}

impl RowSink for CsvSink {
    fn begin_row(&mut self) {
        if self.writer.is_at_root() {
            self.writer.out.push(b'\n');
            self.writer.current.at = 0;
        } else {
            self.writer.begin_row();
        }
    }

    fn value(&mut self, value: ValueRef<'_>) {
        if !self.writer.is_at_root() {
            return self.writer.value(value);
        }
        let (start, _) = self.begin_cell();
        if value != ValueRef::Null {
            value.write_text(&mut self.writer.out);
            quote_from(start, &mut self.writer.out);
        }
    }

    fn begin_one(&mut self) {
        if self.writer.is_at_root() {
            self.begin_embed(b'{');
        } else {
            self.writer.begin_one();
        }
    }

    fn end_one(&mut self) {
        self.writer.end_one();
        self.end_embed();
    }

    fn begin_many(&mut self) {
        if self.writer.is_at_root() {
            self.begin_embed(b'[');
        } else {
            self.writer.begin_many();
        }
    }

    fn end_many(&mut self) {
        self.writer.end_many();
        self.end_embed();
    }

    fn end_row(&mut self) -> Result<(), Error> {
        if self.writer.is_at_root() {
            return within(self.writer.out.len(), self.writer.bytes_max);
        }
        self.writer.end_row()
    }

    fn reset(&mut self) {
        self.begin();
    }
}

/// Puts the cell that begins here in quotes where it needs them.
fn quote_from(start: usize, out: &mut Vec<u8>) {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    if start < out.len() && !out[start..].iter().any(special) {
        return;
    }
    let cell = out.split_off(start);
    out.push(b'"');
    for byte in cell {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}
