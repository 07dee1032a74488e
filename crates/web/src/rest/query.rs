//! The query string: what each parameter is, and to which model it belongs.
//!
//! `select`, `columns`, `on_conflict`, and by the last word of their dotted names
//! `order`, `limit`, `offset`, `and`, `or`; everything else is a filter. The words
//! before the last are the path to an embedded model. Decoded once, so a text that
//! was escaped twice stays escaped once.

use std::borrow::Cow;

use mainstay_core::{Code, Error, Limits};
use mainstay_plan::{Clauses, FieldExpr, Group, SelectItem};
use percent_encoding::percent_decode;

use super::{
    bounds::{Bounds, over},
    cursor::{Cursor, Text},
    filter, order, select,
};

/// Parameters a query mostly has at most.
const PARAMS_USUAL: usize = 4;
/// Names in `columns` or `on_conflict` at most.
const COLUMNS_MAX: usize = 200;

/// The parameters, decoded.
pub(crate) struct Params<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Params<'a> {
    /// Decodes a query string: `%` escapes, and `+` for a space.
    ///
    /// # Errors
    /// `PGRST100` where it is not UTF-8.
    pub(crate) fn decode(query: Option<&'a str>) -> Result<Self, Error> {
        let Some(query) = query else { return Ok(Self(Vec::new())) };
        let mut pairs = Vec::with_capacity(PARAMS_USUAL);
        let plain = is_plain(query);
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            pairs.push(match plain {
                true => (Cow::Borrowed(key), Cow::Borrowed(value)),
                false => (decoded(key)?, decoded(value)?),
            });
        }
        Ok(Self(pairs))
    }

    /// The names and values.
    pub(super) fn into_pairs(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        self.0.into_iter()
    }
}

/// Whether there is nothing to decode in a text. Looking at all of it is quicker than
/// looking for the first.
fn is_plain(text: &str) -> bool {
    !text.bytes().fold(false, |found, byte| found | matches!(byte, b'%' | b'+'))
}

/// Decodes one part of a query string.
fn decoded(text: &str) -> Result<Cow<'_, str>, Error> {
    if is_plain(text) {
        return Ok(Cow::Borrowed(text));
    }
    let spaced = text.replace('+', " ");
    match percent_decode(spaced.as_bytes()).decode_utf8() {
        Ok(plain) => Ok(Cow::Owned(plain.into_owned())),
        Err(_) => Err(Error::new(Code::QueryUnreadable, "the query string is not UTF-8")),
    }
}

/// A query string, read.
#[derive(Debug, Default)]
pub(crate) struct Query<'a> {
    pub(crate) select: Vec<SelectItem<'a>>,
    pub(crate) clauses: Clauses<'a>,
    pub(crate) embedded: Vec<(Vec<Text<'a>>, Clauses<'a>)>,
    pub(crate) columns: Option<Vec<Text<'a>>>,
    pub(crate) on_conflict: Vec<Text<'a>>,
}

impl<'a> Query<'a> {
    /// Reads the parameters.
    ///
    /// # Errors
    /// `PGRST100` where one is not of its grammar, `PGRST103` for a negative limit or
    /// offset, `PGRST127` for an operator that is refused, `54000` beyond a limit.
    pub(crate) fn read(params: &'a Params<'_>, limits: &Limits) -> Result<Self, Error> {
        let mut query = Self::default();
        let mut bounds = Bounds::new(limits);
        let mut selected = false;
        for (key, value) in &params.0 {
            match key.as_ref() {
                "select" if !selected => {
                    selected = true;
                    query.select = select::read(value, &mut bounds)?;
                }
                "columns" if query.columns.is_none() => {
                    query.columns = Some(names(value, "columns parameter")?);
                }
                "on_conflict" if query.on_conflict.is_empty() => {
                    query.on_conflict = names(value, "on_conflict parameter")?;
                }
                "select" | "columns" | "on_conflict" => {}
                _ => query.clause(key, value, &mut bounds)?,
            }
        }
        Ok(query)
    }

