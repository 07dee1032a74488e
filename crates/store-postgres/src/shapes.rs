//! What was made of shapes before: the statements of a plan, found by its shape's id.

use std::sync::Arc;

use mainstay_plan::ShapeId;
use parking_lot::RwLock;
use rustc_hash::FxHashMap;

/// Shapes whose statements are kept; when twice as many are there, the older half goes.
const SHAPES_MAX: usize = 1_024;

/// Statements by shape.
pub(crate) struct Shapes<T> {
    generations: RwLock<Generations<T>>,
}

struct Generations<T> {
    young: FxHashMap<u64, Arc<T>>,
    old: FxHashMap<u64, Arc<T>>,
}

impl<T> Default for Shapes<T> {
    fn default() -> Self {
        let generations = Generations { young: FxHashMap::default(), old: FxHashMap::default() };
        Self { generations: RwLock::new(generations) }
    }
}

impl<T> Shapes<T> {
    /// What was made of a shape, or is made now.
    pub(crate) fn get<E>(
        &self,
        id: ShapeId,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        if let Some(known) = self.generations.read().young.get(&id.get()) {
            return Ok(Arc::clone(known));
        }
        let known = self.generations.read().old.get(&id.get()).cloned();
        let made = match known {
            Some(known) => known,
            None => Arc::new(make()?),
        };
        let mut generations = self.generations.write();
        if generations.young.len() >= SHAPES_MAX {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(id.get(), Arc::clone(&made));
        Ok(made)
    }
}
