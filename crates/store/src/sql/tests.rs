//! What conditions become, in a dialect made up for these tests.

use expect_test::{Expect, expect};
use mainstay_core::{
    Catalog, CompareOp, Decimal, Filter, JsonStep, Operand, Path, RefId, Relation, RowRef, Scope,
    SlotId, SourceFile, TextOp, Truth, Type, Value, read_app,
};
use mainstay_plan::{Aggregate, Order};

use super::{Dialect, Param, Renderer, Select, Sql};

/// Writes every operation as a call of its name.
struct Plain;

impl Dialect for Plain {
    fn placeholder(&self, ordinal: usize, _: &Param, out: &mut String) {
        out.push_str(&format!("${ordinal}"));
    }
    fn is_among(&self, value: Sql, list: Param) -> Sql {
        Sql::infix(value, " = ANY ", Sql::param(list))
    }
    fn convert_number(&self, number: Sql, _: Type, to: Type) -> Sql {
        Sql::call("convert", [number, Sql::text(to.to_string())])
    }
    fn search(&self, text: Sql, op: TextOp, wanted: Sql) -> Sql {
        Sql::call(&format!("{op:?}").to_lowercase(), [text, wanted])
    }
    fn lower_ascii(&self, text: Sql) -> Sql {
        Sql::call("lower", [text])
    }
    fn size(&self, text: Sql) -> Sql {
        Sql::call("size", [text])
    }
    fn shift(&self, moment: Sql, micros: i64) -> Sql {
        Sql::call("shift", [moment, Sql::text(micros.to_string())])
    }
    fn elapsed(&self, later: Sql, earlier: Sql) -> Sql {
        Sql::call("elapsed", [later, earlier])
    }
    fn json_at(&self, document: Sql, steps: &[JsonStep], as_text: bool) -> Sql {
        let name = if as_text { "json_text" } else { "json" };
        Sql::call(name, [document, Sql::text(steps.len().to_string())])
    }
    fn json_contains(&self, outer: Sql, inner: Sql) -> Sql {
        Sql::infix(outer, " @> ", inner)
    }
    fn cast(&self, value: Sql, _: Type, to: Type) -> Sql {
        value.within("CAST(", &format!(" AS {to})"))
    }
    fn aggregate(&self, aggregate: Aggregate, value: Sql, _: Type, _: Type) -> Sql {
        Sql::call(&format!("{aggregate:?}").to_lowercase(), [value])
    }
    fn puts_nulls_first(&self, descending: bool) -> bool {
        descending
    }
}

const USERS: &str = "[model]\nid = \"text\"\ntimestamps = false\n[fields]\nname = { type = \"text\" }\nteam = { type = \"ref\", to = \"users\" }\n";
const POSTS: &str = "[model]\nid = \"int\"\ntimestamps = false\n[fields]\ntitle = { type = \"text\", required = true }\nopen = { type = \"bool\" }\nviews = { type = \"int\" }\nprice = { type = \"decimal\", precision = 8, scale = 2 }\nextra = { type = \"json\" }\nauthor = { type = \"ref\", to = \"users\" }\n";

fn catalog() -> Catalog {
    let file = |name: &str, text: &str| SourceFile {
        path: format!("models/{name}.toml"),
        text: text.to_owned(),
    };
    read_app(&[], &[file("users", USERS), file("posts", POSTS)], &[]).unwrap().catalog
}

/// Names of the test's fields and refs, looked up.
struct Names(Catalog);

impl Names {
    fn reference(&self, name: &str) -> RefId {
        let at = self.0.references().iter().position(|reference| &*reference.name == name);
        RefId::at(at.unwrap())
    }

    fn author(&self) -> RefId {
        self.reference("posts_author_fkey")
    }

    fn of(&self, model: &str, row: RowRef, field: &str) -> Operand {
        let model = self.0.model(self.0.model_id(model).unwrap());
        Operand::Field(Path { row, field: model.field_id(field).unwrap() })
    }

    /// A field of the post asked about.
    fn post(&self, field: &str) -> Operand {
        self.of("posts", RowRef::at(Scope::Row(0)), field)
    }

