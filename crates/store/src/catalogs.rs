//! The catalogs whose plans a store takes.

use std::sync::Arc;

use arc_swap::ArcSwap;
use mainstay_core::{Catalog, CatalogVersion, Error};

/// The catalog plans are made for, and the one before, whose last plans may still be
/// on their way.
#[derive(Debug, Default)]
pub struct Catalogs(ArcSwap<Pair>);

#[derive(Clone, Debug, Default)]
struct Pair {
    current: Option<Arc<Catalog>>,
    previous: Option<Arc<Catalog>>,
}

impl Catalogs {
    /// Goes over to a catalog.
    pub fn adopt(&self, catalog: &Arc<Catalog>) {
        self.0.rcu(|pair| {
            let is_same =
                pair.current.as_ref().is_some_and(|current| current.version() == catalog.version());
            if is_same {
                return Pair::clone(pair);
            }
            Pair { current: Some(Arc::clone(catalog)), previous: pair.current.clone() }
        });
    }

    /// The catalog of a version.
    ///
    /// # Errors
    /// `Unavailable` where a plan was made for a catalog that is gone.
    pub fn get(&self, version: CatalogVersion) -> Result<Arc<Catalog>, Error> {
        let pair = self.0.load();
        [&pair.current, &pair.previous]
            .into_iter()
            .flatten()
            .find(|catalog| catalog.version() == version)
            .cloned()
            .ok_or_else(|| {
                Error::unavailable("the application changed while this request was under way")
            })
    }

    /// Whether plans of this version are still taken.
    #[must_use]
    pub fn takes(&self, version: CatalogVersion) -> bool {
        let pair = self.0.load();
        [&pair.current, &pair.previous]
            .into_iter()
            .flatten()
            .any(|catalog| catalog.version() == version)
    }

    /// The catalog of now.
    ///
    /// # Errors
    /// `Internal` where none was adopted yet.
    pub fn current(&self) -> Result<Arc<Catalog>, Error> {
        self.0
            .load()
            .current
            .clone()
            .ok_or_else(|| Error::internal("a store was asked before a catalog was adopted"))
    }
}
