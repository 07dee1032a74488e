//! `/_dev/mail`: the mails that an app under development would have sent.
//!
//! There only where the settings bring an outbox, which `dev` alone does, on loopback.

use std::fmt::Write as _;

use axum::{
    body::Body,
    extract::State as AxumState,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use mainstay_core::ValueRef;
use mainstay_mail::Mail;
use serde_json::{Value as Json, json};

use crate::state::State;

/// Lists the mails, the newest first: as a page, or as JSON for programs.
pub(crate) async fn list(AxumState(state): AxumState<State>, headers: HeaderMap) -> Response {
    let outbox = state.settings().dev_mails.as_ref();
    let mails = outbox.map(|outbox| outbox.mails()).unwrap_or_default();
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("application/json")) {
        let listed: Vec<Json> = mails.iter().map(|mail| shown(mail)).collect();
        return answer(Json::from(listed).to_string(), "application/json");
    }
    let mut page = String::from(HEAD);
    if mails.is_empty() {
        page.push_str("<p>No mail yet. What the app sends is shown here and goes nowhere.</p>");
    }
    for mail in &mails {
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "<article><h2>{}</h2><p class=\"to\">to {}</p><pre>{}</pre></article>",
            escaped(&mail.subject),
            escaped(&mail.to),
            linked(&mail.text),
        );
    }
    answer(page, "text/html; charset=utf-8")
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width\"><title>Mails</title>\
    <h1>Mails</h1>";

fn shown(mail: &Mail) -> Json {
    json!({
        "id": mail.id.to_string(), "to": mail.to, "kind": mail.kind, "subject": mail.subject,
        "text": mail.text, "html": mail.html,
        "written_at": ValueRef::Timestamp(mail.written_at).to_text(),
    })
}

fn answer(body: String, content_type: &'static str) -> Response {
    let mut res = Response::new(Body::from(body));
    res.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    res.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    res
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

/// A text with its addresses to be followed.
fn linked(text: &str) -> String {
    let word = |word: &str| {
        let is_address = word.starts_with("http://") || word.starts_with("https://");
        let shown = escaped(word);
        if is_address { format!("<a href=\"{shown}\">{shown}</a>") } else { shown }
    };
    text.split_inclusive(char::is_whitespace)
        .map(|part| {
            let trimmed = part.trim_end();
            format!("{}{}", word(trimmed), &part[trimmed.len()..])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_can_be_followed_and_nothing_else_is_markup() {
        let shown = linked("Open\nhttp://x/y?a=1&b=2\n<script>");
        assert_eq!(
            shown,
            "Open\n<a href=\"http://x/y?a=1&amp;b=2\">http://x/y?a=1&amp;b=2</a>\n&lt;script&gt;"
        );
    }
}
