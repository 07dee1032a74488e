//! What is asked of `mainstay_mails`, and what its rows say.

use mainstay_core::{Timestamp, Value, ValueRef};
use mainstay_plan::{
    Argument, Clauses, Condition, FieldExpr, InsertRequest, Operator, OrderTerm, PayloadRow,
    PayloadValue, ReadRequest, Return, SelectField, SelectItem, WriteAction, WriteRequest,
};

use super::{NewMail, Queued};
use crate::Mail;

const MODEL: &str = "mainstay_mails";
/// The states in which a mail is somebody's work.
const OPEN: [&str; 2] = ["waiting", "sending"];
/// The states in which it is nobody's any more.
const CLOSED: [&str; 2] = ["sent", "dead"];
/// What is read of a row.
const COLUMNS: [&str; 8] =
    ["id", "kind", "to_address", "subject", "text_body", "html_body", "created_at", "attempts"];

type Filters<'a> = Vec<Condition<'a>>;

/// A new mail, due at once.
pub(super) fn insert<'a>(mail: &NewMail<'a>, now: Timestamp) -> WriteRequest<'a> {
    let html = mail.content.html.as_deref().map_or(PayloadValue::Null, string);
    let row: PayloadRow<'a> = vec![
        ("kind".into(), string(mail.kind.name())),
        ("to_address".into(), string(mail.to)),
        ("subject".into(), string(&mail.content.subject)),
        ("text_body".into(), string(&mail.content.text)),
        ("html_body".into(), html),
        ("next_at".into(), PayloadValue::String(text(now).into())),
    ];
    writing(
        WriteAction::Insert(InsertRequest {
            payload: vec![row],
            columns: None,
            missing_default: true,
            resolution: None,
            on_conflict: Vec::new(),
        }),
        Vec::new(),
    )
}

/// The mails that are due, the longest waiting first.
pub(super) fn due(now: &str, max: usize) -> ReadRequest<'_> {
    past(&OPEN, now, max)
}

/// Mails that were kept long enough.
pub(super) fn outlived(now: &str, max: usize) -> ReadRequest<'_> {
    past(&CLOSED, now, max)
}

fn past<'a>(states: &[&'static str], now: &'a str, max: usize) -> ReadRequest<'a> {
    let select = |name: &'static str| {
        SelectItem::Field(SelectField {
            alias: None,
            field: Some(field(name)),
            cast: None,
            aggregate: None,
            aggregate_cast: None,
        })
    };
    let order =
        OrderTerm { relation: None, field: field("next_at"), descending: false, nulls_first: None };
    let limit = u64::try_from(max).ok();
    let filters = vec![among("state", states), compare("next_at", Operator::Lte, now)];
    ReadRequest {
        model: MODEL.into(),
        select: COLUMNS.into_iter().map(select).collect(),
        clauses: Clauses { filters, order: vec![order], limit, offset: None },
        ..ReadRequest::default()
    }
}

/// The row as it was seen when it was due.
pub(super) fn still_due<'a>(id: &'a str, attempts: &'a str, now: &'a str) -> Filters<'a> {
    let past = compare("next_at", Operator::Lte, now);
    vec![equal("id", id), equal("attempts", attempts), among("state", &OPEN), past]
}

/// The row as its claim left it.
pub(super) fn claimed_as<'a>(id: &'a str, attempts: &'a str) -> Filters<'a> {
    vec![equal("id", id), equal("attempts", attempts), equal("state", "sending")]
}

/// The row, whoever is at it.
pub(super) fn whoever_has(id: &str) -> Filters<'_> {
    vec![equal("id", id)]
}

pub(super) fn claimed<'a>(attempts: &'a str, until: &'a str) -> PayloadRow<'a> {
    vec![
        ("state".into(), string("sending")),
        ("attempts".into(), PayloadValue::Number(attempts.into())),
        ("next_at".into(), string(until)),
    ]
}

