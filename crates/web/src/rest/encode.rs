//! The one encoder: rows become JSON bytes as a store sends them.
//!
//! Whatever a client sees of a value is written here, embedded rows included; no
//! engine's own formatting is used. Nothing is allocated for a row, and an answer
//! that grows beyond `response_bytes_max` is stopped at the end of the row that
//! did it.

mod csv;

use std::sync::Arc;

use mainstay_core::{Code, Error, ValueRef};
use mainstay_store::RowSink;

use super::{
    layout::Layout,
    media::{Format, Nulls},
};

pub(crate) use self::csv::CsvSink;

/// A sink for rows to be answered in this form.
pub(crate) fn sink(
    format: Format,
    layout: Arc<Layout>,
    rows: RowsAllowed,
    bytes_max: usize,
) -> Box<dyn RowSink> {
    match format {
        Format::Array(nulls) => {
            Box::new(JsonSink::new(layout, nulls, Shape::Array, rows, bytes_max))
        }
        Format::Object(nulls) => {
            Box::new(JsonSink::new(layout, nulls, Shape::Object, rows, bytes_max))
        }
        Format::Csv => Box::new(CsvSink::new(layout, bytes_max)),
    }
}

/// The bytes of an answer that went into a sink of [`sink`]'s.
pub(crate) fn into_bytes(sink: Box<dyn RowSink>) -> Vec<u8> {
    let sink: Box<dyn std::any::Any> = sink;
    match sink.downcast::<JsonSink>() {
        Ok(json) => json.finish(),
        Err(sink) => sink.downcast::<CsvSink>().map(|csv| csv.finish()).unwrap_or_default(),
    }
}

/// How many rows an answer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowsAllowed {
    /// As many as there are.
    Any,
    /// One: a write that would answer more is taken back.
    One,
}

/// What stands around the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Array,
    Object,
}

/// Writes rows as JSON.
#[derive(Debug)]
pub(crate) struct JsonSink {
    writer: Writer,
    shape: Shape,
    allowed: RowsAllowed,
    rows: u64,
}

impl JsonSink {
    fn new(
        layout: Arc<Layout>,
        nulls: Nulls,
        shape: Shape,
        allowed: RowsAllowed,
        bytes_max: usize,
    ) -> Self {
        let mut sink =
            Self { writer: Writer::new(layout, nulls, bytes_max), shape, allowed, rows: 0 };
        sink.begin();
        sink
    }

    fn begin(&mut self) {
        self.writer.begin();
        self.rows = 0;
        if self.shape == Shape::Array {
            self.writer.out.push(b'[');
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.shape == Shape::Array {
            self.writer.out.push(b']');
        }
        self.writer.layout.answered(self.writer.out.len());
        self.writer.out
    }
}

impl RowSink for JsonSink {
    fn begin_row(&mut self) {
        self.writer.begin_row();
    }

    fn value(&mut self, value: ValueRef<'_>) {
        self.writer.value(value);
    }

    fn begin_one(&mut self) {
        self.writer.begin_one();
    }

    fn end_one(&mut self) {
        self.writer.end_one();
    }

    fn begin_many(&mut self) {
        self.writer.begin_many();
    }

    fn end_many(&mut self) {
        self.writer.end_many();
    }

