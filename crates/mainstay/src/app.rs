//! An app, from its folder to a running server.
//!
//! ```no_run
//! use axum::routing::get;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! mainstay::App::load("blog")?
//!     .route("/hello", get(|| async { "hello" }))
//!     .serve()
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! It refuses an app with mistakes, a database that does not fit, an address that is
//! taken. It holds no rule and no route of its own: those are the rooms' below.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use axum::{Extension, Router, extract::Request, response::IntoResponse, routing::MethodRouter};
use mainstay_auth::{CookieTransport, Keyring, Rows, SessionCookie, TokenSettings, Verifier};
use mainstay_core::{Settings, Timestamp};
use mainstay_mail::{Mail, Sender};
use mainstay_plan::{Features, Planner};
use mainstay_web::{
    Rehearsal, ServerTiming,
    middleware::{
        CorsPolicy, CsrfPolicy, HostPolicy, LogEntry, LogPolicy, RequestLog, Stack, StackSettings,
    },
    server::ServerSettings,
    static_files::StaticFiles,
};
use tokio::net::TcpListener;
use tower::{Layer, Service};

use crate::{
    background::Background,
    database::{self, Database, DatabaseError, SchemaPolicy},
    folder::{Folder, FolderError},
    forgetting::go_on_forgetting,
    identity::{Parts, check_mails_leave, identity, identity_settings},
    load::{Loaded, Mistakes, environment, load},
    mailing::{ShowMail, begin_sending, outlet},
    running::Running,
    seed::{SeedError, Seeded, seed},
    signing_key::{SigningKeyError, keyring},
};

/// How an app is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To whoever writes it: on this machine alone, for requests that name it by this
    /// machine's names; what the models add is added to the database; pages of
    /// localhost may call it; `tx=rollback` and aggregates are on unless switched off.
    Development,
    /// To the world: on a database that fits the models or is empty.
    Production,
}

/// Why an app does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The application folder cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// There are mistakes in it.
    #[error("{0}")]
    Mistakes(#[from] Mistakes),
    /// There is no key to sign with.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// The database cannot be served from.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A setting cannot be served with.
    #[error("{0}")]
    Setting(String),
    /// Somebody else listens there.
    #[error(
        "the port is taken: {0} is in use by another program; stop that one, or choose another \
         port with --listen or `[server] listen`"
    )]
    PortTaken(SocketAddr),
    /// Development is for this machine alone.
    #[error(
        "`mainstay dev` listens on this machine alone, and {0} can be reached from others; \
         `mainstay serve` listens anywhere"
    )]
    NotLoopback(SocketAddr),
    /// The operating system refuses the address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// The operating system gives no thread or no signal handler.
    #[error("the server cannot be set up: {0}")]
    System(#[from] io::Error),
}

/// The app's own style for the pages of accounts, where it has one.
const STYLESHEET: &str = "/auth.css";

/// What is done to the router before it is served.
type Change = Box<dyn FnOnce(Router, &mainstay_web::State) -> Router + Send>;
/// What is given each request that is recorded.
type LogReader = Box<dyn FnMut(LogEntry) + Send>;

/// An app that is read and checked, and not yet served.
pub struct App {
    pub(crate) folder: Folder,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) loaded: Loaded,
    pub(crate) mode: Mode,
    listen: Option<SocketAddr>,
    server_timing: ServerTiming,
    clock: fn() -> Timestamp,
    request_log: Option<(LogPolicy, LogReader)>,
    show_mail: Option<ShowMail>,
    extensions: Vec<Change>,
    /// Whether a layer of the app's own stands around every route.
    layered: bool,
}

impl App {
    /// Reads and checks the application folder, with the settings of the environment.
    /// It will be served in production's way unless [`App::development`] says otherwise.
    ///
    /// # Errors
    /// Where it is no application folder, or has mistakes: then with all of them.
    pub fn load(dir: impl AsRef<Path>) -> Result<Self, StartError> {
        Self::load_with(dir.as_ref(), environment())
    }

    pub(crate) fn load_with(
        dir: &Path,
        environment: Vec<(String, String)>,
    ) -> Result<Self, StartError> {
        let folder = Folder::open(dir)?;
        let loaded = load(folder.read()?, &environment)?;
        Ok(Self {
            folder,
            environment,
            loaded,
            mode: Mode::Production,
            listen: None,
            server_timing: ServerTiming::Off,
            clock: mainstay_web::system_time,
            request_log: None,
            show_mail: None,
            extensions: Vec::new(),
            layered: false,
        })
    }

