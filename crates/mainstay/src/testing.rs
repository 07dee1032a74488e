//! An app under test: served on a free port from files in memory, with a database of
//! its own that goes away with it.
//!
//! ```no_run
//! # async fn example() {
//! use mainstay::testing::TestApp;
//!
//! let app = TestApp::start(&[(
//!     "models/notes.toml",
//!     r#"
//!     [fields]
//!     text = { type = "text", required = true }
//!     owner = { type = "text", default = "auth.id" }
//!     [rules]
//!     read = "owner == auth.id"
//!     create = "owner == auth.id"
//!     "#,
//! )])
//! .await;
//! assert_eq!(app.get("/rest/v1/notes").await.body, "[]");
//! app.close().await;
//! # }
//! ```
//!
//! Where `MAINSTAY_TEST_DATABASE_URL` names a PostgreSQL server, each app has a database of
//! its own there instead of SQLite's: an app that is to run on PostgreSQL runs its tests
//! once with the variable and once without.
//!
//! What cannot be set up panics, with what is wrong as its message: this is for tests.

mod client;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use mainstay_store_postgres::ScratchDatabase;

pub use self::client::Response;
use crate::{App, Mode, Running, StartError, auth::TokenRequest, reload::Reloaded, seed::Seeded};

/// What apps under test are served with: no test survives a power cut, so none waits for
/// the disk; nobody reads mails; and tokens are made as a test needs them.
const ENVIRONMENT: [(&str, &str); 3] = [
    ("MAINSTAY_DATABASE__DURABILITY", "process"),
    ("MAINSTAY_AUTH__CONFIRM_EMAIL", "false"),
    ("MAINSTAY_AUTH__SESSIONLESS_TOKENS", "true"),
];
/// Names the server on which each app has its database, where that is not SQLite.
const SERVER: &str = "MAINSTAY_TEST_DATABASE_URL";
/// Names an app's own database.
const DATABASE: &str = "MAINSTAY_DATABASE__URL";
/// Seconds for which the tokens hold.
const TOKEN_LIFETIME_S: u32 = 3_600;

/// An app that is being served for a test.
#[derive(Debug)]
pub struct TestApp {
    running: Running,
    anon_key: String,
    service_key: String,
    folder: ScratchFolder,
    /// Dropped after the app, which is connected to it.
    database: Option<ScratchDatabase>,
}

impl TestApp {
    /// Serves an app of these files (their paths in the application folder, and their
    /// text) as `mainstay dev` does, its `seed/` loaded.
    ///
    /// # Panics
    /// Where it has mistakes or cannot be served.
    pub async fn start(files: &[(&str, &str)]) -> Self {
        Self::start_as(Mode::Development, files).await
    }

    /// The same, as `mainstay dev` or as `mainstay serve` does. Nothing is seeded in
    /// production.
    ///
    /// # Panics
    /// Where it has mistakes or cannot be served.
    pub async fn start_as(mode: Mode, files: &[(&str, &str)]) -> Self {
        Self::start_with(files, |app| match mode {
            Mode::Development => app.development(),
            Mode::Production => app,
        })
        .await
    }

    /// The same, in production's way unless `extend` says otherwise, after `extend`
    /// has added routes and layers.
    ///
    /// # Panics
    /// Where it has mistakes or cannot be served.
    pub async fn start_with(files: &[(&str, &str)], extend: impl FnOnce(App) -> App) -> Self {
        Self::extended(&[], files, extend).await
    }

    /// The same as `mainstay dev` does, with these variables, which count before what the
    /// files set.
    ///
    /// # Panics
    /// Where it has mistakes or cannot be served.
    pub async fn start_in(environment: &[(&str, &str)], files: &[(&str, &str)]) -> Self {
        Self::extended(environment, files, App::development).await
    }

