//! Group commit, and what becomes of writes when the disk is full, the file busy or
//! the time over.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use expect_test::expect;
use mainstay_core::{Code, Error, ValueRef};
use mainstay_store::{Cx, End, Health, RowSink, Seq, WriteError, WriteSet};
use mainstay_store_sqlite::SqliteSettings;

use crate::{conformance::harness::*, engine::Engine};

const NOTES: &str = "[model]\nid = \"int\"\n[fields]\nbody = { type = \"text\" }\nslug = { type = \"text\", unique = true }\n[rules]\nread = \"true\"\ncreate = \"true\"\n";

/// Leaks a text: payloads borrow theirs.
fn forever(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_wait_are_committed_together_and_a_refused_one_takes_none_with_it() {
    let app = Arc::new(App::of(&[("notes", NOTES)]).await);
    // While another holds the write lock the writer is stuck with the first write, and
    // the others gather behind it.
    let other = app.engine.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting = Vec::new();
    for number in 0..40 {
        let slug = forever(format!("s{}", number / 2));
        let app = Arc::clone(&app);
        waiting.push(tokio::spawn(async move {
            app.write(&insert("notes", &[&[("slug", slug)]], ""), &service()).await
        }));
        tokio::task::yield_now().await;
    }
    other.execute_batch("ROLLBACK").unwrap();
    let (mut new, mut taken) = (0, 0);
    for write in waiting {
        let told = write.await.unwrap();
        new += usize::from(told.ends_with("1 new"));
        taken += usize::from(told.starts_with("23505"));
    }
    assert_eq!((new, taken), (20, 20));
    let stored: i64 = other.query_row("SELECT count(*) FROM notes", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 20);
    let commits: i64 =
        other.query_row("SELECT count(*) FROM mainstay_outbox", [], |row| row.get(0)).unwrap();
    assert!(commits < 20, "{commits} commits for 20 writes");
    assert_eq!(app.store.changes(Seq(0), 100).await.unwrap().len(), 20);
}

#[tokio::test]
async fn a_busy_file_refuses_a_write_and_keeps_nothing_of_it() {
    let app = App::on(
        Engine::with(|settings| SqliteSettings {
            busy_timeout: Duration::from_millis(20),
            ..settings
        }),
        &[("notes", NOTES)],
    )
    .await;
    let other = app.engine.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let told = app.write(&insert("notes", &[&[]], ""), &service()).await;
    expect!["not applied: unavailable: the database is busy"].assert_eq(&told);
    // Readers are not kept waiting.
    expect![""].assert_eq(&app.read(&read("notes", "id"), &service()).await);
    other.execute_batch("ROLLBACK").unwrap();
    expect!["[1] 1 new"].assert_eq(&app.write(&insert("notes", &[&[]], ""), &service()).await);
}

#[tokio::test]
async fn a_full_disk_refuses_what_does_not_fit_and_takes_what_does() {
    let app = App::on(
        Engine::with(|settings| SqliteSettings { pages_max: Some(64), ..settings }),
        &[("notes", NOTES)],
    )
    .await;
    let large = forever("x".repeat(400_000));
    let told = app.write(&insert("notes", &[&[("body", large)]], ""), &service()).await;
    expect!["not applied: unavailable: the database's disk is full"].assert_eq(&told);
    expect![""].assert_eq(&app.read(&read("notes", "id"), &service()).await);
    expect!["[1] 1 new"].assert_eq(&app.write(&insert("notes", &[&[]], ""), &service()).await);
    assert_eq!(app.store.health(cx()).await, Health::Ready);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_fills_the_disk_does_not_take_those_beside_it() {
    let app = Arc::new(
        App::on(
            Engine::with(|settings| SqliteSettings { pages_max: Some(64), ..settings }),
            &[("notes", NOTES)],
        )
        .await,
    );
    let large = forever("x".repeat(400_000));
    let other = app.engine.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting = Vec::new();
    for number in 0..21 {
        let app = Arc::clone(&app);
        waiting.push(tokio::spawn(async move {
            let body = if number == 10 { large } else { "small" };
            app.write(&insert("notes", &[&[("body", body)]], ""), &service()).await
        }));
        tokio::task::yield_now().await;
    }
    other.execute_batch("ROLLBACK").unwrap();
    let mut told = Vec::new();
    for write in waiting {
        told.push(write.await.unwrap());
    }
    let refused = told.remove(10);
    expect!["not applied: unavailable: the database's disk is full"].assert_eq(&refused);
    assert!(told.iter().all(|told| told.ends_with("1 new")), "{told:?}");
    let stored: i64 = other.query_row("SELECT count(*) FROM notes", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 20);
}

#[tokio::test]
async fn a_write_past_its_deadline_does_not_begin() {
    let app = App::of(&[("notes", NOTES)]).await;
    let plan = app.plan(&insert("notes", &[&[]], ""), &service()).unwrap();
    let set = WriteSet { plans: vec![plan], end: End::Commit };
    let done = app.store.write(set, Cx::until(Instant::now()), Box::new(Lines::default())).await;
    match done {
        Err(WriteError::NotApplied(error)) => assert_eq!(error.code(), Code::DeadlineExceeded),
        _ => panic!("a write began past its deadline"),
    }
    expect![""].assert_eq(&app.read(&read("notes", "id"), &service()).await);
}

/// Panics at the first row.
struct Panicking;

impl RowSink for Panicking {
    fn begin_row(&mut self) {
        panic!("as a test wants it");
    }
    fn value(&mut self, _: ValueRef<'_>) {}
    fn begin_one(&mut self) {}
    fn end_one(&mut self) {}
    fn begin_many(&mut self) {}
    fn end_many(&mut self) {}
    fn end_row(&mut self) -> Result<(), Error> {
        Ok(())
    }
    fn reset(&mut self) {}
}

#[tokio::test]
async fn a_write_that_panics_is_undone_and_the_writer_goes_on() {
    let app = App::of(&[("notes", NOTES)]).await;
    let plan = app.plan(&insert("notes", &[&[]], "id"), &service()).unwrap();
    let set = WriteSet { plans: vec![plan], end: End::Commit };
    match app.store.write(set, cx(), Box::new(Panicking)).await {
        Err(WriteError::Refused(error)) => assert_eq!(error.code(), Code::Internal),
        _ => panic!("a panic was not reported"),
    }
    expect![""].assert_eq(&app.read(&read("notes", "id"), &service()).await);
    expect!["[1] 1 new"].assert_eq(&app.write(&insert("notes", &[&[]], ""), &service()).await);
}

#[tokio::test]
async fn a_large_row_is_written_as_often_as_one_likes() {
    let app = App::of(&[("notes", NOTES)]).await;
    let large = forever("é".repeat(100_000));
    for number in 1..4 {
        let told = app.write(&insert("notes", &[&[("body", large)]], ""), &service()).await;
        assert_eq!(told, format!("[{number}] 1 new"));
    }
    let told = app.read(&read("notes", "body"), &service()).await;
    assert_eq!(told.chars().filter(|letter| *letter == 'é').count(), 300_000);
}

#[tokio::test]
async fn a_plan_for_a_catalog_that_is_gone_is_refused() {
    let mut app = App::of(&[("notes", NOTES)]).await;
    let (old_read, old_write) = (
        Arc::new(app.planner.read(&read("notes", "id"), &service(), now()).unwrap()),
        app.plan(&insert("notes", &[&[]], ""), &service()).unwrap(),
    );
    for column in ["one", "two"] {
        let more = NOTES.replace("body", column);
        app.remodel(&[("notes", &more)]);
        app.migrate().await;
        let is_last = column == "two";
        let read = app.store.read(Arc::clone(&old_read), cx(), Box::new(Lines::default())).await;
        assert_eq!(read.err().map(|error| error.code()), is_last.then_some(Code::Unavailable));
        let written = app.carry_out(vec![old_write.clone()], End::RollBack).await;
        assert_eq!(
            written.err().map(|error| error.into_error().code()),
            is_last.then_some(Code::Unavailable)
        );
    }
}

#[tokio::test]
async fn a_closed_store_answers_that_it_is_and_the_file_is_whole() {
    let app = App::of(&[("notes", NOTES)]).await;
    app.write(&insert("notes", &[&[]], ""), &service()).await;
    app.store.close(Instant::now() + Duration::from_secs(10)).await;
    let told = app.write(&insert("notes", &[&[]], ""), &service()).await;
    expect!["not applied: unavailable: the server is shutting down"].assert_eq(&told);
    assert!(matches!(app.store.health(cx()).await, Health::Away(_)));
    let checked: String =
        app.engine.sqlite().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(checked, "ok");
}

#[tokio::test]
async fn a_rehearsal_uses_up_no_key() {
    let app = App::of(&[("notes", NOTES)]).await;
    let request = insert("notes", &[&[]], "");
    expect!["[1] 1 new"].assert_eq(&app.end(&request, &service(), End::RollBack).await);
    expect!["[1] 1 new"].assert_eq(&app.write(&request, &service()).await);
}