    /// Serves it as `mainstay dev` does: see [`Mode::Development`].
    #[must_use]
    pub fn development(mut self) -> Self {
        self.mode = Mode::Development;
        self
    }

    /// Listens here instead of where `[server] listen` says. Port 0 is any free one.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// Answers a path besides Mainstay's own. Paths are written as axum writes them.
    ///
    /// # Panics
    /// When the app is started, where the path is no path of axum's or is taken by
    /// Mainstay or by another route.
    #[must_use]
    pub fn route(mut self, path: &str, methods: MethodRouter) -> Self {
        let path = path.to_owned();
        self.extensions.push(Box::new(move |router, state| {
            router.route(&path, methods.layer(Extension(state.clone())))
        }));
        self
    }

    /// Wraps a layer around every route there is by then, Mainstay's own included.
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<axum::routing::Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<std::convert::Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.layered = true;
        self.extensions.push(Box::new(move |router, _| router.layer(layer)));
        self
    }

    /// Hands the requests that the policy names to a reader, on a thread of its own.
    #[must_use]
    pub(crate) fn record_requests(
        mut self,
        policy: LogPolicy,
        reader: impl FnMut(LogEntry) + Send + 'static,
    ) -> Self {
        self.request_log = Some((policy, Box::new(reader)));
        self
    }

    /// Shows each mail that would be sent, under [`Mode::Development`].
    #[must_use]
    pub(crate) fn show_mails(mut self, show: impl Fn(&Mail) + Send + Sync + 'static) -> Self {
        self.show_mail = Some(Box::new(show));
        self
    }

    /// Whether answers say how long each stage took.
    #[must_use]
    pub(crate) fn server_timing(mut self, server_timing: ServerTiming) -> Self {
        self.server_timing = server_timing;
        self
    }

    /// Takes the time from here and not from the system's clock: for tests of what expires.
    #[must_use]
    pub fn clock(mut self, clock: fn() -> Timestamp) -> Self {
        self.clock = clock;
        self
    }

    /// What `mainstay.toml` and the environment set.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.loaded.settings
    }

    /// Opens the database, brings it to the models as [`Mode`] allows, and serves until
    /// SIGTERM or SIGINT; then lets requests under way finish.
    ///
    /// # Errors
    /// Where the app cannot be started.
    pub async fn serve(self) -> Result<(), StartError> {
        let stop = crate::running::stop_signal()?;
        let running = self.start().await?;
        tracing::info!(address = %running.address(), "serving");
        stop.await;
        running.close().await;
        Ok(())
    }

    /// The same without waiting: the server runs in the background until it is closed.
    ///
    /// # Errors
    /// Where the app cannot be started.
    pub async fn start(self) -> Result<Running, StartError> {
        check_mails_leave(self.settings(), &self.loaded.mail, self.mode)?;
        let address = self.address()?;
        // Before the database is touched: a port that is taken mostly means that this
        // very app is being served already.
        let listener = TcpListener::bind(address).await.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => StartError::PortTaken(address),
            _ => StartError::Listen { address, source },
        })?;
        let address = listener.local_addr()?;
        let (opened, stack) = self.open(Some(address)).await?;
        // Before anybody is answered, so that whoever finds it ready finds the rows.
        let seeded = match (opened.mode, opened.changes.created) {
            (Mode::Development, true) => Some(opened.seed().await),
            _ => None,
        };
        Ok(Running::start(opened, seeded, stack, listener, address))
    }

    /// The app as a service of axum's, for a server of one's own. Callers' addresses
    /// are known where axum's `ConnectInfo<SocketAddr>` is provided. What goes on beside
    /// answering, such as mails that leave, goes on in the runtime this is called in, until
    /// the last copy of the router is dropped.
    ///
    /// # Errors
    /// Where the app cannot be opened, as for [`App::serve`].
    pub async fn router(self) -> Result<Router, StartError> {
        check_mails_leave(self.settings(), &self.loaded.mail, self.mode)?;
        let (mut opened, stack) = self.open(None).await?;
        // It goes on for as long as there is a router to answer.
        let background = Arc::new(opened.begin_background());
        Ok(Router::new().fallback_service(stack).layer(Extension(background)))
    }

    fn address(&self) -> Result<SocketAddr, StartError> {
        let configured = self.settings().server.listen;
        match (self.mode, self.listen) {
            (Mode::Production, given) => Ok(given.unwrap_or(configured)),
            (Mode::Development, Some(given)) if !given.ip().is_loopback() => {
                Err(StartError::NotLoopback(given))
            }
            (Mode::Development, Some(given)) => Ok(given),
            // The file speaks of production, whose port is as good as any.
            (Mode::Development, None) if !configured.ip().is_loopback() => {
                Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), configured.port()))
            }
            (Mode::Development, None) => Ok(configured),
        }
    }

    pub(crate) async fn open(
        self,
        address: Option<SocketAddr>,
    ) -> Result<(Opened, Stack), StartError> {
        let settings = &self.loaded.settings;
        let mut web_settings = self.web_settings();
        // What cannot be served with is refused before there is a key or a database of it.
        let stack_settings = stack_settings(settings, self.mode)?;
        let identity_settings = identity_settings(settings, self.mode, address)?;
        let outlet = outlet(self.mode, &self.loaded.mail, &site_host(settings), self.show_mail)?;
        let keyring = Arc::new(keyring(&self.folder, settings)?);
        let database = database::open(&self.folder, settings).await?;
        let policy = match self.mode {
            Mode::Development => SchemaPolicy::Additive,
            Mode::Production => SchemaPolicy::EqualOrEmpty,
        };
        let changes = database.bring_to(&self.loaded.catalog, policy).await?;

        let verifier = Arc::new(verifier(&self.loaded, &keyring));
        let planner = planner(&self.loaded, self.mode);
        let rows = Arc::new(Rows::new(Arc::clone(&database.store), Arc::clone(&planner)));
        database.store.adopt(Arc::clone(planner.catalog()));
        let sender = outlet.sender(Arc::clone(&database.store), Arc::clone(&rows));
        web_settings.dev_mails.clone_from(&outlet.outbox);
        let identity = identity(Parts {
            settings: identity_settings,
            roles: &settings.roles,
            keyring: Arc::clone(&keyring),
            verifier: Arc::clone(&verifier),
            rows,
            mail: &self.loaded.mail,
            waker: sender.as_ref().map(Sender::waker),
        });
        let app = mainstay_web::App::new(&settings.app.name, planner, verifier);
        let store = Arc::clone(&database.store);
        let state = mainstay_web::State::new(app, store, Arc::new(identity), web_settings);

        let files = static_files(&self.folder)?;
        let mut router = mainstay_web::router(state.clone()).fallback_service(files);
        for extend in self.extensions {
            router = extend(router, &state);
        }
        let (log, log_thread) = match self.request_log {
            Some((policy, reader)) => {
                let (log, thread) = RequestLog::start(policy, reader)?;
                (Some(log), Some(thread))
            }
            None => (None, None),
        };
        let mut stack = Stack::new(router, stack_settings, log);
        if !self.layered {
            stack = stack.with_rows(state.clone());
        }
        let opened = Opened {
            folder: self.folder,
            environment: self.environment,
            loaded: self.loaded,
            mode: self.mode,
            keyring,
            database,
            changes,
            state,
            sender,
            log_thread,
        };
        Ok((opened, stack))
    }
}

