//! Who is measured: Mainstay, the limit, the peer. Each seeds itself with the same
//! rows, starts its server, and says how each case is asked of it.

mod limit;
mod mainstay;
mod pocketbase;

pub(crate) use limit::Limit;
pub(crate) use mainstay::{Mainstay, write_app};
pub(crate) use pocketbase::PocketBase;

use std::fmt;

use crate::{
    bench::{
        case::{Case, Durability},
        dataset::Dataset,
        wrk::Load,
    },
    process::Server,
};

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    Limit,
    Mainstay,
    PocketBase,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Limit => "limit",
            Self::Mainstay => "mainstay",
            Self::PocketBase => "pocketbase",
        })
    }
}

/// One of the three.
pub(crate) trait Contender {
    /// Which one.
    fn name(&self) -> Name;

    /// Stores the rows. Nothing of it is running before or after.
    fn seed(&mut self, dataset: Dataset) -> anyhow::Result<()>;

    /// Starts the server on the stored rows. `None` if it does not offer this durability.
    fn start(&self, durability: Durability) -> anyhow::Result<Option<Server>>;

    /// How the case is asked.
    fn load(&self, case: Case, dataset: Dataset) -> Load;
}

/// Lua for the number of a random published post.
fn any_published_post(dataset: Dataset) -> String {
    let last = dataset.posts - 1;
    format!(
        "(function() local n = math.random(0, {last}); if n % 4 == 3 then n = n - 1 end; return n end)()"
    )
}

/// Lua for the number of a random post of the first author's.
fn any_post_of_the_first_author(dataset: Dataset) -> String {
    let last = dataset.posts / dataset.authors - 1;
    format!("math.random(0, {last}) * {}", dataset.authors)
}

/// Lua where the row's number does not matter.
const NO_ROW: &str = "0";

/// The row a create makes, and the title an update sets.
const ENTRY: &str = r#"{"title":"A new entry of ordinary length","body":"Written by one of sixty-four callers who all write at once, and read back by nobody."}"#;
const TITLE: &str = r#"{"title":"The same post under another title"}"#;
