//! The rows of a model: what each method makes of a request, and of its outcome.

pub(super) mod delete;
pub(super) mod insert;
pub(super) mod select;
pub(super) mod update;

use std::borrow::Cow;

use mainstay_core::{Code, Error};

use super::{query::Query, request_headers::RequestHeaders};

/// A request's parts that every method looks at.
pub(super) struct Asked<'a> {
    pub(super) model: Cow<'a, str>,
    pub(super) query: Query<'a>,
    pub(super) headers: &'a RequestHeaders<'a>,
    pub(super) body: &'a [u8],
}

impl Asked<'_> {
    /// Refuses to pass over a page that a write cannot keep to.
    fn refuse_page(&self, code: Code, method: &str) -> Result<(), Error> {
        if self.query.clauses.limit.is_none() && self.query.clauses.offset.is_none() {
            return Ok(());
        }
        let message = format!("limit/offset querystring parameters are not allowed for {method}");
        Err(Error::new(code, message)
            .with_hint("Name the rows by a filter; bound their number with 'Prefer: handling=strict, max-affected=N'."))
    }
}
