//! What `mainstay.toml` and the environment set. Every key has a working default.
//!
//! A variable overrides its key: `MAINSTAY_DATABASE__URL` is `[database] url`. A
//! key or a variable that is none is a mistake, so that a misspelt one is not
//! taken for its default.

use std::net::{Ipv4Addr, SocketAddr};

use super::{
    keys::{Key, Section, section},
    roles::Roles,
    words::{MailSender, Network, Secret, WebOrigin, words},
};
use crate::Limits;

/// All settings of an app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `[app]`: the app itself.
    pub app: AppSettings,
    /// `[server]`: how HTTP is listened for.
    pub server: ServerSettings,
    /// `[database]`: where rows are kept.
    pub database: DatabaseSettings,
    /// `[redis]`: what many nodes share.
    pub redis: RedisSettings,
    /// `[auth]`: what tokens say.
    pub auth: AuthSettings,
    /// `[mail]`: how mails leave.
    pub mail: MailSettings,
    /// `[rest]`: switches of the REST API.
    pub rest: RestSettings,
    /// `[limits]`: what a request may ask for at most.
    pub limits: Limits,
    /// `[log]`: what is written down.
    pub log: LogSettings,
    /// `[roles]`: who inherits what, and who can do what.
    pub roles: Roles,
}

section! {
    /// The app itself.
    pub struct AppSettings in "app" {
        /// The app's name, shown at start-up and in the API's description; tokens
        /// name it as their issuer unless `[auth] issuer` is set.
        name: String = "app".to_owned();
    }
}

section! {
    /// How HTTP is listened for.
    pub struct ServerSettings in "server" {
        /// The address and port to listen on; `--listen` overrides it.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8000));
        /// The address clients know the server by, such as `https://api.example.com`;
        /// shown at start-up. Left out, it is made from the address listened on.
        public_url: Option<String> = None;
        /// Origins of web pages that may call the API, each exactly. Under `dev`,
        /// every port of localhost may too.
        cors_origins: Vec<WebOrigin> = Vec::new();
        /// Addresses and networks of proxies whose `X-Forwarded-For` and
        /// `X-Forwarded-Proto` are believed.
        trusted_proxies: Vec<Network> = Vec::new();
        /// Connections open at once; further ones wait to be accepted.
        connections_max: usize = 4_096, within 1..=1_000_000;
        /// Milliseconds a client has to send a request's header.
        header_timeout_ms: u64 = 10_000, within 1..=600_000;
        /// Milliseconds a client has to send a request's body.
        body_timeout_ms: u64 = 30_000, within 1..=3_600_000;
        /// Milliseconds a connection may be idle between two requests.
        idle_timeout_ms: u64 = 75_000, within 1..=3_600_000;
        /// Milliseconds that requests under way are given to finish when the
        /// server is told to stop.
        drain_timeout_ms: u64 = 10_000, within 0..=600_000;
        /// Whether answers are compressed for clients that accept it.
        compression: bool = true;
    }
}

words! {
    /// When an acknowledged write is safe.
    pub enum Durability {
        /// Against a power cut: every acknowledged write is synced to the disk.
        Full = "full",
        /// Against the death of the process, not against a power cut.
        Process = "process",
    }
}

section! {
    /// Where rows are kept.
    pub struct DatabaseSettings in "database" {
        /// The database: `sqlite:` and a path relative to the application folder, or
        /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with several hosts where one
        /// of them takes writes.
        url: Secret = Secret::new("sqlite:.mainstay/data.db");
        /// `full`: an acknowledged write survives a power cut; `process`: it
        /// survives the death of the process.
        durability: Durability = Durability::Full;
        /// Threads for reads that take longer than a few milliseconds.
        readers: usize = 4, within 1..=256;
        /// Writes that may wait for the writer; further ones are answered 503.
        write_queue_max: usize = 1_024, within 1..=1_000_000;
        /// Connections that reads share, each with many under way. PostgreSQL alone.
        lanes: usize = 8, within 1..=256;
        /// Connections for transactions, each with one. PostgreSQL alone.
        pool_max: usize = 16, within 1..=10_000;
        /// Whether a pooler in transaction mode, such as PgBouncer, stands before the
        /// server. PostgreSQL alone.
        pooler: bool = false;
    }
}

