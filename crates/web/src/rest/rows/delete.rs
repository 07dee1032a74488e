//! DELETE: no more rows that match.

use axum::{http::header, response::Response};
use mainstay_core::{Code, Error};
use mainstay_plan::{WriteAction, WriteRequest};
use mainstay_store::{Committed, RowSink};

use super::{Asked, insert::must_be_singular, update::changed};
use crate::rest::{
    Call, Form,
    prefer::{Applies, PREFERENCE_APPLIED},
    range,
};

pub(in crate::rest) fn decode(asked: Asked<'_>, form: Form) -> Result<(Call<'_>, Form), Error> {
    asked.refuse_page(Code::NotSupported, "DELETE")?;
    let query = asked.query;
    let request = WriteRequest {
        model: asked.model,
        action: WriteAction::Delete,
        returning: form.returning(),
        select: query.select,
        max_affected: form.prefer.affected_max(),
        at_most: form.at_most(),
        clauses: query.clauses,
        embedded: query.embedded,
    };
    Ok((Call::Write(request), form))
}

/// 200 with the rows as they were, 204 without them.
pub(in crate::rest) fn answer(
    done: Committed,
    sink: Box<dyn RowSink>,
    form: &Form,
) -> Result<Response, Error> {
    let rows = done.affected.first().map_or(0, |keys| keys.len() as u64);
    must_be_singular(form, rows)?;
    let mut res = changed(sink, form);
    let total = form.prefer.counts().then_some(rows);
    let headers = res.headers_mut();
    headers.insert(header::CONTENT_RANGE, range::content_range(0, 0, total));
    let applies = Applies { returning: true, affected: true, ..Applies::default() };
    if let Some(applied) = form.prefer.applied(applies) {
        headers.insert(PREFERENCE_APPLIED, applied);
    }
    Ok(res)
}