    /// A field of the row of the first `exists`.
    fn inner(&self, model: &str, field: &str) -> Operand {
        self.of(model, RowRef::at(Scope::Row(1)), field)
    }
}

fn check(filter: impl Fn(&Names) -> Filter, expected: Expect) {
    let names = Names(catalog());
    let posts = names.0.model_id("posts").unwrap();
    let mut renderer = Renderer::new(&Plain, &names.0, "t", posts).with_old("old");
    let (text, params) = renderer.condition(&filter(&names)).finish(&Plain);
    let params: Vec<String> = params.iter().map(|param| format!("{param:?}")).collect();
    let params = if params.is_empty() { String::new() } else { format!("\n{}", params.join("\n")) };
    expected.assert_eq(&format!("{text}{params}"));
}

fn is(operand: Operand) -> Filter {
    Filter::Is(operand)
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

fn text(text: &str) -> Operand {
    Operand::Literal(Value::Text(text.into()))
}

fn equal(left: Operand, right: Operand) -> Filter {
    Filter::Compare(left, CompareOp::Eq, right)
}

fn author_exists(names: &Names, filter: Filter) -> Filter {
    Filter::Exists {
        from: RowRef::at(Scope::Row(0)),
        relation: Relation::ToOne(names.author()),
        filter: Box::new(filter),
    }
}

#[test]
fn values_are_parameters_in_the_order_of_the_text() {
    check(
        |names| {
            Filter::And(vec![
                equal(names.post("title"), text("'; DROP TABLE posts; --")),
                Filter::Compare(
                    names.post("views"),
                    CompareOp::Lt,
                    Operand::Slot(SlotId(3), Type::Int),
                ),
                Filter::Text(names.post("title"), TextOp::Like, text("a%")),
            ])
        },
        expect![[r#"
            (("t"."title" = $1) AND ("t"."views" < $2) AND like("t"."title", $3))
            Const(Text("'; DROP TABLE posts; --"))
            Slot(SlotId(3), Int)
            Const(Text("a%"))"#]],
    );
}

#[test]
fn nothing_joined_is_what_joins_nothing() {
    check(|_| Filter::And(vec![]), expect!["TRUE"]);
    check(|_| Filter::Or(vec![]), expect!["FALSE"]);
    check(|_| Filter::Const(Truth::Unknown), expect!["NULL"]);
}

#[test]
fn exists_takes_unknown_for_no_and_under_a_negation_for_yes() {
    let banned = |names: &Names| equal(names.inner("users", "name"), text("x"));
    check(
        |names| author_exists(names, banned(names)),
        expect![[r#"
            EXISTS (SELECT 1 FROM "users" AS "t_1" WHERE "t_1"."id" = "t"."author" AND ("t_1"."name" = $1))
            Const(Text("x"))"#]],
    );
    check(
        |names| not(author_exists(names, banned(names))),
        expect![[r#"
            (NOT EXISTS (SELECT 1 FROM "users" AS "t_1" WHERE "t_1"."id" = "t"."author" AND (("t_1"."name" = $1)) IS NOT FALSE))
            Const(Text("x"))"#]],
    );
    check(
        |names| not(not(author_exists(names, banned(names)))),
        expect![[r#"
            (NOT (NOT EXISTS (SELECT 1 FROM "users" AS "t_1" WHERE "t_1"."id" = "t"."author" AND ("t_1"."name" = $1))))
            Const(Text("x"))"#]],
    );
    // What is within an `exists` under a negation stands under it too.
    check(
        |names| {
            let team = names.reference("users_team_fkey");
            let within = Filter::Exists {
                from: RowRef::at(Scope::Row(1)),
                relation: Relation::ToMany(team),
                filter: Box::new(not(equal(
                    names.of("users", RowRef::at(Scope::Row(2)), "name"),
                    text("x"),
                ))),
            };
            not(author_exists(names, within))
        },
        expect![[r#"
            (NOT EXISTS (SELECT 1 FROM "users" AS "t_1" WHERE "t_1"."id" = "t"."author" AND (EXISTS (SELECT 1 FROM "users" AS "t_2" WHERE "t_2"."team" = "t_1"."id" AND ((NOT ("t_2"."name" = $1))) IS NOT FALSE)) IS NOT FALSE))
            Const(Text("x"))"#]],
    );
}

#[test]
fn a_verdict_within_is_decided_whatever_is_around_it() {
    let verdict = |names: &Names| Filter::IsTrue(Box::new(is(names.post("open"))));
    check(verdict, expect![[r#""t"."open""#]]);
    check(|names| not(verdict(names)), expect![[r#"(NOT (("t"."open") IS TRUE))"#]]);
}

#[test]
fn a_condition_of_an_if_is_asked_in_both_polarities() {
    check(
        |names| {
            let test = author_exists(names, is(Operand::Literal(Value::Null)));
            Filter::If(
                Box::new(test),
                Box::new(is(names.post("open"))),
                Box::new(Filter::IsNull(names.post("views"))),
            )
        },
        expect![[
            r#"(CASE WHEN EXISTS (SELECT 1 FROM "users" AS "t_1" WHERE "t_1"."id" = "t"."author" AND NULL) THEN "t"."open" WHEN NOT (EXISTS (SELECT 1 FROM "users" AS "t_2" WHERE "t_2"."id" = "t"."author" AND (NULL) IS NOT FALSE)) THEN ("t"."views" IS NULL) END)"#
        ]],
    );
    check(
        |names| {
            Filter::If(
                Box::new(is(names.post("open"))),
                Box::new(Filter::IsNull(names.post("views"))),
                Box::new(Filter::NEVER),
            )
        },
        expect![[r#"(CASE WHEN "t"."open" THEN ("t"."views" IS NULL) END)"#]],
    );
}

#[test]
fn an_absent_value_is_not_outside_of_a_list() {
    let in_list =
        |names: &Names| Filter::In(names.post("views"), Operand::Slot(SlotId(0), Type::Int));
    check(
        in_list,
        expect![[r#"
            ("t"."views" = ANY $1)
            List(SlotId(0), Int)"#]],
    );
    check(
        |names| not(in_list(names)),
        expect![[r#"
            (NOT (("t"."views" = ANY $1) OR ("t"."views" IS NULL)))
            List(SlotId(0), Int)"#]],
    );
    let literal = |items: Vec<Value>| {
        move |names: &Names| {
            let list = Value::List(items.clone().into_boxed_slice());
            not(Filter::In(names.post("views"), Operand::Literal(list)))
        }
    };
    check(literal(vec![]), expect![[r#"(NOT ("t"."views" IS NULL))"#]]);
    check(
        literal(vec![Value::Int(1), Value::Int(-2)]),
        expect![[r#"(NOT ("t"."views" IN (1, -2)))"#]],
    );
}

#[test]
fn refs_are_followed_by_subqueries_that_keep_null() {
    check(
        |names| {
            let hops = vec![names.author()];
            let row = RowRef { scope: Scope::Row(0), hops };
            not(equal(names.of("users", row, "name"), text("x")))
        },
        expect![[r#"
            (NOT ((SELECT "t_1"."name" FROM "users" AS "t_1" WHERE "t_1"."id" = "t"."author") = $1))
            Const(Text("x"))"#]],
    );
    check(
        |names| {
            let hops = vec![names.author(), names.reference("users_team_fkey")];
            let row = RowRef { scope: Scope::Old, hops };
            Filter::IsNull(names.of("users", row, "name"))
        },
        expect![[
            r#"((SELECT "t_2"."name" FROM "users" AS "t_1" JOIN "users" AS "t_2" ON "t_2"."id" = "t_1"."team" WHERE "t_1"."id" = "old"."author") IS NULL)"#
        ]],
    );
    check(
        |names| {
            let count = Operand::Count(
                RowRef { scope: Scope::Row(0), hops: vec![names.author()] },
                Relation::ToMany(names.author()),
            );
            Filter::Compare(count, CompareOp::Gt, Operand::Literal(Value::Int(2)))
        },
        expect![[
            r#"((SELECT count(*) FROM "posts" AS "t_1" WHERE "t_1"."author" = (SELECT "t_2"."id" FROM "users" AS "t_2" WHERE "t_2"."id" = "t"."author")) > 2)"#
        ]],
    );
}

#[test]
fn numbers_of_two_types_are_brought_to_one() {
    let decimal = |units, scale| Operand::Literal(Value::Decimal(Decimal { units, scale }));
    check(
        |names| equal(names.post("price"), decimal(15, 1)),
        expect![[r#"
            ("t"."price" = $1)
            Const(Decimal(Decimal { units: 150, scale: 2 }))"#]],
    );
    check(
        |names| equal(names.post("price"), decimal(12345, 3)),
        expect![[r#"
            (convert("t"."price", decimal) = $1)
            Const(Decimal(Decimal { units: 12345, scale: 3 }))"#]],
    );
    check(
        |names| equal(names.post("views"), names.post("price")),
        expect![[r#"(convert("t"."views", decimal) = "t"."price")"#]],
    );
    check(
        |names| equal(names.post("views"), Operand::Literal(Value::Float(0.5))),
        expect![[r#"
            (convert("t"."views", float) = $1)
            Const(Float(0.5))"#]],
    );
}

#[test]
fn other_values_are_what_the_dialect_makes_of_them() {
    check(
        |names| {
            let Operand::Field(path) = names.post("extra") else { unreachable!() };
            let steps = vec![JsonStep::Key("a".into()), JsonStep::Index(0)];
            let place = Operand::Json { path, steps, as_text: true };
            let cast = Operand::Cast(Box::new(names.post("views")), Type::Text);
            equal(place, Operand::Lower(Box::new(cast)))
        },
        expect![[r#"(json_text("t"."extra", 2) = lower(CAST("t"."views" AS text)))"#]],
    );
    check(
        |names| {
            let masked = Operand::If(
                Box::new(is(names.post("open"))),
                Box::new(names.post("views")),
                Box::new(Operand::Literal(Value::Null)),
            );
            Filter::Compare(masked, CompareOp::Distinct, Operand::Literal(Value::Int(1)))
        },
        expect![[r#"((CASE WHEN "t"."open" THEN "t"."views" END) IS DISTINCT FROM 1)"#]],
    );
}

#[test]
fn a_select_says_where_nulls_go_only_where_there_can_be_some() {
    let names = Names(catalog());
    let posts = names.0.model_id("posts").unwrap();
    let mut renderer = Renderer::new(&Plain, &names.0, "t", posts);
    let term = |field: &str, descending, nulls_first| Order {
        operand: names.post(field),
        value_type: Type::Text,
        descending,
        nulls_first,
    };
    let order = renderer.order(&[
        term("views", false, false),
        term("views", false, true),
        term("views", true, false),
        term("title", true, false),
        term("id", false, true),
    ]);
    let select = Select {
        columns: vec![renderer.aggregate(Aggregate::Count, None, Type::Int, Type::Int)],
        from: renderer.table(),
        conditions: renderer.conditions(&Filter::And(vec![
            Filter::ALWAYS,
            is(names.post("open")),
            Filter::IsNull(names.post("views")),
        ])),
        group_by: Some(vec![renderer.operand(&names.post("title"))]),
        order,
        page: renderer.page(Some(SlotId(1)), Some(SlotId(2))),
    };
    let (text, params) = select.into_sql().finish(&Plain);
    expect![[r#"SELECT count(*) FROM "posts" AS "t" WHERE "t"."open" AND ("t"."views" IS NULL) GROUP BY "t"."title" ORDER BY "t"."views", "t"."views" NULLS FIRST, "t"."views" DESC NULLS LAST, "t"."title" DESC, "t"."id" LIMIT $1 OFFSET $2"#]]
        .assert_eq(&text);
    assert_eq!(params, [Param::Slot(SlotId(1), Type::Int), Param::Slot(SlotId(2), Type::Int)]);
}
