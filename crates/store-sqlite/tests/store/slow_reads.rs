//! Reads that take longer than their caller's thread is lent for.

use std::{
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use expect_test::expect;
use mainstay_core::Code;
use mainstay_plan::OrderTerm;
use mainstay_store::Cx;
use mainstay_store_sqlite::SqliteSettings;

use crate::{conformance::harness::*, engine::Engine};

const THINGS: &str = r#"
[model]
id = "int"
[fields]
name = { type = "text" }
[rules]
read = "true"
"#;

/// An app whose reads soon go to the reader threads.
async fn app(models: &[(&str, &str)]) -> App {
    let engine = Engine::with(|settings| SqliteSettings { inline_steps_max: 1_000, ..settings });
    App::on(engine, models).await
}

#[tokio::test]
async fn a_read_beyond_its_budget_is_done_again_by_the_reader_threads() {
    let app = app(&[("things", THINGS)]).await;
    let row: &[(&str, &str)] = &[("name", "x")];
    let rows = vec![row; 500];
    app.write(&insert("things", &rows, ""), &service()).await;
    let mut request = read("things", "id");
    request.clauses.limit = Some(2);
    request.clauses.order = vec![OrderTerm {
        relation: None,
        field: expr("name"),
        descending: true,
        nulls_first: None,
    }];
    // The second time the shape is known to be slow, and goes there directly.
    for _ in 0..2 {
        expect!["(500) (499)"].assert_eq(&app.read(&request, &user("ada")).await);
    }
}

const NODES: &str = r#"
[model]
id = "int"
[fields]
name = { type = "text", default = "x" }
parent = { type = "ref", to = "nodes" }
[rules]
read = "parent.nodes.exists(other, other.name == 'none')"
"#;

/// Every node but the first has the same parent, so that the rule looks at each of
/// them once for each of them.
async fn siblings(count: usize) -> App {
    let app = app(&[("nodes", NODES)]).await;
    app.write(&insert("nodes", &[&[]], ""), &service()).await;
    let row: Object<'_> = &[("parent", "1")];
    for _ in 0..count / 500 {
        app.write(&insert("nodes", &vec![row; 500], ""), &service()).await;
    }
    app
}

#[tokio::test]
async fn a_slow_read_ends_at_its_deadline() {
    let app = siblings(3_000).await;
    let plan = app.planner.read(&read("nodes", "id"), &user("ada"), now()).unwrap();
    let cx = Cx::until(Instant::now() + Duration::from_millis(5));
    let answer = app.store.read(Arc::new(plan), cx, Box::new(Lines::default())).await;
    assert_eq!(answer.err().map(|error| error.code()), Some(Code::DeadlineExceeded));
    // The thread is free again.
    expect![""].assert_eq(&app.read(&read("nodes", "id"), &user("ada")).await);
}

#[tokio::test]
async fn a_slow_read_that_nobody_waits_for_any_more_makes_room_for_others() {
    let app = siblings(3_000).await;
    let plan = Arc::new(app.planner.read(&read("nodes", "id"), &user("ada"), now()).unwrap());
    for _ in 0..200 {
        let mut read = app.store.read(Arc::clone(&plan), cx(), Box::new(Lines::default()));
        let polled = std::future::poll_fn(|context| Poll::Ready(read.as_mut().poll(context))).await;
        assert!(polled.is_pending(), "a slow read was done inline");
    }
    // Were the two hundred still to be done, this would wait for minutes.
    let (request, actor) = (read("nodes", "id"), service());
    let fast = app.read(&request, &actor);
    let told = tokio::time::timeout(Duration::from_secs(30), fast).await.unwrap();
    assert!(told.starts_with("(1) (2)"));
}
