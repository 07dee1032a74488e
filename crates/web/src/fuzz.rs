//! Entries for fuzz targets: what a stranger sends, as far as the plan.
//!
//! Each takes what came over the wire and panics only where the code behind it
//! does; errors are what strangers mostly earn and are given back.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, Response},
};
use bytes::Bytes;
use mainstay_core::{Actor, Error, Limits, Timestamp};
use mainstay_plan::{Planner, ReadPlan, WritePlan};

use tower::ServiceExt as _;

use crate::{
    rest::{self, Params, Plan, Rehearsal, RequestHeaders},
    router,
    state::State,
};

/// `METHOD /rest/v1/{model}?{query}` with its headers and a body.
#[derive(Clone, Debug)]
pub struct Sent<'a> {
    /// The method.
    pub method: Method,
    /// The last part of the path.
    pub model: &'a str,
    /// The query string.
    pub query: &'a str,
    /// The headers, as far as they say what is asked for.
    pub headers: &'a HeaderMap,
    /// The body: JSON, unless `Content-Type` says otherwise.
    pub body: &'a [u8],
}

/// Reads a query string, and nothing more.
///
/// # Errors
/// Where it is not of the dialect.
pub fn query(text: &str, limits: &Limits) -> Result<(), Error> {
    let params = Params::decode(Some(text))?;
    rest::read_query(&params, limits)
}

/// Plans `GET /rest/v1/{model}?{query}`.
///
/// # Errors
/// Where the request cannot be decoded or planned.
pub fn read_plan(
    planner: &Planner,
    model: &str,
    query: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<ReadPlan, Error> {
    let headers = HeaderMap::new();
    let sent = Sent { method: Method::GET, model, query, headers: &headers, body: &[] };
    match plan(planner, &sent, actor, now)? {
        Plan::Read(plan) => Ok((*plan).clone()),
        Plan::Write(_) => unreachable!("BUG: GET is a read"),
    }
}

/// Plans a write.
///
/// # Errors
/// Where the request cannot be decoded or planned; a method that is no write is
/// `PGRST117`.
pub fn write_plan(
    planner: &Planner,
    sent: &Sent<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<WritePlan, Error> {
    match plan(planner, sent, actor, now)? {
        Plan::Write(plan) => Ok(plan),
        Plan::Read(_) => Err(rest::method_not_allowed(&sent.method)),
    }
}

fn plan(planner: &Planner, sent: &Sent<'_>, actor: &Actor, now: Timestamp) -> Result<Plan, Error> {
    let Sent { method, model, query, headers, body } = sent;
    let params = Params::decode(Some(query))?;
    let headers = RequestHeaders::read(headers);
    let rehearsal = Rehearsal::Refused;
    let (call, _) = rest::decode(model, method, &headers, &params, body, planner, rehearsal)?;
    rest::plan(call, planner, actor, now)
}

/// The whole answer to a request, by whichever handler it is for.
pub async fn answer(state: State, req: Request<Bytes>) -> Response<Bytes> {
    let Ok(res) = router(state).oneshot(req.map(Body::from)).await;
    let (head, body) = res.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("BUG: an answer comes to its end");
    Response::from_parts(head, body)
}
