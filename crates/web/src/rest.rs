//! The REST dialect, as PostgREST 16 speaks it.
//!
//! A request is decoded into a [`Call`] that borrows from it and a [`Form`] that
//! does not: what is wanted of the rows, and how they are to be answered. Each
//! method has its file under `rows/`, with both directions in it.

mod bounds;
mod cursor;
mod encode;
mod features;
mod filter;
mod layout;
mod list;
mod media;
mod order;
mod payload;
mod prefer;
mod query;
mod range;
mod request_headers;
mod rows;
mod select;
#[cfg(test)]
pub(crate) mod show;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use mainstay_auth::Touched;
use mainstay_core::{Actor, Catalog, Code, Error, Limits, Timestamp};
use mainstay_plan::{Planner, ReadPlan, ReadRequest, Return, WritePlan, WriteRequest};
use mainstay_store::{Committed, Cx, End, NoRows, ReadDone, RowSink, Store, WriteSet};
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::state::State;

use self::{
    encode::RowsAllowed,
    media::{Format, Nulls},
    prefer::{Applies, PREFERENCE_APPLIED, Preferences, Tx},
    query::Query,
};

pub use self::{
    features::{FEATURES, Feature, Reason, Support},
    prefer::Rehearsal,
};
pub(crate) use self::{layout::Layouts, query::Params, request_headers::RequestHeaders};

/// The one schema there is, by the name clients know it.
const SCHEMA: &str = "public";

/// The methods of a model, as `Allow` lists them.
pub(crate) const METHODS: HeaderValue =
    HeaderValue::from_static("OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE");

/// What a request asks for, borrowed from it.
#[derive(Debug)]
pub(crate) enum Call<'a> {
    Read(ReadRequest<'a>),
    Write(WriteRequest<'a>),
}

/// How a request is to be answered.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    verb: Verb,
    format: Format,
    prefer: Preferences,
    /// Rows passed over before the first that is answered.
    offset: u64,
    /// Whether the caller named the schema, which is then named in return.
    schema_named: bool,
    /// The rows' address without their keys, and the fields of those: for `Location`.
    address: Option<Address>,
}

/// Where the rows of a model are found by key.
#[derive(Clone, Debug)]
struct Address {
    model: Box<str>,
    key: Vec<Box<str>>,
}

/// What the rows of one address depend on, for whoever keeps answers: PostgREST's
/// list, and the caller.
const VARY: HeaderValue =
    HeaderValue::from_static("accept, prefer, range, authorization, apikey, cookie");

/// The headers an answer begins with, as most answers have them in the end. A map of
/// headers is copied for a fraction of what it costs to be made.
pub(crate) fn headers() -> HeaderMap {
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, Format::Array(Nulls::Kept).content_type()),
        (header::CONTENT_RANGE, range::UNKNOWN),
        (header::VARY, VARY),
    ])
}

/// What is done, one for each method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Select,
    /// As `Select`, without a body.
    Head,
    Insert,
    /// Insert or replace the one row that is addressed.
    Put,
    Update,
    Delete,
}

/// A plan of either kind.
pub(crate) enum Plan {
    Read(Arc<ReadPlan>),
    Write(WritePlan),
}

impl Plan {
    /// The write, if it is one.
    pub(crate) fn write(&self) -> Option<&WritePlan> {
        match self {
            Self::Read(_) => None,
            Self::Write(plan) => Some(plan),
        }
    }

    /// Whose account it may change.
    pub(crate) fn touched(&self, catalog: &Catalog) -> Touched {
        match self {
            Self::Read(_) => Touched::Nobody,
            Self::Write(plan) => Touched::by(plan, catalog),
        }
    }
}

/// What a plan came to, with the rows.
pub(crate) enum Outcome {
    Read(ReadDone, Box<dyn RowSink>),
    Write(Committed, Box<dyn RowSink>),
}

/// Decodes a request for rows of a model.
///
/// # Errors
/// For each part of the request that is not of its form; see `docs/rest.md`.
pub(crate) fn decode<'a>(
    model: &'a str,
    method: &Method,
    headers: &'a RequestHeaders<'a>,
    params: &'a Params<'a>,
    body: &'a [u8],
    planner: &Planner,
    rehearsal: Rehearsal,
) -> Result<(Call<'a>, Form), Error> {
    let verb = Verb::of(method)?;
    let model = match model.contains('%') {
        true => percent_decode_str(model)
            .decode_utf8()
            .map_err(|_| Error::new(Code::PathUnknown, "the path is not UTF-8"))?,
        false => model.into(),
    };
    let query = Query::read(params, planner.limits())?;
    let form = Form {
        verb,
        format: Format::negotiate(headers.accept)?,
        prefer: Preferences::read(&headers.prefer, rehearsal)?,
        offset: 0,
        schema_named: schema_named(method, headers)?,
        address: None,
    };
    let asked = rows::Asked { model, query, headers, body };
    match verb {
        Verb::Select | Verb::Head => rows::select::decode(asked, form),
        Verb::Insert => rows::insert::decode(asked, form, planner),
        Verb::Put => rows::insert::decode_put(asked, form, planner),
        Verb::Update => rows::update::decode(asked, form, planner.limits()),
        Verb::Delete => rows::delete::decode(asked, form),
    }
}

