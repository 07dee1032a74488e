//! The one layer around the router: what holds for every request and every answer.
//!
//! It names the request, finds the caller's address, checks `Host` and the length
//! of the target, answers preflights, refuses what another site forges, bounds the body, and turns a panic into a
//! 500; on the way out it writes security headers, CORS, the request's id, and an
//! event for the log. It may refuse with 400, 403, 405, 408, 413, 414, 421 and 500.
//! It knows no tokens and no models: who may do what is decided behind the router.
//!
//! It is one service, not a tower of layers, because each layer of tower's costs
//! a boxed future or a wrapped body on the hot path, and most have nothing to do for
//! most requests. Compression, the one wrapper, is met only by those who ask for it.
//!
//! The router's own extractors must not bound bodies again: axum's
//! `DefaultBodyLimit` would refuse at 2 MB whatever the limit here. Read bodies with
//! `axum::body::to_bytes(body, usize::MAX)`.

mod answering;
mod client_address;
mod compression;
mod context;
mod cors;
mod csrf;
mod host;
pub(crate) mod refusal;
mod request_body;
mod request_id;
mod request_log;
pub(crate) mod security_headers;

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    BoxError, Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, request::Parts},
    response::Response,
};
use bytes::Bytes;
use mainstay_auth::{CookieTransport, SessionCookie};
use mainstay_core::Code;
use tower::Service;

pub use answering::Answering;
pub use client_address::{ClientAddress, IpRange, IpRangeError};
pub use context::RequestContext;
pub use cors::{CorsPolicy, OriginError};
pub use csrf::CsrfPolicy;
pub(crate) use csrf::is_form;
pub use host::HostPolicy;
pub use request_id::RequestId;
pub use request_log::{LogEntry, LogPolicy, RequestEvent, RequestLog};

use crate::{
    pipeline::{self, RowsRequest},
    rest, router,
    state::State,
};
use answering::{Route, Secured, Visit};
use compression::CompressedRouter;
use cors::CorsVerdict;

use refusal::Refusal;
use request_body::{BodyBounds, BodyOutcome, BoundedBody};
use request_id::{RequestIds, X_REQUEST_ID};

/// What the layer is told by `mainstay.toml`.
#[derive(Clone, Debug)]
pub struct StackSettings {
    /// Bytes of a request's path and query together; more is 414.
    pub url_bytes_max: usize,
    /// Bytes of a request's body; more is 413.
    pub body_bytes_max: usize,
    /// Milliseconds a request's body may take to arrive; more is 408.
    pub body_ms: u64,
    /// The names this server answers to.
    pub hosts: HostPolicy,
    /// The origins whose pages may read answers.
    pub cors: CorsPolicy,
    /// Which requests have to come from this site's own pages.
    pub csrf: CsrfPolicy,
    /// The proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Request-Id`
    /// are believed.
    pub trusted_proxies: Vec<IpRange>,
    /// Whether callers reach this server over HTTPS; browsers are then told to
    /// insist on it.
    pub https: bool,
    /// Whether answers are compressed for those who ask.
    pub compression: bool,
}

impl Default for StackSettings {
    fn default() -> Self {
        Self {
            url_bytes_max: 16 * 1024,
            body_bytes_max: 2 * 1024 * 1024,
            body_ms: 30_000,
            hosts: HostPolicy::Any,
            cors: CorsPolicy::default(),
            csrf: CsrfPolicy::new(SessionCookie::new(CookieTransport::Tls)),
            trusted_proxies: Vec::new(),
            https: false,
            compression: true,
        }
    }
}

/// The router with everything that holds for every request around it. Cheap to
/// clone: clones share all of it.
#[derive(Clone)]
pub struct Stack {
    shared: Arc<Shared>,
}

struct Shared {
    // Services are called by `&mut self`, so each request calls a clone, which is one
    // count.
    router: Router,
    compressed: Option<CompressedRouter>,
    /// Where rows are answered without asking the router.
    rows: Option<Rows>,
    settings: StackSettings,
    ids: RequestIds,
    log: Option<RequestLog>,
}

/// What answers rows, and the headers each of those answers begins with: those of every
/// answer are among them.
struct Rows {
    state: State,
    headers: HeaderMap,
}

impl Stack {
    /// Puts the layer around a router. Without a log no request is recorded.
    #[must_use]
    pub fn new(router: Router, settings: StackSettings, log: Option<RequestLog>) -> Self {
        let router = router.with_state(());
        let compressed = settings.compression.then(|| compression::compressed(router.clone()));
        let ids = RequestIds::new();
        let shared = Shared { router, compressed, rows: None, settings, ids, log };
        Self { shared: Arc::new(shared) }
    }

    /// Answers for the rows of this state without asking the router, whose way there and
    /// back is a tenth of what a small read costs. Not for a router with layers of an
    /// app's own: they would be passed by.
    ///
    /// # Panics
    /// Where the stack has been cloned already.
    #[must_use]
    pub fn with_rows(mut self, state: State) -> Self {
        let shared = Arc::get_mut(&mut self.shared).expect("BUG: a stack is set up before use");
        let mut headers = rest::headers();
        security_headers::apply(&mut headers, shared.settings.https);
        // Its place, so that the map need not grow when there is an id.
        headers.insert(X_REQUEST_ID, HeaderValue::from_static("-"));
        shared.rows = Some(Rows { state, headers });
        self
    }

