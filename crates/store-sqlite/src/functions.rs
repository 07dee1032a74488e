//! SQL functions of ours, on every connection: what SQLite lacks, or does leniently.
//!
//! All are deterministic and total but for [`names::CAST`] and the patterns, which
//! raise an error with a code of the caller's. None is used in the schema, so that a
//! plain `sqlite3` can open, check and change the file.

mod cast;
mod json;
mod like;

use mainstay_core::{Code, JsonStep};
use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    types::ValueRef as SqlRef,
};

pub(crate) use cast::encode_type;
pub(crate) use json::encode_steps;

use crate::error::Raised;

/// The functions' names.
pub(crate) mod names {
    pub(crate) const LIKE: &str = "mainstay_like";
    pub(crate) const ILIKE: &str = "mainstay_ilike";
    pub(crate) const MATCH: &str = "mainstay_match";
    pub(crate) const IMATCH: &str = "mainstay_imatch";
    pub(crate) const STARTS: &str = "mainstay_starts";
    pub(crate) const ENDS: &str = "mainstay_ends";
    pub(crate) const JSON_AT: &str = "mainstay_json_at";
    pub(crate) const JSON_TEXT_AT: &str = "mainstay_json_text_at";
    pub(crate) const JSON_CONTAINS: &str = "mainstay_json_contains";
    pub(crate) const CAST: &str = "mainstay_cast";
}

/// Bytes a compiled regular expression may take; plans refuse larger ones.
const PATTERN_BYTES_MAX: usize = 4 << 20;

/// Makes the functions known to a connection.
pub(crate) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    let scalar = |name: &'static str,
                  function: fn(&Context<'_>) -> rusqlite::Result<Option<bool>>| {
        connection.create_scalar_function(name, 2, flags, function)
    };
    scalar(names::LIKE, |context| like(context, like::Case::Sensitive))?;
    scalar(names::ILIKE, |context| like(context, like::Case::Ignored))?;
    scalar(names::MATCH, |context| matches(context, like::Case::Sensitive))?;
    scalar(names::IMATCH, |context| matches(context, like::Case::Ignored))?;
    scalar(names::STARTS, |context| two(context, |text, start| text.starts_with(start)))?;
    scalar(names::ENDS, |context| two(context, |text, end| text.ends_with(end)))?;
    scalar(names::JSON_CONTAINS, |context| {
        let (Some(outer), Some(inner)) = (text(context, 0), text(context, 1)) else {
            return Ok(None);
        };
        Ok(json::contains(outer, inner))
    })?;
    connection.create_scalar_function(names::JSON_AT, 2, flags, |context| {
        let Some(document) = text(context, 0) else { return Ok(None) };
        Ok(json::at(document, &steps(context)?).map(str::to_owned))
    })?;
    connection.create_scalar_function(names::JSON_TEXT_AT, 2, flags, |context| {
        let Some(document) = text(context, 0) else { return Ok(None) };
        Ok(json::at(document, &steps(context)?).and_then(json::as_text))
    })?;
    connection.create_scalar_function(names::CAST, 3, flags, |context| {
        cast::cast(context.get_raw(0), context.get(1)?, context.get(2)?)
            .map_err(rusqlite::Error::from)
    })
}

fn text<'c>(context: &'c Context<'_>, at: usize) -> Option<&'c str> {
    match context.get_raw(at) {
        SqlRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn two(context: &Context<'_>, test: fn(&str, &str) -> bool) -> rusqlite::Result<Option<bool>> {
    Ok(text(context, 0).zip(text(context, 1)).map(|(one, other)| test(one, other)))
}

fn like(context: &Context<'_>, case: like::Case) -> rusqlite::Result<Option<bool>> {
    let (Some(subject), Some(wanted)) = (text(context, 0), text(context, 1)) else {
        return Ok(None);
    };
    // Kept by SQLite for as long as the pattern is the same one.
    let pattern = context.get_or_create_aux(1, |_| {
        Ok::<_, std::convert::Infallible>(like::Pattern::new(wanted, case))
    })?;
    Ok(Some(pattern.matches(subject)))
}

fn matches(context: &Context<'_>, case: like::Case) -> rusqlite::Result<Option<bool>> {
    let (Some(subject), Some(wanted)) = (text(context, 0), text(context, 1)) else {
        return Ok(None);
    };
    let pattern = context.get_or_create_aux(1, |_| {
        regex::RegexBuilder::new(wanted)
            .case_insensitive(case == like::Case::Ignored)
            .size_limit(PATTERN_BYTES_MAX)
            .build()
            .map_err(|_| Raised {
                code: Code::PatternInvalid,
                message: "invalid regular expression".to_owned(),
            })
    })?;
    Ok(Some(pattern.is_match(subject)))
}

fn steps(context: &Context<'_>) -> rusqlite::Result<std::sync::Arc<Vec<JsonStep>>> {
    context.get_or_create_aux(1, |value| {
        Ok::<_, rusqlite::types::FromSqlError>(json::decode_steps(value.as_str()?))
    })
}
