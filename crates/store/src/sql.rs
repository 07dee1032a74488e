//! Conditions and values as SQL, for the stores that speak it.
//!
//! A plan's [`Filter`](mainstay_core::Filter) is three-valued and so is SQL, but
//! not everywhere: `EXISTS` knows only true and false. What becomes of *unknown*
//! there depends on whether the condition stands under an odd number of negations,
//! so the [`Renderer`] carries that polarity down the tree. Where an engine wants
//! other words than its sisters, it says so in a [`Dialect`].
//!
//! # Why the text is written by hand
//!
//! The library at hand for SQL text is sea-query. It builds statements with their
//! values inside, and hands both out together; here a statement is made once for a
//! shape, prepared, and run many times with other values, so what is wanted is text
//! and an ordered list of *where each value comes from*: a slot of the plan, a field
//! of the payload, the row above. That list could be recovered by giving each value a
//! marker and looking for it in sea-query's output, at the price of two trees and a
//! search. Much of what is rendered (polarity, functions of our own, lists bound as
//! one value) would be its custom expressions anyway, which are text again. So the
//! text is appended to directly, in [`Sql`], whose two methods keep text and
//! parameters in step; nothing a caller sends is ever appended as text.

mod dialect;
mod old;
mod operand;
mod render;
mod select;
mod text;

pub use dialect::Dialect;
pub use old::speaks_of_old;
pub use operand::literal_type;
pub use render::{Renderer, RowSource, ends};
pub use select::Select;
pub use text::{Param, Sql};

#[cfg(test)]
mod tests;
