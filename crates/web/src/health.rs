//! Whether the server runs, and whether it can answer requests.

use std::time::{Duration, Instant};

use axum::{
    body::Body,
    extract::State as AxumState,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use mainstay_store::{Cx, Health};

use crate::state::State;

/// How long the store may take to say that it is there.
const READY_MS: u64 = 1_000;

/// The process runs. It asks nobody, so a slow store restarts no server.
pub(crate) async fn live() -> Response {
    said(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// The store answers too.
pub(crate) async fn ready(AxumState(state): AxumState<State>) -> Response {
    let cx = Cx::until(Instant::now() + Duration::from_millis(READY_MS));
    match state.store().health(cx).await {
        Health::Ready => said(StatusCode::OK, r#"{"status":"ready"}"#),
        Health::Away(reason) => {
            // The reason is the operator's: it can hold paths and addresses.
            tracing::warn!(reason, "the store is away");
            said(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"store_away"}"#)
        }
    }
}

fn said(status: StatusCode, body: &'static str) -> Response {
    let mut res = Response::new(Body::from(body));
    *res.status_mut() = status;
    let headers = res.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    res
}
