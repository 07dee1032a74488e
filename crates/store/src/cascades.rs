//! The rows that go with a delete, and what their going does to others.

use mainstay_core::{ModelId, Value};
use rustc_hash::FxHashSet;

/// A row, of whichever model.
pub type RowId = (ModelId, Box<[Value]>);

/// The rows that go with a delete, each after the one it points at, and what that
/// does. `usize` numbers the plan's cascades.
#[derive(Debug, Default)]
pub struct Doomed {
    /// The rows that go.
    pub order: Vec<RowId>,
    known: FxHashSet<(ModelId, String)>,
    /// Which ref of which row becomes null.
    pub nulled: Vec<(usize, Box<[Value]>)>,
    /// Which ref of which row stands in the way, unless the row goes as well.
    pub restricting: Vec<(usize, Box<[Value]>)>,
}

impl Doomed {
    /// Adds a row that goes. Says whether it is new.
    pub fn add(&mut self, model: ModelId, key: Box<[Value]>) -> bool {
        let is_new = self.known.insert((model, key_text(&key)));
        if is_new {
            self.order.push((model, key));
        }
        is_new
    }

    /// Whether a row goes.
    #[must_use]
    pub fn has(&self, model: ModelId, key: &[Value]) -> bool {
        self.known.contains(&(model, key_text(key)))
    }
}

/// A key as one text, which no other key of its model has.
#[must_use]
pub fn key_text(key: &[Value]) -> String {
    let parts: Vec<String> = key.iter().map(|value| value.as_ref().to_text()).collect();
    parts.join("\0")
}
