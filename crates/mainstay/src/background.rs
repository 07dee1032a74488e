//! Work that goes on as long as an app is served.

use std::convert::Infallible;

use tokio::{sync::oneshot, task::JoinHandle};

/// Work in the background. Dropped without being ended, it is told to end as well.
#[derive(Debug)]
pub(crate) struct Background {
    stop: oneshot::Sender<()>,
    work: JoinHandle<()>,
}

/// Ready once the work is to end.
#[derive(Debug)]
pub(crate) struct Stopped(oneshot::Receiver<()>);

impl Background {
    /// Begins work that ends when it is told to.
    pub(crate) fn begin<F>(work: impl FnOnce(Stopped) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        Self { stop, work: tokio::spawn(work(Stopped(stopped))) }
    }

    /// Begins work that never ends of itself; told to, it ends wherever it is.
    pub(crate) fn begin_endless(work: impl Future<Output = Infallible> + Send + 'static) -> Self {
        Self::begin(async move |stopped| {
            tokio::select! {
                () = stopped.wait() => {}
                never = work => match never {},
            }
        })
    }

    /// Tells it to end, and waits until it has.
    pub(crate) async fn end(self) {
        // It may have ended by itself.
        let _ = self.stop.send(());
        let _ = self.work.await;
    }
}

impl Stopped {
    /// Waits for that.
    pub(crate) async fn wait(self) {
        // A sender that is dropped wants it to end as well.
        let _ = self.0.await;
    }
}
