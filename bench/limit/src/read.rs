//! The three reads, inline on the thread that asks, over its own connection.

use std::{cell::RefCell, path::Path};

use rusqlite::{Connection, Row, Statement, types::ValueRef};

use crate::{json, schema};

const POST: &str = "SELECT id, title, body, views, published, author, posted_at, created_at, \
     updated_at FROM posts WHERE id = ?1 AND published";
const FRONT: &str = "SELECT id, title, body, views, published, author, posted_at, created_at, \
     updated_at FROM posts WHERE published = 1 ORDER BY posted_at DESC, id DESC LIMIT ?1";
const FRONT_EMBED: &str = "SELECT p.id, p.title, a.name FROM posts p JOIN authors a ON a.id = p.author \
     WHERE p.published = 1 ORDER BY p.posted_at DESC, p.id DESC LIMIT ?1";
const COMMENTS: &str = "SELECT id, body FROM comments WHERE post = ?1 ORDER BY id";

/// What one thread reads with: the statements, prepared once.
struct Reader {
    post: Statement<'static>,
    front: Statement<'static>,
    front_embed: Statement<'static>,
    comments: Statement<'static>,
}

thread_local! {
    static READER: RefCell<Option<Reader>> = const { RefCell::new(None) };
}

impl Reader {
    fn open(path: &Path) -> anyhow::Result<Self> {
        // The connection lives as long as its thread, which lives as long as the process.
        let db: &'static Connection = Box::leak(Box::new(schema::open_reader(path)?));
        Ok(Self {
            post: db.prepare(POST)?,
            front: db.prepare(FRONT)?,
            front_embed: db.prepare(FRONT_EMBED)?,
            comments: db.prepare(COMMENTS)?,
        })
    }
}

fn with_reader<T>(
    path: &Path,
    read: impl FnOnce(&mut Reader) -> rusqlite::Result<T>,
) -> anyhow::Result<T> {
    READER.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Some(Reader::open(path)?);
        }
        let reader = slot.as_mut().expect("BUG: the reader was just opened");
        Ok(read(reader)?)
    })
}

/// One post by its id, as an array of one or none.
pub(crate) fn post(path: &Path, id: &[u8; 16]) -> anyhow::Result<Vec<u8>> {
    with_reader(path, |reader| {
        let mut out = Vec::with_capacity(512);
        rows(&mut out, reader.post.query([id.as_slice()])?, write_post)?;
        Ok(out)
    })
}

/// The newest published posts.
pub(crate) fn front(path: &Path, limit: u32) -> anyhow::Result<Vec<u8>> {
    with_reader(path, |reader| {
        let mut out = Vec::with_capacity(16 << 10);
        rows(&mut out, reader.front.query([limit])?, write_post)?;
        Ok(out)
    })
}

/// The newest published posts with their author and comments.
pub(crate) fn front_embed(path: &Path, limit: u32) -> anyhow::Result<Vec<u8>> {
    with_reader(path, |reader| {
        let mut out = Vec::with_capacity(16 << 10);
        let Reader { front_embed, comments, .. } = reader;
        rows(&mut out, front_embed.query([limit])?, |out, row| {
            let id = bytes(row, 0)?;
            out.extend_from_slice(b"{\"id\":");
            json::uuid(out, id);
            out.extend_from_slice(b",\"title\":");
            json::text(out, bytes(row, 1)?);
            out.extend_from_slice(b",\"author\":{\"name\":");
            json::text(out, bytes(row, 2)?);
            out.extend_from_slice(b"},\"comments\":");
            rows(out, comments.query([id])?, |out, row| {
                out.extend_from_slice(b"{\"id\":");
                json::uuid(out, bytes(row, 0)?);
                out.extend_from_slice(b",\"body\":");
                json::text(out, bytes(row, 1)?);
                out.push(b'}');
                Ok(())
            })?;
            out.push(b'}');
            Ok(())
        })?;
        Ok(out)
    })
}

fn rows(
    out: &mut Vec<u8>,
    mut rows: rusqlite::Rows<'_>,
    mut write: impl FnMut(&mut Vec<u8>, &Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    out.push(b'[');
    let mut first = true;
    while let Some(row) = rows.next()? {
        if !first {
            out.push(b',');
        }
        first = false;
        write(out, row)?;
    }
    out.push(b']');
    Ok(())
}

fn write_post(out: &mut Vec<u8>, row: &Row<'_>) -> rusqlite::Result<()> {
    out.extend_from_slice(b"{\"id\":");
    json::uuid(out, bytes(row, 0)?);
    out.extend_from_slice(b",\"title\":");
    json::text(out, bytes(row, 1)?);
    out.extend_from_slice(b",\"body\":");
    json::text(out, bytes(row, 2)?);
    out.extend_from_slice(b",\"views\":");
    json::int(out, row.get_ref(3)?.as_i64()?);
    out.extend_from_slice(b",\"published\":");
    json::bool(out, row.get_ref(4)?.as_i64()?);
    out.extend_from_slice(b",\"author\":");
    json::uuid(out, bytes(row, 5)?);
    out.extend_from_slice(b",\"posted_at\":");
    json::timestamp(out, row.get_ref(6)?.as_i64()?);
    out.extend_from_slice(b",\"created_at\":");
    json::timestamp(out, row.get_ref(7)?.as_i64()?);
    out.extend_from_slice(b",\"updated_at\":");
    json::timestamp(out, row.get_ref(8)?.as_i64()?);
    out.push(b'}');
    Ok(())
}

/// A text or blob column, where it lies in SQLite's own buffer.
fn bytes<'row>(row: &'row Row<'_>, column: usize) -> rusqlite::Result<&'row [u8]> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
    })
}
