//! What all parts of one store know in common.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use mainstay_store::Catalogs;

use crate::settings::SqliteSettings;

/// What all parts of one store know in common.
pub(crate) struct Shared {
    /// Tells stores of one process apart.
    pub(crate) id: u64,
    pub(crate) settings: SqliteSettings,
    pub(crate) catalogs: Catalogs,
    closed: AtomicBool,
}

impl Shared {
    pub(crate) fn new(settings: SqliteSettings) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            settings,
            catalogs: Catalogs::default(),
            closed: AtomicBool::new(false),
        }
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
