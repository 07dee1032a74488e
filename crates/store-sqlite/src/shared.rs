//! What all parts of one store know in common.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use arc_swap::ArcSwap;
use mainstay_core::{Catalog, CatalogVersion, Error};

use crate::settings::SqliteSettings;

/// What all parts of one store know in common.
pub(crate) struct Shared {
    /// Tells stores of one process apart.
    pub(crate) id: u64,
    pub(crate) settings: SqliteSettings,
    catalogs: ArcSwap<Catalogs>,
    closed: AtomicBool,
}

/// The catalog plans are made for, and the one before, whose last plans may still
/// be on their way.
#[derive(Clone, Default)]
struct Catalogs {
    current: Option<Arc<Catalog>>,
    previous: Option<Arc<Catalog>>,
}

impl Shared {
    pub(crate) fn new(settings: SqliteSettings) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            settings,
            catalogs: ArcSwap::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Goes over to a catalog.
    pub(crate) fn adopt(&self, catalog: &Arc<Catalog>) {
        self.catalogs.rcu(|catalogs| {
            let is_same = catalogs
                .current
                .as_ref()
                .is_some_and(|current| current.version() == catalog.version());
            if is_same {
                return Catalogs::clone(catalogs);
            }
            Catalogs { current: Some(Arc::clone(catalog)), previous: catalogs.current.clone() }
        });
    }

    /// The catalog of a version.
    ///
    /// # Errors
    /// `Unavailable` where a plan was made for a catalog that is gone.
    pub(crate) fn catalog(&self, version: CatalogVersion) -> Result<Arc<Catalog>, Error> {
        let catalogs = self.catalogs.load();
        [&catalogs.current, &catalogs.previous]
            .into_iter()
            .flatten()
            .find(|catalog| catalog.version() == version)
            .cloned()
            .ok_or_else(|| {
                Error::unavailable("the application changed while this request was under way")
            })
    }

    /// Whether plans of this version are still taken.
    pub(crate) fn takes(&self, version: CatalogVersion) -> bool {
        let catalogs = self.catalogs.load();
        [&catalogs.current, &catalogs.previous]
            .into_iter()
            .flatten()
            .any(|catalog| catalog.version() == version)
    }

    /// The catalog of now, if one was adopted.
    pub(crate) fn current(&self) -> Option<Arc<Catalog>> {
        self.catalogs.load().current.clone()
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// The answer to calls on a store that was closed.
pub(crate) fn closed() -> Error {
    Error::unavailable("the server is shutting down")
}
