//! A body with the head it needs, written like HTTP: `POST items?columns=sku`, header
//! lines, an empty line, the body.

use mainstay_web::fuzz::Sent;

use super::head::Head;
use crate::{Reached, app::app};

/// Plans the write for every caller.
pub fn body(input: &[u8]) -> Reached {
    let Some(sent) = Head::read(input) else { return Reached::Refused };
    app().write(&Sent {
        method: sent.method,
        model: sent.path,
        query: sent.query,
        headers: &sent.headers,
        body: sent.body,
    })
}
