//! The corpus's rows: absent values everywhere, empty ones, the least and the
//! greatest, texts that look like SQL or like patterns, letters of several code points.

use mainstay_core::{Catalog, Decimal, Model, Timestamp, Type, Value};

use super::actors::{DAVE, OHARA, TOKEN};
use crate::interpret::Row;

const HOUR: i64 = 3_600_000_000;

/// The corpus's request time.
pub(super) fn now() -> Timestamp {
    Timestamp::parse("2026-11-23T12:00:00Z").expect("BUG: this is a moment")
}

/// The rows of each model, in the models' order.
pub(super) fn rows(catalog: &Catalog) -> Vec<Vec<Row>> {
    catalog
        .models()
        .iter()
        .map(|model| {
            let rows = match &*model.name {
                "users" => users(),
                "teams" => teams(),
                "tags" => tags(),
                "posts" => posts(),
                "members" => members(),
                "bans" => bans(),
                "post_tags" => post_tags(),
                _ => Vec::new(),
            };
            rows.into_iter().map(|given| row(model, &given)).collect()
        })
        .collect()
}

type Given = Vec<(&'static str, Value)>;

/// A row of the values given, all else absent.
fn row(model: &Model, given: &Given) -> Row {
    let mut row = vec![Value::Null; model.fields.len()];
    for (name, value) in given {
        let field = model.field_id(name).expect("BUG: the corpus's rows have its fields");
        row[field.index()] = value.clone();
    }
    row
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn json(text: &str) -> Value {
    Value::json(text, 32).expect("BUG: this is JSON")
}

fn parsed(text: &str, kind: Type) -> Value {
    Value::parse(text, kind, 0).expect("BUG: this is a value of its type")
}

fn price(units: i64) -> Value {
    Value::Decimal(Decimal { units, scale: 2 })
}

/// So many microseconds from now.
fn from_now(micros: i64) -> Value {
    Value::Timestamp(now().shifted(micros).expect("BUG: this is a moment"))
}

fn users() -> Vec<Given> {
    vec![
        vec![("id", text("alice")), ("name", text("Alice")), ("banned", Value::Bool(false))],
        vec![("id", text("bob")), ("name", text("Bob"))],
        vec![("id", text("")), ("name", text("")), ("banned", Value::Bool(true))],
        vec![("id", text(OHARA))],
        vec![("id", text(DAVE)), ("name", text("Ünï 😀")), ("banned", Value::Bool(false))],
        vec![("id", text("carol")), ("name", text("Carol")), ("banned", Value::Bool(true))],
    ]
}

fn teams() -> Vec<Given> {
    vec![
        vec![("id", Value::Int(1)), ("name", text("red")), ("owner", text("alice"))],
        vec![("id", Value::Int(2)), ("name", text("blue"))],
        vec![("id", Value::Int(3)), ("name", text("")), ("owner", text(""))],
    ]
}

fn tags() -> Vec<Given> {
    vec![
        vec![("id", text("rust")), ("label", text("Rust")), ("secret", Value::Bool(false))],
        vec![("id", text("private")), ("secret", Value::Bool(true))],
        vec![("id", text("")), ("label", text(""))],
        vec![("id", text("💥")), ("label", text("%")), ("secret", Value::Bool(false))],
    ]
}

fn posts() -> Vec<Given> {
    let mut posts = posts_of_people();
    posts.extend(posts_of_extremes());
    posts.extend(posts_with_json());
    posts.extend(posts_in_time());
    posts.extend(posts_of_others());
    for (at, post) in posts.iter_mut().enumerate() {
        post.push(("id", Value::Int(i64::try_from(at).unwrap_or(0) + 1)));
    }
    posts
}

fn yes() -> Value {
    Value::Bool(true)
}

fn no() -> Value {
    Value::Bool(false)
}

/// Posts 1 to 7: one with everything, one with nothing, one of each caller's.
fn posts_of_people() -> Vec<Given> {
    vec![
        vec![
            ("title", text("Hello")),
            ("views", Value::Int(10)),
            ("rating", Value::Float(1.5)),
            ("price", price(999)),
            ("published", yes()),
            ("mood", text("happy")),
            ("token", parsed(TOKEN, Type::Uuid)),
            ("born", from_now(-HOUR)),
            ("day", parsed("2026-11-22", Type::Date)),
            ("extra", json(r#"{"kind":"note","n":1,"flag":true,"tags":["a","b"]}"#)),
            ("data", Value::Bytes(Box::new([0, 255]))),
            ("author", text("alice")),
            ("reviewer", text("bob")),
            ("team", Value::Int(1)),
        ],
        vec![],
        vec![
            ("title", text("")),
            ("views", Value::Int(0)),
            ("rating", Value::Float(0.0)),
            ("price", price(0)),
            ("published", no()),
            ("mood", text("sad")),
            ("born", from_now(0)),
            ("extra", json("{}")),
            ("data", Value::Bytes(Box::new([]))),
            ("author", text("bob")),
            ("team", Value::Int(2)),
            ("parent", Value::Int(1)),
        ],
        vec![
            ("title", text(r"100%_\")),
            ("views", Value::Int(-1)),
            ("author", text("alice")),
            ("parent", Value::Int(2)),
        ],
        vec![
            ("title", text("'; DROP TABLE posts; --")),
            ("views", Value::Int(1)),
            ("published", no()),
            ("mood", text("o'hara")),
            ("author", text("")),
            ("team", Value::Int(3)),
        ],
        vec![
            ("title", text(OHARA)),
            ("published", yes()),
            ("author", text(OHARA)),
            ("reviewer", text(OHARA)),
            ("parent", Value::Int(5)),
        ],
        vec![
            ("title", text("ﬃ İstanbul ẞ")),
            ("published", no()),
            ("token", parsed(DAVE, Type::Uuid)),
            ("author", text(DAVE)),
            ("parent", Value::Int(3)),
        ],
    ]
}

/// Posts 8 to 10: the least and the greatest, letters of several bytes or code points.
fn posts_of_extremes() -> Vec<Given> {
    vec![
        vec![
            ("title", text("😀")),
            ("views", Value::Int(i64::MAX)),
            ("rating", Value::Float(1e308)),
            ("price", price(99_999_999)),
            ("published", yes()),
            ("parent", Value::Int(4)),
        ],
        vec![
            ("title", text("e\u{301}")),
            ("views", Value::Int(i64::MIN)),
            ("rating", Value::Float(-0.0)),
            ("price", price(-99_999_999)),
            ("published", no()),
            ("author", text("bob")),
            ("reviewer", text("alice")),
        ],
        vec![("title", text("null")), ("extra", json("null")), ("reviewer", text("bob"))],
    ]
}

/// Posts 11 to 15: JSON that is not what a rule expects at a path.
fn posts_with_json() -> Vec<Given> {
    vec![
        vec![("extra", json(r#""note""#)), ("views", Value::Int(7))],
        vec![
            ("extra", json(r#"{"kind":null,"n":null,"flag":null,"tags":null}"#)),
            ("views", Value::Int(8)),
        ],
        vec![("extra", json(r#"{"kind":5,"n":"1","flag":"true","tags":["A",["a"]]}"#))],
        vec![("extra", json(r#"["kind","note"]"#)), ("author", text("alice"))],
        vec![
            ("extra", json(r#"{"kind":{"a":1},"n":1.5,"flag":false,"tags":"a"}"#)),
            ("born", parsed("0001-01-01T00:00:00Z", Type::Timestamp)),
            ("day", parsed("0001-01-01", Type::Date)),
        ],
    ]
}

/// Posts 16 to 18: moments at the edges of what there is and of what rules ask.
fn posts_in_time() -> Vec<Given> {
    vec![
        vec![
            ("born", parsed("9999-12-30T22:00:00.999999Z", Type::Timestamp)),
            ("day", parsed("9999-12-31", Type::Date)),
            ("author", text("")),
        ],
        vec![
            ("born", from_now(-24 * HOUR)),
            ("title", text("HELLO")),
            ("published", Value::Bool(true)),
        ],
        vec![
            ("born", from_now(-24 * HOUR - 1)),
            ("title", text("hello ")),
            ("published", Value::Bool(false)),
        ],
    ]
}

/// Posts 19 to 22: of no caller, or of a caller through others.
fn posts_of_others() -> Vec<Given> {
    vec![
        vec![
            ("title", text("Carol's")),
            ("published", yes()),
            ("author", text("carol")),
            ("parent", Value::Int(3)),
        ],
        vec![
            ("title", text("a\nb\tc")),
            ("views", Value::Int(9)),
            ("price", price(100)),
            ("data", Value::Bytes(Box::new(*b"\\x00"))),
            ("published", yes()),
            ("mood", text("happy")),
        ],
        vec![
            ("published", yes()),
            ("author", text("bob")),
            ("team", Value::Int(3)),
            ("parent", Value::Int(20)),
        ],
        vec![("views", Value::Int(7)), ("price", price(998)), ("parent", Value::Int(10))],
    ]
}

fn members() -> Vec<Given> {
    let level = |level: Option<i64>| level.map_or(Value::Null, Value::Int);
    let user = |id: Option<&str>| id.map_or(Value::Null, text);
    [
        (1, Some("alice"), Some(1)),
        (1, None, None),
        (3, None, Some(5)),
        (3, Some("bob"), None),
        (4, Some("bob"), Some(3)),
        (5, Some(""), Some(0)),
        (6, Some(OHARA), Some(-1)),
        (7, Some(DAVE), Some(2)),
        (8, None, None),
        (10, Some("alice"), None),
    ]
    .into_iter()
    .zip(1..)
    .map(|((post, member, reached), id)| {
        vec![
            ("id", Value::Int(id)),
            ("post", Value::Int(post)),
            ("user", user(member)),
            ("level", level(reached)),
        ]
    })
    .collect()
}

fn bans() -> Vec<Given> {
    let user = |id: Option<&str>| id.map_or(Value::Null, text);
    let active = |active: Option<bool>| active.map_or(Value::Null, Value::Bool);
    [
        (1, Some("bob"), Value::Null, Some(true)),
        (3, None, Value::Null, None),
        (4, Some("alice"), from_now(-HOUR), Some(true)),
        (5, Some(""), from_now(HOUR), Some(true)),
        (6, Some("carol"), from_now(HOUR), Some(false)),
        (8, None, from_now(HOUR), Some(true)),
        (8, Some("bob"), from_now(-HOUR), None),
    ]
    .into_iter()
    .zip(1..)
    .map(|((post, banned, until, is_active), id)| {
        vec![
            ("id", Value::Int(id)),
            ("post", Value::Int(post)),
            ("user", user(banned)),
            ("until", until),
            ("active", active(is_active)),
        ]
    })
    .collect()
}

fn post_tags() -> Vec<Given> {
    [
        (1, "rust"),
        (1, "private"),
        (3, ""),
        (4, "rust"),
        (5, "💥"),
        (8, "private"),
        (9, ""),
        (9, "rust"),
    ]
    .into_iter()
    .map(|(post, tag)| vec![("post", Value::Int(post)), ("tag", text(tag))])
    .collect()
}
