//! Reads at the gate.

use expect_test::{Expect, expect};
use mainstay_core::{Actor, Limits, Quantifier};
use mainstay_plan::{
    Argument, Clauses, Condition, FieldExpr, Join, Operator, Planner, ReadRequest, SelectEmbed,
    SelectField, SelectItem,
};

use crate::show::{now, planner, read, user};

const NOTES: &[(&str, &str)] = &[
    (
        "notes",
        r#"
[model]
id = "int"
timestamps = false
[fields]
text   = { type = "text" }
public = { type = "bool" }
owner  = { type = "ref", to = "people", default = "auth.id" }
secret = { type = "text", read = "owner == auth.id" }
rank   = { type = "int", read = "'editor' in auth.roles" }
[rules]
read   = "public || owner == auth.id || 'editor' in auth.roles"
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
read = "id == auth.id"
"#,
    ),
    ("closed", "[fields]\nnote = { type = \"ref\", to = \"notes\" }\n"),
];

fn field(name: &str) -> FieldExpr<'_> {
    FieldExpr { name: name.into(), json: Vec::new(), as_text: false }
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

fn embed<'a>(target: &'a str, join: Join, select: Vec<SelectItem<'a>>) -> SelectItem<'a> {
    SelectItem::Embed(SelectEmbed {
        alias: None,
        target: target.into(),
        hint: None,
        join,
        spread: false,
        select,
    })
}

fn equals<'a>(name: &'a str, value: &'a str) -> Condition<'a> {
    Condition::Compare {
        field: field(name),
        negated: false,
        operator: Operator::Eq,
        quantifier: None,
        argument: Argument::Text(value.into()),
    }
}

fn notes<'a>(select: Vec<SelectItem<'a>>, filters: Vec<Condition<'a>>) -> ReadRequest<'a> {
    ReadRequest {
        model: "notes".into(),
        select,
        clauses: Clauses { filters, ..Clauses::default() },
        ..ReadRequest::default()
    }
}

fn check(planner: &Planner, request: &ReadRequest<'_>, actor: &Actor, expected: Expect) {
    expected.assert_eq(&match planner.read(request, actor, now()) {
        Ok(plan) => read(planner, &plan),
        Err(error) => error.to_string(),
    });
}

#[test]
fn a_rule_is_folded_for_its_caller() {
    let planner = planner(NOTES);
    let request = notes(vec![item("id")], Vec::new());
    check(&planner, &request, &Actor::anonymous(), expect!["id where public"]);
    check(&planner, &request, &user("ada", &[]), expect!["id where (public || owner Eq <ada>)"]);
    check(&planner, &request, &user("eve", &["editor"]), expect!["id where true"]);
    check(&planner, &request, &Actor::service("a test"), expect!["id where true"]);
}

#[test]
fn a_star_leaves_out_what_is_never_seen_and_masks_what_depends() {
    let planner = planner(NOTES);
    let request = notes(Vec::new(), Vec::new());
    check(&planner, &request, &Actor::anonymous(), expect!["id, text, public, owner where public"]);
    check(
        &planner,
        &request,
        &user("eve", &["editor"]),
        expect![
            "id, text, public, owner, secret: (owner Eq <eve> ? secret : null), rank where true"
        ],
    );
    check(
        &planner,
        &notes(vec![item("rank")], Vec::new()),
        &Actor::anonymous(),
        expect!["42501: permission denied for field rank of notes"],
    );
}

