//! The one writer: a thread that takes what has arrived, writes it in one
//! transaction, and answers after the commit. It never waits for more to arrive.

use std::{path::Path, sync::mpsc, thread};

use anyhow::Context as _;
use rusqlite::{Connection, Statement, params};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::schema;

/// The most writes one transaction takes.
const BATCH_MAX: usize = 256;

/// One write.
pub(crate) enum Write {
    /// A new row in `entries`.
    Entry { title: String, body: String },
    /// A new title for a post, if the caller is its author.
    Title { post: [u8; 16], author: [u8; 16], title: String },
}

/// How many rows a write touched, or none if it failed.
type Answer = Option<usize>;

struct Job {
    write: Write,
    answer: oneshot::Sender<Answer>,
}

/// Where handlers hand in their writes.
#[derive(Clone)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Opens the database and starts the thread.
    pub(crate) fn start(path: &Path, sync: &str) -> anyhow::Result<Self> {
        let db = schema::open_writer(path, sync)?;
        let (jobs, arrived) = mpsc::channel();
        thread::Builder::new()
            .name("writer".into())
            .spawn(move || run(&db, &arrived))
            .context("starting the writer")?;
        Ok(Self { jobs })
    }

    /// Writes, and returns once the write is committed.
    pub(crate) async fn write(&self, write: Write) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job { write, answer }).ok()?;
        answered.await.ok().flatten()
    }
}

fn run(db: &Connection, arrived: &mpsc::Receiver<Job>) {
    let statements = || -> rusqlite::Result<Statements<'_>> {
        Ok(Statements {
            begin: db.prepare("BEGIN IMMEDIATE")?,
            commit: db.prepare("COMMIT")?,
            entry: db.prepare("INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?4)")?,
            title: db.prepare(
                "UPDATE posts SET title = ?3, updated_at = ?4 WHERE id = ?1 AND author = ?2",
            )?,
        })
    };
    let mut statements = statements().expect("BUG: the tables were just made");
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut answers = Vec::with_capacity(BATCH_MAX);
    while let Ok(first) = arrived.recv() {
        batch.push(first);
        batch.extend(arrived.try_iter().take(BATCH_MAX - 1));
        let begun = statements.begin.execute([]).is_ok();
        for job in batch.drain(..) {
            let touched = statements.write(&job.write).ok().filter(|_| begun);
            answers.push((job.answer, touched));
        }
        let committed = begun && statements.commit.execute([]).is_ok();
        for (answer, touched) in answers.drain(..) {
            // A caller who has gone away has no use for the answer.
            let _ = answer.send(touched.filter(|_| committed));
        }
    }
}

struct Statements<'db> {
    begin: Statement<'db>,
    commit: Statement<'db>,
    entry: Statement<'db>,
    title: Statement<'db>,
}

impl Statements<'_> {
    fn write(&mut self, write: &Write) -> rusqlite::Result<usize> {
        let now = jiff::Timestamp::now().as_microsecond();
        match write {
            Write::Entry { title, body } => {
                let id = Uuid::now_v7().into_bytes();
                self.entry.execute(params![id, title, body, now])
            }
            Write::Title { post, author, title } => {
                self.title.execute(params![post, author, title, now])
            }
        }
    }
}
