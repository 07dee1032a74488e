//! The grammar of filters: `field=not.eq(any).{1,2}` and trees of `and` and `or`.
//!
//! A filter of its own takes everything after its operator as the value; in a tree
//! a value ends at a comma or parenthesis, unless quotes or braces hold it
//! together. What PostgREST silently leaves unread after a value is refused here.
//! Operators of PostgreSQL's own types are refused by name.

use mainstay_core::{Code, Error, Quantifier};
use mainstay_plan::{Argument, Condition, FieldExpr, Group, IsValue, Operator};

use super::{
    bounds::Bounds,
    cursor::{Cursor, Text},
    list,
};

/// Reads the value of a filter on a field: `not.eq.5`.
///
/// # Errors
/// `PGRST100` where the text is not of the grammar, `PGRST127` for an operator that
/// is refused, `54000` beyond a limit.
pub(super) fn read<'a>(
    field: FieldExpr<'a>,
    text: &'a str,
    bounds: &mut Bounds<'_>,
) -> Result<Condition<'a>, Error> {
    let mut cursor = Cursor::new(text, "filter");
    let condition = comparison(field, &mut cursor, Place::Alone, bounds)?;
    cursor.end("end of input")?;
    Ok(condition)
}

/// Reads the value of `and` or `or`: `(a.eq.1,not.or(b.is.null,c.gt.2))`.
///
/// # Errors
/// As [`read`].
pub(super) fn read_tree<'a>(
    group: Group,
    negated: bool,
    text: &'a str,
    bounds: &mut Bounds<'_>,
) -> Result<Condition<'a>, Error> {
    let mut cursor = Cursor::new(text, "logic tree");
    let items = members(&mut cursor, 1, bounds)?;
    cursor.end("end of input")?;
    Ok(Condition::Group { negated, group, items })
}

/// Where a value stands, which decides where it ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Alone,
    InTree,
}

fn members<'a>(
    cursor: &mut Cursor<'a>,
    depth: usize,
    bounds: &mut Bounds<'_>,
) -> Result<Vec<Condition<'a>>, Error> {
    bounds.filter_depth(depth)?;
    bounds.filter_node()?;
    if !cursor.eat_spaced("(") {
        return Err(cursor.expected("\"(\""));
    }
    let mut items = Vec::new();
    loop {
        items.push(member(cursor, depth, bounds)?);
        if cursor.eat_spaced(",") {
            continue;
        }
        if cursor.eat_spaced(")") {
            return Ok(items);
        }
        return Err(cursor.expected("\",\" or \")\""));
    }
}

fn member<'a>(
    cursor: &mut Cursor<'a>,
    depth: usize,
    bounds: &mut Bounds<'_>,
) -> Result<Condition<'a>, Error> {
    if let Some((negated, group)) = group_word(cursor) {
        let items = members(cursor, depth + 1, bounds)?;
        return Ok(Condition::Group { negated, group, items });
    }
    let field = cursor.field()?;
    if !cursor.eat(".") {
        return Err(cursor.expected("\".\" and an operator"));
    }
    comparison(field, cursor, Place::InTree, bounds)
}

/// `not.and`, `or` and so on, where an opening parenthesis follows.
fn group_word(cursor: &mut Cursor<'_>) -> Option<(bool, Group)> {
    let before = cursor.mark();
    let negated = cursor.eat("not.");
    let group = if cursor.eat("and") {
        Some(Group::And)
    } else if cursor.eat("or") {
        Some(Group::Or)
    } else {
        None
    };
    match group {
        Some(group) if cursor.rest().trim_start_matches([' ', '\t']).starts_with('(') => {
            Some((negated, group))
        }
        _ => {
            cursor.return_to(before);
            None
        }
    }
}

/// The operators, whether each takes `any` and `all`, and what each is to us.
const OPERATORS: &[(&str, Quantified, Operator)] = &[
    ("eq", Quantified::Yes, Operator::Eq),
    ("neq", Quantified::No, Operator::Neq),
    ("gt", Quantified::Yes, Operator::Gt),
    ("gte", Quantified::Yes, Operator::Gte),
    ("lt", Quantified::Yes, Operator::Lt),
    ("lte", Quantified::Yes, Operator::Lte),
    ("like", Quantified::Yes, Operator::Like),
    ("ilike", Quantified::Yes, Operator::ILike),
    ("match", Quantified::Yes, Operator::Match),
    ("imatch", Quantified::Yes, Operator::IMatch),
    ("in", Quantified::No, Operator::In),
    ("is", Quantified::No, Operator::Is),
    ("isdistinct", Quantified::No, Operator::IsDistinct),
    ("cs", Quantified::No, Operator::Contains),
    ("cd", Quantified::No, Operator::ContainedBy),
];

