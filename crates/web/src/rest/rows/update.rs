//! PATCH: other values for some fields of the rows that match.

use axum::{http::header, response::Response};
use mainstay_core::{Code, Error, Limits};
use mainstay_plan::{Return, WriteAction, WriteRequest};
use mainstay_store::{Committed, RowSink};

use super::{Asked, insert::must_be_singular};
use crate::rest::{
    Call, Form,
    media::BodyForm,
    no_content,
    payload::{self, Keys},
    prefer::{Applies, PREFERENCE_APPLIED},
    range,
};

pub(in crate::rest) fn decode<'a>(
    asked: Asked<'a>,
    form: Form,
    limits: &Limits,
) -> Result<(Call<'a>, Form), Error> {
    asked.refuse_page(Code::NotSupported, "PATCH")?;
    let query = asked.query;
    let body_form = BodyForm::read(asked.headers.content_type)?;
    let mut payload = payload::read(asked.body, body_form, Keys::Any, limits)?;
    let row = payload.pop().unwrap_or_default();
    if !payload.is_empty() {
        return Err(Error::new(Code::BodyUnreadable, "the body of PATCH must be one object"));
    }
    let request = WriteRequest {
        model: asked.model,
        action: WriteAction::Update { payload: row, columns: query.columns },
        returning: form.returning(),
        select: query.select,
        max_affected: form.prefer.affected_max(),
        at_most: form.at_most(),
        clauses: query.clauses,
        embedded: query.embedded,
    };
    Ok((Call::Write(request), form))
}

/// 200 with the rows, 204 without them.
pub(in crate::rest) fn answer(
    done: Committed,
    sink: Box<dyn RowSink>,
    form: &Form,
) -> Result<Response, Error> {
    let rows = affected(&done);
    changed(rows, rows, sink, form)
}

/// How many rows the one plan of a request affected.
pub(super) fn affected(done: &Committed) -> u64 {
    done.affected.first().map_or(0, |keys| keys.len() as u64)
}

/// The answer to so many rows changed or deleted, of which so many are there still for
/// `Content-Range` to name.
pub(super) fn changed(
    rows: u64,
    still_there: u64,
    sink: Box<dyn RowSink>,
    form: &Form,
) -> Result<Response, Error> {
    must_be_singular(form, rows)?;
    let mut res = match form.returning() {
        Return::Representation => form.with_body(sink),
        Return::Minimal | Return::HeadersOnly => no_content(),
    };
    let total = form.prefer.counts().then_some(rows);
    let headers = res.headers_mut();
    headers.insert(header::CONTENT_RANGE, range::content_range(0, still_there, total));
    let applies = Applies { returning: true, affected: true, ..Applies::default() };
    if let Some(applied) = form.prefer.applied(applies) {
        headers.insert(PREFERENCE_APPLIED, applied);
    }
    Ok(res)
}
