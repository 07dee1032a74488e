//! Writes at the gate.

use expect_test::{Expect, expect};
use mainstay_core::{Actor, Value};
use mainstay_plan::{
    Action, Argument, Clauses, Condition, FieldExpr, Guard, InsertRequest, Operator, PayloadRow,
    PayloadValue, Planner, Return, WriteAction, WritePlan, WriteRequest,
};
use uuid::Uuid;

use crate::show::{Shower, now, planner, user};

const NOTES: &[(&str, &str)] = &[
    (
        "notes",
        r#"
[model]
id = "int"
[fields]
text  = { type = "text", required = true, max = 5 }
owner = { type = "ref", to = "people", required = true, default = "auth.id", on_delete = "cascade" }
rank  = { type = "int", default = 1, write = "'editor' in auth.roles" }
lock  = { type = "bool", default = false, write = "owner == auth.id" }
[rules]
read   = "true"
create = "owner == auth.id"
update = "owner == auth.id"
check  = "owner == old.owner"
delete = "owner == auth.id && !lock"
"#,
    ),
    (
        "people",
        r#"
[model]
id = "text"
timestamps = false
[fields]
name = { type = "text" }
[rules]
read   = "id == auth.id"
delete = "id == auth.id"
"#,
    ),
    (
        "replies",
        r#"
[fields]
note = { type = "ref", to = "notes", on_delete = "cascade" }
seen = { type = "ref", to = "people", on_delete = "set_null" }
"#,
    ),
];

fn insert(row: PayloadRow<'_>) -> WriteRequest<'_> {
    write(WriteAction::Insert(InsertRequest {
        payload: vec![row],
        columns: None,
        missing_default: false,
        resolution: None,
        on_conflict: Vec::new(),
    }))
}

fn write(action: WriteAction<'_>) -> WriteRequest<'_> {
    let filter = Condition::Compare {
        field: FieldExpr { name: "id".into(), json: Vec::new(), as_text: false },
        negated: false,
        operator: Operator::Eq,
        quantifier: None,
        argument: Argument::Text("1".into()),
    };
    let filters = if matches!(action, WriteAction::Insert(_)) { Vec::new() } else { vec![filter] };
    WriteRequest {
        model: "notes".into(),
        action,
        returning: Return::Minimal,
        select: Vec::new(),
        clauses: Clauses { filters, ..Clauses::default() },
        embedded: Vec::new(),
        max_affected: None,
        at_most: None,
    }
}

fn text<'a>(name: &'a str, value: &'a str) -> (std::borrow::Cow<'a, str>, PayloadValue<'a>) {
    (name.into(), PayloadValue::String(value.into()))
}

fn show(planner: &Planner, plan: &WritePlan) -> String {
    let shower = Shower { catalog: planner.catalog(), values: plan.values() };
    let models = [plan.shape().model()];
    let guards = |guards: &[Guard]| -> String {
        let shown: Vec<String> = guards
            .iter()
            .map(|guard| format!("{:?} {}", guard.refusal, shower.filter(&guard.filter, &models)))
            .collect();
        shown.join("; ")
    };
    match plan.shape().action() {
        Action::Insert { create, after, .. } => {
            format!("create [{}] after [{}]", guards(create), guards(after))
        }
        Action::Update { target, before, after, .. } => format!(
            "update {} before [{}] after [{}]",
            shower.filter(target, &models),
            guards(before),
            guards(after)
        ),
        Action::Delete { target, cascades } => {
            let cascades: Vec<String> = cascades
                .iter()
                .map(|cascade| {
                    let name = &planner.catalog().reference(cascade.reference).name;
                    format!("{name} {:?}", cascade.on_delete)
                })
                .collect();
            format!("delete {} cascades [{}]", shower.filter(target, &models), cascades.join(", "))
        }
    }
}

fn check(planner: &Planner, request: &WriteRequest<'_>, actor: &Actor, expected: Expect) {
    expected.assert_eq(&match planner.write(request, actor, now(), &mut Uuid::nil) {
        Ok(plan) => show(planner, &plan),
        Err(error) => error.to_string(),
    });
}

#[test]
fn a_new_row_is_guarded_by_create_by_its_fields_and_by_its_refs() {
    let planner = planner(NOTES);
    let ada = user("ada", &[]);
    check(
        &planner,
        &insert(vec![text("text", "hi")]),
        &ada,
        expect!["create [Denied owner Eq <ada>] after []"],
    );
    check(
        &planner,
        &insert(vec![text("text", "hi"), text("owner", "ada"), text("lock", "true")]),
        &ada,
        expect![
            "create [Denied owner Eq <ada>; Denied owner Eq <ada>; Reference(RefId(0)) (to notes_owner_fkey[true?#1.id Eq <ada>] || owner == null)] after []"
        ],
    );
    check(
        &planner,
        &insert(vec![text("text", "hi"), text("rank", "2")]),
        &ada,
        expect!["42501: permission denied for field rank of notes"],
    );
    check(
        &planner,
        &insert(vec![text("text", "hi"), text("rank", "2")]),
        &Actor::service("a test"),
        expect!["23502: null value in field \"owner\" of \"notes\" violates not-null constraint"],
    );
}

#[test]
fn a_change_touches_what_may_be_read_and_changed_and_is_checked_as_stored() {
    let planner = planner(NOTES);
    let update = write(WriteAction::Update { payload: vec![text("text", "hi")], columns: None });
    check(
        &planner,
        &update,
        &user("ada", &[]),
        expect!["update (owner Eq <ada> && id Eq <1>) before [] after [Denied owner Eq old.owner]"],
    );
    check(
        &planner,
        &update,
        &Actor::anonymous(),
        expect!["update false before [] after [Denied owner Eq old.owner]"],
    );
    let too_long =
        write(WriteAction::Update { payload: vec![text("text", "longer")], columns: None });
    check(
        &planner,
        &too_long,
        &user("ada", &[]),
        expect![[r#"23514: new row for "notes" violates check constraint "notes_text_max""#]],
    );
}

#[test]
fn a_delete_lists_what_goes_with_it() {
    let planner = planner(NOTES);
    check(
        &planner,
        &write(WriteAction::Delete),
        &user("ada", &[]),
        expect![
            "delete (owner Eq <ada> && !lock && id Eq <1>) cascades [replies_note_fkey Cascade]"
        ],
    );
    let mut people = write(WriteAction::Delete);
    people.model = "people".into();
    check(
        &planner,
        &people,
        &user("ada", &[]),
        expect![
            "delete (id Eq <ada> && id Eq <1>) cascades [notes_owner_fkey Cascade, replies_seen_fkey SetNull, replies_note_fkey Cascade]"
        ],
    );
}

#[test]
fn defaults_fill_what_a_row_leaves_out() {
    let planner = planner(NOTES);
    let request = insert(vec![text("text", "hi")]);
    let plan = planner.write(&request, &user("ada", &[]), now(), &mut Uuid::nil).expect("a plan");
    let row = &plan.rows()[0];
    assert_eq!(row[0], Value::Null, "the store gives an int id");
    assert_eq!(row[1], Value::Text("hi".into()));
    assert_eq!(row[2], Value::Text("ada".into()));
    assert_eq!(row[3], Value::Int(1));
    assert_eq!(row[5], Value::Timestamp(now()));
}

#[test]
fn a_row_that_may_never_be_created_reaches_no_store() {
    let planner = planner(NOTES);
    check(
        &planner,
        &insert(vec![text("text", "hi"), text("owner", "ada")]),
        &Actor::anonymous(),
        expect!["42501: permission denied for model notes"],
    );
}
