//! The app's `public/` folder, behind every other route, and the 404 of whatever is
//! not there either.
//!
//! GET and HEAD, `index.html` for folders, ranges, `ETag` and `Last-Modified` with
//! 304, as tower-http's `ServeDir` does them. Hidden files (but `.well-known/`),
//! paths that climb, encoded slashes, NUL and links that leave the folder are all
//! answered as if nothing were there. Paths of the API's own prefixes are never
//! files. Whoever asks for a page gets `public/404.html`, where there is one;
//! everybody else gets the JSON of every other error.

mod inside_root;

use std::{
    convert::Infallible,
    future::Future,
    io,
    path::Path,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{HeaderValue, Method, Request, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use mainstay_core::Code;
use percent_encoding::percent_decode_str;
use tower::Service;
use tower_http::services::fs::{DefaultServeDirFallback, ServeDir};

use crate::middleware::{refusal::Refusal, security_headers::PAGE_POLICY};
use inside_root::{InsideRoot, WELL_KNOWN};

/// First segments which, before `v1`, belong to the API.
const API_PREFIXES: [&str; 7] =
    ["auth", "batch", "functions", "graphql", "realtime", "rest", "storage"];

/// The page that an app may put in place of ours.
const NOT_FOUND_PAGE: &str = "/404.html";

/// The fallback of the whole router.
#[derive(Clone, Debug, Default)]
pub struct StaticFiles {
    dir: Option<ServeDir<DefaultServeDirFallback, InsideRoot>>,
}

impl StaticFiles {
    /// Serves the files under `root`.
    ///
    /// # Errors
    /// `root` does not exist, is no folder, or cannot be read.
    pub fn open(root: &Path) -> io::Result<Self> {
        let inside = InsideRoot::open(root)?;
        Ok(Self { dir: Some(ServeDir::with_backend(inside.root(), inside.clone())) })
    }

    /// Serves no files: everything is answered 404.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    async fn answer(self, request: Request<Body>) -> Response {
        let wants_page = wants_page(&request);
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        if let Some(response) = self.file(request).await {
            return response;
        }
        if wants_page {
            return self.not_found_page(method).await;
        }
        let message = match method {
            Method::GET | Method::HEAD => format!("there is nothing at `{path}`"),
            _ => format!("nothing at `{path}` takes {method}"),
        };
        Refusal::new(StatusCode::NOT_FOUND, Code::PathUnknown, message).into_response()
    }

    /// The file's answer, or nothing where there is no such file to be shown.
    async fn file(&self, request: Request<Body>) -> Option<Response> {
        let mut dir = self.dir.clone()?;
        if !matches!(*request.method(), Method::GET | Method::HEAD)
            || !is_servable(request.uri().path())
        {
            return None;
        }
        let request = in_origin_form(request);
        let mut response = match dir.try_call(request).await {
            Ok(response) if response.status() == StatusCode::NOT_FOUND => return None,
            Ok(response) => response.map(Body::new),
            Err(error) if is_absence(&error) => return None,
            Err(error) => {
                tracing::error!(%error, "a file under public/ cannot be read");
                let message = "the server failed to read this file";
                Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message)
                    .into_response()
            }
        };
        let headers = response.headers_mut();
        if let Some(text) = headers.get(header::CONTENT_TYPE).and_then(with_charset) {
            headers.insert(header::CONTENT_TYPE, text);
        }
        // Caches may keep a file and must ask whether it is still the same.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
        Some(response)
    }

    async fn not_found_page(self, method: Method) -> Response {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = Uri::from_static(NOT_FOUND_PAGE);
        let mut response = match self.file(request).await {
            Some(page) if page.status() == StatusCode::OK => page,
            _ => {
                Html("<!doctype html><title>Not found</title><h1>Not found</h1>\n").into_response()
            }
        };
        *response.status_mut() = StatusCode::NOT_FOUND;
        response.headers_mut().remove(header::ETAG);
        response.headers_mut().remove(header::LAST_MODIFIED);
        response.headers_mut().remove(header::ACCEPT_RANGES);
        response
    }
}

/// Whether the caller is a browser looking for a page.
fn wants_page(request: &Request<Body>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && !is_api(request.uri().path())
        && request
            .headers()
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"))
}

/// Whether the path belongs to the API, whatever lies in the folder.
fn is_api(path: &str) -> bool {
    let mut segments = path.trim_start_matches('/').split('/');
    let first = segments.next().unwrap_or_default();
    API_PREFIXES.contains(&first) && segments.next() == Some("v1")
}

/// Whether a path, as it was sent, can name a file that may be shown.
fn is_servable(path: &str) -> bool {
    let Some(path) = path.strip_prefix('/') else { return false };
    if is_api(path) {
        return false;
    }
    let last = path.split('/').count() - 1;
    path.split('/').enumerate().all(|(depth, segment)| {
        let Ok(name) = percent_decode_str(segment).decode_utf8() else { return false };
        // An empty segment ends a folder's path, and stands nowhere else.
        let empty = name.is_empty() && depth != last;
        let hidden = name.starts_with('.') && !(depth == 0 && name == WELL_KNOWN);
        !empty && !hidden && !name.contains(['/', '\\', '\0'])
    })
}

/// The same request without the scheme and host that its target may name, so that a
/// redirect to a folder's slash stays here.
fn in_origin_form(request: Request<Body>) -> Request<Body> {
    let (mut parts, _) = request.into_parts();
    if parts.uri.authority().is_some() {
        let target = parts.uri.path_and_query().cloned();
        parts.uri = target.map_or_else(|| Uri::from_static("/"), Uri::from);
    }
    Request::from_parts(parts, Body::empty())
}

/// Whether an error says that there is no such file for us.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput
    )
}

/// A text type with its charset, which for files of an app is UTF-8.
fn with_charset(content_type: &HeaderValue) -> Option<HeaderValue> {
    let text = content_type.to_str().ok()?;
    if !text.starts_with("text/") || text.contains("charset") {
        return None;
    }
    HeaderValue::from_str(&format!("{text}; charset=utf-8")).ok()
}

impl Service<Request<Body>> for StaticFiles {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let files = self.clone();
        Box::pin(async move { Ok(files.answer(request).await) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_file_or_nothing() {
        for path in ["/", "/index.html", "/a/b.css", "/a/", "/%C3%A9.txt", "/.well-known/x"] {
            assert!(is_servable(path), "{path}");
        }
        for path in [
            "",
            "*",
            "//evil.example",
            "/a//b",
            "/..",
            "/../a",
            "/a/%2e%2e/b",
            "/%2E%2E%2fetc",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/a%00b",
            "/.env",
            "/%2eenv",
            "/a/.git/config",
            "/a/.well-known/x",
            "/%ff",
            "/rest/v1/posts",
            "/auth/v1",
        ] {
            assert!(!is_servable(path), "{path}");
        }
        assert!(is_servable("/rest/v2/x"));
    }
}
