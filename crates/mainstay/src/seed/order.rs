//! In which order the models' rows are loaded: those that are pointed at first.

use mainstay_core::{Catalog, ModelId};

/// These models, each after those it refers to. Where refs form a circle, the order
/// within it is that of the names: their rows then wait for each other one by one.
pub(super) fn by_references(catalog: &Catalog, models: &[ModelId]) -> Vec<ModelId> {
    let mut waiting: Vec<ModelId> = models.to_vec();
    waiting.sort_unstable();
    waiting.dedup();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_free = |model: ModelId| {
            catalog
                .references_from(model)
                .map(|reference| catalog.reference(reference).to)
                .all(|to| to == model || !waiting.contains(&to))
        };
        let next = waiting.iter().position(|model| is_free(*model)).unwrap_or(0);
        ordered.push(waiting.remove(next));
    }
    ordered
}