section! {
    /// What many nodes share. Nothing is shared yet: setting it is answered with a warning.
    pub struct RedisSettings in "redis" {
        /// The address of a Redis server. It has no effect in this version.
        url: Option<Secret> = None;
    }
}

section! {
    /// What tokens say, and with which key they are signed.
    pub struct AuthSettings in "auth" {
        /// The claim `iss` of tokens. Left out, it is the app's name.
        issuer: Option<String> = None;
        /// The claim `aud` of tokens.
        audience: String = "authenticated".to_owned();
        /// The private key that signs tokens (P-256, PEM). Left out, `dev` and
        /// `serve` make one in `.mainstay/` at first start. Set it through
        /// `MAINSTAY_AUTH__SIGNING_KEY`, not in a file that is committed.
        signing_key: Option<Secret> = None;
        /// Where the app's pages are: where links in mails lead that name no other place.
        /// Left out, it is `[server] public_url`, or the address listened on.
        site_url: Option<String> = None;
        /// Where else links in mails may lead, each address exactly.
        redirect_urls: Vec<String> = Vec::new();
        /// Whether anybody may sign up.
        sign_up: bool = true;
        /// Whether anybody may sign in without saying who they are.
        anonymous: bool = true;
        /// Whether a code from an app is offered as second factor.
        totp: bool = true;
        /// Whether an address must be confirmed, from a mail, before its user signs in.
        confirm_email: bool = true;
        /// Seconds an access token holds.
        access_token_s: u32 = 3_600, within 60..=86_400;
        /// Seconds after which a session ends that nobody uses.
        session_idle_s: u32 = 1_209_600, within 60..=31_536_000;
        /// Seconds after which a session ends however much it is used.
        session_max_s: u32 = 7_776_000, within 60..=315_360_000;
        /// Seconds from the opening of a session in which its user may change address,
        /// password and second factors without showing once more who they are.
        reauthenticate_s: u32 = 86_400, within 0..=31_536_000;
        /// Seconds in which the refresh token before the current one is still taken, for
        /// requests that run beside each other.
        reuse_s: u32 = 10, within 0..=60;
        /// Seconds a code or a link that was mailed is good.
        otp_s: u32 = 3_600, within 60..=86_400;
        /// Seconds the next mail to the same address has to wait.
        mail_every_s: u32 = 60, within 0..=3_600;
        /// Seconds in which another node's change of a session or a user may go unseen.
        session_check_s: u32 = 5, within 0..=300;
        /// Whether a token that names no session is taken, as `mainstay token` makes them.
        /// Left out: under `dev`.
        sessionless_tokens: Option<bool> = None;
        /// Requests that one address may send to each group of paths below `/auth/v1` in
        /// five minutes.
        requests_max: u32 = 30, within 1..=1_000_000;
        /// Sign-ins and refreshes that one address may ask for in five minutes.
        tokens_max: u32 = 150, within 1..=1_000_000;
        /// Requests of administration that one service key may send in five minutes.
        admin_requests_max: u32 = 3_000, within 1..=1_000_000;
        /// KiB of memory that the hash of a password takes (argon2id).
        password_memory_kib: u32 = 19_456, within 1_024..=1_048_576;
        /// How often it goes over that memory.
        password_iterations: u32 = 2, within 1..=64;
        /// How many passwords are hashed at once; further ones wait, and at last are
        /// answered 503.
        password_threads: usize = 2, within 1..=64;
    }
}