    fn clause(
        &mut self,
        key: &'a str,
        value: &'a str,
        bounds: &mut Bounds<'_>,
    ) -> Result<(), Error> {
        let dot = key.bytes().rposition(|byte| byte == b'.');
        let word = dot.map_or(key, |dot| &key[dot + 1..]);
        match word {
            "order" => {
                let (path, _) = tree_path(key)?;
                self.at(path, bounds)?.order = order::read(value)?;
            }
            "limit" => {
                let (path, _) = tree_path(key)?;
                self.at(path, bounds)?.limit = Some(count(value, "limit")?);
            }
            "offset" => {
                let (path, _) = tree_path(key)?;
                self.at(path, bounds)?.offset = Some(count(value, "offset")?);
            }
            "and" | "or" => {
                let (mut path, _) = tree_path(key)?;
                let named = path.len();
                path.retain(|name| name != "not");
                let group = if word == "and" { Group::And } else { Group::Or };
                let tree = filter::read_tree(group, path.len() != named, value, bounds)?;
                self.at(path, bounds)?.filters.push(tree);
            }
            _ => {
                let (path, field) = tree_path(key)?;
                let condition = filter::read(field, value, bounds)?;
                self.at(path, bounds)?.filters.push(condition);
            }
        }
        Ok(())
    }

    /// The clauses of the model at a path.
    fn at(
        &mut self,
        path: Vec<Text<'a>>,
        bounds: &mut Bounds<'_>,
    ) -> Result<&mut Clauses<'a>, Error> {
        if path.is_empty() {
            return Ok(&mut self.clauses);
        }
        let found = self.embedded.iter().position(|(known, _)| *known == path);
        let at = match found {
            Some(at) => at,
            None => {
                bounds.path(path.len(), self.embedded.len())?;
                self.embedded.push((path, Clauses::default()));
                self.embedded.len() - 1
            }
        };
        Ok(&mut self.embedded[at].1)
    }
}

/// `a.b.field->step`: the path to a model, and the last name with its steps.
fn tree_path(key: &str) -> Result<(Vec<Text<'_>>, FieldExpr<'_>), Error> {
    // Most are a field and nothing more.
    if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        let field = FieldExpr { name: key.into(), json: Vec::new(), as_text: false };
        return Ok((Vec::new(), field));
    }
    let mut cursor = Cursor::new(key, "tree path");
    let mut path = Vec::new();
    loop {
        let name = cursor.name("a field name")?;
        if cursor.eat(".") {
            path.push(name);
            continue;
        }
        let field = cursor.json_path(name)?;
        cursor.end("\".\", \"->\" or end of input")?;
        return Ok((path, field));
    }
}

fn names<'a>(value: &'a str, subject: &'static str) -> Result<Vec<Text<'a>>, Error> {
    let mut cursor = Cursor::new(value, subject);
    let mut names = Vec::new();
    loop {
        if names.len() == COLUMNS_MAX {
            return Err(over("names in one parameter", COLUMNS_MAX, None));
        }
        names.push(cursor.name("a field name")?);
        if !cursor.eat_spaced(",") {
            cursor.end("\",\" or end of input")?;
            return Ok(names);
        }
    }
}