pub(super) fn waiting<'a>(why: &'a str, at: &'a str) -> PayloadRow<'a> {
    vec![
        ("state".into(), string("waiting")),
        ("last_error".into(), string(why)),
        ("next_at".into(), string(at)),
    ]
}

pub(super) fn dead<'a>(why: &'a str, keep_until: &'a str) -> PayloadRow<'a> {
    let mut row = wordless("dead", keep_until);
    row.push(("last_error".into(), string(why)));
    row
}

pub(super) fn sent(keep_until: &str) -> PayloadRow<'_> {
    let mut row = wordless("sent", keep_until);
    row.push(("last_error".into(), PayloadValue::Null));
    row
}

/// A mail that is nobody's work any more, and whose words are forgotten.
fn wordless<'a>(state: &'a str, keep_until: &'a str) -> PayloadRow<'a> {
    vec![
        ("state".into(), string(state)),
        ("subject".into(), string("")),
        ("text_body".into(), string("")),
        ("html_body".into(), PayloadValue::Null),
        ("next_at".into(), string(keep_until)),
    ]
}

/// Other values for the rows that match.
pub(super) fn update<'a>(filters: Filters<'a>, payload: PayloadRow<'a>) -> WriteRequest<'a> {
    writing(WriteAction::Update { payload, columns: None }, filters)
}

/// No more of these rows, which are nobody's work.
pub(super) fn forget<'a>(ids: &'a [String]) -> WriteRequest<'a> {
    let ids: Vec<&'a str> = ids.iter().map(String::as_str).collect();
    writing(WriteAction::Delete, vec![among("state", &CLOSED), among("id", &ids)])
}

fn writing<'a>(action: WriteAction<'a>, filters: Filters<'a>) -> WriteRequest<'a> {
    WriteRequest {
        model: MODEL.into(),
        action,
        returning: Return::Minimal,
        select: Vec::new(),
        clauses: Clauses { filters, ..Clauses::default() },
        embedded: Vec::new(),
        max_affected: None,
        at_most: None,
    }
}

fn string(text: &str) -> PayloadValue<'_> {
    PayloadValue::String(text.into())
}

fn field(name: &str) -> FieldExpr<'_> {
    FieldExpr { name: name.into(), json: Vec::new(), as_text: false }
}

fn compare<'a>(name: &'a str, operator: Operator, with: &'a str) -> Condition<'a> {
    Condition::Compare {
        field: field(name),
        negated: false,
        operator,
        quantifier: None,
        argument: Argument::Text(with.into()),
    }
}

fn equal<'a>(name: &'a str, with: &'a str) -> Condition<'a> {
    compare(name, Operator::Eq, with)
}

fn among<'a>(name: &'a str, values: &[&'a str]) -> Condition<'a> {
    Condition::Compare {
        field: field(name),
        negated: false,
        operator: Operator::In,
        quantifier: None,
        argument: Argument::List(values.iter().map(|value| (*value).into()).collect()),
    }
}

/// A time as a request writes it.
pub(super) fn text(time: Timestamp) -> String {
    ValueRef::Timestamp(time).to_text()
}

/// A row of [`COLUMNS`]; none where it is not as the model says.
pub(super) fn row_of(row: Vec<Value>) -> Option<Queued> {
    let Ok([id, kind, to, subject, body, html, written_at, attempts]) =
        <[Value; COLUMNS.len()]>::try_from(row)
    else {
        return None;
    };
    let words = |value: Value| match value {
        Value::Text(text) => Some(text),
        _ => None,
    };
    let (Value::Uuid(id), Value::Timestamp(written_at), Value::Int(attempts)) =
        (id, written_at, attempts)
    else {
        return None;
    };
    Some(Queued {
        mail: Mail {
            id,
            kind: words(kind)?,
            to: words(to)?,
            subject: words(subject)?,
            text: words(body)?,
            html: words(html),
            written_at,
        },
        attempts: u32::try_from(attempts).ok()?,
    })
}
