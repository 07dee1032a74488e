//! Media types: in which form rows are answered, and in which a body came.

use axum::http::HeaderValue;
use mainstay_core::{Code, Error};

/// Ranges of one `Accept` header that are looked at.
const RANGES_MAX: usize = 16;

/// In which form rows are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `[{…},…]`
    Array(Nulls),
    /// `{…}`, of exactly one row.
    Object(Nulls),
    /// A header line and a line for each row.
    Csv,
}

/// Whether absent values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// As `null`.
    Kept,
    /// Not at all.
    Stripped,
}

impl Format {
    /// The form the caller likes best of those there are, by its `Accept`.
    ///
    /// # Errors
    /// `PGRST107` where there is none.
    pub(crate) fn negotiate(accept: Option<&HeaderValue>) -> Result<Self, Error> {
        let json = Self::Array(Nulls::Kept);
        let Some(accept) = accept else { return Ok(json) };
        match accept.as_bytes() {
            b"*/*" | b"application/json" => return Ok(json),
            b"application/vnd.pgrst.object+json" => return Ok(Self::Object(Nulls::Kept)),
            _ => {}
        }
        let accept = accept.to_str().unwrap_or_default();
        let mut best: Option<(Self, u32)> = None;
        for range in accept.split(',').take(RANGES_MAX) {
            let (range, quality) = with_quality(range);
            if let Some(format) = Self::of(range)
                && quality > 0
                && best.is_none_or(|(_, known)| quality > known)
            {
                best = Some((format, quality));
            }
        }
        best.map(|(format, _)| format).ok_or_else(|| {
            Error::new(
                Code::NotAcceptable,
                format!("None of these media types are available: {accept}"),
            )
            .with_hint("Rows are answered as application/json, text/csv or application/vnd.pgrst.object+json.")
        })
    }

    fn of(range: &str) -> Option<Self> {
        let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
        let stripped = parameters.split(';').any(|parameter| {
            let parameter: String = parameter.split_whitespace().collect();
            parameter.eq_ignore_ascii_case("nulls=stripped")
        });
        let nulls = if stripped { Nulls::Stripped } else { Nulls::Kept };
        match name.trim().to_ascii_lowercase().as_str() {
            "*/*" | "application/*" | "application/json" => Some(Self::Array(Nulls::Kept)),
            "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => {
                Some(Self::Array(nulls))
            }
            "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => {
                Some(Self::Object(nulls))
            }
            "text/csv" | "text/*" => Some(Self::Csv),
            _ => None,
        }
    }

    /// The value of `Content-Type`.
    pub(crate) fn content_type(self) -> HeaderValue {
        // As constants they are found valid when they are compiled.
        const ARRAY: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
        const ARRAY_STRIPPED: HeaderValue = HeaderValue::from_static(
            "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8",
        );
        const OBJECT: HeaderValue =
            HeaderValue::from_static("application/vnd.pgrst.object+json; charset=utf-8");
        const OBJECT_STRIPPED: HeaderValue = HeaderValue::from_static(
            "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8",
        );
        const CSV: HeaderValue = HeaderValue::from_static("text/csv; charset=utf-8");
        match self {
            Self::Array(Nulls::Kept) => ARRAY,
            Self::Array(Nulls::Stripped) => ARRAY_STRIPPED,
            Self::Object(Nulls::Kept) => OBJECT,
            Self::Object(Nulls::Stripped) => OBJECT_STRIPPED,
            Self::Csv => CSV,
        }
    }

    /// Whether exactly one row is wanted.
    pub(crate) fn is_singular(self) -> bool {
        matches!(self, Self::Object(_))
    }
}

/// A media range without its `q`, and that in thousandths (RFC 9110 §12.4.2).
fn with_quality(range: &str) -> (&str, u32) {
    let Some((before, quality)) = range.rsplit_once(';') else { return (range, 1000) };
    let quality = quality.trim();
    let Some(number) = quality.strip_prefix("q=").or_else(|| quality.strip_prefix("Q=")) else {
        return (range, 1000);
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 3 {
        return (before, 0);
    }
    match (whole, format!("{fraction:0<3}").parse()) {
        ("1", _) => (before, 1000),
        ("0", Ok(thousandths)) => (before, thousandths),
        _ => (before, 0),
    }
}

/// In which form a body came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyForm {
    /// An object or an array of objects.
    Json,
    /// A header line and a line for each row.
    Csv,
    /// One row as `name=value&…`.
    Form,
}

impl BodyForm {
    /// The form that `Content-Type` names; JSON where it names none.
    ///
    /// # Errors
    /// `PGRST102` for another.
    pub(crate) fn read(content_type: Option<&HeaderValue>) -> Result<Self, Error> {
        let Some(content_type) = content_type else { return Ok(Self::Json) };
        if content_type == "application/json" {
            return Ok(Self::Json);
        }
        let content_type = content_type.to_str().unwrap_or_default();
        let name = content_type.split(';').next().unwrap_or_default().trim();
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("application/json") {
            Ok(Self::Json)
        } else if is("text/csv") {
            Ok(Self::Csv)
        } else if is("application/x-www-form-urlencoded") {
            Ok(Self::Form)
        } else {
            Err(Error::new(Code::BodyUnreadable, format!("Content-Type not acceptable: {name}"))
                .with_hint("Send application/json, text/csv or application/x-www-form-urlencoded."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(accept: &str, expected: Option<Format>) {
        let read = Format::negotiate(Some(&accept.parse().unwrap()));
        if let Err(error) = &read {
            assert_eq!(error.code(), Code::NotAcceptable);
        }
        assert_eq!(read.ok(), expected, "{accept}");
    }

    #[test]
    fn the_form_is_the_one_the_caller_likes_best() {
        let json = Format::Array(Nulls::Kept);
        assert_eq!(Format::negotiate(None).unwrap(), json);
        check("*/*", Some(json));
        check("application/json", Some(json));
        check("Application/JSON; charset=utf-8", Some(json));
        check("text/csv", Some(Format::Csv));
        check("text/html, application/json;q=0.9, */*;q=0.1", Some(json));
        check("application/json;q=0.2, text/csv;q=0.3", Some(Format::Csv));
        check("application/vnd.pgrst.object+json", Some(Format::Object(Nulls::Kept)));
        check(
            "application/vnd.pgrst.object+json; nulls=stripped",
            Some(Format::Object(Nulls::Stripped)),
        );
        check(
            "application/vnd.pgrst.array+json;nulls=stripped",
            Some(Format::Array(Nulls::Stripped)),
        );
        check("application/vnd.pgrst.array+json", Some(json));
    }

    #[test]
    fn a_form_there_is_not_is_refused() {
        check("application/geo+json", None);
        check("application/vnd.pgrst.plan+json", None);
        check("application/json;q=0", None);
        check("application/json;q=x", None);
        check("", None);
    }

    #[test]
    fn a_body_is_json_unless_it_says_otherwise() {
        let read = |value: &str| {
            BodyForm::read(Some(&value.parse().unwrap()))
                .map_err(|error| error.message().to_owned())
        };
        assert_eq!(BodyForm::read(None).unwrap(), BodyForm::Json);
        assert_eq!(read("application/json;charset=UTF-8"), Ok(BodyForm::Json));
        assert_eq!(read("text/csv"), Ok(BodyForm::Csv));
        assert_eq!(read("application/x-www-form-urlencoded"), Ok(BodyForm::Form));
        assert_eq!(read("text/xml"), Err("Content-Type not acceptable: text/xml".to_owned()));
    }
}
