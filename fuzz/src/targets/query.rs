//! A path's last part and a query string, as a stranger sends them: `posts?select=*`.

use http::{HeaderMap, Method};
use mainstay_core::Limits;
use mainstay_web::fuzz::{self, Sent};

use crate::{Reached, app::app};

/// Plans a GET for every caller, and a DELETE of the same rows.
pub fn query(input: &[u8]) -> Reached {
    let Ok(text) = std::str::from_utf8(input) else { return Reached::Refused };
    let (model, query) = text.split_once('?').unwrap_or((text, ""));
    let read = fuzz::query(query, &Limits::default());
    let reached = app().read(model, query);
    assert!(read.is_ok() || reached == Reached::Refused, "a query that is refused is planned");
    let headers = HeaderMap::new();
    let sent = Sent { method: Method::DELETE, model, query, headers: &headers, body: &[] };
    reached.or(app().write(&sent))
}
