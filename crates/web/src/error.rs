//! Errors as answers: the one table from code to status, and the body of each.
//!
//! The body is `{code, message, details, hint}`. What a caller sees of a 5xx is that
//! it failed, and the request's id; its cause is logged here, once. A denial is 401
//! for a caller without a credential and 403 for others.

use std::error::Error as StdError;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use mainstay_core::{Actor, Code, Error};
use serde::Serialize;

use crate::rest::METHODS;

const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// Seconds after which a caller may ask again when the store could not be asked.
const RETRY_AFTER_S: &str = "1";

/// Every code with its status and what it means, in the order of [`Code::ALL`].
#[rustfmt::skip] // A table is read by its lines.
const TABLE: &[(Code, StatusCode, &str)] = &[
    (Code::QueryUnreadable, StatusCode::BAD_REQUEST, "the query string, or a part of it, cannot be read"),
    (Code::BodyUnreadable, StatusCode::BAD_REQUEST, "the body is not what its content type says, or not an object or array of objects"),
    (Code::RangeNotSatisfiable, StatusCode::RANGE_NOT_SATISFIABLE, "the range starts beyond the last row, or is negative or inverted"),
    (Code::PutMismatch, StatusCode::METHOD_NOT_ALLOWED, "PUT must name its row by the whole key, with `eq`, and by nothing else"),
    (Code::SchemaUnknown, StatusCode::NOT_ACCEPTABLE, "the schema asked for is not the one there is (`public`)"),
    (Code::NotAcceptable, StatusCode::NOT_ACCEPTABLE, "no answer can be given in a media type the caller accepts"),
    (Code::EmbedNotSelected, StatusCode::BAD_REQUEST, "a filter, order or limit is set on a model that `select` does not embed"),
    (Code::PreferenceInvalid, StatusCode::BAD_REQUEST, "a preference is not known under `handling=strict`, or not allowed"),
    (Code::AggregatesOff, StatusCode::BAD_REQUEST, "the use of aggregates is switched off"),
    (Code::MaxAffected, StatusCode::BAD_REQUEST, "more rows would be affected than `max-affected` allows; nothing was written"),
    (Code::PathUnknown, StatusCode::NOT_FOUND, "the path is not one of this API's"),
    (Code::NotSupported, StatusCode::BAD_REQUEST, "a feature of the dialect that is refused, with the reason"),
    (Code::PutPageRefused, StatusCode::BAD_REQUEST, "PUT takes no `limit` and no `offset`"),
    (Code::PutKeyMismatch, StatusCode::BAD_REQUEST, "the row in PUT's body has another key than its address"),
    (Code::MethodNotAllowed, StatusCode::METHOD_NOT_ALLOWED, "the request's method is not supported here"),
    (Code::NotSingular, StatusCode::NOT_ACCEPTABLE, "a single object was asked for, and there is not exactly one row"),
    (Code::NotToOne, StatusCode::BAD_REQUEST, "an order or spread goes through a relation with many rows"),
    (Code::EmbedFilterInvalid, StatusCode::BAD_REQUEST, "an embedded model can be asked for being null or not, and nothing else"),
    (Code::RelationUnknown, StatusCode::BAD_REQUEST, "the models are not related"),
    (Code::RelationAmbiguous, StatusCode::MULTIPLE_CHOICES, "the models are related in several ways; a hint tells which is meant"),
    (Code::FunctionUnknown, StatusCode::NOT_FOUND, "there is no function of this name"),
    (Code::PayloadFieldUnknown, StatusCode::BAD_REQUEST, "the payload names a field the model does not have"),
    (Code::ModelUnknown, StatusCode::NOT_FOUND, "the model does not exist"),
    (Code::TokenInvalid, StatusCode::UNAUTHORIZED, "the token does not verify"),
    (Code::TokenClaims, StatusCode::UNAUTHORIZED, "the token verified, but its claims do not hold"),
    (Code::Denied, StatusCode::FORBIDDEN, "the caller may not do this; 401 without a credential"),
    (Code::FieldUnknown, StatusCode::BAD_REQUEST, "the query names a field the model does not have"),
    (Code::ValueUnreadable, StatusCode::BAD_REQUEST, "a value cannot be read as its field's type"),
    (Code::ValueOutOfRange, StatusCode::BAD_REQUEST, "a number does not fit its field's type"),
    (Code::OperatorMismatch, StatusCode::NOT_FOUND, "an operator, or an aggregate, does not go with the type of its field"),
    (Code::PatternInvalid, StatusCode::BAD_REQUEST, "a regular expression cannot be read"),
    (Code::TypeUnknown, StatusCode::BAD_REQUEST, "a cast to a type that does not exist"),
    (Code::CastInvalid, StatusCode::BAD_REQUEST, "there is no cast from this type to that one"),
    (Code::GroupingInvalid, StatusCode::BAD_REQUEST, "aggregates and plain fields are combined in a way that has no meaning"),
    (Code::CheckViolation, StatusCode::BAD_REQUEST, "a value breaks its field's min, max, pattern, format or enum"),
    (Code::RequiredViolation, StatusCode::BAD_REQUEST, "a required field has no value"),
    (Code::ReferenceViolation, StatusCode::CONFLICT, "a ref points to no row, or a row is still pointed at"),
    (Code::UniqueViolation, StatusCode::CONFLICT, "the value is taken"),
    (Code::Cardinality, StatusCode::BAD_REQUEST, "an update or delete has no filter, or an upsert names one row twice"),
    (Code::ConflictTargetInvalid, StatusCode::BAD_REQUEST, "the fields of `on_conflict` are not a unique constraint"),
    (Code::GeneratedAlways, StatusCode::BAD_REQUEST, "a field is given that the server alone sets"),
    (Code::LimitExceeded, StatusCode::BAD_REQUEST, "a limit of `[limits]`, named in the message, is exceeded; 414 where it is the URL's"),
    (Code::BodyTooLarge, StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than `[limits] body_bytes_max`"),
    (Code::ResponseTooLarge, StatusCode::BAD_REQUEST, "the answer would be larger than `[limits] response_bytes_max`"),
    (Code::DeadlineExceeded, StatusCode::GATEWAY_TIMEOUT, "the deadline passed before the work was done; a write was not applied"),
    (Code::Unavailable, StatusCode::SERVICE_UNAVAILABLE, "the store is busy, full or away; nothing was written, and asking again may help"),
    (Code::OutcomeUnknown, StatusCode::GATEWAY_TIMEOUT, "the connection died during commit: the write may or may not have happened"),
    (Code::Overtaken, StatusCode::CONFLICT, "what a write was to change is not as it was any more; nothing was written"),
    (Code::ServiceFromBrowser, StatusCode::FORBIDDEN, "a service key arrived from a browser"),
    (Code::HostNotAllowed, StatusCode::MISDIRECTED_REQUEST, "the server does not answer to the name in `Host`"),
    (Code::OriginNotAllowed, StatusCode::FORBIDDEN, "a page of an origin that is not allowed asked for something"),
    (Code::RequestMalformed, StatusCode::BAD_REQUEST, "the request is not HTTP as RFC 9112 has it"),
    (Code::Internal, StatusCode::INTERNAL_SERVER_ERROR, "a fault of the server's; the cause is in its log under the request's id"),
];

/// The status of a code, for a caller who has a credential.
#[must_use]
pub fn status(code: Code) -> StatusCode {
    TABLE
        .iter()
        .find(|(known, ..)| *known == code)
        .map_or(StatusCode::INTERNAL_SERVER_ERROR, |(_, status, _)| *status)
}

/// A request that failed, and what its answer depends on besides.
#[derive(Debug)]
pub struct Failure {
    error: Error,
    anonymous: bool,
}

impl Failure {
    /// A failure of this caller's request.
    #[must_use]
    pub fn of(error: Error, actor: &Actor) -> Self {
        Self { error, anonymous: actor.is_anonymous() }
    }

    /// A failure of a request whose caller is known to be anonymous or not.
    pub(crate) fn new(error: Error, anonymous: bool) -> Self {
        Self { error, anonymous }
    }

    /// The answer. A 5xx is logged here with its cause, under the request's id.
    #[must_use]
    pub fn into_response(self, request_id: Option<&str>) -> Response {
        self.answer(request_id, HeaderMap::new())
    }

    /// The same, with these headers besides. Of rows they say nothing any more.
    pub(crate) fn answer(self, request_id: Option<&str>, mut headers: HeaderMap) -> Response {
        let Self { error, anonymous } = self;
        let status = match error.code() {
            Code::Denied if anonymous => StatusCode::UNAUTHORIZED,
            code => status(code),
        };
        if status.is_server_error() {
            log(&error, request_id);
        }
        headers.remove(header::CONTENT_RANGE);
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        // PostgREST sends it (RFC 9209): the answer to HEAD has no body to say it in.
        if let Ok(code) = HeaderValue::try_from(format!("Mainstay; error={}", error.code())) {
            headers.insert(PROXY_STATUS, code);
        }
        match error.code() {
            // RFC 6750, section 3: without a credential the challenge says nothing more.
            Code::Denied if anonymous => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Code::TokenInvalid | Code::TokenClaims => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer error=\"invalid_token\""),
                );
            }
            // RFC 9110, section 15.5.6.
            Code::MethodNotAllowed | Code::PutMismatch => {
                headers.insert(header::ALLOW, METHODS);
            }
            Code::Unavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
            }
            _ => {}
        }
        let mut res = Response::new(Body::from(body(&error, status, request_id)));
        *res.status_mut() = status;
        *res.headers_mut() = headers;
        res
    }
}