    /// Answers one request that came from `peer`, the other end of its connection.
    /// The request travels with a [`RequestContext`] in its extensions.
    pub fn handle<B>(&self, request: Request<B>, peer: SocketAddr) -> Answering
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let shared = &*self.shared;
        let started = shared.log.is_some().then(Instant::now);
        let (parts, body) = request.into_parts();
        let context = self.context(&parts, peer);
        let mut visit = Visit {
            stack: self.clone(),
            id: context.id,
            method: parts.method.clone(),
            target: parts.uri.path_and_query().cloned(),
            cors: CorsVerdict::of(&parts.headers, &shared.settings.cors),
            body: None,
            started,
        };
        if let Some(preflight) = cors::preflight(&parts, &shared.settings.cors)
            && host::check(&parts, &shared.settings.hosts).is_ok()
        {
            visit.cors = CorsVerdict::Off;
            return Answering::new(Route::Decided { response: Some(preflight) }, visit);
        }
        let bounds = shared.settings.body_bounds();
        if let Err(refusal) = shared.settings.check(&parts, body.size_hint().lower(), bounds) {
            let response = Some(refusal.into_response());
            return Answering::new(Route::Decided { response }, visit);
        }
        if let Some(refusal) = shared.settings.csrf.refusal(&parts) {
            return Answering::new(Route::Decided { response: Some(refusal) }, visit);
        }
        let body = (!body.is_end_stream()).then(|| {
            let outcome = BodyOutcome::default();
            visit.body = Some(outcome.clone());
            BoundedBody::new(body, bounds, outcome)
        });
        let routed = catch_unwind(AssertUnwindSafe(|| {
            // A body has not arrived yet.
            let is_whole = body.is_none();
            let mut route = shared.route(parts, body, context);
            let answer = if is_whole { route.ask_for_rows() } else { None };
            (route, answer)
        }));
        match routed {
            Ok((_, Some(response))) => Answering::finished(visit.finish(response, Secured::Yes)),
            Ok((route, None)) => Answering::new(route, visit),
            Err(panic) => {
                let response = Some(visit.panicked(&*panic));
                Answering::new(Route::Decided { response }, visit)
            }
        }
    }

    /// An answer to what never became a request, with the headers of every answer.
    pub(crate) fn refuse(&self, refusal: Refusal) -> Response {
        let mut response = refusal.into_response();
        let headers = response.headers_mut();
        security_headers::apply(headers, self.shared.settings.https);
        headers.insert(X_REQUEST_ID, self.shared.ids.next().header_value());
        response
    }

    fn context(&self, parts: &Parts, peer: SocketAddr) -> RequestContext {
        let settings = &self.shared.settings;
        let origin = client_address::resolve(peer.ip(), &parts.headers, &settings.trusted_proxies);
        let sent = match origin.proxied {
            true => parts.headers.get(X_REQUEST_ID).and_then(|id| RequestId::parse(id.as_bytes())),
            false => None,
        };
        RequestContext {
            id: sent.unwrap_or_else(|| self.shared.ids.next()),
            client: origin.client,
            https: settings.https || origin.https,
        }
    }
}

impl Shared {
    fn route<B>(&self, mut head: Parts, body: Option<B>, context: RequestContext) -> Route
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let compressed =
            self.compressed.as_ref().filter(|_| compression::is_asked_for(&head.headers));
        if let (Some(rows), None) = (&self.rows, compressed)
            && router::is_for_rows(&head.method, &head.uri)
        {
            let req = RowsRequest { head, body, context: Some(context) };
            let future = pipeline::answer(rows.state.clone(), rows.headers.clone(), req);
            return Route::Rows { future: Box::pin(future) };
        }
        head.extensions.insert(context);
        let request = Request::from_parts(head, body.map_or_else(Body::empty, Body::new));
        match compressed {
            Some(compressed) => Route::Compressed { future: compressed.clone().call(request) },
            None => Route::Plain { future: self.router.clone().call(request) },
        }
    }
}

impl StackSettings {
    fn body_bounds(&self) -> BodyBounds {
        BodyBounds { bytes_max: self.body_bytes_max, time_ms: self.body_ms }
    }

    /// Refuses what no router should see.
    fn check(&self, parts: &Parts, body_bytes: u64, bounds: BodyBounds) -> Result<(), Refusal> {
        host::check(parts, &self.hosts)?;
        let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
        if target > self.url_bytes_max {
            let message = format!(
                "the request's path and query are longer than {} bytes",
                self.url_bytes_max
            );
            return Err(Refusal::new(StatusCode::URI_TOO_LONG, Code::LimitExceeded, message)
                .with_hint("`[limits] url_bytes_max` sets this limit."));
        }
        // Tunnels are not ours to open, and TRACE shows a page's script its own
        // credentials.
        if matches!(parts.method, Method::CONNECT | Method::TRACE) {
            let message = "this server answers neither CONNECT nor TRACE";
            return Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                Code::MethodNotAllowed,
                message,
            )
            .closing());
        }
        if body_bytes > u64::try_from(bounds.bytes_max).unwrap_or(u64::MAX) {
            return Err(bounds.too_large());
        }
        Ok(())
    }
}

impl<B> Service<Request<B>> for Stack
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// As [`Stack::handle`], the peer being axum's `ConnectInfo`; without one it is
    /// an address no proxy has.
    fn call(&mut self, request: Request<B>) -> Answering {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
        let nobody = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        self.handle(request, peer.unwrap_or(nobody))
    }
}
