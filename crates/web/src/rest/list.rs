//! Lists of values: `(1,"a,b",c)` of `in`, and `{1,"a,b",c}` of `any` and `all`.

use mainstay_core::Error;

use super::{
    bounds::Bounds,
    cursor::{Cursor, Text},
};

/// Reads the parenthesised list of `in`. `()` is the empty list.
///
/// # Errors
/// `PGRST100` where there is no such list, `54000` beyond a limit.
pub(super) fn read_in<'a>(
    cursor: &mut Cursor<'a>,
    bounds: &mut Bounds<'_>,
) -> Result<Vec<Text<'a>>, Error> {
    if !cursor.eat_spaced("(") {
        return Err(cursor.expected("\"(\""));
    }
    let mut items = Vec::new();
    if cursor.eat_spaced(")") {
        return Ok(items);
    }
    loop {
        bounds.filter_node()?;
        items.push(in_item(cursor));
        if cursor.eat(",") {
            continue;
        }
        if cursor.eat_spaced(")") {
            return Ok(items);
        }
        return Err(cursor.expected("\",\" or \")\""));
    }
}

/// A quoted item, or one as it stands up to the next comma or parenthesis.
fn in_item<'a>(cursor: &mut Cursor<'a>) -> Text<'a> {
    let before = cursor.mark();
    if let Some(text) = cursor.quoted() {
        if matches!(cursor.peek(), None | Some(b',' | b')')) {
            return text;
        }
        cursor.return_to(before);
    }
    Text::Borrowed(cursor.take_while(|letter| letter != ',' && letter != ')'))
}

/// Reads an array in PostgreSQL's text form, of one dimension and without nulls.
/// `after` stands behind it and places the error.
///
/// # Errors
/// `PGRST100` where the text is no such array, `54000` beyond a limit.
pub(super) fn read_array<'a>(
    text: Text<'a>,
    after: &Cursor<'_>,
    bounds: &mut Bounds<'_>,
) -> Result<Vec<Text<'a>>, Error> {
    match text {
        Text::Borrowed(text) => array_items(text, after, bounds),
        Text::Owned(text) => Ok(array_items(&text, after, bounds)?
            .into_iter()
            .map(|item| Text::Owned(item.into_owned()))
            .collect()),
    }
}

fn array_items<'a>(
    text: &'a str,
    after: &Cursor<'_>,
    bounds: &mut Bounds<'_>,
) -> Result<Vec<Text<'a>>, Error> {
    let inner = text
        .trim()
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or_else(|| after.expected("a list in braces"))?;
    let mut items = Vec::new();
    let mut cursor = Cursor::new(inner, "list");
    cursor.skip_blanks();
    if cursor.is_end() {
        return Ok(items);
    }
    loop {
        bounds.filter_node()?;
        cursor.skip_blanks();
        items.push(array_item(&mut cursor)?);
        if !cursor.eat_spaced(",") {
            cursor.end("\",\" or \"}\"")?;
            return Ok(items);
        }
    }
}

fn array_item<'a>(cursor: &mut Cursor<'a>) -> Result<Text<'a>, Error> {
    if cursor.peek() == Some(b'"') {
        let item = cursor.quoted().ok_or_else(|| cursor.expected("a closing quote"))?;
        cursor.skip_blanks();
        return Ok(item);
    }
    let before = cursor.mark();
    let item = cursor.take_while(|letter| !",{}\"\\".contains(letter)).trim();
    if item.is_empty() || item.eq_ignore_ascii_case("null") {
        cursor.return_to(before);
        return Err(cursor.expected("a value that is not null"));
    }
    Ok(Text::Borrowed(item))
}
