//! Models that are there for Mainstay alone, for each kind of caller.

use expect_test::{Expect, expect};
use mainstay_core::{Actor, BuiltIn, Code};
use mainstay_plan::{
    Argument, Clauses, Condition, FieldExpr, InsertRequest, Join, Operator, PayloadRow,
    PayloadValue, Planner, ReadRequest, Resolution, Return, SelectEmbed, SelectField, SelectItem,
    WriteAction, WriteRequest,
};
use uuid::Uuid;

use crate::show::{now, planner_with, read, user};

const BUILT_IN: [BuiltIn; 3] = [
    BuiltIn {
        path: "built-in/users.toml",
        text: "[model]\ntable = \"mainstay_users\"\n[fields]\n\
               email = { type = \"text\", read = \"false\", write = \"false\" }\n",
    },
    BuiltIn {
        path: "built-in/mainstay_sessions.toml",
        text: "[fields]\n\
               user = { type = \"ref\", to = \"users\", required = true, on_delete = \"cascade\" }\n\
               level = { type = \"text\" }\n",
    },
    BuiltIn {
        path: "built-in/mainstay_audit.toml",
        text: "[model]\nappend_only = true\n[fields]\nevent = { type = \"text\", unique = true }\n",
    },
];

const USERS: &str = "[fields]\nname = { type = \"text\" }\n\
                     [rules]\nread = \"true\"\ncreate = \"true\"\ndelete = \"true\"\n";

fn app() -> Planner {
    planner_with(&BUILT_IN, &[("users", USERS)])
}

fn system() -> Actor {
    Actor::system("a test")
}

/// Everybody but Mainstay itself.
fn everybody_else() -> [Actor; 4] {
    let reserved = user("ada", &["mainstay", "service_role"]);
    [Actor::anonymous(), user("ada", &[]), reserved, Actor::service("a test")]
}

fn item(name: &str) -> SelectItem<'_> {
    SelectItem::Field(SelectField {
        alias: None,
        field: Some(field(name)),
        cast: None,
        aggregate: None,
        aggregate_cast: None,
    })
}

fn field(name: &str) -> FieldExpr<'_> {
    FieldExpr { name: name.into(), json: Vec::new(), as_text: false }
}

fn rows<'a>(model: &'a str, select: Vec<SelectItem<'a>>) -> ReadRequest<'a> {
    ReadRequest { model: model.into(), select, ..ReadRequest::default() }
}

/// `users?select=id,TARGET!HINT(…)`
fn embed<'a>(target: &'a str, hint: Option<&'a str>, join: Join) -> ReadRequest<'a> {
    let embed = SelectEmbed {
        alias: None,
        target: target.into(),
        hint: hint.map(Into::into),
        join,
        spread: false,
        select: vec![item("id")],
    };
    rows("users", vec![item("id"), SelectItem::Embed(embed)])
}

fn check_read(planner: &Planner, request: &ReadRequest<'_>, actor: &Actor, expected: Expect) {
    expected.assert_eq(&match planner.read(request, actor, now()) {
        Ok(plan) => read(planner, &plan),
        Err(error) => error.to_string(),
    });
}

fn write<'a>(model: &'a str, action: WriteAction<'a>) -> WriteRequest<'a> {
    let filter = Condition::Compare {
        field: field("id"),
        negated: false,
        operator: Operator::Eq,
        quantifier: None,
        argument: Argument::Text("019aa8f0-0000-7000-8000-00000000ada0".into()),
    };
    let filters = if matches!(action, WriteAction::Insert(_)) { Vec::new() } else { vec![filter] };
    WriteRequest {
        model: model.into(),
        action,
        returning: Return::Minimal,
        select: Vec::new(),
        clauses: Clauses { filters, ..Clauses::default() },
        embedded: Vec::new(),
        max_affected: None,
        at_most: None,
    }
}

fn row() -> PayloadRow<'static> {
    vec![("event".into(), PayloadValue::String("login".into()))]
}

fn insert(resolution: Option<Resolution>) -> WriteAction<'static> {
    WriteAction::Insert(InsertRequest {
        payload: vec![row()],
        columns: None,
        missing_default: false,
        resolution,
        on_conflict: Vec::new(),
    })
}

fn outcome(planner: &Planner, request: &WriteRequest<'_>, actor: &Actor) -> Result<(), Code> {
    let made = planner.write(request, actor, now(), &mut Uuid::nil);
    made.map(drop).map_err(|error| error.code())
}

