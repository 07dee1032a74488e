//! Sending the mails that wait, as long as an app is served.
//!
//! Under `dev` none leaves: they are shown in the terminal, and at `/_dev/mail`. Where no
//! server is set they wait in the queue, which is said.

use std::{fmt, sync::Arc, time::Duration};

use mainstay_auth::Rows;
use mainstay_mail::{DevOutbox, FromAddress, Mail, Sender, Smtp, SmtpTimeouts, Transport};
use mainstay_store::Store;

use crate::{
    app::{Mode, StartError},
    background::Background,
    mail::MailSetup,
};

/// How long mails under way may take to come to their end when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// What shows a developer each mail.
pub(crate) type ShowMail = Box<dyn Fn(&Mail) + Send + Sync>;

/// How an app's mails leave.
#[derive(Default)]
pub(crate) struct Outlet {
    transport: Option<Arc<dyn Transport>>,
    /// The mails of development.
    pub(crate) outbox: Option<Arc<DevOutbox>>,
}

/// Where an app's mails leave by.
///
/// # Errors
/// Where no connection to the mail server can be set up.
pub(crate) fn outlet(
    mode: Mode,
    setup: &MailSetup,
    site_host: &str,
    show: Option<ShowMail>,
) -> Result<Outlet, StartError> {
    if mode == Mode::Development {
        let outbox = Arc::new(DevOutbox::new(show.unwrap_or_else(|| Box::new(|_| {}))));
        let transport: Arc<dyn Transport> = Arc::clone(&outbox) as _;
        return Ok(Outlet { transport: Some(transport), outbox: Some(outbox) });
    }
    let Some(url) = setup.smtp.clone() else {
        tracing::warn!("`[mail] smtp` names no server: mails wait in the database");
        return Ok(Outlet::default());
    };
    let from = setup.from.clone().or_else(|| FromAddress::parse(&format!("no-reply@{site_host}")));
    let from = from.ok_or_else(|| {
        StartError::Setting(format!(
            "`[mail] from` is not set, and `no-reply@{site_host}` is no address: set it"
        ))
    })?;
    let smtp = Smtp::new(url, from, SmtpTimeouts::default())
        .map_err(|error| StartError::Setting(format!("`[mail] smtp`: {error}")))?;
    Ok(Outlet { transport: Some(Arc::new(smtp)), outbox: None })
}

impl Outlet {
    /// What sends an app's mails once it is begun; nothing where none leave.
    pub(crate) fn sender(&self, store: Arc<dyn Store>, rows: Arc<Rows>) -> Option<Sender> {
        let transport = self.transport.clone()?;
        Some(Sender::new(store, rows, transport, mainstay_web::system_time))
    }
}

/// Begins to send.
pub(crate) fn begin_sending(sender: Sender) -> Background {
    Background::begin(|stopped| sender.run(stopped.wait(), GRACE))
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").field("outbox", &self.outbox).finish_non_exhaustive()
    }
}
