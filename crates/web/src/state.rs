//! What every handler shares: the app as it is now, the store, the settings.
//!
//! The app (catalog, rules, who is who) is one value that a reload replaces whole.
//! A request takes it once and keeps to it, so none sees half of each.

use std::{fmt, sync::Arc};

use arc_swap::{ArcSwap, Guard};
use bytes::Bytes;
use mainstay_auth::{CookieTransport, ExpandRoles, Identity, SessionCookie, Verifier};
use mainstay_core::Timestamp;
use mainstay_mail::DevOutbox;
use mainstay_plan::Planner;
use mainstay_store::Store;

use crate::{
    openapi,
    rest::{Layouts, Rehearsal},
};

/// An app as it is served: replaced whole by a reload.
pub struct App {
    name: Box<str>,
    planner: Arc<Planner>,
    verifier: Arc<Verifier>,
    openapi: Bytes,
}

impl App {
    /// An app that plans with this planner and knows its callers by this verifier.
    #[must_use]
    pub fn new(name: &str, planner: Arc<Planner>, verifier: Arc<Verifier>) -> Self {
        let openapi = Bytes::from(openapi::document(name, planner.catalog()));
        Self { name: name.into(), planner, verifier, openapi }
    }

    /// What makes plans.
    #[must_use]
    pub fn planner(&self) -> &Planner {
        &self.planner
    }

    /// What tells callers from each other.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The description of the API.
    pub(crate) fn openapi(&self) -> Bytes {
        self.openapi.clone()
    }
}

/// What does not change while the server runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether answers say how long each stage took.
    pub server_timing: ServerTiming,
    /// Whether `Prefer: tx=rollback` may be asked for.
    pub rehearsal: Rehearsal,
    /// The mails of development, to be looked at.
    pub dev_mails: Option<Arc<DevOutbox>>,
    /// Where the time comes from.
    pub clock: fn() -> Timestamp,
    /// The cookie that stands for a session.
    pub session_cookie: SessionCookie,
    /// The path of the app's own style sheet for the pages of accounts, where it has one.
    pub stylesheet: Option<&'static str>,
}

impl Settings {
    /// Settings for production: no timings, no rehearsals, the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self {
            server_timing: ServerTiming::Off,
            rehearsal: Rehearsal::Refused,
            dev_mails: None,
            clock: system_time,
            session_cookie: SessionCookie::new(CookieTransport::Tls),
            stylesheet: None,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether answers carry `Server-Timing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerTiming {
    /// They do.
    On,
    /// They do not: it would tell strangers which rules are costly.
    Off,
}

/// The system's clock.
#[must_use]
pub fn system_time() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_micros())
        .ok()
        .and_then(Timestamp::from_micros)
        .expect("BUG: the clock stands between 1970 and 9999")
}

/// What every handler shares. Cheap to clone.
#[derive(Clone)]
pub struct State {
    shared: Arc<Shared>,
}

struct Shared {
    app: ArcSwap<App>,
    store: Arc<dyn Store>,
    identity: Arc<Identity>,
    settings: Settings,
    layouts: Layouts,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("settings", self.settings()).finish_non_exhaustive()
    }
}

impl State {
    /// The state of a server that serves this app from this store, which has been
    /// given the app's catalog.
    #[must_use]
    pub fn new(
        app: App,
        store: Arc<dyn Store>,
        identity: Arc<Identity>,
        settings: Settings,
    ) -> Self {
        store.adopt(Arc::clone(app.planner().catalog()));
        let app = ArcSwap::from_pointee(app);
        let layouts = Layouts::default();
        Self { shared: Arc::new(Shared { app, store, identity, settings, layouts }) }
    }

    /// Goes over to other models, rules and roles. Requests that have begun end with those
    /// they began with, whose catalog the store keeps until the reload after this one.
    pub fn reload(&self, planner: Arc<Planner>, roles: ExpandRoles) {
        let shared = &self.shared;
        shared.store.adopt(Arc::clone(planner.catalog()));
        shared.identity.rows().adopt(Arc::clone(&planner));
        let app = shared.app.load();
        app.verifier.set_roles(roles);
        shared.app.store(Arc::new(App::new(&app.name, planner, Arc::clone(&app.verifier))));
        shared.layouts.clear();
    }

    /// The app as it is now. Not to be held while waiting.
    #[must_use]
    pub fn app(&self) -> Guard<Arc<App>> {
        self.shared.app.load()
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    /// Accounts and sessions.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// The cookie that stands for a session.
    pub(crate) fn session_cookie(&self) -> SessionCookie {
        self.settings().session_cookie
    }

    /// The time of a request that begins now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.shared.settings.clock)()
    }

    pub(crate) fn layouts(&self) -> &Layouts {
        &self.shared.layouts
    }
}
