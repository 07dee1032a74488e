//! The few threads that passwords are hashed on.
//!
//! A hash takes tens of milliseconds of a processor and its memory, and whoever sends
//! logins decides how many there are. On the threads that answer requests they would
//! stop every read; without a bound they would take all memory. So a few run at a
//! time, some wait, and the rest is told at once to come back later: a login that
//! would time out in the queue is better refused in front of it.
//!
//! Who stops waiting leaves the queue. What has begun runs to its end, and keeps its
//! place until then, for nothing can interrupt a hash.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

use super::{
    Outcome, PASSWORD_CHARS_MAX, PasswordParams, dummy_hash, hash_password, verify_password,
};

/// Hashes that may wait for each one that runs: about a second's work.
const WAITING_PER_THREAD: usize = 32;
/// Hashes that may run at a time.
const THREADS_MAX: usize = 64;
/// Seconds after which a caller who was refused may try again.
const RETRY_AFTER_S: u32 = 2;
/// Bytes of the longest password: a character has four at most.
const PASSWORD_BYTES_MAX: usize = PASSWORD_CHARS_MAX * 4;

/// Hashes and verifies passwords, a few at a time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PasswordPool {
    params: PasswordParams,
    dummy: Arc<str>,
    /// Those that wait or run.
    places: Arc<Semaphore>,
    /// Those that run.
    running: Arc<Semaphore>,
}

/// Why a password was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordPoolError {
    /// As many wait as may: 503, with `Retry-After`.
    #[error("too many logins are waiting; try again in {retry_after_s} seconds")]
    Busy {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// It was not looked at to the end, as when the process stops.
    #[error("the password was not looked at to the end")]
    Stopped,
}

impl PasswordPool {
    /// A pool that runs so many at a time, 1 to 64, and makes hashes with these
    /// parameters.
    #[must_use]
    pub fn new(params: PasswordParams, threads: usize) -> Self {
        let threads = threads.clamp(1, THREADS_MAX);
        Self {
            params,
            dummy: dummy_hash(params).into(),
            places: Arc::new(Semaphore::new(threads * (1 + WAITING_PER_THREAD))),
            running: Arc::new(Semaphore::new(threads)),
        }
    }

    /// What to store of a password.
    ///
    /// # Errors
    /// `Busy` when the queue is full, `Stopped` when the process stops.
    pub async fn hash(&self, password: String) -> Result<String, PasswordPoolError> {
        let params = self.params;
        self.run(move || hash_password(&password, params)).await
    }

    /// Whether this is the password of an account with this hash. Without one, be it
    /// that there is no such account or that it has no password, the same work is done
    /// for nothing and the answer is `Wrong`.
    ///
    /// # Errors
    /// `Busy` when the queue is full, `Stopped` when the process stops.
    pub async fn verify(
        &self,
        password: String,
        stored: Option<String>,
    ) -> Result<Outcome, PasswordPoolError> {
        // Longer than any that was ever stored, whoever's it is.
        if password.len() > PASSWORD_BYTES_MAX {
            return Ok(Outcome::Wrong);
        }
        let (params, dummy) = (self.params, Arc::clone(&self.dummy));
        self.run(move || match stored {
            Some(stored) => verify_password(&password, &stored, params),
            None => {
                let _ = verify_password(&password, &dummy, params);
                Outcome::Wrong
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordPoolError> {
        let busy = PasswordPoolError::Busy { retry_after_s: RETRY_AFTER_S };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy)?;
        let turn = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| PasswordPoolError::Stopped)?;
        let held: [OwnedSemaphorePermit; 2] = [turn, place];
        let run = spawn_blocking(move || {
            let done = work();
            drop(held);
            done
        });
        run.await.map_err(|_| PasswordPoolError::Stopped)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        sync::mpsc,
        task::{Context, Poll, Waker},
    };

    use super::*;

    fn pool(threads: usize) -> PasswordPool {
        PasswordPool::new(PasswordParams::new(64, 1, 1).unwrap(), threads)
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap()
    }

    const BUSY: PasswordPoolError = PasswordPoolError::Busy { retry_after_s: RETRY_AFTER_S };

    #[test]
    fn a_password_is_hashed_and_verified() {
        runtime().block_on(async {
            let pool = pool(1);
            let stored = pool.hash("correct horse".into()).await.unwrap();
            let verify = |password: &str| pool.verify(password.to_owned(), Some(stored.clone()));
            assert_eq!(verify("correct horse").await, Ok(Outcome::Right));
            assert_eq!(verify("wrong horse").await, Ok(Outcome::Wrong));
            assert_eq!(pool.verify("correct horse".into(), None).await, Ok(Outcome::Wrong));
            let long = "x".repeat(PASSWORD_BYTES_MAX + 1);
            assert_eq!(pool.verify(long, None).await, Ok(Outcome::Wrong));
        });
    }

    /// Polls once, so that the future takes its place.
    fn begin<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> Poll<F::Output> {
        future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn when_the_queue_is_full_the_next_is_refused_and_who_leaves_makes_room() {
        runtime().block_on(async {
            let pool = pool(1);
            let (release, released) = mpsc::channel::<()>();
            let mut first = Box::pin(pool.run(move || released.recv()));
            assert!(begin(&mut first).is_pending());
            let mut waiting: Vec<_> =
                (0..WAITING_PER_THREAD).map(|n| Box::pin(pool.run(move || n))).collect();
            assert!(waiting.iter_mut().all(|waiting| begin(waiting).is_pending()));

            assert_eq!(pool.hash("x".into()).await, Err(BUSY));
            drop(waiting.pop());
            let mut last = Box::pin(pool.run(|| 99));
            assert!(begin(&mut last).is_pending());
            assert_eq!(pool.run(|| 0).await, Err(BUSY));

            release.send(()).unwrap();
            assert_eq!(first.await, Ok(Ok(())));
            for (n, waiting) in waiting.into_iter().enumerate() {
                assert_eq!(waiting.await, Ok(n));
            }
            assert_eq!(last.await, Ok(99));
        });
    }

    #[test]
    fn who_leaves_while_the_work_runs_gives_up_no_place_before_it_is_done() {
        runtime().block_on(async {
            let pool = pool(1);
            let (release, released) = mpsc::channel::<()>();
            let mut left = Box::pin(pool.run(move || released.recv()));
            assert!(begin(&mut left).is_pending());
            drop(left);
            assert_eq!(pool.running.available_permits(), 0);
            release.send(()).unwrap();
            assert_eq!(pool.run(|| 7).await, Ok(7));
        });
    }

    #[test]
    fn work_that_panics_frees_its_place() {
        runtime().block_on(async {
            let pool = pool(1);
            let panicked = pool.run(|| std::panic::resume_unwind(Box::new("as meant"))).await;
            assert_eq!(panicked, Err::<(), _>(PasswordPoolError::Stopped));
            assert_eq!(pool.run(|| 7).await, Ok(7));
        });
    }
}
