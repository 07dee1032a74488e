//! POST: new rows. PUT: the one row that is addressed, new or replaced.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use mainstay_core::{Catalog, Code, Error, FieldId, Model, Value};
use mainstay_plan::{
    Argument, Clauses, Condition, InsertRequest, Operator, PayloadRow, PayloadValue, Planner,
    Resolution, Return, Text, WriteAction, WriteRequest,
};
use mainstay_store::{Committed, RowSink};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Asked;
use crate::{
    rest::{
        Address, Begun, Call, Form, encode,
        media::BodyForm,
        payload::{self, Keys},
        prefer::{Applies, Missing},
    },
    router::REST,
};

/// What a value in a `Location` escapes: everything but what RFC 3986 leaves plain.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(in crate::rest) fn decode<'a>(
    asked: Asked<'a>,
    mut form: Form,
    planner: &Planner,
) -> Result<(Call<'a>, Form), Error> {
    asked.refuse_page(Code::NotSupported, "POST")?;
    let query = asked.query;
    let keys = if query.columns.is_some() { Keys::Any } else { Keys::Uniform };
    let body_form = BodyForm::read(asked.headers.content_type)?;
    let insert = InsertRequest {
        payload: payload::read(asked.body, body_form, keys, planner.limits())?,
        columns: query.columns,
        missing_default: form.prefer.missing == Some(Missing::Default),
        resolution: form.prefer.resolution,
        on_conflict: query.on_conflict,
    };
    if form.is_singular_unseen() && insert.payload.len() > 1 {
        return Err(encode::not_singular(insert.payload.len()));
    }
    if form.returning() == Return::HeadersOnly {
        form.address = address(&asked.model, planner.catalog());
    }
    // As in PostgREST, filters of an insert choose nothing: its rows are all new.
    let clauses = Clauses { order: query.clauses.order, ..Clauses::default() };
    let request = WriteRequest {
        model: asked.model,
        action: WriteAction::Insert(insert),
        returning: form.returning(),
        select: query.select,
        clauses,
        embedded: query.embedded,
        max_affected: None,
        at_most: form.at_most(),
    };
    Ok((Call::Write(request), form))
}

pub(in crate::rest) fn decode_put<'a>(
    asked: Asked<'a>,
    form: Form,
    planner: &Planner,
) -> Result<(Call<'a>, Form), Error> {
    asked.refuse_page(Code::PutPageRefused, "PUT")?;
    let query = asked.query;
    let body_form = BodyForm::read(asked.headers.content_type)?;
    let mut payload = payload::read(asked.body, body_form, Keys::Any, planner.limits())?;
    let (Some(row), true) = (payload.pop(), payload.is_empty()) else {
        return Err(Error::new(Code::BodyUnreadable, "the body of PUT must be one object"));
    };
    let catalog = planner.catalog();
    if let Some(model) = catalog.exposed_id(&asked.model).map(|id| catalog.model(id)) {
        let json_depth_max = planner.limits().json_depth_max;
        must_address(model, &query.clauses.filters, &row, json_depth_max)?;
    }
    let insert = InsertRequest {
        payload: vec![row],
        columns: query.columns,
        missing_default: true,
        resolution: Some(Resolution::MergeDuplicates),
        on_conflict: Vec::new(),
    };
    let request = WriteRequest {
        model: asked.model,
        action: WriteAction::Insert(insert),
        returning: form.returning(),
        select: query.select,
        clauses: Clauses::default(),
        embedded: query.embedded,
        max_affected: None,
        at_most: form.at_most(),
    };
    Ok((Call::Write(request), form))
}