impl App {
    fn web_settings(&self) -> mainstay_web::Settings {
        let is_development = self.mode == Mode::Development;
        let stylesheet = self.folder.public().join(STYLESHEET.trim_start_matches('/'));
        mainstay_web::Settings {
            server_timing: self.server_timing,
            clock: self.clock,
            session_cookie: session_cookie(self.mode),
            stylesheet: stylesheet.is_file().then_some(STYLESHEET),
            rehearsal: match self.settings().rest.tx_rollback.unwrap_or(is_development) {
                true => Rehearsal::Allowed,
                false => Rehearsal::Refused,
            },
            ..mainstay_web::Settings::new()
        }
    }
}

/// The files of the folder that are served as they are; it need not have any.
fn static_files(folder: &Folder) -> Result<StaticFiles, StartError> {
    match StaticFiles::open(&folder.public()) {
        Ok(files) => Ok(files),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(StaticFiles::none()),
        Err(source) => Err(FolderError::Io { path: folder.public(), source }.into()),
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("folder", &self.folder.path())
            .field("mode", &self.mode)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

/// An app with its database open, that nobody can reach yet.
pub(crate) struct Opened {
    pub(crate) folder: Folder,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) loaded: Loaded,
    pub(crate) mode: Mode,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) database: Database,
    pub(crate) changes: database::SchemaChanges,
    pub(crate) state: mainstay_web::State,
    sender: Option<Sender>,
    pub(crate) log_thread: Option<std::thread::JoinHandle<()>>,
}

