//! An app that is being served.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    thread::JoinHandle as Thread,
    time::Duration,
};

use mainstay_auth::{Keyring, MintError, TokenRequest, mint};
use mainstay_core::Settings;
use mainstay_web::{
    middleware::Stack,
    server::{self, Drained},
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    app::{Opened, server_settings, token_settings},
    background::Background,
    database::SchemaChanges,
    reload::Reloader,
    seed::{SeedError, Seeded},
};

/// How long the record of requests may take to be written to its end.
const LOG_MAX: Duration = Duration::from_secs(1);

/// An app that is being served, in the background. Dropped without being closed, it
/// stops accepting and its requests under way are cut.
pub struct Running {
    address: SocketAddr,
    opened: Opened,
    background: Vec<Background>,
    seeded: Option<Result<Seeded, SeedError>>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Drained>,
}

impl Running {
    pub(crate) fn start(
        mut opened: Opened,
        seeded: Option<Result<Seeded, SeedError>>,
        stack: Stack,
        listener: TcpListener,
        address: SocketAddr,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let settings = server_settings(&opened.loaded.settings);
        let server = tokio::spawn(server::serve(vec![listener], stack, settings, async {
            // A sender that is dropped wants the server to stop as well.
            let _ = stopped.await;
        }));
        let background = opened.begin_background();
        Self { address, opened, background, seeded, stop, server }
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it can be reached from this machine.
    #[must_use]
    pub fn url(&self) -> String {
        local_url(self.address)
    }

    /// The key a web page may hold.
    #[must_use]
    pub fn anon_key(&self) -> String {
        self.keyring().anon_key(self.settings().issuer())
    }

    /// The key of the app's own programs, which passes every rule.
    #[must_use]
    pub fn service_key(&self) -> String {
        self.keyring().service_key(self.settings().issuer())
    }

    /// A user's token.
    ///
    /// # Errors
    /// Where the id is no id, or a role is one that no user has.
    pub fn token(&self, request: &TokenRequest) -> Result<String, MintError> {
        let settings = token_settings(self.settings());
        mint(self.keyring(), request, &settings, mainstay_web::system_time())
    }

    /// The settings it was started with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.opened.loaded.settings
    }

    /// What was done to the database's schema when it was started.
    #[must_use]
    pub fn schema_changes(&self) -> &SchemaChanges {
        &self.opened.changes
    }

    fn keyring(&self) -> &Keyring {
        &self.opened.keyring
    }

    pub(crate) fn opened(&self) -> &Opened {
        &self.opened
    }

    /// What became of `seed/`, where the database was made and the app is developed.
    pub(crate) fn seeded(&self) -> Option<&Result<Seeded, SeedError>> {
        self.seeded.as_ref()
    }

    /// What takes the app over to its folder's files as they are by then.
    pub(crate) fn reloader(&self) -> Reloader {
        Reloader::new(&self.opened)
    }

    /// Stops: accepts nothing more, lets requests under way finish, closes the store.
    pub async fn close(self) -> Drained {
        // A server that has ended by itself is told nothing.
        let _ = self.stop.send(());
        let drained = self.server.await.unwrap_or(Drained { connections_cut: 0 });
        for work in self.background {
            work.end().await;
        }
        self.opened.database.close().await;
        if let Some(thread) = self.opened.log_thread {
            end_of(thread).await;
        }
        drained
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Waits for the thread that records requests, which ends with the last connection.
async fn end_of(thread: Thread<()>) {
    let joined = tokio::task::spawn_blocking(|| thread.join());
    // A connection that could not be cut keeps the record open, and does not hold us.
    let _ = tokio::time::timeout(LOG_MAX, joined).await;
}

/// Where an address can be reached from this machine.
pub(crate) fn local_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// Completes when the operating system or a person asks the process to stop. From
/// then on the same signal ends it at once.
///
/// # Errors
/// Where signals cannot be listened for.
#[cfg(unix)]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async move {
            let code = tokio::select! {
                _ = terminate.recv() => 143,
                _ = interrupt.recv() => 130,
            };
            std::process::exit(code);
        });
    })
}

/// Completes when a person asks the process to stop.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_every_interface_is_reached_on_the_loopback() {
        let url = |text: &str| local_url(text.parse().unwrap());
        assert_eq!(url("0.0.0.0:8000"), "http://127.0.0.1:8000");
        assert_eq!(url("[::]:80"), "http://[::1]:80");
        assert_eq!(url("192.0.2.1:80"), "http://192.0.2.1:80");
    }
}