impl From<Error> for Failure {
    /// A failure that is the same for every caller.
    fn from(error: Error) -> Self {
        Self { error, anonymous: false }
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    details: Option<&'a str>,
    hint: Option<&'a str>,
}

fn body(error: &Error, status: StatusCode, request_id: Option<&str>) -> Vec<u8> {
    let named = request_id
        .filter(|_| status.is_server_error())
        .map(|id| format!("The server's log has the cause under the request id {id}."));
    let body = ErrorBody {
        code: error.code().as_str(),
        message: error.message(),
        details: error.details(),
        hint: error.hint().or(named.as_deref()),
    };
    serde_json::to_vec(&body).expect("BUG: four strings serialise")
}

/// Writes a 5xx and every cause behind it to the log.
fn log(error: &Error, request_id: Option<&str>) {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(known) = cause {
        causes.push(known.to_string());
        cause = known.source();
    }
    let (code, request_id) = (error.code().as_str(), request_id.unwrap_or("-"));
    let cause = causes.join(": ");
    if matches!(error.code(), Code::Internal | Code::OutcomeUnknown) {
        tracing::error!(request_id, code, cause, "{}", error.message());
    } else {
        tracing::warn!(request_id, code, cause, "{}", error.message());
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;

    #[test]
    fn every_code_has_a_status_and_a_meaning() {
        let listed: Vec<Code> = TABLE.iter().map(|(code, ..)| *code).collect();
        assert_eq!(listed, Code::ALL);
    }

    #[test]
    fn the_page_of_errors_lists_every_code() {
        let mut page = String::from(
            "# Errors\n\n\
            Every error but those of accounts ([their own page](auth-errors.md)) is `{\"code\", \"message\", \"details\", \"hint\"}`. Codes are stable: match on them, \
            not on messages. Those that begin with `PGRST` and those of five characters are PostgREST's and \
            PostgreSQL's own, and mean the same.\n\n\
            | code | status | meaning |\n|---|---|---|\n",
        );
        for (code, status, meaning) in TABLE {
            page.push_str(&format!("| `{code}` | {} | {meaning} |\n", status.as_u16()));
        }
        expect_file!["../../../docs/errors.md"].assert_eq(&page);
    }

    fn answered(error: Error, anonymous: bool) -> (u16, Vec<String>, Vec<u8>) {
        let res = Failure::new(error, anonymous).into_response(Some("7-1"));
        let status = res.status().as_u16();
        let mut headers: Vec<String> = res
            .headers()
            .iter()
            .filter(|(name, _)| *name != header::CONTENT_TYPE && *name != PROXY_STATUS)
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        headers.sort();
        let body = res.into_body();
        let bytes = http_body_util::BodyExt::collect(body);
        let bytes = futures_now(bytes).unwrap().to_bytes().to_vec();
        (status, headers, bytes)
    }

    /// What a future that never waits comes to.
    fn futures_now<T>(future: impl Future<Output = T>) -> T {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(future).poll(&mut context) {
            std::task::Poll::Ready(done) => done,
            std::task::Poll::Pending => panic!("the body of an error is there at once"),
        }
    }

    #[test]
    fn a_denial_asks_those_without_a_credential_for_one() {
        let denied = || Error::new(Code::Denied, "no");
        assert_eq!(answered(denied(), true).0, 401);
        assert_eq!(answered(denied(), true).1, ["www-authenticate: Bearer"]);
        assert_eq!(answered(denied(), false).0, 403);
        assert!(answered(denied(), false).1.is_empty());
        let token = Error::new(Code::TokenClaims, "expired");
        assert_eq!(answered(token, false).1, ["www-authenticate: Bearer error=\"invalid_token\""]);
    }

    #[test]
    fn a_store_that_is_away_may_be_asked_again_but_an_unknown_outcome_not() {
        let (status, headers, _) = answered(Error::unavailable("busy"), false);
        assert_eq!((status, headers), (503, vec!["retry-after: 1".to_owned()]));
        let (status, headers, _) = answered(Error::new(Code::OutcomeUnknown, "who knows"), false);
        assert_eq!((status, headers), (504, Vec::new()));
    }

    #[test]
    fn a_fault_of_ours_shows_the_request_id_and_not_its_cause() {
        let (status, _, body) = answered(Error::internal("disk /dev/sda1 is on fire"), false);
        assert_eq!(status, 500);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"code":"internal","message":"the server failed to answer this request","details":null,"hint":"The server's log has the cause under the request id 7-1."}"#
        );
    }
}
