//! The whole path of a request for rows, on one screen: who, decode, plan, store,
//! encode.
//!
//! Who may do what is decided in the plan and nowhere else here. What is decoded
//! borrows from the request, and is gone before the store is asked: only the plan
//! and the answer's form are carried across the wait.

use std::time::{Duration, Instant};

use axum::{
    BoxError,
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    response::Response,
};
use bytes::Bytes;
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use mainstay_auth::Touched;
use mainstay_core::{Code, Error};
use mainstay_store::Cx;

use crate::{
    error::{Failure, status},
    middleware::RequestContext,
    rest::{self, Outcome, Params, RequestHeaders},
    router::REST,
    state::{ServerTiming, State},
    who,
};

/// Who asks for the rows of a model, and how.
pub(crate) struct RowsRequest<B> {
    /// The request's line and headers; its path is `/rest/v1/{model}`.
    pub(crate) head: Parts,
    /// The request's body, if it has one.
    pub(crate) body: Option<B>,
    /// What the layer around the router tells of it, where there is one.
    pub(crate) context: Option<RequestContext>,
}

impl<B> RowsRequest<B> {
    fn id(&self) -> Option<&str> {
        self.context.as_ref().map(|context| context.id.as_str())
    }
}

/// Answers a request for the rows of a model. `headers` are those every answer has,
/// beside [`rest::headers`]; all of them are on the answer, whatever became of the
/// request.
#[expect(clippy::manual_async_fn, reason = "an async fn would hold its arguments twice")]
pub(crate) fn answer<B>(
    state: State,
    mut headers: HeaderMap,
    mut req: RowsRequest<B>,
) -> impl Future<Output = Response>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    async move {
        let mut stages = Stages::begin(state.settings().server_timing);
        let mut res = match rows(&state, &mut req, &mut headers, &mut stages).await {
            Ok(res) => res,
            Err(failure) => failure.answer(req.id(), headers),
        };
        stages.tell(res.headers_mut());
        res
    }
}

async fn rows<B>(
    state: &State,
    req: &mut RowsRequest<B>,
    headers: &mut HeaderMap,
    stages: &mut Stages,
) -> Result<Response, Failure>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let actor = who::caller(state, &req.head.headers, req.context.as_ref()).await?;
    if actor.id().is_some() && !req.head.headers.contains_key(header::AUTHORIZATION) {
        // Caches keep what a cookie shows from nobody by themselves (RFC 9111 section 3).
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    stages.end("who");
    let body = read_body(state, req).await?;
    let head = &req.head;
    let (plan, beside, form, sink, within, touched, anonymous) = {
        let (app, now) = (state.app(), state.now());
        let (planner, rehearsal) = (app.planner(), state.settings().rehearsal);

        let model = head.uri.path().strip_prefix(REST).unwrap_or_default();
        let params = Params::decode(head.uri.query())?;
        let headers = RequestHeaders::read(&head.headers);
        let (call, form) =
            rest::decode(model, &head.method, &headers, &params, &body, planner, rehearsal)?;
        stages.end("decode");

        let plan = rest::plan(call, planner, &actor, now).map_err(|e| Failure::of(e, &actor))?;
        stages.end("plan");

        let touched = plan.touched(planner.catalog());
        let beside = match plan.write().filter(|_| touched != Touched::Nobody) {
            Some(plan) => {
                let call = who::call(state, &head.headers, req.context.as_ref()).by(&actor);
                state.identity().check_write(plan, planner.catalog())?;
                Some(state.identity().told_of_write(plan, touched, planner, &call)?)
            }
            None => None,
        };
        let limits = planner.limits();
        let sink = rest::sink(&plan, &form, state.layouts(), limits.response_bytes_max);
        let within = Duration::from_millis(limits.request_ms);
        (plan, beside, form, sink, within, touched, actor.is_anonymous())
    };
    let mut cx = Cx::until(Instant::now() + within);
    cx.request_id = req.id().map(Box::from);
    let outcome = rest::carry_out(plan, beside, &form, &**state.store(), cx, sink).await;
    heed(state, touched, &outcome);
    stages.end("store");

    let res = outcome.and_then(|outcome| rest::encode(outcome, &form, headers));
    stages.end("encode");
    res.map_err(|error| Failure::new(error, anonymous))
}

/// Tells identity of a write, and of one of which nobody knows whether it was done.
fn heed(state: &State, touched: Touched, outcome: &Result<Outcome, Error>) {
    if touched == Touched::Nobody {
        return;
    }
    match outcome {
        Ok(Outcome::Write(done, _)) => {
            done.affected.iter().take(1).for_each(|keys| state.identity().heed(touched, keys));
        }
        Ok(Outcome::Read(..)) => {}
        Err(error) if status(error.code()).is_server_error() => {
            state.identity().heed(Touched::Anybody, &[]);
        }
        Err(_) => {}
    }
}

/// The bytes of a request's body; the layer around the router bounds it too.
async fn read_body<B>(state: &State, req: &mut RowsRequest<B>) -> Result<Bytes, Error>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let sent = req.body.as_mut().filter(|_| !req.head.method.is_safe());
    let Some(body) = sent else { return Ok(Bytes::new()) };
    let bytes_max = state.app().planner().limits().body_bytes_max;
    let mut body = Limited::new(body, bytes_max);
    let unreadable = |error: BoxError| {
        if error.is::<LengthLimitError>() {
            return Error::new(
                Code::BodyTooLarge,
                format!("the body is larger than {bytes_max} bytes ([limits] body_bytes_max)"),
            );
        }
        Error::new(Code::BodyUnreadable, "the body could not be read to its end").with_source(error)
    };
    let first = match body.frame().await.transpose().map_err(unreadable)? {
        Some(frame) => frame.into_data().unwrap_or_default(),
        None => return Ok(Bytes::new()),
    };
    // Most bodies are one frame, and need not be put together.
    if body.is_end_stream() {
        return Ok(first);
    }
    let rest = body.collect().await.map_err(unreadable)?.to_bytes();
    Ok([first, rest].concat().into())
}

/// How long each stage took, where that is told.
struct Stages {
    began: Option<Instant>,
    ended: Vec<(&'static str, Duration)>,
}

impl Stages {
    fn begin(server_timing: ServerTiming) -> Self {
        let began = (server_timing == ServerTiming::On).then(Instant::now);
        Self { began, ended: Vec::new() }
    }

    fn end(&mut self, stage: &'static str) {
        if let Some(began) = &mut self.began {
            let now = Instant::now();
            self.ended.push((stage, now - *began));
            *began = now;
        }
    }

    fn tell(&self, headers: &mut HeaderMap) {
        const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
        if self.began.is_none() {
            return;
        }
        let stage = |(name, took): &(&str, Duration)| {
            format!("{name};dur={:.3}", took.as_secs_f64() * 1_000.0)
        };
        let told: Vec<String> = self.ended.iter().map(stage).collect();
        if let Ok(told) = HeaderValue::try_from(told.join(", ")) {
            headers.insert(SERVER_TIMING, told);
        }
    }
}