/// Operators of the dialect that compare values of types only PostgreSQL has.
const REFUSED: &[(&str, &str)] = &[
    ("fts", "full-text search"),
    ("plfts", "full-text search"),
    ("phfts", "full-text search"),
    ("wfts", "full-text search"),
    ("ov", "arrays and ranges"),
    ("sl", "ranges"),
    ("sr", "ranges"),
    ("nxr", "ranges"),
    ("nxl", "ranges"),
    ("adj", "ranges"),
];

const EXPECTED_OPERATOR: &str = "\"not\" or operator (eq, gt, ...)";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quantified {
    Yes,
    No,
}

fn comparison<'a>(
    field: FieldExpr<'a>,
    cursor: &mut Cursor<'a>,
    place: Place,
    bounds: &mut Bounds<'_>,
) -> Result<Condition<'a>, Error> {
    bounds.filter_node()?;
    let negated = cursor.eat("not.");
    let (operator, may_be_quantified) = operator(cursor)?;
    let quantifier = match may_be_quantified {
        Quantified::Yes if cursor.eat("(any)") => Some(Quantifier::Any),
        Quantified::Yes if cursor.eat("(all)") => Some(Quantifier::All),
        _ => None,
    };
    if !cursor.eat(".") {
        return Err(cursor.expected("\".\" and a value"));
    }
    let argument = match operator {
        Operator::In => Argument::List(list::read_in(cursor, bounds)?),
        Operator::Is => Argument::Is(is_value(cursor)?),
        _ => {
            let text = single(cursor, place);
            match quantifier {
                Some(_) => {
                    Argument::List(patterns(operator, list::read_array(text, cursor, bounds)?))
                }
                None => Argument::Text(pattern(operator, text)),
            }
        }
    };
    Ok(Condition::Compare { field, negated, operator, quantifier, argument })
}

fn operator(cursor: &mut Cursor<'_>) -> Result<(Operator, Quantified), Error> {
    let before = cursor.mark();
    let word = cursor.take_while(|letter| letter.is_ascii_lowercase());
    if let Some((_, quantified, operator)) = OPERATORS.iter().find(|(name, ..)| *name == word) {
        return Ok((*operator, *quantified));
    }
    if let Some((name, of)) = REFUSED.iter().find(|(name, _)| *name == word) {
        return Err(Error::new(
            Code::NotSupported,
            format!("the operator \"{name}\" is not supported"),
        )
        .with_details(format!("It belongs to PostgreSQL's {of}, which has no counterpart here.")));
    }
    cursor.return_to(before);
    Err(cursor.expected(EXPECTED_OPERATOR))
}

fn is_value(cursor: &mut Cursor<'_>) -> Result<IsValue, Error> {
    let before = cursor.mark();
    let word = cursor.take_while(|letter| letter.is_ascii_alphabetic() || letter == '_');
    let words = [
        ("null", IsValue::Null),
        ("not_null", IsValue::NotNull),
        ("true", IsValue::True),
        ("false", IsValue::False),
        ("unknown", IsValue::Unknown),
    ];
    match words.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
        Some((_, value)) => Ok(*value),
        None => {
            cursor.return_to(before);
            Err(cursor.expected("null, not_null, true, false or unknown"))
        }
    }
}

/// The value of an operator that takes one.
fn single<'a>(cursor: &mut Cursor<'a>, place: Place) -> Text<'a> {
    if place == Place::Alone {
        return Text::Borrowed(cursor.take_rest());
    }
    let before = cursor.mark();
    if let Some(text) = cursor.quoted() {
        if matches!(cursor.peek(), None | Some(b',' | b')')) {
            return text;
        }
        cursor.return_to(before);
    }
    let rest = cursor.rest();
    if let Some(inner) = rest.strip_prefix('{')
        && let Some(length) = inner.find(['{', '}'])
        && inner[length..].starts_with('}')
    {
        let braced = &rest[..length + 2];
        cursor.eat(braced);
        return Text::Borrowed(braced);
    }
    Text::Borrowed(cursor.take_while(|letter| letter != ',' && letter != ')'))
}

