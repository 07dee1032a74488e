//! GET and HEAD: rows of a model.

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::Response,
};
use mainstay_core::Error;
use mainstay_plan::ReadRequest;
use mainstay_store::{ReadDone, RowSink};

use super::Asked;
use crate::{
    error::Failure,
    rest::{Begun, Call, Form, Unsent, Verb, encode, prefer::Applies, range},
};

pub(in crate::rest) fn decode(asked: Asked<'_>, mut form: Form) -> Result<(Call<'_>, Form), Error> {
    let mut query = asked.query;
    if form.verb == Verb::Select {
        range::narrow(&mut query.clauses, asked.headers.range)?;
    }
    form.offset = query.clauses.offset.unwrap_or(0);
    let request = ReadRequest {
        model: asked.model,
        select: query.select,
        clauses: query.clauses,
        embedded: query.embedded,
        count: form.prefer.count.unwrap_or_default(),
    };
    Ok((Call::Read(request), form))
}

/// 200; 206 where a count shows that there is more; 416 where it shows that the page
/// begins beyond the last row.
pub(in crate::rest) fn answer(
    done: ReadDone,
    sink: Box<dyn RowSink>,
    mut begun: Begun<'_>,
) -> Result<Response, Error> {
    let form = begun.form;
    if let Some(total) = done.total.filter(|total| form.offset > *total) {
        let error = range::unsatisfiable(format!(
            "An offset of {} was requested, but there are only {total} rows.",
            form.offset
        ));
        let mut res = Failure::from(error).answer(None, std::mem::take(begun.headers));
        let content_range = range::content_range(form.offset, done.rows, done.total);
        res.headers_mut().insert(header::CONTENT_RANGE, content_range);
        return Ok(res);
    }
    if form.format.is_singular() && done.rows != 1 {
        return Err(encode::not_singular(done.rows));
    }
    begun.set_range(form.offset, done.rows, done.total);
    begun.set_applied(Applies::default());
    let mut res = match form.verb {
        Verb::Head => begun.with_body(Body::new(Unsent)),
        _ => begun.with_rows(sink),
    };
    if done.total.is_some_and(|total| done.rows < total) {
        *res.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(res)
}