    fn end_row(&mut self) -> Result<(), Error> {
        self.writer.end_row()?;
        if self.writer.is_at_root() {
            self.rows += 1;
            if self.allowed == RowsAllowed::One && self.rows > 1 {
                return Err(not_singular("more than 1"));
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.begin();
    }
}

/// The error of a singular answer to so many rows.
pub(crate) fn not_singular(rows: impl std::fmt::Display) -> Error {
    Error::new(Code::NotSingular, "Cannot coerce the result to a single JSON object")
        .with_details(format!("The result contains {rows} rows"))
}

/// Writes objects, one name and value after the other.
#[derive(Debug)]
struct Writer {
    out: Vec<u8>,
    layout: Arc<Layout>,
    nulls: Nulls,
    bytes_max: usize,
    /// The query being written.
    current: Frame,
    /// Those it is embedded in, from the root on.
    outer: Vec<Frame>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    level: usize,
    /// The column that comes next.
    at: usize,
}

impl Writer {
    fn new(layout: Arc<Layout>, nulls: Nulls, bytes_max: usize) -> Self {
        let out = Vec::with_capacity(layout.bytes_guess());
        Self { out, layout, nulls, bytes_max, current: Frame::default(), outer: Vec::new() }
    }

    fn begin(&mut self) {
        self.out.clear();
        self.outer.clear();
        self.current = Frame::default();
    }

    fn is_at_root(&self) -> bool {
        self.outer.is_empty()
    }

    /// Goes into the embed of the column written last.
    fn enter(&mut self, level: Option<usize>) {
        let level = level.expect("BUG: a store sends rows where the plan has an embed");
        self.outer.push(std::mem::replace(&mut self.current, Frame { level, at: 0 }));
    }

    fn leave(&mut self) {
        self.current = self.outer.pop().expect("BUG: a store ends no more than it began");
    }

    fn begin_row(&mut self) {
        self.current.at = 0;
        if !matches!(self.out.last(), None | Some(b'[')) {
            self.out.push(b',');
        }
        self.out.push(b'{');
    }

    fn end_row(&mut self) -> Result<(), Error> {
        self.out.push(b'}');
        within(self.out.len(), self.bytes_max)
    }

    fn value(&mut self, value: ValueRef<'_>) {
        if self.nulls == Nulls::Stripped && value == ValueRef::Null {
            self.current.at += 1;
            return;
        }
        self.lead();
        write_json(value, &mut self.out);
    }

    fn begin_one(&mut self) {
        let level = self.lead();
        self.out.push(b'{');
        self.enter(level);
    }

    fn end_one(&mut self) {
        self.leave();
        self.out.push(b'}');
    }

    fn begin_many(&mut self) {
        let level = self.lead();
        self.out.push(b'[');
        self.enter(level);
    }

    fn end_many(&mut self) {
        self.leave();
        self.out.push(b']');
    }

    /// Writes the next column's name, and tells the level of its embed.
    fn lead(&mut self) -> Option<usize> {
        let column = self.layout.column(self.current.level, self.current.at);
        self.current.at += 1;
        // No value ends in `{`, so this is where a row has just begun.
        let lead = match self.out.last() {
            Some(b'{') => column.first_lead(),
            _ => column.lead(),
        };
        self.out.extend_from_slice(lead);
        column.below()
    }
}

/// Succeeds while an answer is not larger than it may be.
fn within(bytes: usize, bytes_max: usize) -> Result<(), Error> {
    if bytes <= bytes_max {
        return Ok(());
    }
    Err(Error::new(
        Code::ResponseTooLarge,
        format!("the answer is larger than {bytes_max} bytes ([limits] response_bytes_max)"),
    )
    .with_hint("Ask for fewer rows with limit, or for fewer fields with select."))
}

/// Writes a value as JSON.
fn write_json(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Text(text) => write_json_text(text, out),
        ValueRef::Bool(_) | ValueRef::Int(_) | ValueRef::Float(_) | ValueRef::Decimal(_) => {
            value.write_text(out);
        }
        ValueRef::Json(text) => out.extend_from_slice(text.as_bytes()),
        ValueRef::Uuid(_) | ValueRef::Timestamp(_) | ValueRef::Date(_) => {
            out.push(b'"');
            value.write_text(out);
            out.push(b'"');
        }
        // Its text form begins with a backslash, which JSON escapes.
        ValueRef::Bytes(_) => {
            out.extend_from_slice(b"\"\\");
            value.write_text(out);
            out.push(b'"');
        }
    }
}

/// Writes a text as a JSON string.
pub(super) fn write_json_text(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut written = 0;
    let mut at = 0;
    while at < bytes.len() {
        if let Some(block) = bytes[at..].first_chunk()
            && !needs_escape_in(block)
        {
            at += BLOCK_BYTES;
            continue;
        }
        let byte = bytes[at];
        if needs_escape(byte) {
            out.extend_from_slice(&bytes[written..at]);
            write_escape(byte, out);
            written = at + 1;
        }
        at += 1;
    }
    out.extend_from_slice(&bytes[written..]);
    out.push(b'"');
}

/// Bytes looked at in one go.
const BLOCK_BYTES: usize = 16;

/// Whether any byte of a block needs an escape. All are looked at, which the processor
/// does at once.
fn needs_escape_in(block: &[u8; BLOCK_BYTES]) -> bool {
    block.iter().fold(false, |found, byte| found | needs_escape(*byte))
}

fn needs_escape(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0x08 => out.extend_from_slice(b"\\b"),
        0x0c => out.extend_from_slice(b"\\f"),
        _ => {
            let hex = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.push(hex[usize::from(byte >> 4)]);
            out.push(hex[usize::from(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use mainstay_core::{
        Date, Decimal, FieldId, Filter, ModelId, Operand, Path, RefId, RowRef, Scope, Timestamp,
        Type,
    };
    use mainstay_plan::{Column, Embed, Link, Query, Source};

    use super::*;

    fn value(name: &str) -> Column {
        let path =
            Path { row: RowRef { scope: Scope::Row(0), hops: Vec::new() }, field: FieldId::at(0) };
        Column { name: name.into(), source: Source::Value(Operand::Field(path), Type::Text) }
    }

    fn embed(columns: Vec<Column>) -> Box<Embed> {
        Box::new(Embed { link: Link::One(RefId::at(0)), query: query(columns) })
    }

    fn query(columns: Vec<Column>) -> Query {
        Query {
            model: ModelId::at(0),
            columns,
            filter: Filter::ALWAYS,
            group_by: None,
            order: Vec::new(),
            limit: None,
            offset: None,
        }
    }

    /// id, author { name }, a spread of (city), comments [ { body } ]
    fn layout() -> Arc<Layout> {
        Arc::new(Layout::of(&query(vec![
            value("id"),
            Column { name: "author".into(), source: Source::Embed(embed(vec![value("name")])) },
            Column { name: "".into(), source: Source::Spread(embed(vec![value("city")])) },
            Column { name: "com\"ments".into(), source: Source::Embed(embed(vec![value("body")])) },
        ])))
    }

    fn fill(sink: &mut dyn RowSink) -> Result<(), Error> {
        sink.begin_row();
        sink.value(ValueRef::Int(1));
        sink.begin_one();
        sink.value(ValueRef::Text("Ada, \"A\""));
        sink.end_one();
        sink.value(ValueRef::Text("Köln"));
        sink.begin_many();
        for body in ["x", "y"] {
            sink.begin_row();
            sink.value(ValueRef::Text(body));
            sink.end_row()?;
        }
        sink.end_many();
        sink.end_row()?;
        sink.begin_row();
        sink.value(ValueRef::Int(2));
        sink.value(ValueRef::Null);
        sink.value(ValueRef::Null);
        sink.begin_many();
        sink.end_many();
        sink.end_row()
    }

    fn check(format: Format, allowed: RowsAllowed, bytes_max: usize, expected: Expect) {
        let mut sink = sink(format, layout(), allowed, bytes_max);
        // What a store took back leaves no trace.
        let _ = fill(&mut *sink);
        sink.reset();
        let text = match fill(&mut *sink) {
            Ok(()) => String::from_utf8(into_bytes(sink)).unwrap(),
            Err(error) => crate::rest::show::error(&error),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn rows_are_written_with_their_embeds_and_spreads() {
        let any = RowsAllowed::Any;
        check(
            Format::Array(Nulls::Kept),
            any,
            1000,
            expect![[
                r#"[{"id":1,"author":{"name":"Ada, \"A\""},"city":"Köln","com\"ments":[{"body":"x"},{"body":"y"}]},{"id":2,"author":null,"city":null,"com\"ments":[]}]"#
            ]],
        );
        check(
            Format::Array(Nulls::Stripped),
            any,
            1000,
            expect![[
                r#"[{"id":1,"author":{"name":"Ada, \"A\""},"city":"Köln","com\"ments":[{"body":"x"},{"body":"y"}]},{"id":2,"com\"ments":[]}]"#
            ]],
        );
        check(
            Format::Csv,
            any,
            1000,
            expect![[r#"
            id,author,city,"com""ments"
            1,"{""name"":""Ada, \""A\""""}",Köln,"[{""body"":""x""},{""body"":""y""}]"
            2,,,[]"#]],
        );
    }

    #[test]
    fn an_answer_that_is_too_large_is_stopped() {
        check(
            Format::Array(Nulls::Kept),
            RowsAllowed::Any,
            60,
            expect![
                "response_too_large the answer is larger than 60 bytes ([limits] response_bytes_max): Ask for fewer rows with limit, or for fewer fields with select."
            ],
        );
        check(
            Format::Csv,
            RowsAllowed::Any,
            60,
            expect![
                "response_too_large the answer is larger than 60 bytes ([limits] response_bytes_max): Ask for fewer rows with limit, or for fewer fields with select."
            ],
        );
    }

    #[test]
    fn a_second_row_is_refused_where_one_is_allowed() {
        check(
            Format::Object(Nulls::Kept),
            RowsAllowed::One,
            1000,
            expect![
                "PGRST116 Cannot coerce the result to a single JSON object: The result contains more than 1 rows"
            ],
        );
    }

    #[test]
    fn rows_without_columns_and_answers_without_rows_are_whole_too() {
        let layout = Arc::new(Layout::of(&query(Vec::new())));
        let mut sink = sink(Format::Array(Nulls::Kept), Arc::clone(&layout), RowsAllowed::Any, 100);
        assert_eq!(
            into_bytes(super::sink(Format::Array(Nulls::Kept), layout, RowsAllowed::Any, 9)),
            b"[]"
        );
        for _ in 0..2 {
            sink.begin_row();
            sink.end_row().unwrap();
        }
        assert_eq!(into_bytes(sink), b"[{},{}]");
    }

    #[test]
    fn each_type_has_one_form() {
        let shown = |value| {
            let mut out = Vec::new();
            write_json(value, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(ValueRef::Null), "null");
        assert_eq!(shown(ValueRef::Bool(true)), "true");
        assert_eq!(shown(ValueRef::Int(-5)), "-5");
        assert_eq!(shown(ValueRef::Float(0.5)), "0.5");
        assert_eq!(shown(ValueRef::Decimal(Decimal { units: 990, scale: 2 })), "9.90");
        assert_eq!(shown(ValueRef::Json(r#"{"a":1}"#)), r#"{"a":1}"#);
        assert_eq!(shown(ValueRef::Bytes(&[0, 255])), r#""\\x00ff""#);
        assert_eq!(shown(ValueRef::Date(Date::from_days(0).unwrap())), r#""1970-01-01""#);
        assert_eq!(
            shown(ValueRef::Timestamp(Timestamp::from_micros(1).unwrap())),
            r#""1970-01-01T00:00:00.000001+00:00""#
        );
        assert_eq!(
            shown(ValueRef::Uuid(uuid::Uuid::nil())),
            r#""00000000-0000-0000-0000-000000000000""#
        );
    }

    proptest::proptest! {
        #[test]
        fn a_text_is_written_as_serde_json_writes_it(text in "(.|[\u{0}-\u{1f}\"\\\\\u{7f}-\u{ff}é])*") {
            let mut out = Vec::new();
            write_json_text(&text, &mut out);
            proptest::prop_assert_eq!(
                String::from_utf8(out).unwrap(),
                serde_json::to_string(&text).unwrap()
            );
        }
    }
}
