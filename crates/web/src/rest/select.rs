//! The grammar of `select`: fields, aggregates, embeds and spreads.
//!
//! `alias:name->json->>path::cast.sum()::cast`, `alias:model!hint!inner(…)`,
//! `...model(…)`, `*`, `count()`. Nesting is bounded before it is followed, so the
//! recursion is as deep as `embed_depth_max` at most.

use mainstay_core::Error;
use mainstay_plan::{Aggregate, Join, SelectEmbed, SelectField, SelectItem};

use super::{
    bounds::Bounds,
    cursor::{Cursor, Text},
};

/// Reads the value of `select`. An empty text selects nothing of its own and is
/// answered as `*`, as in PostgREST.
///
/// # Errors
/// `PGRST100` where the text is not of the grammar, `54000` beyond a limit.
pub(super) fn read<'a>(
    text: &'a str,
    bounds: &mut Bounds<'_>,
) -> Result<Vec<SelectItem<'a>>, Error> {
    let mut cursor = Cursor::new(text, "select parameter");
    let select = items(&mut cursor, 0, bounds)?;
    cursor.end("\",\" or end of input")?;
    Ok(select)
}

fn items<'a>(
    cursor: &mut Cursor<'a>,
    depth: usize,
    bounds: &mut Bounds<'_>,
) -> Result<Vec<SelectItem<'a>>, Error> {
    let mut items = Vec::new();
    cursor.skip_blanks();
    if matches!(cursor.peek(), None | Some(b')')) {
        return Ok(items);
    }
    loop {
        bounds.select_item()?;
        items.push(item(cursor, depth, bounds)?);
        if !cursor.eat_spaced(",") {
            return Ok(items);
        }
    }
}

fn item<'a>(
    cursor: &mut Cursor<'a>,
    depth: usize,
    bounds: &mut Bounds<'_>,
) -> Result<SelectItem<'a>, Error> {
    cursor.skip_blanks();
    if cursor.eat("...") {
        let target = cursor.name("the name of a model or ref field")?;
        let mut embed = embed(cursor, None, target, depth, bounds)?;
        embed.spread = true;
        return Ok(SelectItem::Embed(embed));
    }
    if cursor.eat("*") {
        return Ok(SelectItem::Star);
    }
    let (alias, name) = alias_and_name(cursor)?;
    if name == "count" && cursor.eat("()") {
        let aggregate_cast = cast(cursor)?;
        let aggregate = Some(Aggregate::Count);
        let field = SelectField { alias, field: None, cast: None, aggregate, aggregate_cast };
        return Ok(SelectItem::Field(field));
    }
    if matches!(cursor.peek(), Some(b'(' | b'!')) {
        return embed(cursor, alias, name, depth, bounds).map(SelectItem::Embed);
    }
    let field = Some(cursor.json_path(name)?);
    let cast_to = cast(cursor)?;
    let aggregate = aggregate(cursor)?;
    let aggregate_cast = if aggregate.is_some() { cast(cursor)? } else { None };
    Ok(SelectItem::Field(SelectField { alias, field, cast: cast_to, aggregate, aggregate_cast }))
}

/// `alias:name` or `name`; a double colon is a cast and no alias.
fn alias_and_name<'a>(cursor: &mut Cursor<'a>) -> Result<(Option<Text<'a>>, Text<'a>), Error> {
    let expected = "a field name, \"*\", \"count()\" or an embedded model";
    let first = cursor.name(expected)?;
    if cursor.rest().starts_with("::") || !cursor.eat(":") {
        return Ok((None, first));
    }
    cursor.skip_blanks();
    Ok((Some(first), cursor.name(expected)?))
}

fn embed<'a>(
    cursor: &mut Cursor<'a>,
    alias: Option<Text<'a>>,
    target: Text<'a>,
    depth: usize,
    bounds: &mut Bounds<'_>,
) -> Result<SelectEmbed<'a>, Error> {
    bounds.embed(depth + 1)?;
    let (mut hint, mut join) = (None, None);
    for _ in 0..2 {
        if !cursor.eat("!") {
            break;
        }
        let param = cursor.name("a hint, \"left\" or \"inner\"")?;
        match (&*param, join) {
            ("left", None) => join = Some(Join::Left),
            ("inner", None) => join = Some(Join::Inner),
            _ if hint.is_none() => hint = Some(param),
            _ => return Err(cursor.expected("one hint only")),
        }
    }
    if !cursor.eat("(") {
        return Err(cursor.expected("\"(\""));
    }
    let select = items(cursor, depth + 1, bounds)?;
    if !cursor.eat_spaced(")") {
        return Err(cursor.expected("\",\" or \")\""));
    }
    let join = join.unwrap_or_default();
    Ok(SelectEmbed { alias, target, hint, join, spread: false, select })
}

fn cast<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Text<'a>>, Error> {
    if cursor.eat("::") { cursor.type_name().map(Some) } else { Ok(None) }
}