/// Succeeds where the filters are `eq` on each field of the key and no more, and the
/// row has that key.
fn must_address(
    model: &Model,
    filters: &[Condition<'_>],
    row: &PayloadRow<'_>,
    json_depth_max: usize,
) -> Result<(), Error> {
    let addressed = |field: FieldId| filters.iter().find_map(|filter| eq_on(model, field, filter));
    if model.key.is_empty() || filters.len() != model.key.len() {
        return Err(put_mismatch());
    }
    for field in &model.key {
        let text = addressed(*field).ok_or_else(put_mismatch)?;
        let field = model.field(*field);
        let given = row.iter().rev().find(|(name, _)| **name == *field.name);
        let given = given.and_then(|(_, value)| match value {
            PayloadValue::Number(text) | PayloadValue::String(text) => Some(text),
            _ => None,
        });
        // Two texts of one value are one key: `05` and `5`, a uuid in either case.
        let value = |text: &str| Value::parse(text, field.value_type, json_depth_max).ok();
        let same = given.is_some_and(|given| value(given) == value(text) && value(text).is_some());
        if !same {
            return Err(Error::new(
                Code::PutKeyMismatch,
                "Payload values do not match URL in primary key column(s)",
            ));
        }
    }
    Ok(())
}

/// The text a filter asks this field to equal, if that is what it asks.
fn eq_on<'f>(model: &Model, wanted: FieldId, filter: &'f Condition<'_>) -> Option<&'f str> {
    match filter {
        Condition::Compare {
            field,
            negated: false,
            operator: Operator::Eq,
            quantifier: None,
            argument: Argument::Text(text),
        } if field.json.is_empty() && *field.name == *model.field(wanted).name => Some(text),
        _ => None,
    }
}

fn put_mismatch() -> Error {
    Error::new(
        Code::PutMismatch,
        "Filters must include all and only primary key columns with 'eq' operators",
    )
}

fn address(model: &Text<'_>, catalog: &Catalog) -> Option<Address> {
    let found = catalog.model(catalog.exposed_id(model)?);
    let key: Vec<Box<str>> =
        found.key.iter().map(|field| found.field(*field).name.clone()).collect();
    (!key.is_empty()).then(|| Address { model: found.name.clone(), key })
}

/// 201; 200 where duplicates were merged and no row is new.
pub(in crate::rest) fn answer(
    done: Committed,
    sink: Box<dyn RowSink>,
    mut begun: Begun<'_>,
) -> Result<Response, Error> {
    let form = begun.form;
    let keys = done.affected.into_iter().next().unwrap_or_default();
    let rows = keys.len() as u64;
    let returning = form.returning();
    must_be_singular(form, rows)?;
    begun.set_returning();
    begun.set_range(0, 0, form.prefer.counts().then_some(rows));
    if let (Return::HeadersOnly, [key], Some(address)) = (returning, &keys[..], &form.address) {
        begun.headers.insert(header::LOCATION, location(address, key));
    }
    let applies = Applies { resolution: true, missing: true, returning: true, affected: false };
    begun.set_applied(applies);
    let mut res = match returning {
        Return::Representation => begun.with_rows(sink),
        Return::Minimal | Return::HeadersOnly => begun.empty(),
    };
    let new = done.inserted.first().copied().unwrap_or(rows);
    let merged = form.prefer.resolution == Some(Resolution::MergeDuplicates) && new == 0;
    *res.status_mut() = if merged { StatusCode::OK } else { StatusCode::CREATED };
    Ok(res)
}

/// 201 or 200 with the row, 204 without it.
pub(in crate::rest) fn answer_put(
    done: Committed,
    sink: Box<dyn RowSink>,
    mut begun: Begun<'_>,
) -> Result<Response, Error> {
    begun.set_returning();
    begun.headers.remove(header::CONTENT_RANGE);
    begun.set_applied(Applies { returning: true, ..Applies::default() });
    if begun.form.returning() != Return::Representation {
        return Ok(begun.without_content());
    }
    let mut res = begun.with_rows(sink);
    if done.inserted.first().is_some_and(|new| *new > 0) {
        *res.status_mut() = StatusCode::CREATED;
    }
    Ok(res)
}

/// Succeeds where one row was written, if one was asked for. Where there were none
/// nothing was written, and of more the sink or the plan was told beforehand.
pub(super) fn must_be_singular(form: &Form, rows: u64) -> Result<(), Error> {
    if form.format.is_singular() && rows != 1 {
        return Err(encode::not_singular(rows));
    }
    Ok(())
}

fn location(address: &Address, key: &[Value]) -> HeaderValue {
    let mut text = format!("{REST}{}", utf8_percent_encode(&address.model, ESCAPED));
    for (at, (name, value)) in address.key.iter().zip(key).enumerate() {
        let value = value.as_ref().to_text();
        text.push(if at == 0 { '?' } else { '&' });
        text.push_str(&utf8_percent_encode(name, ESCAPED).to_string());
        text.push_str("=eq.");
        text.push_str(&utf8_percent_encode(&value, ESCAPED).to_string());
    }
    HeaderValue::try_from(text).expect("BUG: what is percent-encoded is a header value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_escapes_what_its_key_holds() {
        let address = Address { model: "posts".into(), key: vec!["id".into(), "lang".into()] };
        let location = location(&address, &[Value::Text("a b&c".into()), Value::Int(-5)]);
        assert_eq!(location, "/rest/v1/posts?id=eq.a%20b%26c&lang=eq.-5");
    }
}
