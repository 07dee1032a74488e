//! The same routes over PostgreSQL: prepared statements, many under way on each of a
//! few connections, binary rows written straight into the answer.
//!
//! The tables are Mainstay's, and the SQL is what Mainstay sends for the same requests,
//! but for the rule, which is written into it, and for events, which there are none of.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

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
use tokio_postgres::{
    Client, NoTls, Row, Statement,
    types::{FromSql, Type},
};
use uuid::Uuid;

use crate::json;

/// Connections, each with many statements under way.
const CONNECTIONS: usize = 8;
/// Microseconds from 1970 to 2000, where PostgreSQL's time begins.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

const POST: &str = "SELECT id, title, body, views, published, author, posted_at, created_at, \
     updated_at FROM posts WHERE id = $1 AND published";
const FRONT: &str = "SELECT id, title, body, views, published, author, posted_at, created_at, \
     updated_at FROM posts WHERE published ORDER BY posted_at DESC, id DESC LIMIT 30";
const FRONT_EMBED: &str = "SELECT p.id, p.title, \
     (SELECT ROW(a.name) FROM authors a WHERE a.id = p.author), \
     ARRAY(SELECT ROW(c.id, c.body) FROM comments c WHERE c.post = p.id ORDER BY c.id LIMIT 1000) \
     FROM posts p WHERE p.published ORDER BY p.posted_at DESC, p.id DESC LIMIT 30";
const CREATE: &str = "INSERT INTO entries (id, title, body, created_at, updated_at) \
     VALUES ($1, $2, $3, now(), now())";
const UPDATE: &str = "UPDATE posts SET title = $3, updated_at = now(), _version = _version + 1 \
     WHERE id = $1 AND author = $2";

/// One connection and its statements, prepared once.
struct Connection {
    client: Client,
    post: Statement,
    front: Statement,
    front_embed: Statement,
    create: Statement,
    update: Statement,
}

struct App {
    connections: Vec<Connection>,
    next: AtomicUsize,
}

impl App {
    fn connection(&self) -> &Connection {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        &self.connections[next % self.connections.len()]
    }
}

/// Serves until the process is stopped.
pub(crate) fn serve(url: &str, listen: &str, commit: &str) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async move {
        let mut connections = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            connections.push(connect(url, commit).await?);
        }
        let app = Arc::new(App { connections, next: AtomicUsize::new(0) });
        let router = Router::new()
            .route("/rest/v1/posts", get(read_posts).patch(update_post))
            .route("/rest/v1/entries", post(create_entry))
            .route("/healthz", get(|| async { StatusCode::OK }))
            .with_state(app);
        let listener = TcpListener::bind(listen).await?.tap_io(|stream| {
            // Without it the answer may wait for the peer's acknowledgement; nothing else changes.
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, router).await?)
    })
}

async fn connect(url: &str, commit: &str) -> anyhow::Result<Connection> {
    let (client, driver) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(driver);
    client.batch_execute(&format!("SET synchronous_commit = {commit}; SET jit = off")).await?;
    Ok(Connection {
        post: client.prepare(POST).await?,
        front: client.prepare(FRONT).await?,
        front_embed: client.prepare(FRONT_EMBED).await?,
        create: client.prepare(CREATE).await?,
        update: client.prepare(UPDATE).await?,
        client,
    })
}

async fn read_posts(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, StatusCode> {
    let query = query.unwrap_or_default();
    let connection = app.connection();
    let client = &connection.client;
    let mut out = Vec::with_capacity(16 << 10);
    let written = if let Some(id) = query.strip_prefix("id=eq.") {
        let id = parse_uuid(id)?;
        let rows = client.query(&connection.post, &[&id]).await.map_err(failed)?;
        write_rows(&mut out, &rows, write_post)
    } else if query.starts_with("select=") {
        let rows = client.query(&connection.front_embed, &[]).await.map_err(failed)?;
        write_rows(&mut out, &rows, write_embedded)
    } else {
        let rows = client.query(&connection.front, &[]).await.map_err(failed)?;
        write_rows(&mut out, &rows, write_post)
    };
    written.ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    let mut response = Response::new(Body::from(out));
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
    let connection = app.connection();
    let row: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&Uuid::now_v7(), &title, &body];
    connection.client.execute(&connection.create, &row).await.map_err(failed)?;
    Ok(StatusCode::CREATED)
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
    let connection = app.connection();
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&post, &author, &title];
    match connection.client.execute(&connection.update, &values).await.map_err(failed)? {
        1 => Ok(StatusCode::NO_CONTENT),
        _ => Err(StatusCode::NOT_FOUND),
    }
}