/// In a pattern of `like`, `*` may be written for `%`, which URLs would escape.
fn pattern(operator: Operator, text: Text<'_>) -> Text<'_> {
    if matches!(operator, Operator::Like | Operator::ILike) && text.contains('*') {
        return Text::Owned(text.replace('*', "%"));
    }
    text
}

fn patterns(operator: Operator, texts: Vec<Text<'_>>) -> Vec<Text<'_>> {
    texts.into_iter().map(|text| pattern(operator, text)).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use mainstay_core::Limits;

    use super::*;
    use crate::rest::show;

    fn limits() -> Limits {
        Limits { filter_nodes_max: 6, filter_depth_max: 2, ..Limits::default() }
    }

    fn check(text: &str, expected: Expect) {
        let field = FieldExpr { name: "f".into(), json: Vec::new(), as_text: false };
        expected.assert_eq(&match read(field, text, &mut Bounds::new(&limits())) {
            Ok(condition) => show::condition(&condition),
            Err(error) => show::error(&error),
        });
    }

    fn check_tree(text: &str, expected: Expect) {
        expected.assert_eq(&match read_tree(Group::Or, false, text, &mut Bounds::new(&limits())) {
            Ok(condition) => show::condition(&condition),
            Err(error) => show::error(&error),
        });
    }

    #[test]
    fn each_operator_takes_the_rest_as_its_value() {
        check("eq.1", expect!["f Eq \"1\""]);
        check("eq.", expect!["f Eq \"\""]);
        check("eq.a,b)c\"", expect![[r#"f Eq "a,b)c\"""#]]);
        check("neq.a.b", expect!["f Neq \"a.b\""]);
        check("gt.1", expect!["f Gt \"1\""]);
        check("gte.1", expect!["f Gte \"1\""]);
        check("lt.1", expect!["f Lt \"1\""]);
        check("lte.1", expect!["f Lte \"1\""]);
        check("like.a*b%", expect!["f Like \"a%b%\""]);
        check("ilike.*x*", expect!["f ILike \"%x%\""]);
        check("match.^a*$", expect!["f Match \"^a*$\""]);
        check("imatch.a", expect!["f IMatch \"a\""]);
        check("isdistinct.5", expect!["f IsDistinct \"5\""]);
        check(r#"cs.{"a":[1,2]}"#, expect![[r#"f Contains "{\"a\":[1,2]}""#]]);
        check("cd.[1]", expect!["f ContainedBy \"[1]\""]);
        check("not.eq.1", expect!["not f Eq \"1\""]);
    }

    #[test]
    fn is_asks_one_of_five_questions() {
        check("is.null", expect!["f Is Null"]);
        check("is.NULL", expect!["f Is Null"]);
        check("not.is.null", expect!["not f Is Null"]);
        check("is.not_null", expect!["f Is NotNull"]);
        check("is.true", expect!["f Is True"]);
        check("is.false", expect!["f Is False"]);
        check("is.unknown", expect!["f Is Unknown"]);
        check(
            "is.nil",
            expect![[
                r#"PGRST100 "failed to parse filter (is.nil)" (line 1, column 4): unexpected "n" expecting null, not_null, true, false or unknown"#
            ]],
        );
    }

    #[test]
    fn lists_are_quoted_where_they_hold_reserved_characters() {
        check("in.(1,2,3)", expect![[r#"f In ["1", "2", "3"]"#]]);
        check("in.()", expect!["f In []"]);
        check(r#"in.("")"#, expect![[r#"f In [""]"#]]);
        check(r#"in.("a,b","c\"d\\",e f)"#, expect![[r#"f In ["a,b", "c\"d\\", "e f"]"#]]);
        check(r#"in.("a"b,c)"#, expect![[r#"f In ["\"a\"b", "c"]"#]]);
        check("not.in.(1)", expect![[r#"not f In ["1"]"#]]);
        check(
            "in.1,2",
            expect![[
                r#"PGRST100 "failed to parse filter (in.1,2)" (line 1, column 4): unexpected "1" expecting "(""#
            ]],
        );
        check(
            "in.(1",
            expect![[
                r#"PGRST100 "failed to parse filter (in.(1)" (line 1, column 6): unexpected end of input expecting "," or ")""#
            ]],
        );
        check(
            "in.(1)x",
            expect![[
                r#"PGRST100 "failed to parse filter (in.(1)x)" (line 1, column 7): unexpected "x" expecting end of input"#
            ]],
        );
    }

    #[test]
    fn any_and_all_take_an_array() {
        check("eq(any).{1,2}", expect![[r#"f Eq any ["1", "2"]"#]]);
        check("like(all).{a*,\"b,*\"}", expect![[r#"f Like all ["a%", "b,%"]"#]]);
        check("eq(any).{}", expect!["f Eq any []"]);
        check("not.gt(all).{ 1 , 2 }", expect![[r#"not f Gt all ["1", "2"]"#]]);
        check(
            "eq(any).1",
            expect![[
                r#"PGRST100 "failed to parse filter (eq(any).1)" (line 1, column 10): unexpected end of input expecting a list in braces"#
            ]],
        );
        check(
            "neq(any).{1}",
            expect![[
                r#"PGRST100 "failed to parse filter (neq(any).{1})" (line 1, column 4): unexpected "(" expecting "." and a value"#
            ]],
        );
    }

    #[test]
    fn unknown_operators_are_not_values_and_foreign_ones_are_named() {
        check(
            "1",
            expect![[
                r#"PGRST100 "failed to parse filter (1)" (line 1, column 1): unexpected "1" expecting "not" or operator (eq, gt, ...)"#
            ]],
        );
        check(
            "noop.0",
            expect![[
                r#"PGRST100 "failed to parse filter (noop.0)" (line 1, column 1): unexpected "n" expecting "not" or operator (eq, gt, ...)"#
            ]],
        );
        check(
            "eq",
            expect![[
                r#"PGRST100 "failed to parse filter (eq)" (line 1, column 3): unexpected end of input expecting "." and a value"#
            ]],
        );
        check(
            "fts(english).cat",
            expect![[
                r#"PGRST127 the operator "fts" is not supported: It belongs to PostgreSQL's full-text search, which has no counterpart here."#
            ]],
        );
        check(
            "adj.[1,2)",
            expect![[
                r#"PGRST127 the operator "adj" is not supported: It belongs to PostgreSQL's ranges, which has no counterpart here."#
            ]],
        );
    }

    #[test]
    fn trees_nest_and_negate() {
        check_tree("(a.eq.1,b.gt.2)", expect![[r#"or(a Eq "1", b Gt "2")"#]]);
        check_tree(
            "( a.eq.1 , not.and(b.gt.2,c.not.is.null) )",
            expect![[r#"or(a Eq "1 ", not and(b Gt "2", not c Is Null))"#]],
        );
        check_tree(
            r#"(a.eq."x,y)",b.in.(1,"2,3"))"#,
            expect![[r#"or(a Eq "x,y)", b In ["1", "2,3"])"#]],
        );
        check_tree(
            "(a.cs.{x,y},b.like(any).{c*,d*})",
            expect![[r#"or(a Contains "{x,y}", b Like any ["c%", "d%"])"#]],
        );
        check_tree(
            "(data->>a.eq.1,and.eq.2,or.is.null)",
            expect![[r#"or(data->>a Eq "1", and Eq "2", or Is Null)"#]],
        );
        check_tree(r#"(a.eq."x"y)"#, expect![[r#"or(a Eq "\"x\"y")"#]]);
    }

    #[test]
    fn broken_trees_are_refused_with_their_place() {
        check_tree(
            "()",
            expect![[
                r#"PGRST100 "failed to parse logic tree (())" (line 1, column 2): unexpected ")" expecting a field name"#
            ]],
        );
        check_tree(
            "a.eq.1",
            expect![[
                r#"PGRST100 "failed to parse logic tree (a.eq.1)" (line 1, column 1): unexpected "a" expecting "(""#
            ]],
        );
        check_tree(
            "(a.eq.1",
            expect![[
                r#"PGRST100 "failed to parse logic tree ((a.eq.1)" (line 1, column 8): unexpected end of input expecting "," or ")""#
            ]],
        );
        check_tree(
            "(a.in.1,2)",
            expect![[
                r#"PGRST100 "failed to parse logic tree ((a.in.1,2))" (line 1, column 7): unexpected "1" expecting "(""#
            ]],
        );
        check_tree(
            "(a.eq.1)x",
            expect![[
                r#"PGRST100 "failed to parse logic tree ((a.eq.1)x)" (line 1, column 9): unexpected "x" expecting end of input"#
            ]],
        );
        check_tree(
            "(xor(a.eq.1))",
            expect![[
                r#"PGRST100 "failed to parse logic tree ((xor(a.eq.1)))" (line 1, column 5): unexpected "(" expecting "." and an operator"#
            ]],
        );
    }

    #[test]
    fn each_bound_holds_at_its_edge() {
        check("in.(1,2,3,4,5)", expect![[r#"f In ["1", "2", "3", "4", "5"]"#]]);
        check(
            "in.(1,2,3,4,5,6)",
            expect![
                "54000 a request may hold 6 filter nodes at most: The limit is [limits] filter_nodes_max."
            ],
        );
        check_tree("(and(a.eq.1))", expect![[r#"or(and(a Eq "1"))"#]]);
        check_tree(
            "(and(or(a.eq.1)))",
            expect![
                "54000 a request may hold 2 nested and/or groups at most: The limit is [limits] filter_depth_max."
            ],
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_readers_panic(text in "([a-c.,(){}\"\\\\ ]|not\\.|and|or|in\\.|eq|like|is\\.|\\(any\\)){0,20}") {
            let field = FieldExpr { name: "f".into(), json: Vec::new(), as_text: false };
            let _ = read(field, &text, &mut Bounds::new(&Limits::default()));
            let _ = read_tree(Group::And, false, &text, &mut Bounds::new(&Limits::default()));
        }
    }
}
