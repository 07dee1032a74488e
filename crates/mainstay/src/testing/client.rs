//! One HTTP/1.1 request and its answer, without a library: a test should see what is
//! on the wire.
//!
//! Each request has a connection of its own, which the server is asked to close; so
//! the answer ends where the connection does. Redirects are not followed and nothing
//! is decompressed.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status, such as 200.
    pub status: u16,
    /// The headers in order, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; what is not UTF-8 in it is replaced.
    pub body: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Response {
    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is not JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.body))
    }
}

/// Sends a request, reads the answer.
pub(super) async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Response {
    let mut socket = TcpStream::connect(address)
        .await
        .unwrap_or_else(|error| panic!("nobody listens on {address}: {error}"));
    let mut request = format!("{method} {path} HTTP/1.1\r\n");
    let defaults = [
        ("Host", address.to_string()),
        ("Content-Length", body.len().to_string()),
        ("Connection", "close".to_owned()),
    ];
    for (name, value) in &defaults {
        if !headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)) {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let mut request = request.into_bytes();
    request.extend_from_slice(body);
    // A server may answer and close before it has read everything: what counts is
    // the answer.
    let _ = socket.write_all(&request).await;
    let mut answer = Vec::new();
    let mut buffer = [0_u8; 16 * 1024];
    while let Ok(count @ 1..) = socket.read(&mut buffer).await {
        answer.extend_from_slice(&buffer[..count]);
    }
    parse(&answer).unwrap_or_else(|| {
        panic!("{method} {path} was not answered: {:?}", String::from_utf8_lossy(&answer))
    })
}

fn parse(mut answer: &[u8]) -> Option<Response> {
    loop {
        let end = find(answer, b"\r\n\r\n")?;
        let head = std::str::from_utf8(&answer[..end]).ok()?;
        let body = &answer[end + 4..];
        let mut lines = head.split("\r\n");
        let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        if (100..200).contains(&status) {
            answer = body;
            continue;
        }
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let chunked = headers
            .iter()
            .any(|(name, value)| name == "transfer-encoding" && value.contains("chunked"));
        let bytes = if chunked { unchunk(body)? } else { body.to_vec() };
        let body = String::from_utf8_lossy(&bytes).into_owned();
        return Some(Response { status, headers, body, bytes });
    }
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while !rest.is_empty() {
        let end = find(rest, b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        let chunk = rest.get(end + 2..end + 2 + size)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(chunk);
        rest = rest.get(end + 2 + size + 2..)?;
    }
    // The connection ended within the body.
    None
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_chunks_is_put_together_and_a_cut_one_is_none() {
        let head =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let whole = format!("{head}3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
        let response = parse(whole.as_bytes()).unwrap();
        assert_eq!((response.status, response.body.as_str()), (200, "abcde"));
        assert_eq!(parse(format!("{head}3\r\nab").as_bytes()), None);
    }
}
