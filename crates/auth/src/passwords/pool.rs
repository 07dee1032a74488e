//! The few threads that passwords are hashed on.
//!
//! A hash takes tens of milliseconds of a processor and its memory, and whoever sends
//! logins decides how many there are. On the threads that answer requests they would
//! stop every read; without a bound they would take all memory. So a few run at a
//! time, some wait, and the rest is told at once to come back later: a login that
//! would time out in the queue is better refused in front of it.
//!
//! # Idle time first
//!
//! A thread of its own is not enough. Linux lets whoever runs run on for its slice, some 3 ms,
//! before a thread that wakes up gets the processor: forty times what a read takes. So a hash
//! begins on a thread of the policy `SCHED_IDLE` (sched(7)), which gives way at once, and
//! runs while nobody else wants a processor. Where somebody always does it would never end,
//! and a thread without privileges cannot take the policy back: one that has not ended
//! after [`IDLE_TIME_MAX`] is begun once more on an ordinary thread, and whichever ends first
//! has the answer. As many as may run may be behind in idle time; beyond that a hash begins on
//! an ordinary thread. So on a machine with time to spare reads do not notice logins, and on
//! one without any a login takes [`IDLE_TIME_MAX`] longer at most. A lower priority of the
//! ordinary policy does not help: it does not shorten the slice.
//!
//! Who stops waiting leaves the queue. What has begun runs to its end, and keeps its
//! place among those of its kind until then, for nothing can interrupt a hash: as many as
//! may run are under way in idle time, and as many on ordinary threads.

use std::{sync::Arc, thread, time::Duration};

use tokio::{
    sync::{Semaphore, oneshot},
    task::spawn_blocking,
    time::timeout,
};

use super::{
    Outcome, PASSWORD_CHARS_MAX, PasswordParams, dummy_hash, hash_password, verify_password,
};

/// Hashes that may wait for each one that runs: about a second's work.
const WAITING_PER_THREAD: usize = 32;
/// Hashes that may run at a time.
const THREADS_MAX: usize = 64;
/// What a thread is called that runs in idle time.
const IN_IDLE_TIME: &str = "password, idle";
/// How long a hash may take in idle time before it is begun on an ordinary thread as well.
const IDLE_TIME_MAX: Duration = Duration::from_millis(100);
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
    /// Those that run in idle time.
    idle: Arc<Semaphore>,
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
            idle: Arc::new(Semaphore::new(threads)),
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
        self.run(move || match &stored {
            Some(stored) => verify_password(&password, stored, params),
            None => {
                let _ = verify_password(&password, &dummy, params);
                Outcome::Wrong
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl Fn() -> T + Send + Sync + 'static,
    ) -> Result<T, PasswordPoolError> {
        let busy = PasswordPoolError::Busy { retry_after_s: RETRY_AFTER_S };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy)?;
        let turn = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| PasswordPoolError::Stopped)?;
        let work = Arc::new(work);
        let mut in_idle_time = self.in_idle_time(Arc::clone(&work));
        if let Some(done) = &mut in_idle_time
            && let Ok(done) = timeout(IDLE_TIME_MAX, done).await
        {
            return done.map_err(|_| PasswordPoolError::Stopped);
        }
        let ordinary = spawn_blocking(move || {
            let done = work();
            drop((turn, place));
            done
        });
        tokio::select! {
            Some(Ok(done)) = async { Some(in_idle_time?.await) } => Ok(done),
            done = ordinary => done.map_err(|_| PasswordPoolError::Stopped),
        }
    }

    /// Begins work in idle time, where as many as may be are not behind with theirs.
    fn in_idle_time<T: Send + 'static>(
        &self,
        work: Arc<impl Fn() -> T + Send + Sync + 'static>,
    ) -> Option<oneshot::Receiver<T>> {
        let turn = Arc::clone(&self.idle).try_acquire_owned().ok()?;
        let (done, receiver) = oneshot::channel();
        let thread = thread::Builder::new().name(IN_IDLE_TIME.to_owned()).spawn(move || {
            give_way();
            let result = work();
            drop((work, turn));
            // Who stopped waiting wants no answer.
            let _ = done.send(result);
        });
        // Without a thread there are ordinary ones.
        thread.is_ok().then_some(receiver)
    }
}