impl Opened {
    /// Begins what goes on beside answering, once.
    pub(crate) fn begin_background(&mut self) -> Vec<Background> {
        let forgetting = Background::begin_endless(go_on_forgetting(self.state.clone()));
        let sending = self.sender.take().map(begin_sending);
        sending.into_iter().chain([forgetting]).collect()
    }

    /// Loads `seed/` into the database.
    pub(crate) async fn seed(&self) -> Result<Seeded, SeedError> {
        let app = Arc::clone(&self.state.app());
        seed(&self.folder, app.planner(), &*self.database.store).await
    }
}

/// What makes plans of an app's models and rules.
pub(crate) fn planner(loaded: &Loaded, mode: Mode) -> Arc<Planner> {
    let settings = &loaded.settings;
    let aggregates = settings.rest.aggregates.unwrap_or(mode == Mode::Development);
    Arc::new(Planner::new(
        Arc::clone(&loaded.catalog),
        Arc::clone(&loaded.rulebook),
        settings.limits.clone(),
        Features { aggregates },
    ))
}

fn verifier(loaded: &Loaded, keyring: &Keyring) -> Verifier {
    Verifier::new(keyring, token_settings(&loaded.settings), expand_roles(loaded))
}

/// What an app's `[roles]` make of those that a user was given.
pub(crate) fn expand_roles(loaded: &Loaded) -> mainstay_auth::ExpandRoles {
    let roles = loaded.settings.roles.clone();
    Box::new(move |held| roles.expand(held))
}

/// The name of the host that the app's pages are at.
fn site_host(settings: &Settings) -> String {
    let url = settings.auth.site_url.as_deref().or(settings.server.public_url.as_deref());
    let url = url.and_then(|url| url.split_once("://")).map_or("", |(_, rest)| rest);
    let host = url.split(['/', ':', '?', '#']).next().unwrap_or_default();
    if host.is_empty() { "localhost".to_owned() } else { host.to_owned() }
}

/// What tokens of this app say.
pub(crate) fn token_settings(settings: &Settings) -> TokenSettings {
    TokenSettings { issuer: settings.issuer().to_owned(), audience: settings.auth.audience.clone() }
}

/// The bounds of connections.
pub(crate) fn server_settings(settings: &Settings) -> ServerSettings {
    let server = &settings.server;
    ServerSettings {
        connections_max: server.connections_max,
        header_ms: server.header_timeout_ms,
        idle_ms: server.idle_timeout_ms,
        drain_ms: server.drain_timeout_ms,
        // The request line has to fit beside the headers.
        header_bytes_max: ServerSettings::default()
            .header_bytes_max
            .max(settings.limits.url_bytes_max.saturating_mul(2)),
        ..ServerSettings::default()
    }
}

/// The cookie of a session: without TLS in development alone.
fn session_cookie(mode: Mode) -> SessionCookie {
    SessionCookie::new(match mode {
        Mode::Development => CookieTransport::Plain,
        Mode::Production => CookieTransport::Tls,
    })
}

fn stack_settings(settings: &Settings, mode: Mode) -> Result<StackSettings, StartError> {
    let server = &settings.server;
    let origins = server.cors_origins.iter().map(mainstay_core::WebOrigin::as_str);
    let cors = CorsPolicy::origins(origins)
        .map_err(|error| StartError::Setting(format!("`[server] cors_origins`: {error}")))?;
    let trusted_proxies = server
        .trusted_proxies
        .iter()
        .map(|network| network.to_string().parse())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| StartError::Setting(format!("`[server] trusted_proxies`: {error}")))?;
    let (hosts, cors) = match mode {
        Mode::Development => (HostPolicy::loopback(), cors.and_loopback()),
        Mode::Production => (HostPolicy::Any, cors),
    };
    let public_url = server.public_url.as_deref().unwrap_or_default();
    let csrf = CsrfPolicy::new(session_cookie(mode)).and_public_url(public_url);
    Ok(StackSettings {
        url_bytes_max: settings.limits.url_bytes_max,
        body_bytes_max: settings.limits.body_bytes_max,
        body_ms: server.body_timeout_ms,
        hosts,
        cors,
        csrf,
        trusted_proxies,
        https: mode == Mode::Production && public_url.starts_with("https://"),
        compression: server.compression,
    })
}