/// Reads a query string alone.
///
/// # Errors
/// Where it is not of the dialect.
pub(crate) fn read_query(params: &Params<'_>, limits: &Limits) -> Result<(), Error> {
    Query::read(params, limits).map(drop)
}

/// The plan of what was decoded.
///
/// # Errors
/// As [`Planner::read`] and [`Planner::write`].
pub(crate) fn plan(
    call: Call<'_>,
    planner: &Planner,
    actor: &Actor,
    now: Timestamp,
) -> Result<Plan, Error> {
    match call {
        Call::Read(request) => planner.read(&request, actor, now).map(|it| Plan::Read(it.into())),
        Call::Write(request) => {
            planner.write(&request, actor, now, &mut Uuid::now_v7).map(Plan::Write)
        }
    }
}

/// Where the rows of a plan are to go.
pub(crate) fn sink(
    plan: &Plan,
    form: &Form,
    layouts: &Layouts,
    bytes_max: usize,
) -> Box<dyn RowSink> {
    let (shape, query, rows) = match plan {
        Plan::Read(_) if form.verb == Verb::Head => return Box::new(NoRows),
        Plan::Read(plan) => (plan.shape().id(), plan.shape().root(), RowsAllowed::Any),
        Plan::Write(plan) => match plan.shape().returning() {
            None => return Box::new(NoRows),
            Some(query) if form.format.is_singular() => {
                (plan.shape().id(), query, RowsAllowed::One)
            }
            Some(query) => (plan.shape().id(), query, RowsAllowed::Any),
        },
    };
    encode::sink(form.format, layouts.get(shape, query), rows, bytes_max)
}

/// Has the store carry out a plan, and where it is a write another in its transaction, of
/// which nothing is answered. A read whose rules admit no row is not sent.
///
/// # Errors
/// As [`Store::read`] and [`Store::write`].
#[expect(clippy::manual_async_fn, reason = "an async fn would hold its arguments twice")]
pub(crate) fn carry_out(
    plan: Plan,
    beside: Option<WritePlan>,
    form: &Form,
    store: &dyn Store,
    cx: Cx,
    sink: Box<dyn RowSink>,
) -> impl Future<Output = Result<Outcome, Error>> {
    async move {
        match plan {
            Plan::Read(plan) if plan.answers_nothing() => {
                let total = plan.shape().count().then_some(0);
                Ok(Outcome::Read(ReadDone { rows: 0, total }, sink))
            }
            Plan::Read(plan) => {
                let answer = store.read(plan, cx, sink).await?;
                Ok(Outcome::Read(answer.done, answer.sink))
            }
            Plan::Write(plan) => {
                let end = match form.prefer.tx {
                    Some(Tx::RollBack) => End::RollBack,
                    Some(Tx::Commit) | None => End::Commit,
                };
                let plans = [plan].into_iter().chain(beside).collect();
                let written = store.write(WriteSet { plans, end }, cx, sink).await;
                let answer = written.map_err(|error| form.refused(error.into_error()))?;
                Ok(Outcome::Write(answer.done, answer.sink))
            }
        }
    }
}

/// The answer, which takes the headers it begins with (see [`headers`]).
///
/// # Errors
/// `PGRST116` where one row was asked for and there is another number of them. The
/// headers are left as they were.
pub(crate) fn encode(
    outcome: Outcome,
    form: &Form,
    headers: &mut HeaderMap,
) -> Result<Response, Error> {
    let begun = Begun { form, headers };
    match (outcome, form.verb) {
        (Outcome::Read(done, sink), _) => rows::select::answer(done, sink, begun),
        (Outcome::Write(done, sink), Verb::Insert) => rows::insert::answer(done, sink, begun),
        (Outcome::Write(done, sink), Verb::Put) => rows::insert::answer_put(done, sink, begun),
        (Outcome::Write(done, sink), Verb::Delete) => rows::delete::answer(done, sink, begun),
        (Outcome::Write(done, sink), _) => rows::update::answer(done, sink, begun),
    }
}

/// An answer of which there are the form and the headers it begins with.
struct Begun<'a> {
    form: &'a Form,
    headers: &'a mut HeaderMap,
}

/// The answer to OPTIONS: the methods of a model.
///
/// # Errors
/// `PGRST205` where there is no such model.
pub(crate) fn list_methods(state: &State, model: &str) -> Result<Response, Error> {
    let app = state.app();
    let catalog: &Catalog = app.planner().catalog();
    if catalog.exposed_id(model).is_none() {
        let message = format!("could not find the model \"{model}\" in this app");
        return Err(Error::new(Code::ModelUnknown, message));
    }
    Ok(allow(METHODS))
}

/// An empty answer that lists methods.
pub(crate) fn allow(methods: HeaderValue) -> Response {
    let mut res = Response::new(Body::empty());
    res.headers_mut().insert(header::ALLOW, methods);
    res
}

