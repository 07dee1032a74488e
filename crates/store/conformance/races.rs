//! Two callers at once: what a guard promises holds whoever commits first.
//!
//! Each race is run many times, because one that comes out well once proves nothing.
//! What is compared is what is stored in the end, and never how long it took.

use std::sync::Arc;

use mainstay_core::{Actor, Code};
use mainstay_plan::Count;
use mainstay_store::End;

use super::harness::*;

/// How often each race is run.
const ROUNDS: usize = 1_000;

/// Has two callers write at once; what each is told.
async fn race(app: &Arc<App>, one: (&Actor, Write), other: (&Actor, Write)) -> (String, String) {
    let begin = |(actor, write): (&Actor, Write)| {
        let (app, actor) = (Arc::clone(app), actor.clone());
        tokio::spawn(async move { app.write(&write(), &actor).await })
    };
    let (one, other) = (begin(one), begin(other));
    (one.await.unwrap(), other.await.unwrap())
}

/// Makes a request, on the task that sends it.
type Write = Box<dyn FnOnce() -> mainstay_plan::WriteRequest<'static> + Send>;

/// A number as a text that lives as long as a payload wants it to.
fn text(number: usize) -> &'static str {
    Box::leak(number.to_string().into_boxed_str())
}

fn is_written(told: &str) -> bool {
    told.starts_with('[') && !told.starts_with("[]")
}

const TASKS: &str = r#"
[model]
id = "int"
[fields]
owner = { type = "text", default = "" }
[rules]
read = "true"
create = "true"
update = "owner == ''"
check = "owner == auth.id"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_take_what_only_one_may_have_one_gets_it() {
    let app = Arc::new(App::of(&[("tasks", TASKS)]).await);
    let (ada, bob) = (user("ada"), user("bob"));
    for round in 1..=ROUNDS {
        app.write(&insert("tasks", &[&[("id", text(round))]], ""), &service()).await;
        let take = |name| -> Write {
            Box::new(move || {
                update("tasks", vec![equal("id", text(round))], &[("owner", name)], "owner")
            })
        };
        let (one, other) = race(&app, (&ada, take("ada")), (&bob, take("bob"))).await;
        assert!(is_written(&one) != is_written(&other), "round {round}: {one} and {other}");
    }
}

const DOCTORS: &str = r#"
[model]
id = "int"
[fields]
present = { type = "bool", default = true }
partner = { type = "ref", to = "doctors" }
[rules]
read = "true"
update = "true"
check = "present || partner.present"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_may_each_go_while_the_other_stays_do_not_both_go() {
    let app = Arc::new(App::of(&[("doctors", DOCTORS)]).await);
    let (one, other) = (text(1), text(2));
    app.write(&insert("doctors", &[&[("id", one)], &[("id", other)]], ""), &service()).await;
    for (id, partner) in [(one, other), (other, one)] {
        let pair = update("doctors", vec![equal("id", id)], &[("partner", partner)], "");
        app.write(&pair, &service()).await;
    }
    let (ada, bob) = (user("ada"), user("bob"));
    for round in 1..=ROUNDS {
        let go = |id| -> Write {
            Box::new(move || update("doctors", vec![equal("id", id)], &[("present", "false")], ""))
        };
        let told = race(&app, (&ada, go(one)), (&bob, go(other))).await;
        let present = app.read(&read("doctors", "present"), &service()).await;
        assert!(present.contains("true"), "round {round}: both went, told {told:?}");
        app.write(&update("doctors", vec![], &[("present", "true")], ""), &service()).await;
    }
}

const SEATS: &str = "[model]\nid = \"int\"\n[rules]\nread = \"true\"\n";
const BOOKINGS: &str = r#"
[model]
id = "int"
[fields]
seat = { type = "ref", to = "seats", required = true }
owner = { type = "text", default = "auth.id" }
[rules]
read = "true"
create = "!seat.bookings.exists(other, other.owner != auth.id)"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_may_book_what_nobody_has_one_does() {
    let app = Arc::new(App::of(&[("seats", SEATS), ("bookings", BOOKINGS)]).await);
    let (ada, bob) = (user("ada"), user("bob"));
    for round in 1..=ROUNDS {
        app.write(&insert("seats", &[&[("id", text(round))]], ""), &service()).await;
        let book =
            || -> Write { Box::new(move || insert("bookings", &[&[("seat", text(round))]], "")) };
        let (one, other) = race(&app, (&ada, book()), (&bob, book())).await;
        assert!(is_written(&one) != is_written(&other), "round {round}: {one} and {other}");
    }
}

const TICKETS: &str = "[model]\nid = \"int\"\n";
const ENTRANTS: &str = "[model]\nid = \"int\"\n[fields]\nname = { type = \"text\" }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hangs_on_a_row_that_two_take_is_written_once() {
    let app = Arc::new(App::of(&[("tickets", TICKETS), ("entrants", ENTRANTS)]).await);
    for round in 1..=ROUNDS {
        app.write(&insert("tickets", &[&[("id", text(round))]], ""), &service()).await;
        let enter = |name: &'static str| {
            let app = Arc::clone(&app);
            tokio::spawn(async move {
                let take = delete("tickets", vec![equal("id", text(round))], "");
                let enter = insert("entrants", &[&[("name", name)]], "");
                let take = app.plan(&take, &service()).unwrap().affecting_at_least(1);
                let enter = app.plan(&enter, &service()).unwrap();
                let entered = app.carry_out(vec![take, enter], End::Commit).await;
                entered.map(drop).map_err(|error| error.into_error().code())
            })
        };
        let (one, other) = (enter("ada"), enter("bob"));
        let told = [one.await.unwrap(), other.await.unwrap()];
        let entered = told.iter().filter(|told| told.is_ok()).count();
        assert_eq!(entered, 1, "round {round}: {told:?}");
        assert!(told.contains(&Err(Code::Overtaken)), "round {round}: {told:?}");
    }
    let mut entrants = read("entrants", "id");
    entrants.count = Count::Exact;
    entrants.clauses.limit = Some(0);
    assert_eq!(app.read(&entrants, &service()).await, format!(" of {ROUNDS}"));
}
