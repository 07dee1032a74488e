//! The whole path of a request for rows, on one screen: decode, who, plan, store,
//! encode.
//!
//! Who may do what is decided in the plan and nowhere else here. What is decoded
//! borrows from the request, and is gone before the store is asked: only the plan
//! and the answer's form are carried across the wait.

use std::time::{Duration, Instant};

use axum::{
    BoxError,
    body::{Body, HttpBody as _},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    response::Response,
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use mainstay_core::{Code, Error};
use mainstay_store::Cx;

use crate::{
    error::Failure,
    middleware::RequestContext,
    rest::{self, Params, RequestHeaders},
    state::{ServerTiming, State},
};

/// What the rows of one address depend on, for whoever keeps answers: PostgREST's
/// list, and the caller.
const VARY: HeaderValue = HeaderValue::from_static("accept, prefer, range, authorization, apikey");

/// Answers a request for the rows of a model.
pub(crate) async fn answer(state: &State, model: &str, req: Request) -> Response {
    let (head, body) = req.into_parts();
    let mut stages = Stages::begin(state.settings().server_timing);
    let mut res = match rows(state, model, &head, body, &mut stages).await {
        Ok(res) => res,
        Err(failure) => failure.into_response(request_id(&head)),
    };
    res.headers_mut().insert(header::VARY, VARY);
    stages.tell(res.headers_mut());
    res
}

async fn rows(
    state: &State,
    model: &str,
    head: &Parts,
    body: Body,
    stages: &mut Stages,
) -> Result<Response, Failure> {
    let body = read_body(state, head, body).await?;
    let (plan, form, sink, within, anonymous) = {
        let (app, now) = (state.app(), state.now());
        let (planner, rehearsal) = (app.planner(), state.settings().rehearsal);

        let params = Params::decode(head.uri.query())?;
        let headers = RequestHeaders::read(&head.headers);
        let (call, form) =
            rest::decode(model, &head.method, &headers, &params, &body, planner, rehearsal)?;
        stages.end("decode");

        let actor = app.verifier().caller(headers.credentials(), now)?;
        stages.end("who");

        let plan = rest::plan(call, planner, &actor, now).map_err(|e| Failure::of(e, &actor))?;
        stages.end("plan");

        let limits = planner.limits();
        let sink = rest::sink(&plan, &form, state.layouts(), limits.response_bytes_max);
        (plan, form, sink, Duration::from_millis(limits.request_ms), actor.is_anonymous())
    };
    let mut cx = Cx::until(Instant::now() + within);
    cx.request_id = request_id(head).map(Box::from);
    let outcome = rest::carry_out(plan, &form, &**state.store(), cx, sink).await;
    stages.end("store");

    let res = outcome.and_then(|outcome| rest::encode(outcome, &form));
    stages.end("encode");
    res.map_err(|error| Failure::new(error, anonymous))
}

/// The bytes of a request's body; the layer around the router bounds it too.
async fn read_body(state: &State, head: &Parts, body: Body) -> Result<Bytes, Error> {
    if head.method.is_safe() {
        return Ok(Bytes::new());
    }
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

/// The request's id, where the layer around the router gave it one.
pub(crate) fn request_id(head: &Parts) -> Option<&str> {
    head.extensions.get::<RequestContext>().map(|context| context.id.as_str())
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
