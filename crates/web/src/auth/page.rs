//! The pages that Mainstay itself shows of an account: for visitors without a script, who
//! cannot be shown a list by an app's own static page.
//!
//! They are plain documents with headings, lists and forms, legible without a style sheet.
//! An app's own is linked where it has `public/auth.css`. Whatever is not written here is
//! put in as text.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use mainstay_auth::{ListedSession, SitePath};
use mainstay_core::{Timestamp, ValueRef};

use super::device::device;
use crate::state::State;

/// The style of these pages where an app has none of its own.
const STYLE: &str = "<style>:root{color-scheme:light dark}body{max-width:40rem;margin:0 auto;\
padding:2rem 1.25rem;font:1rem/1.5 system-ui,sans-serif}li{margin:0 0 1rem}</style>";

/// Where a user is signed in, with a button for each place.
pub(super) fn sessions(state: &State, email: &str, sessions: &[ListedSession]) -> Response {
    let items: String = sessions.iter().map(item).collect();
    let main = format!(
        "<h1>Where you are signed in</h1>\n<p>As <strong>{}</strong>.</p>\n\
         <p id=\"session_not_found\" class=\"error\">That session has ended already.</p>\n\
         <ul class=\"sessions\">\n{items}</ul>\n\
         <form method=\"post\" action=\"/auth/v1/session/end\">\
         <input type=\"hidden\" name=\"next\" value=\"/\">\
         <button>Log out here</button></form>\n<p><a href=\"/\">Back to {}</a></p>",
        escaped(email),
        escaped(&state.identity().settings().app_name),
    );
    page(state, StatusCode::OK, "Where you are signed in", &main)
}

fn item(session: &ListedSession) -> String {
    let user_agent = session.user_agent.as_deref().unwrap_or_default();
    let used = session.last_used_at.or(session.created_at).map(time).unwrap_or_default();
    let address = session.address.as_deref().unwrap_or("an unknown address");
    let (device, address) = (escaped(&device(user_agent)), escaped(address));
    let (id, agent) = (session.id, escaped(user_agent));
    let end = match session.is_current {
        true => "<span class=\"current\">This device</span>".to_owned(),
        false => format!(
            "<form method=\"post\" action=\"/auth/v1/sessions/{id}/revoke\">\
             <input type=\"hidden\" name=\"next\" value=\"/auth/v1/sessions\">\
             <input type=\"hidden\" name=\"back\" value=\"/auth/v1/sessions\">\
             <button aria-label=\"Sign out {device} at {address}\">Sign out</button></form>"
        ),
    };
    format!(
        "<li><p><strong title=\"{agent}\">{device}</strong><br>\
         <span>{address}, last used {used}</span></p>{end}</li>\n"
    )
}

/// What whoever is not signed in is shown in its place.
pub(super) fn signed_out(state: &State) -> Response {
    let main = "<h1>You are not signed in</h1>\n<p><a href=\"/\">To the first page</a></p>";
    page(state, StatusCode::UNAUTHORIZED, "You are not signed in", main)
}

/// What whoever opens a link that was mailed is asked, before anything is done: programs
/// open links too, and so does who was sent another's.
pub(super) fn opened_link(
    state: &State,
    email: &str,
    token: &str,
    kind: &str,
    next: &SitePath,
) -> Response {
    let main = format!(
        "<h1>Continue as {}</h1>\n<p>The link was sent to this address. If it is not yours, \
         close this page.</p>\n\
         <form method=\"post\" action=\"/auth/v1/verify\">\
         <input type=\"hidden\" name=\"token\" value=\"{}\">\
         <input type=\"hidden\" name=\"type\" value=\"{}\">\
         <input type=\"hidden\" name=\"next\" value=\"{next}\">\
         <input type=\"hidden\" name=\"back\" value=\"{next}\">\
         <button>Continue</button></form>",
        escaped(email),
        escaped(token),
        escaped(kind),
        next = escaped(next.as_str()),
    );
    let mut res = page(state, StatusCode::OK, "Continue", &main);
    // Others are not told the token. With `no-referrer` the form would come from nowhere.
    let policy = HeaderValue::from_static("same-origin");
    res.headers_mut().insert(header::REFERRER_POLICY, policy);
    res
}

fn page(state: &State, status: StatusCode, title: &str, main: &str) -> Response {
    let style = match state.settings().stylesheet {
        Some(path) => format!("<link rel=\"stylesheet\" href=\"{path}\">"),
        None => STYLE.to_owned(),
    };
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n{style}\n</head>\n\
         <body>\n<main>\n{main}\n</main>\n</body>\n</html>\n"
    );
    let mut res = Response::new(Body::from(html));
    *res.status_mut() = status;
    let headers = res.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    res
}

/// A time for people, to the minute.
fn time(at: Timestamp) -> String {
    let text = ValueRef::Timestamp(at).to_text();
    let minutes = text.get(..16).unwrap_or(&text).replace('T', " ");
    format!("<time datetime=\"{text}\">{minutes} UTC</time>")
}

/// A text as it stands in a document or between the quotes of an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            plain => out.push(plain),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_visitor_says_is_text_and_no_markup() {
        let session = ListedSession {
            id: uuid::Uuid::nil(),
            user_agent: Some("\"><script>x()</script> Firefox/1 & '".to_owned()),
            address: Some("<b>".to_owned()),
            created_at: None,
            last_used_at: Timestamp::from_micros(60_000_000),
            aal: "aal1",
            is_current: false,
        };
        let item = item(&session);
        assert!(!item.contains("<script") && !item.contains("<b>"), "{item}");
        assert!(item.contains("&quot;&gt;&lt;script&gt;x()"), "{item}");
        assert!(item.contains("1970-01-01 00:01 UTC"), "{item}");
    }
}