/// Has this thread run only while no other wants its processor.
#[cfg(target_os = "linux")]
fn give_way() {
    use thread_priority::{
        NormalThreadSchedulePolicy::Idle, ThreadPriority, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };
    let policy = ThreadSchedulePolicy::Normal(Idle);
    // Where it is forbidden the thread is one like the others.
    let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
}

/// Elsewhere it is a thread like the others.
#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        sync::{Mutex, mpsc},
        task::{Context, Poll, Waker},
    };

    use super::*;

    fn pool(threads: usize) -> PasswordPool {
        PasswordPool::new(PasswordParams::new(64, 1, 1).unwrap(), threads)
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap()
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

    /// Work that lasts until it is released, by dropping what is returned: it may be begun
    /// twice.
    fn held() -> (mpsc::Sender<()>, impl Fn() -> bool + Send + Sync + 'static) {
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        (release, move || released.lock().unwrap().recv().is_err())
    }

    /// Polls once, so that the future takes its place.
    fn begin<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> Poll<F::Output> {
        future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn when_the_queue_is_full_the_next_is_refused_and_who_leaves_makes_room() {
        runtime().block_on(async {
            let pool = pool(1);
            let (release, work) = held();
            let mut first = Box::pin(pool.run(work));
            assert!(begin(&mut first).is_pending());
            let mut waiting: Vec<_> =
                (0..WAITING_PER_THREAD).map(|n| Box::pin(pool.run(move || n))).collect();
            assert!(waiting.iter_mut().all(|waiting| begin(waiting).is_pending()));

            assert_eq!(pool.hash("x".into()).await, Err(BUSY));
            drop(waiting.pop());
            let mut last = Box::pin(pool.run(|| 99));
            assert!(begin(&mut last).is_pending());
            assert_eq!(pool.run(|| 0).await, Err(BUSY));

            drop(release);
            assert_eq!(first.await, Ok(true));
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
            let ([release, release_too], [work, work_too]) = {
                let (one, other) = (held(), held());
                ([one.0, other.0], [one.1, other.1])
            };
            let mut left = Box::pin(pool.run(work));
            assert!(begin(&mut left).is_pending());
            drop(left);
            assert_eq!(pool.idle.available_permits(), 0, "one runs in idle time");
            let mut left = Box::pin(pool.run(work_too));
            assert!(begin(&mut left).is_pending());
            drop(left);
            assert_eq!(pool.running.available_permits(), 0, "and one on an ordinary thread");
            drop((release, release_too));
            assert_eq!(pool.run(|| 7).await, Ok(7));
        });
    }

    fn is_in_idle_time() -> bool {
        thread::current().name() == Some(IN_IDLE_TIME)
    }

    #[test]
    fn work_that_gets_no_idle_time_is_done_on_an_ordinary_thread() {
        runtime().block_on(async {
            let pool = pool(1);
            let (release, wait) = held();
            let done = pool.run(move || if is_in_idle_time() { wait() } else { false });
            assert_eq!(done.await, Ok(false));
            // The next one does not wait for what is behind.
            assert_eq!(pool.run(is_in_idle_time).await, Ok(false));
            drop(release);
            // What is behind ends all the same, and its place is free.
            drop(pool.idle.acquire().await);
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_runs_in_idle_time_gives_way_to_every_other_thread() {
        use thread_priority::{NormalThreadSchedulePolicy::Idle, ThreadSchedulePolicy};
        let (tell, told) = mpsc::channel();
        let work = move || {
            if is_in_idle_time() {
                tell.send(thread_priority::thread_schedule_policy()).unwrap();
            }
        };
        runtime().block_on(async { pool(1).run(work).await }).unwrap();
        assert_eq!(told.recv().unwrap(), Ok(ThreadSchedulePolicy::Normal(Idle)));
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
