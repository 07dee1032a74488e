//! A `Cookie` header, and each value in it.
//!
//! The header is looked through for a session; its values are taken for signed and for
//! sealed ones. Whatever text it is, the app can sign and seal it, and reads the same back,
//! out of the cookie it was written for and out of no other.

use mainstay_auth::{CookieTransport, SessionCookie, find_cookie};

use crate::{Reached, app::app};

/// The cookie that values are written for.
const NAME: &str = "theme";
/// Another.
const OTHER: &str = "them";

/// Reads the header.
pub fn cookie(input: &[u8]) -> Reached {
    let mut reached = Reached::Refused;
    for transport in [CookieTransport::Tls, CookieTransport::Plain] {
        let cookie = SessionCookie::new(transport);
        if let Ok(Some(id)) = cookie.find(input) {
            let again = cookie.set(&id, 60);
            let pair = again.split(';').next().unwrap_or_default();
            let found = cookie.find(pair.as_bytes()).ok().flatten().map(|id| id.text());
            assert_eq!(found, Some(id.text()), "a session is lost: {again}");
            reached = Reached::Plan;
        }
    }
    if let Ok(Some(value)) = find_cookie(input, NAME) {
        let values = &app().cookies;
        let read = [values.verified(NAME, value), values.opened(NAME, value)];
        if read.iter().any(Option::is_some) {
            let other = [values.verified(OTHER, value), values.opened(OTHER, value)];
            assert_eq!(other, [None, None], "a value holds under another name");
            reached = Reached::Plan;
        }
    }
    if let Ok(text) = std::str::from_utf8(input) {
        round(text);
    }
    reached
}

/// Writes a text as it would be written, and reads it again.
fn round(text: &str) {
    let values = &app().cookies;
    if let Ok(signed) = values.sign(NAME, text) {
        let read = values.verified(NAME, &signed).map(|value| value.text);
        assert_eq!(read.as_deref(), Some(text), "a signed value is lost");
        assert_eq!(values.opened(NAME, &signed), None, "a signed value opens");
    }
    if let Ok(sealed) = values.seal(NAME, text) {
        let read = values.opened(NAME, &sealed).map(|value| value.text);
        assert_eq!(read.as_deref(), Some(text), "a sealed value is lost");
        assert_eq!(values.verified(NAME, &sealed), None, "a sealed value counts as signed");
    }
}
