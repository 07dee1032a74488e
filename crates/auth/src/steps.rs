//! Answers that come at steps of time, so that how long they took tells nothing.
//!
//! An address that is somebody's and one that is nobody's are not the same work: one has a
//! row to change, a token to write and a mail to send, and the other has not. Pretending
//! all of it would need rows that are nobody's, in tables that all refer to accounts, and
//! would have to keep pace with whatever is done for the real ones. So the work is done as
//! it comes, and its answer waits for the next whole step since it began. What is done
//! takes a small part of a step, and a server so busy that it takes more answers at the
//! step after, as late for the one as for the other.
//!
//! What takes long for everybody, the hash of a password, is done before the steps begin:
//! it would otherwise decide at which of two steps an answer is near.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The time between two steps: several times what an answer takes, and less than whoever
/// waits for it would notice.
const STEP: Duration = Duration::from_millis(25);

/// Does the work, and gives its result at the first step after it is done.
pub(crate) async fn in_steps<T>(work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = work.await;
    sleep_until(began + step_after(began.elapsed())).await;
    done
}

/// The first step later than this.
fn step_after(took: Duration) -> Duration {
    let steps = took.as_micros() / STEP.as_micros() + 1;
    STEP * u32::try_from(steps).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_within_a_step_ends_with_it() {
        let micros = |took| step_after(Duration::from_micros(took)).as_millis();
        assert_eq!([0, 1, 24_999].map(micros), [25; 3]);
        assert_eq!([25_000, 25_001, 49_999].map(micros), [50; 3]);
    }
}
