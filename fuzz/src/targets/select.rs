//! The grammar of `select`: columns, aliases, casts, JSON paths, embeds.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Reached, app::app};

/// Plans a read of posts with the input as its `select`, whatever characters it has.
pub fn select(input: &[u8]) -> Reached {
    let Ok(text) = std::str::from_utf8(input) else { return Reached::Refused };
    // An empty one selects everything, and says nothing of the grammar.
    if text.is_empty() {
        return Reached::Refused;
    }
    let query = format!("select={}", utf8_percent_encode(text, NON_ALPHANUMERIC));
    app().read("posts", &query)
}