#[test]
fn an_internal_model_is_one_that_does_not_exist_but_for_mainstay() {
    let planner = app();
    let (missing, internal) = (rows("mainstay_missing", vec![]), rows("mainstay_sessions", vec![]));
    for actor in everybody_else() {
        let of = |request: &ReadRequest<'_>| {
            let error = planner.read(request, &actor, now()).expect_err("no such model");
            let hint = error.hint().map(str::to_owned);
            (error.code(), hint, error.message().replace("missing", "sessions"))
        };
        assert_eq!(of(&missing), of(&internal));
        assert_eq!(of(&internal).0, Code::ModelUnknown);
        // A name that is nearly one is not told which.
        assert_eq!(of(&rows("mainstay_session", vec![])).1, None);
        for action in [insert(None), WriteAction::Delete] {
            let request = write("mainstay_audit", action);
            assert_eq!(outcome(&planner, &request, &actor), Err(Code::ModelUnknown));
        }
    }
    check_read(
        &planner,
        &internal,
        &system(),
        expect!["id, user, level, created_at, updated_at where true"],
    );
    assert_eq!(outcome(&planner, &write("mainstay_audit", insert(None)), &system()), Ok(()));
}

#[test]
fn nothing_is_related_to_an_internal_model_but_for_mainstay() {
    let planner = app();
    for target in ["mainstay_sessions", "mainstay_sessions_user_fkey", "mainstay_session"] {
        for (hint, join) in [(None, Join::Left), (Some("user"), Join::Inner)] {
            for actor in everybody_else() {
                let error = planner.read(&embed(target, hint, join), &actor, now());
                let error = error.expect_err("no such relation");
                assert_eq!((error.code(), error.hint()), (Code::RelationUnknown, None), "{target}");
            }
        }
    }
    let request = embed("mainstay_sessions", None, Join::Inner);
    check_read(
        &planner,
        &request,
        &system(),
        expect![
            "id, mainstay_sessions {id where true} where from mainstay_sessions_user_fkey[true]"
        ],
    );
}

#[test]
fn what_mainstay_was_planned_is_planned_for_nobody_else() {
    let planner = app();
    let (reading, embedding) =
        (rows("mainstay_sessions", vec![]), embed("mainstay_sessions", None, Join::Left));
    let inserting = write("mainstay_audit", insert(None));
    // The plans are in the cache from here on.
    planner.read(&reading, &system(), now()).expect("a plan");
    planner.read(&embedding, &system(), now()).expect("a plan");
    assert_eq!(outcome(&planner, &inserting, &system()), Ok(()));
    for actor in everybody_else() {
        let code = |request| planner.read(request, &actor, now()).map(drop).map_err(|it| it.code());
        assert_eq!(code(&reading), Err(Code::ModelUnknown));
        assert_eq!(code(&embedding), Err(Code::RelationUnknown));
        assert_eq!(outcome(&planner, &inserting, &actor), Err(Code::ModelUnknown));
    }
}

#[test]
fn rows_that_are_only_added_are_neither_changed_nor_deleted_by_anybody() {
    let planner = app();
    let update = WriteAction::Update { payload: row(), columns: None };
    let merge = insert(Some(Resolution::MergeDuplicates));
    let ignore = insert(Some(Resolution::IgnoreDuplicates));
    for action in [update, WriteAction::Delete, merge, ignore] {
        let request = write("mainstay_audit", action);
        assert_eq!(outcome(&planner, &request, &system()), Err(Code::Denied));
        let service = Actor::service("a test");
        assert_eq!(outcome(&planner, &request, &service), Err(Code::ModelUnknown));
    }
}

#[test]
fn a_deleted_user_takes_internal_rows_along_for_whoever_may_delete_it() {
    let planner = app();
    let request = write("users", WriteAction::Delete);
    for actor in everybody_else().into_iter().chain([system()]) {
        let plan = planner.write(&request, &actor, now(), &mut Uuid::nil).expect("a plan");
        let mainstay_plan::Action::Delete { cascades, .. } = plan.shape().action() else {
            panic!("a delete");
        };
        assert_eq!(cascades.len(), 1);
    }
}

#[test]
fn a_built_in_field_is_the_servers_and_the_service_keys() {
    let planner = app();
    let all = rows("users", vec![]);
    check_read(
        &planner,
        &all,
        &user("ada", &[]),
        expect!["id, name, created_at, updated_at where true"],
    );
    check_read(
        &planner,
        &all,
        &Actor::service("a test"),
        expect!["id, email, name, created_at, updated_at where true"],
    );
    let payload = vec![("email".into(), PayloadValue::String("a@example.com".into()))];
    let insert = WriteAction::Insert(InsertRequest {
        payload: vec![payload],
        columns: None,
        missing_default: false,
        resolution: None,
        on_conflict: Vec::new(),
    });
    let request = write("users", insert);
    assert_eq!(outcome(&planner, &request, &user("ada", &[])), Err(Code::Denied));
    assert_eq!(outcome(&planner, &request, &Actor::service("a test")), Ok(()));
}
