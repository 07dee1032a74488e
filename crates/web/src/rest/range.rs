//! Pages: the `Range` header of a request and `Content-Range` of its answer.

use axum::http::HeaderValue;
use mainstay_core::{Code, Error};
use mainstay_plan::Clauses;

/// Narrows a page by the `Range` header: `0-9` or `10-`. What is not of that form is
/// passed over, as RFC 9110 §14.2 wants.
///
/// # Errors
/// `PGRST103` where its end lies before its start.
pub(super) fn narrow(clauses: &mut Clauses<'_>, range: Option<&HeaderValue>) -> Result<(), Error> {
    let Some(range) = range.and_then(|value| value.to_str().ok()) else { return Ok(()) };
    let range = range.trim().strip_prefix("items=").unwrap_or(range.trim());
    let Some((from, to)) = range.split_once('-') else { return Ok(()) };
    let Ok(from) = from.parse::<u64>() else { return Ok(()) };
    let to = match to {
        "" => None,
        to => match to.parse::<u64>() {
            Ok(to) => Some(to),
            Err(_) => return Ok(()),
        },
    };
    if to.is_some_and(|to| to < from) {
        return Err(unsatisfiable(
            "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
        ));
    }
    // The page is what lies in both ranges; a limit of zero stays an empty page.
    if clauses.limit == Some(0) {
        return Ok(());
    }
    let asked = clauses.offset.unwrap_or(0);
    let start = asked.max(from);
    let end_of_limit = clauses.limit.map(|limit| asked.saturating_add(limit - 1));
    let end = match (end_of_limit, to) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    if end.is_some_and(|end| end < start) {
        return Err(unsatisfiable("The Range header and limit/offset have no row in common."));
    }
    clauses.offset = Some(start);
    clauses.limit = end.map(|end| (end - start).saturating_add(1));
    Ok(())
}

/// The error of a page that cannot be.
pub(super) fn unsatisfiable(details: impl Into<String>) -> Error {
    Error::new(Code::RangeNotSatisfiable, "Requested range not satisfiable").with_details(details)
}

/// The value of `Content-Range` where there are no rows and no count.
pub(super) const UNKNOWN: HeaderValue = HeaderValue::from_static("*/*");
/// And where there is one row, the first.
const THE_FIRST: HeaderValue = HeaderValue::from_static("0-0/*");

/// The value of `Content-Range`: `0-9/100`, `0-9/*`, `*/0`.
pub(super) fn content_range(offset: u64, rows: u64, total: Option<u64>) -> HeaderValue {
    let range = match (offset, rows, total) {
        (_, 0, None) => return UNKNOWN,
        (0, 1, None) => return THE_FIRST,
        (_, 0, _) => "*".to_owned(),
        _ => format!("{offset}-{}", offset.saturating_add(rows - 1)),
    };
    let total = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
    HeaderValue::try_from(format!("{range}/{total}"))
        .expect("BUG: digits, `-`, `/` and `*` make a header")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::rest::show;

    fn check(range: &str, limit: Option<u64>, offset: Option<u64>, expected: Expect) {
        let range = range.parse().unwrap();
        let mut clauses = Clauses { limit, offset, ..Clauses::default() };
        expected.assert_eq(&match narrow(&mut clauses, Some(&range)) {
            Ok(()) => format!("limit {:?} offset {:?}", clauses.limit, clauses.offset),
            Err(error) => show::error(&error),
        });
    }

    #[test]
    fn a_range_is_a_page() {
        check("0-9", None, None, expect!["limit Some(10) offset Some(0)"]);
        check("10-", None, None, expect!["limit None offset Some(10)"]);
        check("items=5-5", None, None, expect!["limit Some(1) offset Some(5)"]);
        check(
            "9-0",
            None,
            None,
            expect![
                "PGRST103 Requested range not satisfiable: The lower boundary must be lower than or equal to the upper boundary in the Range header."
            ],
        );
        check("bytes=0-9", None, None, expect!["limit None offset None"]);
        check("-5", None, None, expect!["limit None offset None"]);
    }

    #[test]
    fn a_range_and_a_limit_narrow_each_other() {
        check("0-9", Some(5), None, expect!["limit Some(5) offset Some(0)"]);
        check("5-20", Some(10), Some(8), expect!["limit Some(10) offset Some(8)"]);
        check("10-12", Some(10), Some(8), expect!["limit Some(3) offset Some(10)"]);
        check(
            "0-3",
            Some(10),
            Some(8),
            expect![
                "PGRST103 Requested range not satisfiable: The Range header and limit/offset have no row in common."
            ],
        );
        check("0-3", Some(0), None, expect!["limit Some(0) offset None"]);
        check(
            "0-18446744073709551615",
            None,
            None,
            expect!["limit Some(18446744073709551615) offset Some(0)"],
        );
    }

    #[test]
    fn the_answer_says_which_rows_it_holds() {
        let shown =
            |offset, rows, total| content_range(offset, rows, total).to_str().unwrap().to_owned();
        assert_eq!(shown(0, 10, Some(100)), "0-9/100");
        assert_eq!(shown(20, 1, None), "20-20/*");
        assert_eq!(shown(0, 0, Some(0)), "*/0");
        assert_eq!(shown(5, 0, None), "*/*");
    }
}
