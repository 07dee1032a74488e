//! The grammar of `order`: `field.desc.nullslast,relation(field).asc`.

use mainstay_core::Error;
use mainstay_plan::OrderTerm;

use super::{bounds::over, cursor::Cursor};

/// Terms of one `order` at most.
const TERMS_MAX: usize = 32;

/// Reads the value of `order`.
///
/// # Errors
/// `PGRST100` where the text is not of the grammar, `54000` beyond a limit.
pub(super) fn read(text: &str) -> Result<Vec<OrderTerm<'_>>, Error> {
    let mut cursor = Cursor::new(text, "order");
    let mut terms = Vec::new();
    loop {
        if terms.len() == TERMS_MAX {
            return Err(over("terms of one order", TERMS_MAX, None));
        }
        terms.push(term(&mut cursor)?);
        if !cursor.eat_spaced(",") {
            cursor.end("\".\", \",\" or end of input")?;
            return Ok(terms);
        }
    }
}

fn term<'a>(cursor: &mut Cursor<'a>) -> Result<OrderTerm<'a>, Error> {
    let mut field = cursor.field()?;
    let mut relation = None;
    if field.json.is_empty() && cursor.eat("(") {
        relation = Some(field.name);
        field = cursor.field()?;
        if !cursor.eat(")") {
            return Err(cursor.expected("\")\""));
        }
    }
    let descending = direction(cursor);
    let nulls_first = nulls(cursor)?;
    if let (None, None, Some(b'.')) = (descending, nulls_first, cursor.peek()) {
        cursor.eat(".");
        return Err(cursor.expected("\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""));
    }
    Ok(OrderTerm { relation, field, descending: descending.unwrap_or(false), nulls_first })
}

fn direction(cursor: &mut Cursor<'_>) -> Option<bool> {
    if cursor.eat(".asc") {
        Some(false)
    } else if cursor.eat(".desc") {
        Some(true)
    } else {
        None
    }
}

fn nulls(cursor: &mut Cursor<'_>) -> Result<Option<bool>, Error> {
    if cursor.eat(".nullsfirst") {
        return Ok(Some(true));
    }
    if cursor.eat(".nullslast") {
        return Ok(Some(false));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::rest::show;

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&match read(text) {
            Ok(terms) => show::order(&terms),
            Err(error) => show::error(&error),
        });
    }

    #[test]
    fn terms_have_directions_and_places_for_nulls() {
        check("name", expect!["name asc"]);
        check("name.desc", expect!["name desc"]);
        check("name.desc.nullsfirst, id", expect!["name desc nulls first, id asc"]);
        check("name.nullslast", expect!["name asc nulls last"]);
        check("data->>a.asc", expect!["data->>a asc"]);
        check(r#""a.b".desc"#, expect!["a.b desc"]);
        check("author(name).desc,id.asc", expect!["author(name) desc, id asc"]);
        check("author(data->a)", expect!["author(data->a) asc"]);
    }

    #[test]
    fn what_is_not_of_the_grammar_is_refused_with_its_place() {
        check(
            "",
            expect![[
                r#"PGRST100 "failed to parse order ()" (line 1, column 1): unexpected end of input expecting a field name"#
            ]],
        );
        check(
            "id.ac",
            expect![[
                r#"PGRST100 "failed to parse order (id.ac)" (line 1, column 4): unexpected "a" expecting "asc", "desc", "nullsfirst" or "nullslast""#
            ]],
        );
        check(
            "id.descc",
            expect![[
                r#"PGRST100 "failed to parse order (id.descc)" (line 1, column 8): unexpected "c" expecting ".", "," or end of input"#
            ]],
        );
        check(
            "author(name,id)",
            expect![[
                r#"PGRST100 "failed to parse order (author(name,id))" (line 1, column 12): unexpected "," expecting ")""#
            ]],
        );
        check(&"a,".repeat(33), expect!["54000 a request may hold 32 terms of one order at most"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[a-c.,()>\"\\\\ -]{0,40}|(asc|desc|nullsfirst|[.,a(])*") {
            let _ = read(&text);
        }
    }
}
