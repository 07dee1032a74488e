//! What the layer tells the router about a request, as one extension.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use mainstay_core::Code;

use super::{client_address::ClientAddress, refusal::Refusal, request_id::RequestId};

/// Stands in the extensions of every request that reaches the router. One value
/// and not three: each extension is an allocation.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext {
    /// The request's id, for the body of a 5xx and the log of its cause.
    pub id: RequestId,
    /// The caller, behind every trusted proxy.
    pub client: ClientAddress,
    /// Whether the caller came over HTTPS.
    pub https: bool,
}

/// A handler was reached without the layer around its router.
#[derive(Debug)]
pub struct NoContext;

impl IntoResponse for NoContext {
    fn into_response(self) -> Response {
        tracing::error!("BUG: a handler was reached without the request's context");
        let message = "the server failed to answer this request";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message).into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = NoContext;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoContext> {
        parts.extensions.get().copied().ok_or(NoContext)
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = NoContext;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, NoContext> {
        RequestContext::from_request_parts(parts, state).await.map(|context| context.client)
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = NoContext;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, NoContext> {
        RequestContext::from_request_parts(parts, state).await.map(|context| context.id)
    }
}
