//! A transport that does as it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use mainstay_mail::{Mail, SendError, SendFuture, Transport};
use tokio::sync::{Notify, mpsc};

/// What a transport is told to do with a mail.
pub(crate) enum Fate {
    Refuse(SendError),
    /// Neither sent nor refused, until [`Scripted::let_go`].
    Hang,
}

/// Sends nothing anywhere, but says what it was given.
pub(crate) struct Scripted {
    fates: Mutex<VecDeque<Fate>>,
    begun: mpsc::UnboundedSender<Mail>,
    let_go: Notify,
}

impl Scripted {
    /// One that meets the first mails with these fates and takes all others; and the mails
    /// it was given.
    pub(crate) fn new(
        fates: impl IntoIterator<Item = Fate>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Mail>) {
        let (begun, given) = mpsc::unbounded_channel();
        let fates = Mutex::new(fates.into_iter().collect());
        (Arc::new(Self { fates, begun, let_go: Notify::new() }), given)
    }

    /// Ends the waiting of a mail that hangs: it was sent.
    pub(crate) fn let_go(&self) {
        self.let_go.notify_one();
    }
}

impl Transport for Scripted {
    fn send<'a>(&'a self, mail: &'a Mail) -> SendFuture<'a> {
        Box::pin(async {
            let fate = self.fates.lock().unwrap().pop_front();
            let _ = self.begun.send(mail.clone());
            match fate {
                None => Ok(()),
                Some(Fate::Refuse(error)) => Err(error),
                Some(Fate::Hang) => {
                    self.let_go.notified().await;
                    Ok(())
                }
            }
        })
    }
}