/// The error of a method there is not.
pub(crate) fn method_not_allowed(method: &Method) -> Error {
    Error::new(Code::MethodNotAllowed, format!("Unsupported HTTP method: {method}"))
}

/// The error of a call to a function: there are none yet.
pub(crate) fn function_unknown(name: &str) -> Error {
    let message = format!("Could not find the function {SCHEMA}.{name} in the schema cache");
    Error::new(Code::FunctionUnknown, message)
        .with_details("This server has no functions: its custom routes stand beside /rest/v1.")
}

impl Verb {
    fn of(method: &Method) -> Result<Self, Error> {
        match *method {
            Method::GET => Ok(Self::Select),
            Method::HEAD => Ok(Self::Head),
            Method::POST => Ok(Self::Insert),
            Method::PUT => Ok(Self::Put),
            Method::PATCH => Ok(Self::Update),
            Method::DELETE => Ok(Self::Delete),
            _ => Err(method_not_allowed(method)),
        }
    }
}

impl Form {
    /// What a write answers.
    fn returning(&self) -> Return {
        self.prefer.returning.unwrap_or_default()
    }

    /// The rows a write may affect for its answer to be of the form asked for.
    fn at_most(&self) -> Option<u64> {
        self.is_singular_unseen().then_some(1)
    }

    /// Whether one row is asked for that is not sent, so that no sink sees it.
    fn is_singular_unseen(&self) -> bool {
        self.format.is_singular() && self.returning() != Return::Representation
    }

    /// The error of a refused write as the caller asked for it: a bound that only
    /// `Accept` set is a matter of the answer's form.
    fn refused(&self, error: Error) -> Error {
        let asked = self.prefer.affected_max().unwrap_or(u64::MAX);
        let ours = self.is_singular_unseen() && asked > 1;
        if ours && error.code() == Code::MaxAffected {
            return encode::not_singular("more than 1");
        }
        error
    }
}

impl Begun<'_> {
    /// The answer with these rows as its body, in the form asked for.
    fn with_rows(self, sink: Box<dyn RowSink>) -> Response {
        self.with_body(Body::from(encode::into_bytes(sink)))
    }

    /// The answer with a body in the form asked for.
    fn with_body(self, body: Body) -> Response {
        const CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");
        if self.form.format != Format::Array(Nulls::Kept) {
            self.headers.insert(header::CONTENT_TYPE, self.form.format.content_type());
        }
        if self.form.schema_named {
            self.headers.insert(CONTENT_PROFILE, HeaderValue::from_static(SCHEMA));
        }
        self.finish(StatusCode::OK, body)
    }

    /// The answer without content, which has no length either (RFC 9110 §8.6).
    fn without_content(self) -> Response {
        self.finish(StatusCode::NO_CONTENT, Body::new(Unsent))
    }

    /// The answer with a body of no bytes.
    fn empty(self) -> Response {
        self.finish(StatusCode::OK, Body::empty())
    }

    fn finish(self, status: StatusCode, body: Body) -> Response {
        let mut res = Response::new(body);
        *res.status_mut() = status;
        *res.headers_mut() = std::mem::take(self.headers);
        res
    }

    /// Says nothing of a body's form where none is answered. Before other headers are
    /// set, as they then have its place.
    fn set_returning(&mut self) {
        if self.form.returning() != Return::Representation {
            self.headers.remove(header::CONTENT_TYPE);
        }
    }

    /// Says which rows an answer holds.
    fn set_range(&mut self, offset: u64, rows: u64, total: Option<u64>) {
        // An answer begins with what is said of no rows.
        if rows > 0 || total.is_some() {
            let range = range::content_range(offset, rows, total);
            self.headers.insert(header::CONTENT_RANGE, range);
        }
    }

    /// Says which preferences were applied.
    fn set_applied(&mut self, applies: Applies) {
        if self.form.prefer == Preferences::default() {
            return;
        }
        if let Some(applied) = self.form.prefer.applied(applies) {
            self.headers.insert(PREFERENCE_APPLIED, applied);
        }
    }
}

/// A body that is not there, of a length that is not said: the answer to HEAD, whose
/// `Content-Length` would have to be that of the body GET answers (RFC 9110 §8.6).
struct Unsent;

impl http_body::Body for Unsent {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::default()
    }
}

/// Whether the caller names the schema of the request.
///
/// # Errors
/// `PGRST106` where it is another than the one there is.
fn schema_named(method: &Method, headers: &RequestHeaders<'_>) -> Result<bool, Error> {
    match if method.is_safe() { headers.accept_profile } else { headers.content_profile } {
        None => Ok(false),
        Some(schema) if schema == SCHEMA => Ok(true),
        Some(schema) => {
            let schema = schema.to_str().unwrap_or_default();
            Err(Error::new(Code::SchemaUnknown, format!("Invalid schema: {schema}"))
                .with_hint(format!("Only the following schemas are exposed: {SCHEMA}")))
        }
    }
}
