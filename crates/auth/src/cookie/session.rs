//! The cookie that holds a session's id, and finding it again.
//!
//! Over TLS it is `__Host-session`: a browser takes that name only with `Secure`, with
//! `Path=/` and without `Domain`, so that no other host can set it, a subdomain
//! neither. Without TLS, which is for development, it is `session`. Scripts cannot
//! read it (`HttpOnly`), and other sites' forms do not send it (`SameSite=Lax`).
//!
//! Two cookies of the name are no session: one of them was set by somebody else, and
//! which one browsers send first is theirs to know.

use mainstay_core::removal::removed;

use crate::OpaqueId;

/// How requests arrive, as the browser sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieTransport {
    /// With TLS, be it that a proxy in front ends it.
    Tls,
    /// Without, in development.
    Plain,
}

/// Writes and finds the cookie of a session.
#[derive(Clone, Copy, Debug)]
pub struct SessionCookie {
    transport: CookieTransport,
}

/// Why a header's session cookie is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionCookieError {
    /// There are two of the name.
    #[error("two session cookies were sent")]
    Ambiguous,
    /// It does not hold an id.
    #[error("the session cookie does not hold a session's id")]
    Malformed,
}

impl CookieTransport {
    /// What the name of a cookie begins with, so that no other host can have set it.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Tls => "__Host-",
            Self::Plain => "",
        }
    }

    /// What its attributes end with.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Tls => "; Secure",
            Self::Plain => "",
        }
    }
}

impl SessionCookie {
    /// How requests with it arrive.
    #[must_use]
    pub fn transport(self) -> CookieTransport {
        self.transport
    }

    /// The cookie for requests that arrive like this.
    #[must_use]
    pub fn new(transport: CookieTransport) -> Self {
        Self { transport }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.transport {
            CookieTransport::Tls => "__Host-session",
            CookieTransport::Plain => "session",
        }
    }

    /// The `Set-Cookie` that gives a browser this session for so many seconds.
    #[must_use]
    pub fn set(self, id: &OpaqueId, max_age_s: u32) -> String {
        self.text(&id.text(), max_age_s)
    }

    /// The `Set-Cookie` that takes it away.
    #[must_use]
    pub fn clear(self) -> String {
        self.text("", 0)
    }

    /// The session's id in a `Cookie` header, of which several are joined by `; `.
    ///
    /// # Errors
    /// When there are two of the name, or it holds no id.
    pub fn find(self, header: &[u8]) -> Result<Option<OpaqueId>, SessionCookieError> {
        match find_cookie(header, self.name())? {
            None => Ok(None),
            Some(value) => OpaqueId::parse(value).map(Some).ok_or(SessionCookieError::Malformed),
        }
    }

    fn text(self, value: &str, max_age_s: u32) -> String {
        let name = self.name();
        let secure = self.transport.suffix();
        if removed("cookie-attributes") {
            return format!("{name}={value}; Path=/; Max-Age={max_age_s}");
        }
        format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}")
    }
}

/// The value of the cookie with this name, which is compared with its case.
///
/// # Errors
/// `Ambiguous` when two cookies have the name and differ, `Malformed` when the value
/// is not ASCII.
pub fn find_cookie<'a>(
    header: &'a [u8],
    name: &str,
) -> Result<Option<&'a str>, SessionCookieError> {
    let mut found: Option<&[u8]> = None;
    for pair in header.split(|byte| *byte == b';') {
        let pair = pair.trim_ascii();
        let Some(value) =
            pair.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="))
        else {
            continue;
        };
        if found.is_some_and(|other| other != value) {
            return Err(SessionCookieError::Ambiguous);
        }
        found = Some(value);
    }
    let text = found.map(std::str::from_utf8).transpose();
    text.ok().filter(|text| text.is_none_or(str::is_ascii)).ok_or(SessionCookieError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TLS: SessionCookie = SessionCookie { transport: CookieTransport::Tls };
    const PLAIN: SessionCookie = SessionCookie { transport: CookieTransport::Plain };

    #[test]
    fn a_session_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let id = OpaqueId::generate();
        let value = id.text();
        assert_eq!(
            TLS.set(&id, 600),
            format!("__Host-session={value}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure")
        );
        assert_eq!(
            PLAIN.set(&id, 600),
            format!("session={value}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax")
        );
        assert_eq!(
            TLS.clear(),
            "__Host-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
        );
    }

    #[test]
    fn a_session_is_found_among_other_cookies_by_its_whole_name() {
        let id = OpaqueId::generate();
        let value = id.text();
        for header in [
            format!("__Host-session={value}"),
            format!("theme=dark; __Host-session={value}; x=y"),
            format!(";;theme;=;__Host-session={value} ;"),
            format!("__Host-session={value}; __Host-session={value}"),
            format!("\u{e9}=\u{e9}; __Host-session={value}"),
        ] {
            let found = TLS.find(header.as_bytes()).unwrap();
            assert_eq!(found.map(|id| id.text()), Some(value.clone()), "{header}");
        }
        for header in [
            String::new(),
            "theme=dark".to_owned(),
            format!("session={value}"),
            format!("x__Host-session={value}"),
            format!("__Host-session2={value}"),
            format!("__host-session={value}"),
            format!("__Host-session ={value}"),
            format!("x=\"; __Host_session={value}\""),
        ] {
            assert!(TLS.find(header.as_bytes()).unwrap().is_none(), "{header}");
        }
    }

    #[test]
    fn two_session_cookies_or_one_that_holds_no_id_are_no_session() {
        let (one, other) = (OpaqueId::generate().text(), OpaqueId::generate().text());
        let find = |header: String| PLAIN.find(header.as_bytes()).map(|id| id.is_some());
        let ambiguous = Err(SessionCookieError::Ambiguous);
        let malformed = Err(SessionCookieError::Malformed);
        assert_eq!(find(format!("session={one}; session={other}")), ambiguous);
        assert_eq!(find(format!("session=; session={other}")), ambiguous);
        assert_eq!(find("session=".to_owned()), malformed);
        assert_eq!(find(format!("session=\"{one}\"")), malformed);
        assert_eq!(find(format!("session={one}x")), malformed);
        assert_eq!(find(format!("session={one}=")), malformed);
        assert_eq!(find("session=é".to_owned()), malformed);
        assert_eq!(PLAIN.find(b"session=\xff").err(), malformed.err());
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_the_reader_panic(header: Vec<u8>, name in "[a-z=;]{0,4}") {
            let _ = find_cookie(&header, &name);
            let _ = TLS.find(&header);
        }
    }
}