fn count(value: &str, name: &str) -> Result<u64, Error> {
    if let Ok(count) = value.parse::<u64>() {
        return Ok(count);
    }
    if value.parse::<i64>().is_ok() {
        return Err(Error::new(Code::RangeNotSatisfiable, "Requested range not satisfiable")
            .with_details(format!("The {name} should be greater than or equal to zero.")));
    }
    Err(Error::new(Code::QueryUnreadable, format!("\"{name}\" is not a whole number"))
        .with_details(format!("unexpected \"{value}\" expecting digits")))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::rest::show;

    fn check(text: &str, expected: Expect) {
        let limits = Limits { embed_depth_max: 2, embeds_max: 2, ..Limits::default() };
        let read = Params::decode(Some(text));
        let read = read.as_ref().map_err(show::error).and_then(|params| {
            Query::read(params, &limits).map(|query| shown(&query)).map_err(|e| show::error(&e))
        });
        expected.assert_eq(&read.unwrap_or_else(|error| error));
    }

    fn shown(query: &Query<'_>) -> String {
        let mut lines = Vec::new();
        if !query.select.is_empty() {
            lines.push(format!("select {}", show::select(&query.select)));
        }
        if let Some(columns) = &query.columns {
            lines.push(format!("columns {columns:?}"));
        }
        if !query.on_conflict.is_empty() {
            lines.push(format!("on conflict {:?}", query.on_conflict));
        }
        let mut clauses = |path: &str, clauses: &Clauses<'_>| {
            for filter in &clauses.filters {
                lines.push(format!("{path}where {}", show::condition(filter)));
            }
            if !clauses.order.is_empty() {
                lines.push(format!("{path}order {}", show::order(&clauses.order)));
            }
            if let Some(limit) = clauses.limit {
                lines.push(format!("{path}limit {limit}"));
            }
            if let Some(offset) = clauses.offset {
                lines.push(format!("{path}offset {offset}"));
            }
        };
        clauses("", &query.clauses);
        for (path, of) in &query.embedded {
            clauses(&format!("{}: ", path.join("/")), of);
        }
        lines.join("\n")
    }

    #[test]
    fn each_parameter_is_told_by_its_name() {
        check(
            "select=id,title&published=is.true&order=id.desc&limit=10&offset=5",
            expect![[r#"
                select id | title
                where published Is True
                order id desc
                limit 10
                offset 5"#]],
        );
        check(
            "or=(a.eq.1,b.eq.2)&not.and=(c.eq.3,d.eq.4)&not.eq=eq.1",
            expect![[r#"
                where or(a Eq "1", b Eq "2")
                where not and(c Eq "3", d Eq "4")
                not: where eq Eq "1""#]],
        );
        check(
            r#"columns="a","b c"&on_conflict=slug,lang"#,
            expect![[r#"
                columns ["a", "b c"]
                on conflict ["slug", "lang"]"#]],
        );
        check("", expect![""]);
        check(
            "flag&=eq.1",
            expect![[
                r#"PGRST100 "failed to parse tree path ()" (line 1, column 1): unexpected end of input expecting a field name"#
            ]],
        );
    }

    #[test]
    fn a_path_leads_to_an_embedded_model() {
        check(
            "comments.body=like.a*&comments.order=id.desc&comments.limit=3&comments.offset=1&comments.author.or=(a.eq.1,b.eq.2)",
            expect![[r#"
                comments: where body Like "a%"
                comments: order id desc
                comments: limit 3
                comments: offset 1
                comments/author: where or(a Eq "1", b Eq "2")"#]],
        );
        check("comments.not.or=(a.eq.1)", expect![[r#"comments: where not or(a Eq "1")"#]]);
        check(
            "a.b.c.d=eq.1",
            expect![
                "54000 a request may hold 2 nested embeds at most: The limit is [limits] embed_depth_max."
            ],
        );
        check(
            "a.x=eq.1&b.x=eq.1&c.x=eq.1",
            expect!["54000 a request may hold 2 embeds at most: The limit is [limits] embeds_max."],
        );
    }

    #[test]
    fn json_paths_and_quoted_names_are_fields() {
        check(
            "data->>a.b=eq.1",
            expect![[
                r#"PGRST100 "failed to parse tree path (data->>a.b)" (line 1, column 9): unexpected "." expecting ".", "->" or end of input"#
            ]],
        );
        check("data->a->>b=eq.1", expect![[r#"where data->a->>b Eq "1""#]]);
        check("%22a.b%22=eq.1", expect![[r#"where a.b Eq "1""#]]);
    }

    #[test]
    fn escapes_are_decoded_once() {
        check("a=eq.x%20y+z%2B%2520", expect![[r#"where a Eq "x y z+%20""#]]);
        check("a=eq.%26%3D%C3%A9", expect![[r#"where a Eq "&=é""#]]);
        check("a=eq.%", expect![[r#"where a Eq "%""#]]);
        check("a=eq.%ff", expect!["PGRST100 the query string is not UTF-8"]);
    }

    #[test]
    fn limits_are_whole_numbers_from_zero() {
        check("limit=0", expect!["limit 0"]);
        check(
            "limit=-1",
            expect![
                "PGRST103 Requested range not satisfiable: The limit should be greater than or equal to zero."
            ],
        );
        check(
            "offset=x",
            expect![[
                r#"PGRST100 "offset" is not a whole number: unexpected "x" expecting digits"#
            ]],
        );
    }

    proptest::proptest! {
        #[test]
        fn no_query_makes_the_reader_panic(text in "((select|order|or|and|limit|a|b\\.c|data->x)=([a-c.,(){}\"\\\\ %+]|eq\\.|in\\.|not\\.){0,8}&){0,5}") {
            if let Ok(params) = Params::decode(Some(&text)) {
                let _ = Query::read(&params, &Limits::default());
            }
        }
    }
}
