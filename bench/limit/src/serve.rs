//! The routes, at the URLs Mainstay has for the same app.

use std::{path::Path, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONTENT_TYPE},
    routing::{get, post},
    serve::ListenerExt as _,
};
use bytes::Bytes;
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::{
    read,
    write::{Write, Writer},
};

/// Rows a list answers.
const LIMIT: u32 = 30;

struct App {
    db: Box<Path>,
    writer: Writer,
}

/// Serves until the process is stopped.
pub(crate) fn serve(db: &Path, listen: &str, sync: &str) -> anyhow::Result<()> {
    let writer = Writer::start(db, sync)?;
    let app = Arc::new(App { db: db.into(), writer });
    let router = Router::new()
        .route("/rest/v1/posts", get(read_posts).patch(update_post))
        .route("/rest/v1/entries", post(create_entry))
        .route("/healthz", get(|| async { StatusCode::OK }))
        .with_state(app);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async move {
        let listener = TcpListener::bind(listen).await?.tap_io(|stream| {
            // Without it the answer may wait for the peer's acknowledgement; nothing else changes.
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, router).await?)
    })
}

/// Read by id, list, or list with embeds, told apart by how the query begins.
async fn read_posts(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, StatusCode> {
    let query = query.unwrap_or_default();
    let read = if let Some(id) = query.strip_prefix("id=eq.") {
        read::post(&app.db, &parse_uuid(id)?)
    } else if query.starts_with("select=") {
        read::front_embed(&app.db, LIMIT)
    } else {
        read::front(&app.db, LIMIT)
    };
    let body = read.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    Ok(response)
}

#[derive(Deserialize)]
struct EntryRequest {
    title: String,
    body: String,
}

async fn create_entry(State(app): State<Arc<App>>, body: Bytes) -> Result<StatusCode, StatusCode> {
    let EntryRequest { title, body } =
        serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    match app.writer.write(Write::Entry { title, body }).await {
        Some(_) => Ok(StatusCode::CREATED),
        None => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

#[derive(Deserialize)]
struct TitleRequest {
    title: String,
}

/// The guard stands in the statement; who the caller is, a header says.
async fn update_post(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    let query = query.unwrap_or_default();
    let post = parse_uuid(query.strip_prefix("id=eq.").ok_or(StatusCode::BAD_REQUEST)?)?;
    let caller = headers.get("x-caller").and_then(|value| value.to_str().ok());
    let author = parse_uuid(caller.ok_or(StatusCode::UNAUTHORIZED)?)?;
    let TitleRequest { title } =
        serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    match app.writer.write(Write::Title { post, author, title }).await {
        Some(1) => Ok(StatusCode::NO_CONTENT),
        Some(_) => Err(StatusCode::NOT_FOUND),
        None => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn parse_uuid(text: &str) -> Result<[u8; 16], StatusCode> {
    uuid::Uuid::parse_str(text).map(uuid::Uuid::into_bytes).map_err(|_| StatusCode::BAD_REQUEST)
}
