//! Where mails go in development: nowhere, but they can be looked at.

use std::{collections::VecDeque, fmt, future::ready, sync::Arc};

use parking_lot::Mutex;

use crate::{Mail, SendFuture, Transport};

/// Mails that are kept; older ones are forgotten.
const KEPT_MAX: usize = 100;

/// Keeps the latest mails in memory instead of sending them.
pub struct DevOutbox {
    mails: Mutex<VecDeque<Arc<Mail>>>,
    show: Box<dyn Fn(&Mail) + Send + Sync>,
}

impl DevOutbox {
    /// An empty one. Each mail is shown to `show` as it arrives, for the terminal.
    #[must_use]
    pub fn new(show: impl Fn(&Mail) + Send + Sync + 'static) -> Self {
        Self { mails: Mutex::default(), show: Box::new(show) }
    }

    /// The mails that are kept, the newest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Arc<Mail>> {
        self.mails.lock().iter().rev().cloned().collect()
    }
}

impl Transport for DevOutbox {
    fn send<'a>(&'a self, mail: &'a Mail) -> SendFuture<'a> {
        {
            let mut mails = self.mails.lock();
            if mails.len() == KEPT_MAX {
                mails.pop_front();
            }
            mails.push_back(Arc::new(mail.clone()));
        }
        (self.show)(mail);
        Box::pin(ready(Ok(())))
    }
}

impl fmt::Debug for DevOutbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevOutbox").field("mails", &self.mails.lock().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use mainstay_core::Timestamp;
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn the_latest_mails_are_kept_newest_first() {
        let shown = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&shown);
        let outbox = DevOutbox::new(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        for number in 0..120 {
            let mail = Mail {
                id: Uuid::from_u128(number),
                kind: "invite".into(),
                to: "ada@example.com".into(),
                subject: "x".into(),
                text: "y".into(),
                html: None,
                written_at: Timestamp::parse("2026-11-23T09:30:00Z").unwrap(),
            };
            outbox.send(&mail).await.unwrap();
        }
        let ids: Vec<u128> = outbox.mails().iter().map(|mail| mail.id.as_u128()).collect();
        assert_eq!((ids.len(), ids[0], ids[99]), (100, 119, 20));
        assert_eq!(shown.load(Ordering::Relaxed), 120);
    }
}