section! {
    /// How mails leave.
    pub struct MailSettings in "mail" {
        /// The server that mails are handed to: `smtps://USER:PASSWORD@HOST`,
        /// `smtp+starttls://…` or, without encryption, `smtp://HOST:PORT`. Set it through
        /// `MAINSTAY_MAIL__SMTP` where it holds a password.
        smtp: Option<Secret> = None;
        /// Whom mails come from: an address, or a name and an address,
        /// `Blog <no-reply@example.com>`.
        from: Option<MailSender> = None;
    }
}

section! {
    /// Switches of the REST API.
    pub struct RestSettings in "rest" {
        /// Whether `Prefer: tx=rollback` is carried out. Left out: under `dev`.
        tx_rollback: Option<bool> = None;
        /// Whether `select` may aggregate. Left out: under `dev`.
        aggregates: Option<bool> = None;
    }
}

words! {
    /// How much is written to the log.
    pub enum LogLevel {
        /// Faults of the server's.
        Error = "error",
        /// And what will become one.
        Warn = "warn",
        /// And what a running server has to say.
        Info = "info",
        /// And how it decides.
        Debug = "debug",
        /// And everything.
        Trace = "trace",
    }
}

words! {
    /// How the log is written.
    pub enum LogFormat {
        /// One line of text for each event, for people.
        Text = "text",
        /// One JSON object for each event, for programs.
        Json = "json",
    }
}

section! {
    /// What is written to the log.
    pub struct LogSettings in "log" {
        /// `text` for people, `json` for programs: how `serve` writes each event.
        format: LogFormat = LogFormat::Text;
        /// `error`, `warn`, `info`, `debug` or `trace`: each includes those before it.
        level: LogLevel = LogLevel::Info;
        /// Milliseconds from which a request counts as slow, and is logged where
        /// only slow and failed ones are.
        slow_ms: u64 = 500, within 0..=3_600_000;
    }
}

/// One key of the settings, as the documentation lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingDoc {
    /// The section: the table of `mainstay.toml`.
    pub section: &'static str,
    /// The key.
    pub key: &'static str,
    /// The variable that overrides it.
    pub variable: String,
    /// Its default as it would be written; empty where there is none.
    pub default: String,
    /// What it is for.
    pub doc: String,
}

impl Settings {
    /// The issuer of the app's tokens: `[auth] issuer`, else the app's name.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.auth.issuer.as_deref().unwrap_or(&self.app.name)
    }

    /// Every key with its default, in the order of the documentation.
    #[must_use]
    pub fn describe() -> Vec<SettingDoc> {
        let mut described = Vec::new();
        Self::default().visit(&mut Describe { described: &mut described });
        described
    }

    /// Shows each section to a visitor, in the order of the documentation.
    pub(crate) fn visit(&mut self, visitor: &mut impl Visitor) {
        visitor.section(&mut self.app);
        visitor.section(&mut self.server);
        visitor.section(&mut self.database);
        visitor.section(&mut self.redis);
        visitor.section(&mut self.auth);
        visitor.section(&mut self.mail);
        visitor.section(&mut self.rest);
        visitor.section(&mut self.limits);
        visitor.section(&mut self.log);
    }
}

/// Something that is done with every section.
pub(crate) trait Visitor {
    /// Does it with this one.
    fn section<S: Section>(&mut self, section: &mut S);
}

/// The variable that overrides a key.
pub(crate) fn variable_of(section: &str, key: &str) -> String {
    format!("MAINSTAY_{}__{}", section.to_ascii_uppercase(), key.to_ascii_uppercase())
}

struct Describe<'a> {
    described: &'a mut Vec<SettingDoc>,
}

impl Visitor for Describe<'_> {
    fn section<S: Section>(&mut self, section: &mut S) {
        self.described.extend(S::KEYS.iter().map(|key: &Key<S>| SettingDoc {
            section: S::NAME,
            key: key.name,
            variable: variable_of(S::NAME, key.name),
            default: (key.show)(section),
            doc: key.doc.trim().to_owned(),
        }));
    }
}