#[test]
fn a_filter_needs_a_field_that_is_open_in_every_row() {
    let planner = planner(NOTES);
    let by_secret = notes(vec![item("id")], vec![equals("secret", "x")]);
    check(
        &planner,
        &by_secret,
        &user("ada", &[]),
        expect!["42501: permission denied for field secret of notes"],
    );
    let by_rank = notes(vec![item("id")], vec![equals("rank", "5")]);
    check(&planner, &by_rank, &user("eve", &["editor"]), expect!["id where rank Eq <5>"]);
    let unreadable = notes(vec![item("id")], vec![equals("id", "five")]);
    check(
        &planner,
        &unreadable,
        &Actor::anonymous(),
        expect![[r#"22P02: invalid input syntax for type int: "five""#]],
    );
}

#[test]
fn a_model_that_is_crossed_brings_its_rule() {
    let planner = planner(NOTES);
    let inner =
        notes(vec![item("id"), embed("owner", Join::Inner, vec![item("name")])], Vec::new());
    check(
        &planner,
        &inner,
        &user("ada", &[]),
        expect![
            "id, owner {name where id Eq <ada>} where ((public || owner Eq <ada>) && to notes_owner_fkey[true?#1.id Eq <ada>])"
        ],
    );
    let crossed =
        notes(vec![item("id"), embed("closed", Join::Left, vec![item("id")])], Vec::new());
    check(
        &planner,
        &crossed,
        &user("ada", &[]),
        expect!["42501: permission denied for model closed"],
    );
}

#[test]
fn a_rule_that_is_never_true_asks_no_store() {
    let planner = planner(NOTES);
    let request = ReadRequest { model: "people".into(), ..ReadRequest::default() };
    check(&planner, &request, &Actor::anonymous(), expect!["nothing"]);
}

#[test]
fn requests_that_differ_in_values_alone_share_a_shape() {
    let planner = planner(NOTES);
    let shape = |value: &str, actor: &Actor| {
        let request = notes(vec![item("id")], vec![equals("text", value)]);
        planner.read(&request, actor, now()).expect("a plan").shape().id()
    };
    let ada = user("ada", &[]);
    assert_eq!(shape("a", &ada), shape("b", &ada));
    assert_eq!(shape("a", &ada), shape("a", &user("bob", &[])));
    assert_ne!(shape("a", &ada), shape("a", &Actor::anonymous()));
    assert_ne!(shape("a", &ada), shape("a", &user("ada", &["editor"])));
    assert_ne!(shape("a", &ada), shape("a", &Actor::service("a test")));
}

#[test]
fn quantified_lists_of_different_lengths_do_not_share_a_shape() {
    let planner = planner(NOTES);
    let shape = |items: &[&'static str]| {
        let condition = Condition::Compare {
            field: field("text"),
            negated: false,
            operator: Operator::Eq,
            quantifier: Some(Quantifier::Any),
            argument: Argument::List(items.iter().map(|item| (*item).into()).collect()),
        };
        let request = notes(vec![item("id")], vec![condition]);
        let plan = planner.read(&request, &Actor::service("a test"), now()).expect("a plan");
        (plan.shape().id(), plan.values().len())
    };
    let (one, values_of_one) = shape(&["a"]);
    let (two, values_of_two) = shape(&["a", "b"]);
    assert_ne!(one, two);
    assert_eq!(values_of_one + 1, values_of_two);
    assert_eq!(shape(&["c", "d"]).0, two);
}

#[test]
fn embeds_are_bounded_in_depth() {
    let planner = planner(NOTES);
    let mut select = vec![item("id")];
    for depth in 0..=Limits::default().embed_depth_max {
        let target = if depth % 2 == 1 { "owner" } else { "notes" };
        select = vec![item("id"), embed(target, Join::Left, select)];
    }
    check(
        &planner,
        &notes(select, Vec::new()),
        &Actor::service("a test"),
        expect!["54000: the request has more embeds than embed_depth_max allows (5)"],
    );
}

#[test]
fn conditions_on_nested_embeds_cannot_multiply_without_bound() {
    let planner = planner(NOTES);
    let is_null = |name: &'static str| Condition::Compare {
        field: field(name),
        negated: false,
        operator: Operator::Is,
        quantifier: None,
        argument: Argument::Is(mainstay_plan::IsValue::Null),
    };
    let many = |name: &'static str| Clauses {
        filters: (0..100).map(|_| is_null(name)).collect(),
        ..Clauses::default()
    };
    let inner = embed("notes", Join::Left, vec![embed("people", Join::Left, Vec::new())]);
    let request = ReadRequest {
        model: "notes".into(),
        select: vec![embed("people", Join::Left, vec![inner])],
        clauses: many("people"),
        embedded: vec![
            (vec!["people".into()], many("notes")),
            (vec!["people".into(), "notes".into()], many("people")),
        ],
        ..ReadRequest::default()
    };
    check(
        &planner,
        &request,
        &Actor::service("a test"),
        expect!["54000: the conditions on embedded models multiply beyond what a request may cost"],
    );
}

#[test]
fn embeds_may_trade_names() {
    let planner = planner(NOTES);
    let aliased = |alias: &'static str, target: &'static str| {
        SelectItem::Embed(SelectEmbed {
            alias: Some(alias.into()),
            target: target.into(),
            hint: None,
            join: Join::Left,
            spread: false,
            select: vec![item("id")],
        })
    };
    let request = ReadRequest {
        model: "notes".into(),
        select: vec![aliased("closed", "people"), aliased("people", "closed")],
        embedded: vec![(
            vec!["closed".into()],
            Clauses { filters: vec![equals("name", "Ada")], ..Clauses::default() },
        )],
        ..ReadRequest::default()
    };
    check(
        &planner,
        &request,
        &Actor::service("a test"),
        expect!["closed {id where name Eq <Ada>}, people {id where true} where true"],
    );
}

#[test]
fn a_regular_expression_may_name_few_classes_of_characters() {
    let planner = planner(NOTES);
    let matching = |pattern: &str| {
        let condition = Condition::Compare {
            field: field("text"),
            negated: false,
            operator: Operator::Match,
            quantifier: None,
            argument: Argument::Text(pattern.to_owned().into()),
        };
        let request = notes(vec![item("id")], vec![condition]);
        let made = planner.read(&request, &Actor::service("a test"), now());
        made.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(matching(r"^[\w.-]+@[\w-]+\.\w{2,}$"), Ok(()));
    assert_eq!(matching(&format!("(?i)[{}]", r"\pL".repeat(7))), Ok(()));
    assert_eq!(
        matching(&format!("(?i)[{}]", r"\pL".repeat(8))).unwrap_err(),
        "54000: a regular expression may name 8 classes of characters at most"
    );
}
