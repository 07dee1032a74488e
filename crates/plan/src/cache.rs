//! Plans that were made before, for requests of the same structure and callers of
//! whom the same things are true.
//!
//! A plan depends on the request's structure and on the truth of the terms of
//! every rule that was consulted while it was made: nothing else of the caller.
//! So an entry is found by structure, and within it the variant of which every
//! consulted term is now as true, false or unknown as it was then. Being keyed by
//! role would be wrong: folding depends on ids, claims and the time as well.
//!
//! The cache is bounded in bytes by generations: when the younger half is full it
//! becomes the older half, and what the older half held without being asked for
//! again is forgotten.

use std::{
    collections::{HashMap, hash_map::RandomState},
    sync::Arc,
};

use mainstay_core::{Truth, removal::removed};
use mainstay_rules::Term;
use parking_lot::RwLock;

/// Variants one structure may have; beyond it the oldest is forgotten.
const VARIANTS_MAX: usize = 32;
/// What a variant costs beside its key, as a round estimate in bytes: a shape, its
/// filters, and the statements a store keeps for it.
const VARIANT_BYTES: usize = 4 * 1024;
/// What each column and each node of a condition adds to that: here, in the answer's
/// layout and in the statement's text.
const NODE_BYTES: usize = 256;

/// Plans of one kind by structure and truths.
pub(crate) struct Cache<T> {
    generations: RwLock<Generations<T>>,
    bytes_max: usize,
}

struct Generations<T> {
    young: Map<T>,
    old: Map<T>,
    young_bytes: usize,
}

type Map<T> = HashMap<Box<[u8]>, Vec<Variant<T>>, RandomState>;

struct Variant<T> {
    truths: Vec<(Term, Truth)>,
    made: Arc<T>,
    bytes: usize,
}

impl<T> Cache<T> {
    /// An empty cache of at most so many bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        let generations =
            Generations { young: Map::default(), old: Map::default(), young_bytes: 0 };
        Self { generations: RwLock::new(generations), bytes_max }
    }

    /// The plan made for this structure when the same was true.
    pub(crate) fn get(&self, key: &[u8], truth: &dyn Fn(&Term) -> Truth) -> Option<Arc<T>> {
        // One lock and one count, because every thread that plans meets at them.
        let (made, is_old) = {
            let generations = self.generations.read();
            let (variants, is_old) = match generations.young.get(key) {
                Some(variants) => (variants, false),
                None => (generations.old.get(key)?, true),
            };
            let variant = variants.iter().find(|variant| {
                removed("plan-cache-tristates")
                    || variant.truths.iter().all(|(term, then)| truth(term) == *then)
            })?;
            (Arc::clone(&variant.made), is_old)
        };
        if is_old {
            self.promote(key);
        }
        Some(made)
    }

    /// Keeps a plan of this weight (in columns and nodes), made while these terms were
    /// this true.
    pub(crate) fn insert(
        &self,
        key: Vec<u8>,
        truths: Vec<(Term, Truth)>,
        made: Arc<T>,
        weight: usize,
    ) {
        let bytes = VARIANT_BYTES + weight * NODE_BYTES;
        let variant = Variant { truths, made, bytes };
        let mut generations = self.generations.write();
        if let Some(variants) = generations.young.get_mut(&key[..]) {
            if variants.iter().any(|known| known.truths == variant.truths) {
                return;
            }
            if variants.len() >= VARIANTS_MAX {
                variants.remove(0);
            }
            variants.push(variant);
            generations.grow(bytes, self.bytes_max);
            return;
        }
        let cost = key.len() + bytes;
        generations.young.insert(key.into_boxed_slice(), vec![variant]);
        generations.grow(cost, self.bytes_max);
    }

    fn promote(&self, key: &[u8]) {
        let mut generations = self.generations.write();
        if let Some((key, variants)) = generations.old.remove_entry(key) {
            let held: usize = variants.iter().map(|variant| variant.bytes).sum();
            let cost = key.len() + held;
            generations.young.insert(key, variants);
            generations.grow(cost, self.bytes_max);
        }
    }
}

impl<T> Generations<T> {
    fn grow(&mut self, cost: usize, bytes_max: usize) {
        self.young_bytes += cost;
        if self.young_bytes > bytes_max / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn always(_: &Term) -> Truth {
        Truth::True
    }

    #[test]
    fn what_is_asked_for_again_outlives_what_is_not() {
        let cache: Cache<u32> = Cache::new(8 * VARIANT_BYTES);
        cache.insert(b"kept".to_vec(), Vec::new(), Arc::new(0), 0);
        for number in 0..64_u32 {
            let key = format!("other {number}").into_bytes();
            cache.insert(key, Vec::new(), Arc::new(number), 0);
            assert!(cache.get(b"kept", &always).is_some(), "after {number}");
        }
        assert!(cache.get(b"other 0", &always).is_none());
        let generations = cache.generations.read();
        assert!(generations.young.len() + generations.old.len() <= 8);
    }
}
