//! The one error a caller can see.
//!
//! A [`Code`] is a stable string; the table from code to HTTP status stands in
//! the crate `web`. `message`, `details` and `hint` go to the caller, so no text
//! of a database's or of the operating system's is ever put there: the cause is
//! kept in `source`, which is logged where the error is handled and never sent.

use std::{error::Error as StdError, fmt};

/// Declares [`Code`] with the string each code is known by.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What went wrong, as a stable string that clients may match on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code there is, in the order of `docs/errors.md`.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it is sent.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// The query string, or a part of it, cannot be read.
    QueryUnreadable = "PGRST100",
    /// The body is not what its content type says, or not an object or array of objects.
    BodyUnreadable = "PGRST102",
    /// The range starts beyond the last row, or is negative or inverted.
    RangeNotSatisfiable = "PGRST103",
    /// PUT must name its row by the whole key and nothing else.
    PutMismatch = "PGRST105",
    /// The schema named by `Accept-Profile` or `Content-Profile` is not the one there is.
    SchemaUnknown = "PGRST106",
    /// No answer can be given in a media type the caller accepts.
    NotAcceptable = "PGRST107",
    /// A filter is set on a model that `select` does not embed.
    EmbedNotSelected = "PGRST108",
    /// A preference is not known, or not allowed here, under `handling=strict`.
    PreferenceInvalid = "PGRST122",
    /// The use of aggregates is switched off.
    AggregatesOff = "PGRST123",
    /// More rows would be affected than `max-affected` allows.
    MaxAffected = "PGRST124",
    /// The path is not one of this API's.
    PathUnknown = "PGRST125",
    /// A feature of the dialect that Mainstay refuses, with the reason.
    NotSupported = "PGRST127",
    /// PUT takes no `limit` and no `offset`.
    PutPageRefused = "PGRST114",
    /// The row in PUT's body has another key than the one in its address.
    PutKeyMismatch = "PGRST115",
    /// The request's method is not supported here.
    MethodNotAllowed = "PGRST117",
    /// A singular answer was asked for, and there is not exactly one row.
    NotSingular = "PGRST116",
    /// A related order or spread goes through a relation with many rows.
    NotToOne = "PGRST118",
    /// The embedding is asked to be null-filtered in a way it cannot be.
    EmbedFilterInvalid = "PGRST120",
    /// Models are not related.
    RelationUnknown = "PGRST200",
    /// There is more than one way to relate two models.
    RelationAmbiguous = "PGRST201",
    /// No function of this name.
    FunctionUnknown = "PGRST202",
    /// The payload names a field the model does not have.
    PayloadFieldUnknown = "PGRST204",
    /// The model does not exist.
    ModelUnknown = "PGRST205",
    /// The bearer token does not verify.
    TokenInvalid = "PGRST301",
    /// The token verified, but its claims do not hold (expired, audience, issuer).
    TokenClaims = "PGRST303",
    /// The caller may not do this.
    Denied = "42501",
    /// The query names a field the model does not have.
    FieldUnknown = "42703",
    /// A value cannot be read as its field's type.
    ValueUnreadable = "22P02",
    /// A number does not fit its field's type.
    ValueOutOfRange = "22003",
    /// An operator does not go with the type of its field.
    OperatorMismatch = "42883",
    /// A regular expression cannot be read.
    PatternInvalid = "2201B",
    /// A cast to a type that does not exist.
    TypeUnknown = "42704",
    /// A cast from this type to that one does not exist.
    CastInvalid = "42846",
    /// Aggregates and plain fields are combined in a way that has no meaning.
    GroupingInvalid = "42803",
    /// min, max, pattern, format or enum.
    CheckViolation = "23514",
    /// A required field has no value.
    RequiredViolation = "23502",
    /// A ref points to no row, or a row is still pointed at.
    ReferenceViolation = "23503",
    /// The value is taken.
    UniqueViolation = "23505",
    /// A write would touch every row, or one row twice.
    Cardinality = "21000",
    /// The fields named by `on_conflict` are not a unique constraint.
    ConflictTargetInvalid = "42P10",
    /// A field is given that the server alone sets.
    GeneratedAlways = "428C9",
    /// A limit of this server's, named in the message, is exceeded.
    LimitExceeded = "54000",
    /// The request body is larger than the limit named in the message.
    BodyTooLarge = "body_too_large",
    /// The answer would be larger than the limit named in the message.
    ResponseTooLarge = "response_too_large",
    /// The deadline passed before the work was done.
    DeadlineExceeded = "57014",
    /// The store is busy, full or away; nothing was written.
    Unavailable = "unavailable",
    /// The connection died during commit: the write may or may not have happened.
    OutcomeUnknown = "outcome_unknown",
    /// What a write was to change is not as it was any more; nothing was written.
    Overtaken = "overtaken",
    /// A service key arrived from a browser.
    ServiceFromBrowser = "service_key_in_browser",
    /// The request names a host that this server does not answer to.
    HostNotAllowed = "host_not_allowed",
    /// Pages of this origin may not call this server.
    OriginNotAllowed = "origin_not_allowed",
    /// The request is not HTTP as this server speaks it.
    RequestMalformed = "request_malformed",
    /// A fault of the server's; the cause is in its log under the request's id.
    Internal = "internal",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error as the caller sees it, with a cause the caller never sees.
///
/// It names the thing, what was expected, and in `hint` what to do.
#[derive(Debug)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    code: Code,
    message: String,
    details: Option<String>,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error with a code and a message, and nothing else yet.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                code,
                message: message.into(),
                details: None,
                hint: None,
                source: None,
            }),
        }
    }

    /// A fault of the server's. The caller learns only that it failed.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let mut error = Self::new(Code::Internal, "the server failed to answer this request");
        error.inner.source = Some(source.into());
        error
    }

    /// The store cannot be asked now; nothing was written and asking again may help.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, message)
    }

    /// Adds what the caller may want to know beyond the message.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.inner.details = Some(details.into());
        self
    }

    /// Adds what the caller can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }

    /// Adds the cause, for the log alone.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.inner.code
    }

    /// One sentence that names the thing and what was expected.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// More about it, where there is more.
    #[must_use]
    pub fn details(&self) -> Option<&str> {
        self.inner.details.as_deref()
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.inner.code, self.inner.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_codes_share_a_string() {
        let mut seen: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        seen.sort_unstable();
        let count = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }

    #[test]
    fn the_cause_of_an_internal_error_is_not_in_what_is_shown() {
        let error = Error::internal("disk /dev/sda1 is on fire");
        assert!(!error.to_string().contains("sda1"));
        assert!(error.source().expect("a cause").to_string().contains("sda1"));
    }
}