fn failed(_: tokio_postgres::Error) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

fn parse_uuid(text: &str) -> Result<Uuid, StatusCode> {
    Uuid::parse_str(text).map_err(|_| StatusCode::BAD_REQUEST)
}

/// A column's bytes where they lie in the row.
struct Raw<'r>(&'r [u8]);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(
        _: &Type,
        bytes: &'r [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(bytes))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn bytes(row: &Row, column: usize) -> &[u8] {
    row.get::<_, Raw<'_>>(column).0
}

fn write_rows(
    out: &mut Vec<u8>,
    rows: &[Row],
    write: impl Fn(&mut Vec<u8>, &Row) -> Option<()>,
) -> Option<()> {
    out.push(b'[');
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, row)?;
    }
    out.push(b']');
    Some(())
}

fn write_post(out: &mut Vec<u8>, row: &Row) -> Option<()> {
    out.extend_from_slice(b"{\"id\":");
    json::uuid(out, bytes(row, 0));
    out.extend_from_slice(b",\"title\":");
    json::text(out, bytes(row, 1));
    out.extend_from_slice(b",\"body\":");
    json::text(out, bytes(row, 2));
    out.extend_from_slice(b",\"views\":");
    json::int(out, number(bytes(row, 3))?);
    out.extend_from_slice(b",\"published\":");
    json::bool(out, i64::from(*bytes(row, 4).first()?));
    out.extend_from_slice(b",\"author\":");
    json::uuid(out, bytes(row, 5));
    for (name, column) in
        [(&b",\"posted_at\":"[..], 6), (b",\"created_at\":", 7), (b",\"updated_at\":", 8)]
    {
        out.extend_from_slice(name);
        json::timestamp(out, number(bytes(row, column))? + EPOCH_MICROS);
    }
    out.push(b'}');
    Some(())
}

fn write_embedded(out: &mut Vec<u8>, row: &Row) -> Option<()> {
    out.extend_from_slice(b"{\"id\":");
    json::uuid(out, bytes(row, 0));
    out.extend_from_slice(b",\"title\":");
    json::text(out, bytes(row, 1));
    out.extend_from_slice(b",\"author\":{\"name\":");
    let mut author = Reader(bytes(row, 2));
    author.skip(1)?;
    json::text(out, author.column()?);
    out.extend_from_slice(b"},\"comments\":[");
    let mut comments = Reader(bytes(row, 3));
    let is_empty = comments.int()? == 0;
    comments.skip(2)?;
    let count = if is_empty { 0 } else { comments.int()? };
    if count > 0 {
        comments.skip(1)?;
    }
    for at in 0..count {
        if at > 0 {
            out.push(b',');
        }
        let mut comment = Reader(comments.field()?);
        comment.skip(1)?;
        out.extend_from_slice(b"{\"id\":");
        json::uuid(out, comment.column()?);
        out.extend_from_slice(b",\"body\":");
        json::text(out, comment.column()?);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    Some(())
}

fn number(bytes: &[u8]) -> Option<i64> {
    bytes.try_into().ok().map(i64::from_be_bytes)
}

/// Reads `record_send`'s and `array_send`'s formats.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn int(&mut self) -> Option<i32> {
        let (int, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(i32::from_be_bytes(*int))
    }

    fn skip(&mut self, ints: usize) -> Option<()> {
        for _ in 0..ints {
            self.int()?;
        }
        Some(())
    }

    /// A length and so many bytes.
    fn field(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.int()?).ok()?;
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }

    /// A record's next column: its type, then as a field.
    fn column(&mut self) -> Option<&'b [u8]> {
        self.skip(1)?;
        self.field()
    }
}
