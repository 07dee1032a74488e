//! Answers to what never became a request, as bytes.

use std::{fmt::Write, time::SystemTime};

use bytes::Bytes;
use http::{StatusCode, header};
use mainstay_core::Code;

use crate::middleware::{Stack, refusal::Refusal};

/// Seconds after which a caller refused for want of a connection may come again.
const RETRY_AFTER_S: u32 = 1;

/// A whole answer, after which the connection is closed.
pub(super) fn answer(stack: &Stack, refusal: Refusal) -> Bytes {
    let refusal = refusal.closing();
    let body = refusal.body();
    let response = stack.refuse(refusal);
    let status = response.status();
    let mut text = String::with_capacity(1024);
    let reason = status.canonical_reason().unwrap_or_default();
    let date = httpdate::fmt_http_date(SystemTime::now());
    write!(text, "HTTP/1.1 {} {reason}\r\ndate: {date}\r\n", status.as_str())
        .expect("BUG: a String takes any text");
    for (name, value) in response.headers() {
        // Every value is ours, hence text.
        let value = value.to_str().unwrap_or_default();
        write!(text, "{name}: {value}\r\n").expect("BUG: a String takes any text");
    }
    write!(text, "{}: {}\r\n\r\n{body}", header::CONTENT_LENGTH, body.len())
        .expect("BUG: a String takes any text");
    Bytes::from(text)
}

/// In place of hyper's answer to a head that it cannot read; `head` begins with
/// that answer's status line.
pub(super) fn unreadable_head(head: &[u8], header_bytes_max: usize) -> Refusal {
    match head.get(9..12) {
        Some(b"431") => {
            let message = format!(
                "the request's head is larger than {header_bytes_max} bytes or has too many headers"
            );
            Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, Code::LimitExceeded, message)
                .with_hint("`[server] header_bytes_max` sets this limit.")
        }
        Some(b"414") => Refusal::new(
            StatusCode::URI_TOO_LONG,
            Code::LimitExceeded,
            "the request's target is longer than 65534 bytes",
        ),
        _ => Refusal::new(
            StatusCode::BAD_REQUEST,
            Code::RequestMalformed,
            "the request is not HTTP/1.1",
        ),
    }
}

/// A head that was begun and not finished in time.
pub(super) fn late_head(header_ms: u64) -> Refusal {
    let message = format!("the request's head did not arrive within {header_ms} ms");
    Refusal::new(StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded, message)
        .with_hint("`[server] header_ms` sets this limit.")
}

/// More connections than there may be.
pub(super) fn too_many_connections(connections_max: usize) -> Refusal {
    let message = format!("the server has {connections_max} connections open, which is its limit");
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
        .with_hint("`[server] connections_max` sets this limit.")
        .with_retry_after(RETRY_AFTER_S)
}
