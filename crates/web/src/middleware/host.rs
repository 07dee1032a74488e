//! Which `Host` a request may name: the defence against DNS rebinding.
//!
//! A page of a stranger's can point its own name at 127.0.0.1 and then talk to a
//! development server as its own origin; the browser still sends the stranger's
//! name in `Host`. Where names are listed, any other is refused with 421. Ports
//! are not compared: a port tells nobody apart.

use axum::http::request::Parts;
use http::{StatusCode, Version, header};
use mainstay_core::Code;

use super::refusal::Refusal;

/// The names a server answers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HostPolicy {
    /// Any name. Right where every name that leads here is ours, or where the rights
    /// of a caller do not depend on the browser's origin.
    #[default]
    Any,
    /// These names alone, with any port; lower case, IPv6 in brackets.
    Only(Vec<String>),
}

impl HostPolicy {
    /// The names of this machine for itself.
    #[must_use]
    pub fn loopback() -> Self {
        Self::only(["localhost", "127.0.0.1", "[::1]"])
    }

    /// The names given, in any case.
    #[must_use]
    pub fn only<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Self {
        Self::Only(names.into_iter().map(|name| name.as_ref().to_ascii_lowercase()).collect())
    }
}

/// Refuses a request whose `Host` is missing, doubled or not one of ours.
pub(crate) fn check(parts: &Parts, policy: &HostPolicy) -> Result<(), Refusal> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = hosts.next();
    // RFC 9112, section 3.2: exactly one Host in HTTP/1.1.
    if hosts.next().is_some() || (host.is_none() && parts.version == Version::HTTP_11) {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            Code::RequestMalformed,
            "an HTTP/1.1 request has exactly one Host header",
        )
        .closing());
    }
    let HostPolicy::Only(names) = policy else { return Ok(()) };
    let allowed = |authority: &[u8]| {
        let name = without_port(authority);
        names.iter().any(|ours| name.eq_ignore_ascii_case(ours.as_bytes()))
    };
    let header_fits = host.is_some_and(|host| allowed(host.as_bytes()));
    // A request target in absolute form overrides Host (RFC 9112, section 3.2.2), so
    // it has to fit as well.
    let target_fits =
        parts.uri.authority().is_none_or(|authority| allowed(authority.as_str().as_bytes()));
    if header_fits && target_fits {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::MISDIRECTED_REQUEST,
        Code::HostNotAllowed,
        "this server does not answer to the host that the request names",
    )
    .with_hint(format!("It answers to: {}.", names.join(", ")))
    .closing())
}

/// The name in an authority, without its port.
fn without_port(authority: &[u8]) -> &[u8] {
    match authority.iter().rposition(|byte| *byte == b':') {
        Some(colon) if authority[colon + 1..].iter().all(u8::is_ascii_digit) => &authority[..colon],
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn allowed(target: &str, hosts: &[&str]) -> bool {
        let mut request = Request::builder().uri(target);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts, &HostPolicy::loopback()).is_ok()
    }

    #[test]
    fn this_machines_own_names_pass_with_any_port() {
        for host in ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]", "[::1]:8000"] {
            assert!(allowed("/", &[host]), "{host}");
        }
    }

    #[test]
    fn a_name_that_leads_here_by_a_strangers_dns_is_refused() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "evil.example:8000",
            "127.0.0.1.evil.example",
            "localhost:80@evil.example",
            "localhost.",
            "::1",
            "",
        ] {
            assert!(!allowed("/", &[host]), "{host}");
        }
    }

    #[test]
    fn a_target_in_absolute_form_is_held_to_the_same_names() {
        assert!(allowed("http://localhost:8000/", &["localhost:8000"]));
        assert!(!allowed("http://evil.example/", &["localhost:8000"]));
    }

    #[test]
    fn no_host_and_two_hosts_are_malformed() {
        assert!(!allowed("/", &[]));
        assert!(!allowed("/", &["localhost", "localhost"]));
    }
}