fn aggregate(cursor: &mut Cursor<'_>) -> Result<Option<Aggregate>, Error> {
    if !cursor.eat(".") {
        return Ok(None);
    }
    let words = [
        ("sum()", Aggregate::Sum),
        ("avg()", Aggregate::Avg),
        ("count()", Aggregate::Count),
        ("min()", Aggregate::Min),
        ("max()", Aggregate::Max),
    ];
    match words.iter().find(|(word, _)| cursor.eat(word)) {
        Some((_, aggregate)) => Ok(Some(*aggregate)),
        None => Err(cursor.expected("\"sum()\", \"avg()\", \"count()\", \"min()\" or \"max()\"")),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use mainstay_core::Limits;

    use super::*;
    use crate::rest::show;

    fn check(text: &str, expected: Expect) {
        let limits =
            Limits { embed_depth_max: 2, embeds_max: 3, select_items_max: 8, ..Limits::default() };
        expected.assert_eq(&match read(text, &mut Bounds::new(&limits)) {
            Ok(items) => show::select(&items),
            Err(error) => show::error(&error),
        });
    }

    #[test]
    fn fields_have_aliases_json_paths_and_casts() {
        check("", expect![""]);
        check("*", expect!["*"]);
        check("id, title , body", expect!["id | title | body"]);
        check("headline:title", expect!["title as headline"]);
        check("views::text", expect!["views::text"]);
        check("n:views::double precision", expect!["views::double precision as n"]);
        check("a:data->b->>c::int", expect!["data->b->>c::int as a"]);
        check("data->0", expect!["data->#0"]);
        check(r#""odd:name":"a,b""#, expect!["a,b as odd:name"]);
    }

    #[test]
    fn aggregates_stand_alone_or_after_a_field() {
        check("count()", expect!["count()"]);
        check("n:count()::text", expect!["count()::text as n"]);
        check("views.sum(),author", expect!["sum(views) | author"]);
        check("a:views::int.avg()::text", expect!["avg(views::int)::text as a"]);
        check("data->n.max()", expect!["max(data->n)"]);
        check("count", expect!["count"]);
        check("id.count()", expect!["count(id)"]);
    }

    #[test]
    fn embeds_nest_and_carry_hints() {
        check("*,author(name)", expect!["* | author(name)"]);
        check("comments()", expect!["comments()"]);
        check(
            "writer:users!posts_author_fkey!inner(id)",
            expect!["users!posts_author_fkey inner(id) as writer"],
        );
        check("users!inner!fk(id)", expect!["users!fk inner(id)"]);
        check("users!left(*)", expect!["users(*)"]);
        check("...author(name,age)", expect!["...author(name | age)"]);
        check(
            "comments(id,author(name)),tags(name)",
            expect!["comments(id | author(name)) | tags(name)"],
        );
        check("tags(count())", expect!["tags(count())"]);
        check("a( data->0 )", expect!["a(data->#0)"]);
    }

    #[test]
    fn what_is_not_of_the_grammar_is_refused_with_its_place() {
        check(
            "id,",
            expect![[
                r#"PGRST100 "failed to parse select parameter (id,)" (line 1, column 4): unexpected end of input expecting a field name, "*", "count()" or an embedded model"#
            ]],
        );
        check(
            "name!hint",
            expect![[
                r#"PGRST100 "failed to parse select parameter (name!hint)" (line 1, column 10): unexpected end of input expecting "(""#
            ]],
        );
        check(
            "a(b",
            expect![[
                r#"PGRST100 "failed to parse select parameter (a(b)" (line 1, column 4): unexpected end of input expecting "," or ")""#
            ]],
        );
        check(
            "a)",
            expect![[
                r#"PGRST100 "failed to parse select parameter (a))" (line 1, column 2): unexpected ")" expecting "," or end of input"#
            ]],
        );
        check(
            "a.median()",
            expect![[
                r#"PGRST100 "failed to parse select parameter (a.median())" (line 1, column 3): unexpected "m" expecting "sum()", "avg()", "count()", "min()" or "max()""#
            ]],
        );
        check(
            "a::",
            expect![[
                r#"PGRST100 "failed to parse select parameter (a::)" (line 1, column 4): unexpected end of input expecting the name of a type"#
            ]],
        );
        check(
            "x:...a(b)",
            expect![[
                r#"PGRST100 "failed to parse select parameter (x:...a(b))" (line 1, column 3): unexpected "." expecting a field name, "*", "count()" or an embedded model"#
            ]],
        );
        check(
            "*!hint",
            expect![[
                r#"PGRST100 "failed to parse select parameter (*!hint)" (line 1, column 2): unexpected "!" expecting "," or end of input"#
            ]],
        );
    }

    #[test]
    fn each_bound_holds_at_its_edge() {
        check("a(b(c))", expect!["a(b(c))"]);
        check(
            "a(b(c(d)))",
            expect![
                "54000 a request may hold 2 nested embeds at most: The limit is [limits] embed_depth_max."
            ],
        );
        check("a(),b(),c()", expect!["a() | b() | c()"]);
        check(
            "a(),b(),c(),d()",
            expect!["54000 a request may hold 3 embeds at most: The limit is [limits] embeds_max."],
        );
        check(
            "a,b,c,d,e,f,g,h,i",
            expect![
                "54000 a request may hold 8 select items at most: The limit is [limits] select_items_max."
            ],
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[a-c*:.,()!>\"\\\\ -]{0,40}") {
            let _ = read(&text, &mut Bounds::new(&Limits::default()));
        }
    }
}
