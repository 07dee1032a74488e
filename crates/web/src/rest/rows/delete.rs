//! DELETE: no more rows that match.

use axum::response::Response;
use mainstay_core::{Code, Error};
use mainstay_plan::{WriteAction, WriteRequest};
use mainstay_store::{Committed, RowSink};

use super::{
    Asked,
    update::{affected, changed},
};
use crate::rest::{Begun, Call, Form};

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
    begun: Begun<'_>,
) -> Result<Response, Error> {
    changed(affected(&done), 0, sink, begun)
}
