//! What is left of a request's bounds while it is being read.
//!
//! Counting happens where a node is made, so a text that would grow too large is
//! refused before it has.

use mainstay_core::{Code, Error, Limits};

/// What one request may still hold.
pub(super) struct Bounds<'l> {
    limits: &'l Limits,
    filter_nodes: usize,
    embeds: usize,
    select_items: usize,
}

impl<'l> Bounds<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self { limits, filter_nodes: 0, embeds: 0, select_items: 0 }
    }

    /// One more comparison, group or list item.
    pub(super) fn filter_node(&mut self) -> Result<(), Error> {
        let max = self.limits.filter_nodes_max;
        count(&mut self.filter_nodes, max, "filter nodes", "filter_nodes_max")
    }

    /// One more embed, so many levels down.
    pub(super) fn embed(&mut self, depth: usize) -> Result<(), Error> {
        if depth > self.limits.embed_depth_max {
            return Err(over(
                "nested embeds",
                self.limits.embed_depth_max,
                Some("embed_depth_max"),
            ));
        }
        count(&mut self.embeds, self.limits.embeds_max, "embeds", "embeds_max")
    }

    /// The path to an embedded model, beside so many others.
    pub(super) fn path(&self, depth: usize, others: usize) -> Result<(), Error> {
        if depth > self.limits.embed_depth_max {
            return Err(over(
                "nested embeds",
                self.limits.embed_depth_max,
                Some("embed_depth_max"),
            ));
        }
        if others == self.limits.embeds_max {
            return Err(over("embeds", self.limits.embeds_max, Some("embeds_max")));
        }
        Ok(())
    }

    /// One more item of `select`.
    pub(super) fn select_item(&mut self) -> Result<(), Error> {
        let max = self.limits.select_items_max;
        count(&mut self.select_items, max, "select items", "select_items_max")
    }

    /// A group of conditions, so many levels down.
    pub(super) fn filter_depth(&self, depth: usize) -> Result<(), Error> {
        if depth > self.limits.filter_depth_max {
            return Err(over(
                "nested and/or groups",
                self.limits.filter_depth_max,
                Some("filter_depth_max"),
            ));
        }
        Ok(())
    }
}

fn count(held: &mut usize, max: usize, what: &str, name: &str) -> Result<(), Error> {
    if *held == max {
        return Err(over(what, max, Some(name)));
    }
    *held += 1;
    Ok(())
}

/// The error of a request that holds more than it may.
pub(super) fn over(what: &str, max: usize, name: Option<&str>) -> Error {
    let error = Error::new(Code::LimitExceeded, format!("a request may hold {max} {what} at most"));
    match name {
        Some(name) => error.with_hint(format!("The limit is [limits] {name}.")),
        None => error,
    }
}
