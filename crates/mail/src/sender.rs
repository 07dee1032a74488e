//! What takes mails out of the queue and sends them, on every node.
//!
//! It looks at the queue when it is woken, and every few seconds besides, for mails that
//! other nodes left and for those whose next attempt has come. Nothing it holds in memory
//! counts: whatever becomes of it, the queue says what is to be done.

use std::{
    fmt,
    future::{pending, ready},
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use mainstay_core::Timestamp;
use mainstay_store::Store;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{sleep, timeout},
};
use uuid::Uuid;

use crate::{
    Plans, SendError, Transport,
    queue::{Next, Queue, Queued, after_failure},
};

/// Mails that one node is sending at once.
pub(crate) const SENT_AT_ONCE: usize = 4;
/// How long one attempt may take at the most, whatever the transport allows itself.
pub(crate) const ATTEMPT_MAX: Duration = Duration::from_secs(120);
/// How often the queue is looked at where nobody wakes the sender.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often rows are forgotten that were kept long enough.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);
/// How often, and how long apart, it is tried to note what became of a mail.
pub(crate) const NOTE_ATTEMPTS_MAX: u32 = 3;
pub(crate) const NOTE_EVERY: Duration = Duration::from_secs(1);

/// Sends the mails of one store. See the head of its module.
#[derive(Debug)]
pub struct Sender {
    shared: Arc<Shared>,
    wake: Arc<Notify>,
}

/// Wakes a [`Sender`]. Cheap to clone; waking one that is awake, or gone, does nothing.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Notify>);

impl Waker {
    /// Says that a mail has come into the queue; to be called once that is committed.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

struct Shared {
    queue: Queue,
    transport: Arc<dyn Transport>,
}

/// When a sender's work is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// When nothing is due and nothing under way.
    Empty,
    /// When it is stopped.
    Stopped,
}

impl Sender {
    /// A sender of this store's mails by this transport. It does nothing until it is run.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        plans: Arc<dyn Plans>,
        transport: Arc<dyn Transport>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        let queue = Queue { store, plans, clock: Box::new(clock) };
        Self { shared: Arc::new(Shared { queue, transport }), wake: Arc::default() }
    }

    /// What wakes it.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.wake))
    }

    /// Sends mails until `stop` is ready. What is being sent then has until `grace` is over
    /// to come to its end; what does not is begun again once its claim is over.
    pub async fn run(self, stop: impl Future<Output = ()>, grace: Duration) {
        let mut sends = JoinSet::new();
        self.work(&mut sends, stop, Until::Stopped).await;
        let ended = timeout(grace, async { while sends.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::warn!(mails = sends.len(), "stopped while mails were being sent");
        }
        self.shared.transport.rest().await;
    }

    /// Sends the mails that are due now, each once, and returns when nothing is under way.
    pub async fn send_due(&self) {
        self.work(&mut JoinSet::new(), pending(), Until::Empty).await;
    }

    async fn work(&self, sends: &mut JoinSet<()>, stop: impl Future<Output = ()>, until: Until) {
        let mut stop = pin!(stop);
        let mut forgotten: Option<Instant> = None;
        loop {
            tokio::select! {
                biased;
                () = &mut stop => return,
                () = ready(()) => {}
            }
            if forgotten.is_none_or(|at| at.elapsed() > FORGET_EVERY) {
                forgotten = Some(Instant::now());
                self.forget().await;
            }
            self.begin_due(sends).await;
            if sends.is_empty() {
                if until == Until::Empty {
                    return;
                }
                self.shared.transport.rest().await;
            }
            tokio::select! {
                biased;
                () = &mut stop => return,
                Some(ended) = sends.join_next() => panicked(ended),
                () = self.wake.notified(), if sends.len() < SENT_AT_ONCE => {}
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Begins to send what is due, as long as there is room.
    async fn begin_due(&self, sends: &mut JoinSet<()>) {
        while sends.len() < SENT_AT_ONCE {
            let due = match self.shared.queue.due(SENT_AT_ONCE - sends.len()).await {
                Ok(due) => due,
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "the queue of mails cannot be read");
                    return;
                }
            };
            if due.is_empty() {
                return;
            }
            for mail in due {
                match self.shared.queue.claim(mail).await {
                    Ok(Some(claimed)) => {
                        let shared = Arc::clone(&self.shared);
                        sends.spawn(async move { shared.attempt(claimed).await });
                    }
                    // Another node was quicker.
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!(error = %Chain(&error), "a mail cannot be claimed");
                        return;
                    }
                }
            }
        }
    }

    async fn forget(&self) {
        if let Err(error) = self.shared.queue.forget().await {
            tracing::warn!(error = %Chain(&error), "old mails cannot be forgotten");
        }
    }
}

impl Shared {
    /// Sends a mail that was claimed, and notes what became of it.
    async fn attempt(&self, claimed: Queued) {
        let Queued { mail, attempts } = &claimed;
        let (id, kind) = (mail.id, &*mail.kind);
        let sent = timeout(ATTEMPT_MAX, self.transport.send(mail)).await;
        let too_long = || SendError::Transient("it took too long".to_owned());
        let error = match sent.unwrap_or_else(|_| Err(too_long())) {
            Ok(()) => {
                tracing::debug!(mail = %id, kind, attempts, "mail sent");
                return self.note_sent(&claimed).await;
            }
            Err(error) => error,
        };
        let next = match &error {
            SendError::Permanent(_) => Next::Never,
            SendError::Transient(_) => after_failure(*attempts, Uuid::new_v4().as_bytes()[0]),
        };
        match &next {
            Next::Never => tracing::error!(mail = %id, kind, attempts, %error, "mail given up"),
            Next::Again(wait) => {
                let wait_s = wait.as_secs();
                tracing::warn!(mail = %id, kind, attempts, wait_s, %error, "mail not sent yet");
            }
        }
        if let Err(error) = self.queue.failed(&claimed, &next, &error.to_string()).await {
            // It is begun again once the claim is over.
            tracing::warn!(mail = %id, error = %Chain(&error), "a mail's end cannot be noted");
        }
    }

    /// Notes that a mail has left, with some patience: what is not noted is sent again.
    async fn note_sent(&self, claimed: &Queued) {
        for attempt in 1..=NOTE_ATTEMPTS_MAX {
            let Err(error) = self.queue.sent(&claimed.mail).await else { return };
            let id = claimed.mail.id;
            tracing::warn!(mail = %id, attempt, error = %Chain(&error), "a mail's end cannot be noted");
            if attempt < NOTE_ATTEMPTS_MAX {
                sleep(NOTE_EVERY).await;
            }
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("queue", &self.queue).finish_non_exhaustive()
    }
}

/// A mail whose sending panicked is begun again once its claim is over.
fn panicked(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "sending a mail panicked");
    }
}

/// An error with what caused it, for the log.
struct Chain<'e>(&'e (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
