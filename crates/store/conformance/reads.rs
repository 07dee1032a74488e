//! Reads: every type, filters, order, pages, counts, aggregates, casts.

use std::sync::Arc;

use expect_test::{Expect, expect};
use mainstay_core::{Code, Error, JsonStep, Quantifier, ValueRef};
use mainstay_plan::{
    Aggregate, Argument, Condition, Count, Group, IsValue, Operator, OrderTerm, ReadRequest,
    SelectField, SelectItem,
};
use mainstay_store::RowSink;

use super::harness::*;

const THINGS: &str = r#"
[model]
id = "int"
[fields]
name = { type = "text" }
size = { type = "int" }
ratio = { type = "float" }
price = { type = "decimal", precision = 8, scale = 2 }
open = { type = "bool" }
token = { type = "uuid" }
born = { type = "timestamp" }
day = { type = "date" }
extra = { type = "json" }
data = { type = "bytes" }
mood = { type = "enum", values = ["happy", "sad"] }
[rules]
read = "true"
create = "true"
"#;

async fn things() -> App {
    let app = App::of(&[("things", THINGS)]).await;
    let rows: [&[(&str, &str)]; 3] = [
        &[
            ("name", "größe 100%"),
            ("size", "3"),
            ("ratio", "0.5"),
            ("price", "9.99"),
            ("open", "true"),
            ("token", "00000000-0000-0000-0000-0000000000ff"),
            ("born", "2026-11-23T09:30:00.5Z"),
            ("day", "2026-11-23"),
            ("extra", r#"{"a":[1,{"b":"x"}],"n":null}"#),
            ("data", r"\x00ff"),
            ("mood", "happy"),
        ],
        &[
            ("name", "Zebra"),
            ("size", "-1"),
            ("price", "-0.5"),
            ("open", "false"),
            ("extra", "[1,2]"),
        ],
        &[],
    ];
    let done = app.write(&insert("things", &rows, ""), &service()).await;
    assert_eq!(done, "[1 2 3] 3 new");
    app
}

async fn check(app: &App, request: &ReadRequest<'_>, expected: Expect) {
    expected.assert_eq(&app.read(request, &user("ada")).await);
}

fn filtered(filters: Vec<Condition<'static>>) -> ReadRequest<'static> {
    let mut request = read("things", "id");
    request.clauses.filters = filters;
    request
}

#[tokio::test]
async fn every_type_comes_back_as_it_went_in() {
    let app = things().await;
    check(
        &app,
        &read("things", "name,size,ratio,price,open,token,born,day,extra,data,mood"),
        expect![[r#"("größe 100%" 3 0.5 9.99 true #ff 2026-11-23T09:30:00.5+00:00 2026-11-23 {"a":[1,{"b":"x"}],"n":null} \x00ff "happy") ("Zebra" -1 null -0.50 false null null null [1,2] null null) (null null null null null null null null null null null)"#]],
    )
    .await;
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let app = things().await;
    for (filters, expected) in [
        (vec![equal("size", "3")], expect!["(1)"]),
        (vec![compared("size", Operator::Neq, "3")], expect!["(2)"]),
        (vec![compared("size", Operator::IsDistinct, "3")], expect!["(2) (3)"]),
        (vec![compared("price", Operator::Lt, "9.99")], expect!["(2)"]),
        (vec![compared("price", Operator::Gte, "-0.5")], expect!["(1) (2)"]),
        (vec![compared("name", Operator::Like, "gr__e*")], expect!["(1)"]),
        (vec![compared("name", Operator::Like, "z%")], expect![""]),
        (vec![compared("name", Operator::ILike, "z%")], expect!["(2)"]),
        (vec![compared("name", Operator::Match, "^Z.*a$")], expect!["(2)"]),
        (vec![compared("name", Operator::IMatch, "^z")], expect!["(2)"]),
        (vec![compared("extra", Operator::Contains, r#"{"a":[1]}"#)], expect!["(1)"]),
        (vec![compared("extra", Operator::ContainedBy, "[2,1,3]")], expect!["(2)"]),
        (vec![equal("token", "00000000-0000-0000-0000-0000000000ff")], expect!["(1)"]),
        (vec![equal("born", "2026-11-23 10:30:00.5+01")], expect!["(1)"]),
        (vec![equal("day", "2026-11-23")], expect!["(1)"]),
        (vec![equal("open", "false")], expect!["(2)"]),
        (vec![equal("data", r"\x00ff")], expect!["(1)"]),
        (vec![equal("mood", "happy"), equal("size", "4")], expect![""]),
    ] {
        check(&app, &filtered(filters), expected).await;
    }
}

fn listed(name: &'static str, negated: bool, items: &[&'static str]) -> Condition<'static> {
    Condition::Compare {
        field: expr(name),
        negated,
        operator: Operator::In,
        quantifier: None,
        argument: Argument::List(items.iter().map(|item| (*item).into()).collect()),
    }
}

#[tokio::test]
async fn a_list_binds_values_of_every_type_and_an_empty_one_holds_nothing() {
    let app = things().await;
    for (filter, expected) in [
        (listed("size", false, &["3", "-1", "7"]), expect!["(1) (2)"]),
        (listed("size", true, &["3"]), expect!["(2)"]),
        (listed("size", false, &[]), expect![""]),
        (listed("size", true, &[]), expect!["(1) (2)"]),
        (listed("token", false, &["00000000-0000-0000-0000-0000000000ff"]), expect!["(1)"]),
        (listed("price", false, &["9.99"]), expect!["(1)"]),
        (listed("name", false, &["Zebra", "x"]), expect!["(2)"]),
    ] {
        check(&app, &filtered(vec![filter]), expected).await;
    }
}

#[tokio::test]
async fn groups_negations_and_quantifiers_keep_kleenes_logic() {
    let app = things().await;
    let is = |name, value| Condition::Compare {
        field: expr(name),
        negated: false,
        operator: Operator::Is,
        quantifier: None,
        argument: Argument::Is(value),
    };
    let group = |negated, group, items| Condition::Group { negated, group, items };
    for (filter, expected) in [
        (
            group(false, Group::Or, vec![equal("size", "3"), is("name", IsValue::Null)]),
            expect!["(1) (3)"],
        ),
        (group(true, Group::And, vec![equal("size", "3")]), expect!["(2)"]),
        (group(true, Group::Or, vec![equal("size", "3"), equal("open", "true")]), expect!["(2)"]),
        (is("open", IsValue::True), expect!["(1)"]),
        (is("open", IsValue::False), expect!["(2)"]),
        (is("open", IsValue::Unknown), expect!["(3)"]),
        (is("open", IsValue::NotNull), expect!["(1) (2)"]),
        (
            Condition::Compare {
                field: expr("name"),
                negated: false,
                operator: Operator::Like,
                quantifier: Some(Quantifier::Any),
                argument: Argument::List(vec!["Z%".into(), "gr%".into()]),
            },
            expect!["(1) (2)"],
        ),
        (
            Condition::Compare {
                field: expr("name"),
                negated: false,
                operator: Operator::Like,
                quantifier: Some(Quantifier::All),
                argument: Argument::List(vec!["Z%".into(), "%a".into()]),
            },
            expect!["(2)"],
        ),
    ] {
        check(&app, &filtered(vec![filter]), expected).await;
    }
}

fn ordered(
    name: &'static str,
    descending: bool,
    nulls_first: Option<bool>,
) -> ReadRequest<'static> {
    let mut request = read("things", "id");
    request.clauses.order =
        vec![OrderTerm { relation: None, field: expr(name), descending, nulls_first }];
    request
}

#[tokio::test]
async fn absent_values_are_the_greatest_unless_said_otherwise() {
    let app = things().await;
    check(&app, &ordered("size", false, None), expect!["(2) (1) (3)"]).await;
    check(&app, &ordered("size", true, None), expect!["(3) (1) (2)"]).await;
    check(&app, &ordered("size", false, Some(true)), expect!["(3) (2) (1)"]).await;
    check(&app, &ordered("size", true, Some(false)), expect!["(1) (2) (3)"]).await;
    // By code point: capitals before small letters, both before "ö".
    check(&app, &ordered("name", false, None), expect!["(2) (1) (3)"]).await;
}

#[tokio::test]
async fn a_page_is_cut_and_the_whole_is_counted() {
    let app = things().await;
    let mut request = read("things", "id");
    request.clauses.limit = Some(1);
    request.clauses.offset = Some(1);
    check(&app, &request, expect!["(2)"]).await;
    request.count = Count::Exact;
    check(&app, &request, expect!["(2) of 3"]).await;
    request.clauses.offset = Some(9);
    check(&app, &request, expect![" of 3"]).await;
}

#[tokio::test]
async fn a_list_is_as_long_as_each_limit_says_of_however_many() {
    const LINES: &str = "[model]\nid = \"int\"\n[rules]\nread = \"true\"\ncreate = \"true\"\n";
    let app = App::of(&[("lines", LINES)]).await;
    let rows: [&[(&str, &str)]; 40] = [&[]; 40];
    app.write(&insert("lines", &rows, ""), &service()).await;
    let mut request = read("lines", "id");
    // More than a store may keep a statement each for, some of them again.
    for limit in (0..=40).chain(0..4) {
        request.clauses.limit = Some(limit);
        let ids: Vec<String> = (1..=limit).map(|id| format!("({id})")).collect();
        assert_eq!(app.read(&request, &user("ada")).await, ids.join(" "), "limit {limit}");
    }
}

fn json(steps: Vec<JsonStep>, as_text: bool) -> SelectItem<'static> {
    let mut field = field("extra");
    let expr = field.field.as_mut().unwrap();
    expr.json = steps;
    expr.as_text = as_text;
    SelectItem::Field(field)
}

#[tokio::test]
async fn places_inside_json_are_selected_and_filtered() {
    let app = things().await;
    let key = |key: &str| JsonStep::Key(key.into());
    let mut request = read("things", "");
    request.select = vec![
        json(vec![key("a")], false),
        json(vec![key("a"), JsonStep::Index(-1), key("b")], true),
        json(vec![key("n")], false),
        json(vec![key("n")], true),
        json(vec![JsonStep::Index(1)], true),
    ];
    check(
        &app,
        &request,
        expect![[r#"([1,{"b":"x"}] "x" null null null) (null null null null "2") (null null null null null)"#]],
    )
    .await;
    let mut field = expr("extra");
    field.json = vec![JsonStep::Index(0)];
    field.as_text = true;
    let filter = Condition::Compare {
        field,
        negated: false,
        operator: Operator::Eq,
        quantifier: None,
        argument: Argument::Text("1".into()),
    };
    check(&app, &filtered(vec![filter]), expect!["(2)"]).await;
}

fn aggregate(name: Option<&'static str>, aggregate: Aggregate) -> SelectItem<'static> {
    SelectItem::Field(SelectField {
        alias: None,
        field: name.map(expr),
        cast: None,
        aggregate: Some(aggregate),
        aggregate_cast: None,
    })
}

#[tokio::test]
async fn aggregates_are_computed_over_all_rows_or_groups() {
    let app = things().await;
    let mut request = read("things", "");
    request.select = vec![
        aggregate(None, Aggregate::Count),
        aggregate(Some("size"), Aggregate::Count),
        aggregate(Some("size"), Aggregate::Sum),
        aggregate(Some("size"), Aggregate::Avg),
        aggregate(Some("price"), Aggregate::Sum),
        aggregate(Some("price"), Aggregate::Avg),
        aggregate(Some("price"), Aggregate::Min),
        aggregate(Some("name"), Aggregate::Max),
        aggregate(Some("born"), Aggregate::Max),
    ];
    check(
        &app,
        &request,
        expect![[r#"(3 2 2 1 9.49 4.745 -0.50 "größe 100%" 2026-11-23T09:30:00.5+00:00)"#]],
    )
    .await;
    request.select = vec![SelectItem::Field(field("open")), aggregate(None, Aggregate::Count)];
    request.clauses.order = vec![OrderTerm {
        relation: None,
        field: expr("open"),
        descending: false,
        nulls_first: None,
    }];
    request.count = Count::Exact;
    check(&app, &request, expect!["(false 1) (true 1) (null 1) of 3"]).await;
}

#[tokio::test]
async fn a_cast_converts_or_fails_with_a_code_of_the_callers() {
    let app = things().await;
    let cast = |name, to: &'static str| {
        let mut field = field(name);
        field.cast = Some(to.into());
        SelectItem::Field(field)
    };
    let mut request = filtered(vec![equal("id", "1")]);
    request.select = vec![
        cast("size", "text"),
        cast("price", "int"),
        cast("price", "text"),
        cast("open", "text"),
        cast("token", "text"),
        cast("born", "date"),
        cast("born", "text"),
        cast("data", "text"),
    ];
    check(
        &app,
        &request,
        expect![[r#"("3" 10 "9.99" "true" "00000000-0000-0000-0000-0000000000ff" 2026-11-23 "2026-11-23T09:30:00.5+00:00" "\\x00ff")"#]],
    )
    .await;
    request.select = vec![cast("name", "int")];
    check(&app, &request, expect![[r#"22P02: invalid input syntax for type int: "größe 100%""#]])
        .await;
}

#[tokio::test]
async fn a_sum_beyond_the_whole_numbers_is_out_of_range() {
    let app = things().await;
    for _ in 0..2 {
        app.write(&insert("things", &[&[("size", "9223372036854775807")]], ""), &service()).await;
    }
    let mut request = read("things", "");
    request.select = vec![aggregate(Some("size"), Aggregate::Sum)];
    check(&app, &request, expect!["22003: bigint out of range"]).await;
}

/// Refuses the third row, as a sink does that holds as much as it may.
#[derive(Default)]
struct Small(u32);

impl RowSink for Small {
    fn begin_row(&mut self) {}
    fn value(&mut self, _: ValueRef<'_>) {}
    fn begin_one(&mut self) {}
    fn end_one(&mut self) {}
    fn begin_many(&mut self) {}
    fn end_many(&mut self) {}
    fn end_row(&mut self) -> Result<(), Error> {
        self.0 += 1;
        if self.0 < 3 { Ok(()) } else { Err(Error::new(Code::ResponseTooLarge, "full")) }
    }
    fn reset(&mut self) {
        self.0 = 0;
    }
}

#[tokio::test]
async fn a_full_sink_stops_the_read() {
    let app = things().await;
    let plan = Arc::new(app.planner.read(&read("things", "id"), &user("ada"), now()).unwrap());
    let answer = app.store.read(plan, cx(), Box::new(Small::default())).await;
    assert_eq!(answer.err().map(|error| error.code()), Some(Code::ResponseTooLarge));
}
