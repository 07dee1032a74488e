//! SMTP, through lettre: RFC 5321, with TLS from the start or after `STARTTLS`.
//!
//! Connections are kept while mails are waiting and closed when none are. lettre's own
//! pool is not used: it takes back a connection whose conversation was broken off, as one
//! is that takes too long, and the next mail would read the answers to the last one's
//! commands. Here a connection is put back after a mail was accepted, and never else.

mod url;

use std::{
    fmt, io,
    time::{Duration, Instant},
};

use lettre::transport::smtp::{
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
    extension::ClientId,
};
use parking_lot::Mutex;
use tokio::{
    sync::Semaphore,
    time::{error::Elapsed, timeout},
};

use self::url::Encryption;
pub use self::url::{SmtpUrl, SmtpUrlError};
use crate::{
    FromAddress, Mail, SendError, SendFuture, Transport,
    message::{Composed, compose},
    sender::SENT_AT_ONCE,
};

/// Connections at once: one for each mail that is being sent, and none for more.
const CONNECTIONS_MAX: usize = SENT_AT_ONCE;
/// Seconds that a connection may have lain idle and still be used.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// How long a server may take to take its leave.
const QUIT_MAX: Duration = Duration::from_secs(2);
/// Answers about our own credentials, not about a mail: RFC 4954, section 6.
const AUTHENTICATION_CODES: [&str; 4] = ["530", "534", "535", "538"];

/// How long a server may take before a mail is given up for the time being.
#[derive(Clone, Copy, Debug)]
pub struct SmtpTimeouts {
    /// From opening a connection until mails can be sent on it.
    pub connect: Duration,
    /// From the first word about a mail until the server has taken it.
    pub send: Duration,
}

impl Default for SmtpTimeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(20), send: Duration::from_secs(60) }
    }
}

/// Sends mails to an SMTP server, which passes them on.
pub struct Smtp {
    url: SmtpUrl,
    from: FromAddress,
    timeouts: SmtpTimeouts,
    hello: ClientId,
    tls: Option<TlsParameters>,
    places: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

/// Why SMTP cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    /// The file that `sslrootcert` names cannot be used.
    #[error("sslrootcert names {file}, which holds no certificates in PEM")]
    RootCertificates {
        /// The file.
        file: String,
        /// Why not, where the system said so.
        source: Option<io::Error>,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(lettre::transport::smtp::Error),
}

impl Smtp {
    /// A way to this server, for mails from this address. Nothing is connected yet.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(url: SmtpUrl, from: FromAddress, timeouts: SmtpTimeouts) -> Result<Self, SmtpError> {
        let tls = match url.encryption {
            Encryption::Nothing => None,
            Encryption::Tls | Encryption::StartTls => Some(tls_parameters(&url)?),
        };
        let hello = ClientId::Domain(from.domain().to_owned());
        let places = Semaphore::new(CONNECTIONS_MAX);
        Ok(Self { url, from, timeouts, hello, tls, places, idle: Mutex::default() })
    }

    async fn deliver(&self, mail: &Mail) -> Result<(), SendError> {
        let composed =
            compose(mail, &self.from).map_err(|error| SendError::Permanent(error.to_string()))?;
        let place = self.places.acquire().await;
        let _place = place.expect("BUG: nobody closes the semaphore");
        let mut connection = match self.take_idle().await {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let sent = timeout(self.timeouts.send, hand_over(&mut connection, &composed)).await;
        // Dropped with an error, the connection is closed without another word.
        sent.map_err(|_| took_too_long("to take the mail", self.timeouts.send))??;
        self.idle.lock().push(Idle { connection, since: Instant::now() });
        Ok(())
    }

    /// A connection that was kept and still answers.
    async fn take_idle(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let Idle { mut connection, since } = self.idle.lock().pop()?;
            if since.elapsed() >= IDLE_MAX {
                continue;
            }
            if timeout(QUIT_MAX, connection.test_connected()).await == Ok(true) {
                return Some(connection);
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let opened = timeout(self.timeouts.connect, self.open()).await;
        opened
            .map_err(|_| took_too_long("to be ready for mails", self.timeouts.connect))?
            // Whatever the server minds here, it is not the mail.
            .map_err(|error| SendError::Transient(error.to_string()))
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let at_once = self.tls.clone().filter(|_| self.url.encryption == Encryption::Tls);
        let server = (&*self.url.host, self.url.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, None, &self.hello, at_once, None).await?;
        if let (Encryption::StartTls, Some(tls)) = (self.url.encryption, &self.tls) {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some((user, password)) = &self.url.credentials {
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            connection.auth(&mechanisms, &credentials).await?;
        }
        Ok(connection)
    }
}

impl Transport for Smtp {
    fn send<'a>(&'a self, mail: &'a Mail) -> SendFuture<'a> {
        Box::pin(self.deliver(mail))
    }

    fn rest(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let idle = std::mem::take(&mut *self.idle.lock());
            for Idle { mut connection, .. } in idle {
                let _: Result<(), Elapsed> = timeout(QUIT_MAX, connection.abort()).await;
            }
        })
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("url", &self.url)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// Hands a mail over. What the server refuses for good it refuses of this mail, unless it
/// minds who we are.
async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    composed: &Composed,
) -> Result<(), SendError> {
    let Err(error) = connection.send(&composed.envelope, &composed.bytes).await else {
        return Ok(());
    };
    let described = error.to_string();
    let code = error.status().map(|code| code.to_string()).unwrap_or_default();
    let about_us = AUTHENTICATION_CODES.contains(&code.as_str());
    // A client's error is an address that the server's SMTP has no letters for.
    match (error.is_permanent() && !about_us) || error.is_client() {
        true => Err(SendError::Permanent(described)),
        false => Err(SendError::Transient(described)),
    }
}

fn took_too_long(what: &str, limit: Duration) -> SendError {
    SendError::Transient(format!("the server took longer than {} s {what}", limit.as_secs_f32()))
}

fn tls_parameters(url: &SmtpUrl) -> Result<TlsParameters, SmtpError> {
    let mut builder = TlsParameters::builder(url.host.to_string());
    if let Some(file) = &url.root_file {
        let unusable = |source| SmtpError::RootCertificates { file: file.clone(), source };
        let pem = std::fs::read(file).map_err(|error| unusable(Some(error)))?;
        let certificate = Certificate::from_pem(&pem).map_err(|_| unusable(None))?;
        builder =
            builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(SmtpError::Tls)
}
