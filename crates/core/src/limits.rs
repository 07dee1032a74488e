//! Every bound a stranger's request can meet, in one place, with its unit.
//!
//! Each is a key of `[limits]` in `mainstay.toml`; exceeding one is an error that
//! names it.

use serde::Deserialize;

/// The named limits of a running app. The defaults are meant for production.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a request body.
    pub body_bytes_max: usize,
    /// Bytes of a request's path and query together.
    pub url_bytes_max: usize,
    /// Bytes of an answer's body.
    pub response_bytes_max: usize,
    /// How deep arrays and objects nest in a body or a JSON value.
    pub json_depth_max: usize,
    /// Nodes of one request's filters: comparisons, `and`, `or`, `not`, list items.
    pub filter_nodes_max: usize,
    /// How deep `and` and `or` nest.
    pub filter_depth_max: usize,
    /// How deep embeds nest.
    pub embed_depth_max: usize,
    /// Embeds in one request, at every depth together.
    pub embeds_max: usize,
    /// Items of one `select`, at every depth together.
    pub select_items_max: usize,
    /// Rows a page holds at most; a larger `limit` is lowered to it.
    pub page_rows_max: u64,
    /// Rows one write may insert, change or delete.
    pub write_rows_max: usize,
    /// Bytes of a regular expression in `match` or `imatch`.
    pub pattern_bytes_max: usize,
    /// Milliseconds one request may take in the store.
    pub request_ms: u64,
    /// Bytes the plan cache may hold.
    pub plan_cache_bytes_max: usize,
    /// Whether PATCH and DELETE without a filter are carried out.
    pub unfiltered_writes: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 2 * 1024 * 1024,
            url_bytes_max: 16 * 1024,
            response_bytes_max: 32 * 1024 * 1024,
            json_depth_max: 32,
            filter_nodes_max: 500,
            filter_depth_max: 10,
            embed_depth_max: 5,
            embeds_max: 20,
            select_items_max: 200,
            page_rows_max: 1_000,
            write_rows_max: 1_000,
            pattern_bytes_max: 256,
            request_ms: 10_000,
            plan_cache_bytes_max: 16 * 1024 * 1024,
            unfiltered_writes: false,
        }
    }
}
