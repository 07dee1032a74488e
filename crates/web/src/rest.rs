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
use mainstay_core::{Actor, Catalog, Code, Error, Limits, Timestamp};
use mainstay_plan::{Planner, ReadPlan, ReadRequest, Return, WritePlan, WriteRequest};
use mainstay_store::{Committed, Cx, End, NoRows, ReadDone, RowSink, Store, WriteSet};
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::state::State;

use self::{
    encode::RowsAllowed,
    media::Format,
    prefer::{Preferences, Tx},
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

/// Headers an answer with rows mostly has.
const HEADERS_USUAL: usize = 14;

/// A plan of either kind.
pub(crate) enum Plan {
    Read(Arc<ReadPlan>),
    Write(WritePlan),
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
    let model = percent_decode_str(model)
        .decode_utf8()
        .map_err(|_| Error::new(Code::PathUnknown, "the path is not UTF-8"))?;
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

/// Has the store carry out a plan. A read whose rules admit no row is not sent.
///
/// # Errors
/// As [`Store::read`] and [`Store::write`].
pub(crate) async fn carry_out(
    plan: Plan,
    form: &Form,
    store: &dyn Store,
    cx: Cx,
    sink: Box<dyn RowSink>,
) -> Result<Outcome, Error> {
    match plan {
        Plan::Read(plan) if plan.answers_nothing() => {
            Ok(Outcome::Read(ReadDone { rows: 0, total: plan.shape().count().then_some(0) }, sink))
        }
        Plan::Read(plan) => {
            store.read(plan, cx, sink).await.map(|answer| Outcome::Read(answer.done, answer.sink))
        }
        Plan::Write(plan) => {
            let end = match form.prefer.tx {
                Some(Tx::RollBack) => End::RollBack,
                Some(Tx::Commit) | None => End::Commit,
            };
            let written = store.write(WriteSet { plans: vec![plan], end }, cx, sink).await;
            let answer = written.map_err(|error| form.refused(error.into_error()))?;
            Ok(Outcome::Write(answer.done, answer.sink))
        }
    }
}

/// The answer.
///
/// # Errors
/// `PGRST116` where one row was asked for and there is another number of them.
pub(crate) fn encode(outcome: Outcome, form: &Form) -> Result<Response, Error> {
    match (outcome, form.verb) {
        (Outcome::Read(done, sink), _) => rows::select::answer(done, sink, form),
        (Outcome::Write(done, sink), Verb::Insert) => rows::insert::answer(done, sink, form),
        (Outcome::Write(done, sink), Verb::Put) => rows::insert::answer_put(done, sink, form),
        (Outcome::Write(done, sink), Verb::Delete) => rows::delete::answer(done, sink, form),
        (Outcome::Write(done, sink), _) => rows::update::answer(done, sink, form),
    }
}

/// The answer to OPTIONS: the methods of a model.
///
/// # Errors
/// `PGRST205` where there is no such model.
pub(crate) fn list_methods(state: &State, model: &str) -> Result<Response, Error> {
    let app = state.app();
    let catalog: &Catalog = app.planner().catalog();
    let known = catalog.model_id(model).is_some_and(|id| catalog.model(id).exposed);
    if !known {
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

    /// An answer with these rows as its body, in the form asked for.
    fn with_body(&self, sink: Box<dyn RowSink>) -> Response {
        let mut res = Response::new(Body::from(encode::into_bytes(sink)));
        // Room for those of every answer as well, so that the map does not grow twice.
        res.headers_mut().reserve(HEADERS_USUAL);
        self.describe_body(res.headers_mut());
        res
    }

    fn describe_body(&self, headers: &mut HeaderMap) {
        const CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");
        headers.insert(header::CONTENT_TYPE, self.format.content_type());
        if self.schema_named {
            headers.insert(CONTENT_PROFILE, HeaderValue::from_static(SCHEMA));
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

/// An answer without content, which has no length either (RFC 9110 §8.6).
fn no_content() -> Response {
    let mut res = Response::new(Body::new(Unsent));
    *res.status_mut() = StatusCode::NO_CONTENT;
    res
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
