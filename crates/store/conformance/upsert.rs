//! New rows that are there already.

use expect_test::{Expect, expect};
use mainstay_plan::{Resolution, WriteAction, WriteRequest};

use super::harness::*;

const PAGES: &str = r#"
[model]
id = "text"
[fields]
owner = { type = "text" }
slug = { type = "text", unique = true }
body = { type = "text" }
frozen = { type = "bool", default = false }
[rules]
read = "owner == auth.id || owner == null"
create = "owner == auth.id && body != 'spam'"
update = "owner == auth.id && !frozen"
check = "owner == old.owner && owner == auth.id"
"#;

const MERGE: Option<Resolution> = Some(Resolution::MergeDuplicates);
const IGNORE: Option<Resolution> = Some(Resolution::IgnoreDuplicates);

async fn pages() -> App {
    let app = App::of(&[("pages", PAGES)]).await;
    let rows: [&[(&str, &str)]; 4] = [
        &[("id", "a"), ("owner", "ada"), ("slug", "sa"), ("body", "A")],
        &[("id", "b"), ("owner", "bob"), ("slug", "sb"), ("body", "B")],
        &[("id", "f"), ("owner", "ada"), ("slug", "sf"), ("body", "F"), ("frozen", "true")],
        &[("id", "n"), ("slug", "sn"), ("body", "N")],
    ];
    app.write(&insert("pages", &rows, ""), &service()).await;
    app
}

async fn check(app: &App, request: &WriteRequest<'_>, expected: Expect) {
    expected.assert_eq(&app.write(request, &user("ada")).await);
}

fn on(mut request: WriteRequest<'static>, field: &'static str) -> WriteRequest<'static> {
    if let WriteAction::Insert(insert) = &mut request.action {
        insert.on_conflict = vec![field.into()];
    }
    request
}

async fn bodies(app: &App) -> String {
    app.read(&read("pages", "id,owner,body"), &service()).await
}

#[tokio::test]
async fn a_row_that_is_there_takes_the_payloads_columns_and_no_others() {
    let app = pages().await;
    check(
        &app,
        &inserting(
            "pages",
            &[
                &[("id", "a"), ("owner", "ada"), ("body", "new")],
                &[("id", "c"), ("owner", "ada"), ("body", "C")],
            ],
            "id,slug,body",
            MERGE,
        ),
        expect![[r#"["a" "c"] 1 new ("a" "sa" "new") ("c" null "C")"#]],
    )
    .await;
}

#[tokio::test]
async fn a_unique_named_by_the_caller_decides_and_the_key_stays() {
    let app = pages().await;
    check(
        &app,
        &on(
            inserting(
                "pages",
                &[&[("slug", "sa"), ("owner", "ada"), ("body", "new")]],
                "id,body",
                MERGE,
            ),
            "slug",
        ),
        expect![[r#"["a"] 0 new ("a" "new")"#]],
    )
    .await;
}

#[tokio::test]
async fn a_stored_row_its_caller_may_not_change_fails_the_whole_write() {
    let app = pages().await;
    let before = bodies(&app).await;
    let denied = || {
        expect![
            "42501: permission denied for model pages / a rule does not allow a row of this write"
        ]
    };
    let mine: &[(&str, &str)] = &[("id", "a"), ("owner", "ada"), ("body", "new")];
    // Another's row: hidden by `read`, and not ada's to update.
    check(
        &app,
        &inserting("pages", &[mine, &[("id", "b"), ("owner", "ada"), ("body", "x")]], "", MERGE),
        denied(),
    )
    .await;
    // One's own, which `update` refuses.
    check(
        &app,
        &inserting("pages", &[mine, &[("id", "f"), ("owner", "ada"), ("body", "x")]], "", MERGE),
        denied(),
    )
    .await;
    // One that `check` refuses, because its owner would change.
    check(
        &app,
        &inserting("pages", &[mine, &[("id", "n"), ("owner", "ada"), ("body", "x")]], "", MERGE),
        denied(),
    )
    .await;
    assert_eq!(bodies(&app).await, before);
}

#[tokio::test]
async fn every_proposed_row_passes_create_whether_or_not_it_is_there() {
    let app = pages().await;
    let before = bodies(&app).await;
    let denied = || {
        expect![
            "42501: permission denied for model pages / a rule does not allow a row of this write"
        ]
    };
    let spam: &[(&str, &str)] = &[("id", "a"), ("owner", "ada"), ("body", "spam")];
    check(&app, &inserting("pages", &[spam], "", MERGE), denied()).await;
    check(&app, &inserting("pages", &[spam], "", IGNORE), denied()).await;
    assert_eq!(bodies(&app).await, before);
}

#[tokio::test]
async fn an_ignored_duplicate_is_left_as_it_is_and_out_of_the_answer() {
    let app = pages().await;
    check(
        &app,
        &inserting(
            "pages",
            &[
                &[("id", "b"), ("owner", "ada"), ("body", "x")],
                &[("id", "c"), ("owner", "ada"), ("body", "C")],
            ],
            "id",
            IGNORE,
        ),
        expect![[r#"["c"] 1 new ("c")"#]],
    )
    .await;
    expect![[r#"("a" "ada" "A") ("b" "bob" "B") ("c" "ada" "C") ("f" "ada" "F") ("n" null "N")"#]]
        .assert_eq(&bodies(&app).await);
}

#[tokio::test]
async fn no_row_is_merged_twice_by_one_write() {
    let app = pages().await;
    let twice = || expect!["21000: ON CONFLICT DO UPDATE command cannot affect row a second time"];
    let row: &[(&str, &str)] = &[("id", "a"), ("owner", "ada"), ("body", "x")];
    check(&app, &inserting("pages", &[row, row], "", MERGE), twice()).await;
    let new: &[(&str, &str)] = &[("id", "z"), ("owner", "ada"), ("body", "x")];
    check(&app, &inserting("pages", &[new, new], "", MERGE), twice()).await;
    check(&app, &inserting("pages", &[new, new], "", IGNORE), expect![[r#"["z"] 1 new"#]]).await;
}

#[tokio::test]
async fn another_unique_than_the_one_that_decides_still_stands() {
    let app = pages().await;
    check(
        &app,
        &inserting(
            "pages",
            &[&[("id", "a"), ("owner", "ada"), ("slug", "sb"), ("body", "A")]],
            "",
            MERGE,
        ),
        expect![[r#"23505: duplicate key value violates unique constraint "pages_slug_key" / Key (slug) already exists."#]],
    )
    .await;
    // A proposed row that could not be created learns nothing of what is taken.
    check(
        &app,
        &inserting("pages", &[&[("id", "a"), ("owner", "ada"), ("slug", "sb")]], "", MERGE),
        expect![
            "42501: permission denied for model pages / a rule does not allow a row of this write"
        ],
    )
    .await;
}
