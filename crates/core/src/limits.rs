//! Every bound a stranger's request can meet, in one place, with its unit.
//!
//! Each is a key of `[limits]` in `mainstay.toml`; exceeding one is an error that
//! names it. What is walked by recursion has an upper bound of its own here, so
//! that no setting can exhaust the stack.

use crate::app::keys::section;

section! {
    /// The named limits of a running app. The defaults are meant for production.
    pub struct Limits in "limits" {
        /// Bytes of a request body.
        body_bytes_max: usize = 2 * 1024 * 1024, within 1..=1_073_741_824;
        /// Bytes of a request's path and query together.
        url_bytes_max: usize = 16 * 1024, within 64..=1_048_576;
        /// Bytes of an answer's body.
        response_bytes_max: usize = 32 * 1024 * 1024, within 1..=1_073_741_824;
        /// How deep arrays and objects nest in a body or a JSON value.
        json_depth_max: usize = 32, within 1..=100;
        /// Nodes of one request's filters: comparisons, `and`, `or`, `not`, list items.
        filter_nodes_max: usize = 500, within 0..=10_000;
        /// How deep `and` and `or` nest.
        filter_depth_max: usize = 10, within 0..=64;
        /// How deep embeds nest.
        embed_depth_max: usize = 5, within 0..=16;
        /// Embeds in one request, at every depth together.
        embeds_max: usize = 20, within 0..=200;
        /// Items of one `select`, at every depth together.
        select_items_max: usize = 200, within 1..=2_000;
        /// Rows a page holds at most; a larger `limit` is lowered to it.
        page_rows_max: u64 = 1_000, within 1..=1_000_000;
        /// Rows one write may insert, change or delete.
        write_rows_max: usize = 1_000, within 1..=100_000;
        /// Bytes of a regular expression in `match` or `imatch`.
        pattern_bytes_max: usize = 256, within 0..=4_096;
        /// Milliseconds one request may take in the store.
        request_ms: u64 = 10_000, within 1..=3_600_000;
        /// Bytes the plan cache may hold.
        plan_cache_bytes_max: usize = 16 * 1024 * 1024, within 0..=1_073_741_824;
        /// Whether PATCH and DELETE without a filter are carried out.
        unfiltered_writes: bool = false;
    }
}
