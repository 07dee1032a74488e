//! The whole API, readable as a list.

use axum::{
    Router,
    body::Body,
    extract::{Request, State as AxumState},
    http::{HeaderValue, Method, Uri, header, request::Parts},
    response::Response,
    routing::{any, get},
};
use mainstay_core::{Code, Error};

use crate::{
    auth, dev_mail,
    error::Failure,
    health,
    middleware::{RequestContext, RequestId},
    pipeline::{self, RowsRequest},
    rest,
    state::State,
};

/// Where the REST dialect lives.
pub(crate) const REST: &str = "/rest/v1/";

const ROOT_METHODS: HeaderValue = HeaderValue::from_static("OPTIONS,GET,HEAD");

/// The API of an app. What is not listed here is 404 as JSON, until whoever stands
/// above mounts a fallback of its own.
pub fn router(state: State) -> Router {
    let dev = match state.settings().dev_mails {
        Some(_) => Router::new().route("/_dev/mail", get(dev_mail::list)),
        None => Router::new(),
    };
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(describe))
        .route("/auth/v1/.well-known/jwks.json", get(list_keys))
        .merge(auth::routes())
        .merge(dev)
        .route("/rest/v1", any(describe))
        .route("/rest/v1/", any(describe))
        .route("/rest/v1/{*path}", any(|AxumState(state), req| answer_rest(state, req)))
        .fallback(refuse_path)
        .with_state(state)
}

/// Whether this is a request for the rows of a model: `/rest/v1/{model}`.
pub(crate) fn is_for_rows(method: &Method, uri: &Uri) -> bool {
    uri.path().strip_prefix(REST).is_some_and(|model| !model.is_empty() && !model.contains('/'))
        && *method != Method::OPTIONS
}

/// `/rest/v1/{model}` and `/rest/v1/rpc/{function}`.
async fn answer_rest(state: State, req: Request) -> Response {
    let (head, body) = req.into_parts();
    if is_for_rows(&head.method, &head.uri) {
        let context = head.extensions.get::<RequestContext>().copied();
        let req = RowsRequest { head, body: Some(body), context };
        return pipeline::answer(state, rest::headers(), req).await;
    }
    let path = head.uri.path().strip_prefix(REST).unwrap_or_default();
    match path.split_once('/') {
        None => rest::list_methods(&state, path).unwrap_or_else(|error| refuse(&head, error)),
        Some(("rpc", function)) if !function.contains('/') => {
            refuse(&head, rest::function_unknown(function))
        }
        Some(_) => refuse(&head, path_unknown(&head.uri)),
    }
}

/// The description of the API, for GET and HEAD.
async fn describe(AxumState(state): AxumState<State>, req: Request) -> Response {
    match *req.method() {
        Method::GET | Method::HEAD => {
            let mut res = Response::new(Body::from(state.app().openapi()));
            let content_type = HeaderValue::from_static("application/openapi+json; charset=utf-8");
            res.headers_mut().insert(header::CONTENT_TYPE, content_type);
            res
        }
        Method::OPTIONS => rest::allow(ROOT_METHODS),
        _ => {
            let (head, _) = req.into_parts();
            let mut res = refuse(&head, rest::method_not_allowed(&head.method));
            res.headers_mut().insert(header::ALLOW, ROOT_METHODS);
            res
        }
    }
}

/// The public keys that tokens can be verified with by now. They change only with the
/// signing key and as retired keys run out, so they may be kept for a while.
async fn list_keys(AxumState(state): AxumState<State>) -> Response {
    let mut res = Response::new(Body::from(state.identity().jwks(state.now())));
    let headers = res.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=600"));
    res
}

/// The answer where nothing lives.
pub async fn refuse_path(uri: Uri, req: Request) -> Response {
    refuse(&req.into_parts().0, path_unknown(&uri))
}

fn path_unknown(uri: &Uri) -> Error {
    Error::new(Code::PathUnknown, "Invalid path specified in request URL")
        .with_details(format!("There is nothing at {}.", uri.path()))
}

fn refuse(head: &Parts, error: Error) -> Response {
    let id = request_id(head);
    Failure::from(error).into_response(id.as_ref().map(RequestId::as_str))
}

/// The request's id, where the layer around the router gave it one.
fn request_id(head: &Parts) -> Option<RequestId> {
    head.extensions.get::<RequestContext>().map(|context| context.id)
}
