//! PATCH: other values for some fields of the rows that match.

use axum::response::Response;
use mainstay_core::{Code, Error, Limits};
use mainstay_plan::{Return, WriteAction, WriteRequest};
use mainstay_store::{Committed, RowSink};

use super::{Asked, insert::must_be_singular};
use crate::rest::{
    Begun, Call, Form,
    media::BodyForm,
    payload::{self, Keys},
    prefer::Applies,
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
    begun: Begun<'_>,
) -> Result<Response, Error> {
    let rows = affected(&done);
    changed(rows, rows, sink, begun)
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
    mut begun: Begun<'_>,
) -> Result<Response, Error> {
    let form = begun.form;
    must_be_singular(form, rows)?;
    begun.set_returning();
    begun.set_range(0, still_there, form.prefer.counts().then_some(rows));
    begun.set_applied(Applies { returning: true, affected: true, ..Applies::default() });
    Ok(match form.returning() {
        Return::Representation => begun.with_rows(sink),
        Return::Minimal | Return::HeadersOnly => begun.without_content(),
    })
}