    async fn extended(
        environment: &[(&str, &str)],
        files: &[(&str, &str)],
        extend: impl FnOnce(App) -> App,
    ) -> Self {
        let folder = ScratchFolder::new();
        for (path, text) in files {
            folder.write(path, text);
        }
        // A settings file makes it an application folder, whatever else there is.
        if !files.iter().any(|(path, _)| *path == mainstay_core::SETTINGS_FILE) {
            folder.write(mainstay_core::SETTINGS_FILE, "");
        }
        let is_set = |name: &str| environment.iter().any(|(it, _)| *it == name);
        let database = if is_set(DATABASE) { None } else { database().await };
        let own = ENVIRONMENT.iter().filter(|(name, _)| !is_set(name));
        let variable = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut environment: Vec<_> = own.chain(environment).map(variable).collect();
        environment.extend(database.iter().map(|it| (DATABASE.to_owned(), it.url())));
        let app = App::load_with(&folder.path, environment).unwrap_or_else(|error| fail(&error));
        let app = extend(app).listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let running = app.start().await.unwrap_or_else(|error| fail(&error));
        if let Some(Err(error)) = running.seeded() {
            panic!("the app under test cannot be seeded:\n{error}");
        }
        Self {
            anon_key: running.anon_key(),
            service_key: running.service_key(),
            running,
            folder,
            database,
        }
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.running.address()
    }

    /// The same as the beginning of a URL, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// The application folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder.path
    }

    /// The `[database] url` by which other programs reach the app's database, where it
    /// is not the file in the application folder.
    #[must_use]
    pub fn database_url(&self) -> Option<String> {
        self.database.as_ref().map(ScratchDatabase::url)
    }

    /// The key a web page may hold.
    #[must_use]
    pub fn anon_key(&self) -> &str {
        &self.anon_key
    }

    /// The key that passes every rule.
    #[must_use]
    pub fn service_key(&self) -> &str {
        &self.service_key
    }

    /// A token of the user with this id and these roles.
    ///
    /// # Panics
    /// Where the id is no id, or no user can have the role.
    #[must_use]
    pub fn token(&self, user: &str, roles: &[&str]) -> String {
        self.token_with(&TokenRequest {
            user_id: user.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            lifetime_s: TOKEN_LIFETIME_S,
            ..TokenRequest::default()
        })
    }

    /// A user's token that says all of this.
    ///
    /// # Panics
    /// Where it cannot be said in a token.
    #[must_use]
    pub fn token_with(&self, request: &TokenRequest) -> String {
        self.running.token(request).unwrap_or_else(|error| panic!("{error}"))
    }

    /// GET without a credential.
    ///
    /// # Panics
    /// Where no answer comes back.
    pub async fn get(&self, path: &str) -> Response {
        self.request("GET", path, &[], b"").await
    }

    /// Sends one request on a connection of its own. `Host`, `Content-Length` and
    /// `Connection` are set unless they are among the headers.
    ///
    /// # Panics
    /// Where no answer comes back.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        client::send(self.address(), method, path, headers, body).await
    }

    /// Writes a file of the application folder, as whoever develops the app would.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn write_file(&self, path: &str, text: &str) {
        self.folder.write(path, text);
    }

    /// Goes over to the application folder's files as they are now.
    ///
    /// # Errors
    /// Why the app stays as it was.
    pub async fn reload(&self) -> Result<(), StartError> {
        let mut reloader = self.running.reloader();
        let look = reloader.read();
        match reloader.reload(look).await {
            Reloaded::Unchanged | Reloaded::Pending(_) | Reloaded::Served(_) => Ok(()),
            Reloaded::Refused(error) => Err(error),
        }
    }

    /// Loads the application folder's `seed/`; returns a line for each file.
    ///
    /// # Errors
    /// What is wrong with it, as a developer is shown it.
    pub async fn seed(&self) -> Result<Vec<String>, String> {
        let Seeded { files } =
            self.running.opened().seed().await.map_err(|error| error.to_string())?;
        Ok(files.iter().map(ToString::to_string).collect())
    }

    #[cfg(test)]
    pub(crate) fn opened(&self) -> &crate::app::Opened {
        self.running.opened()
    }

    /// Lets requests under way finish, and ends.
    pub async fn close(self) {
        self.running.close().await;
    }
}

/// A database of its own, where a server is named.
async fn database() -> Option<ScratchDatabase> {
    let server = std::env::var(SERVER).ok()?;
    let made = ScratchDatabase::create(&server, "mainstay_test").await;
    Some(made.unwrap_or_else(|error| panic!("{SERVER}: {error}")))
}

fn fail(error: &StartError) -> ! {
    panic!("the app under test does not start:\n{error}")
}

/// A folder that goes away with the test.
#[derive(Debug)]
struct ScratchFolder {
    path: PathBuf,
}

impl ScratchFolder {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mainstay-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // Another process that had this id left it behind.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path.join(name);
        let written =
            path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever empties the temporary directory.
        let _ = fs::remove_dir_all(&self.path);
    }
}
