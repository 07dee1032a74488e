//! The way out: from the router's future to the answer with everything on it.

use std::{
    any::Any,
    convert::Infallible,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use axum::{
    body::Body,
    http::{Method, StatusCode, uri::PathAndQuery},
    response::Response,
    routing::future::RouteFuture,
};
use http_body::Body as _;
use mainstay_core::Code;
use pin_project_lite::pin_project;
use tower_http::compression::ResponseFuture;

use super::{
    Stack,
    compression::WorthCompressing,
    cors::CorsVerdict,
    refusal::Refusal,
    request_body::BodyOutcome,
    request_id::{RequestId, X_REQUEST_ID},
    request_log::RequestEvent,
    security_headers,
};

pin_project! {
    /// Where an answer comes from.
    #[project = RouteProjection]
    pub(super) enum Route {
        /// The layer has decided.
        Decided { response: Option<Response> },
        /// The pipeline decides.
        Rows { future: Pin<Box<dyn Future<Output = Response> + Send>> },
        /// The router decides.
        Plain { #[pin] future: RouteFuture<Infallible> },
        /// The router decides, and the answer is compressed where that pays.
        Compressed { #[pin] future: ResponseFuture<RouteFuture<Infallible>, WorthCompressing> },
    }
}

/// Whether an answer has its security headers already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secured {
    Yes,
    No,
}

impl Route {
    /// Whether its answers come with their security headers.
    fn secured(&self) -> Secured {
        match self {
            Self::Rows { .. } => Secured::Yes,
            Self::Decided { .. } | Self::Plain { .. } | Self::Compressed { .. } => Secured::No,
        }
    }

    /// Asks for rows a first time. Most reads are answered then, and nothing of the
    /// request is held any more when hyper looks whether its caller is still there:
    /// what it reads then finds room in the buffer the request came in.
    pub(super) fn ask_for_rows(&mut self) -> Option<Response> {
        let Self::Rows { future } = self else { return None };
        // Nobody can be woken yet. Whoever polls next is woken instead.
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => Some(response),
            Poll::Pending => None,
        }
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        match self.project() {
            RouteProjection::Decided { response } => {
                Poll::Ready(response.take().expect("BUG: an answer is taken once"))
            }
            RouteProjection::Rows { future } => future.as_mut().poll(cx),
            RouteProjection::Plain { future } => future.poll(cx).map(|Ok(response)| response),
            RouteProjection::Compressed { future } => {
                future.poll(cx).map(|Ok(response)| response.map(Body::new))
            }
        }
    }
}

/// What is kept of a request until its answer is there.
pub(super) struct Visit {
    pub(super) stack: Stack,
    pub(super) id: RequestId,
    pub(super) method: Method,
    pub(super) target: Option<PathAndQuery>,
    pub(super) cors: CorsVerdict,
    /// Where the request has a body.
    pub(super) body: Option<BodyOutcome>,
    /// Where there is a log.
    pub(super) started: Option<Instant>,
}

impl Visit {
    /// The answer where the router panicked; the one place where that is logged.
    pub(super) fn panicked(&self, panic: &(dyn Any + Send)) -> Response {
        let text = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("a panic without a text");
        tracing::error!(
            request_id = %self.id,
            method = %self.method,
            path = path_of(self.target.as_ref()),
            panic = text,
            "a handler panicked"
        );
        let message = "the server failed to answer this request";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message)
            .with_hint(format!("The server's log has the cause under the request id {}.", self.id))
            .into_response()
    }

    /// Puts on an answer what every answer has, and offers it to the log.
    pub(super) fn finish(self, mut response: Response, mut secured: Secured) -> Response {
        let shared = &*self.stack.shared;
        // A reader of the body sees only that it broke off; here the bound is known.
        if let Some(body) = &self.body
            && !response.status().is_success()
            && let Some(refusal) = body.refusal(shared.settings.body_bounds())
        {
            (response, secured) = (refusal.into_response(), Secured::No);
        }
        let headers = response.headers_mut();
        if secured == Secured::No {
            security_headers::apply(headers, shared.settings.https);
        }
        headers.insert(X_REQUEST_ID, self.id.header_value());
        self.cors.apply(headers);
        if let (Some(log), Some(started)) = (&shared.log, self.started) {
            let status = response.status();
            log.offer(started, status, |duration_us| RequestEvent {
                method: self.method,
                path: path_of(self.target.as_ref()).into(),
                status,
                duration_us,
                request_id: self.id,
                bytes: response.body().size_hint().exact(),
            });
        }
        response
    }
}

fn path_of(target: Option<&PathAndQuery>) -> &str {
    target.map_or("", PathAndQuery::path)
}

pin_project! {
    /// The future of one answer. It never fails and never panics.
    #[must_use = "futures do nothing unless polled"]
    pub struct Answering {
        #[pin]
        route: Route,
        // None once the answer is finished.
        visit: Option<Visit>,
    }
}

impl Answering {
    pub(super) fn new(route: Route, visit: Visit) -> Self {
        Self { route, visit: Some(visit) }
    }

    /// An answer that is finished.
    pub(super) fn finished(response: Response) -> Self {
        Self { route: Route::Decided { response: Some(response) }, visit: None }
    }
}

impl Future for Answering {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.visit.is_none() {
            return this.route.poll(cx).map(Ok);
        }
        let polled = catch_unwind(AssertUnwindSafe(|| this.route.as_mut().poll(cx)));
        if matches!(polled, Ok(Poll::Pending)) {
            return Poll::Pending;
        }
        let visit = this.visit.take().expect("BUG: it was there");
        let (response, secured) = match polled {
            Ok(Poll::Ready(response)) => (response, this.route.secured()),
            Err(panic) => {
                // What is left of the handler is dropped here, where a second panic
                // does no harm.
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    this.route.set(Route::Decided { response: None });
                }));
                (visit.panicked(&*panic), Secured::No)
            }
            Ok(Poll::Pending) => unreachable!("BUG: pending was returned above"),
        };
        Poll::Ready(Ok(visit.finish(response, secured)))
    }
}
