//! The queue that mails wait in: the built-in model `mainstay_mails`.
//!
//! A mail is a row that is inserted in the transaction it tells of, with the token it
//! carries: neither is there without the other. Whoever sends it claims it first, by an
//! update that only one can make, and which counts the attempt and says until when the
//! mail is theirs. A claim whose owner died is over at that time, and anybody's again. So no
//! mail is lost, and none is begun more often than its row counts; one that was handed
//! over in the moment its sender died is sent twice, under the same `Message-ID`.

mod requests;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mainstay_core::{Actor, Error, Timestamp};
use mainstay_plan::{Planner, ReadPlan, ReadRequest, WritePlan, WriteRequest};
use mainstay_store::{Cx, End, FlatRows, NoRows, Store, WriteError, WriteSet};
use uuid::Uuid;

use self::requests::{due, forget, insert, outlived, row_of, text, update};
use crate::{Content, Mail, MailKind};

/// How often a mail is begun to be sent.
pub const ATTEMPTS_MAX: u32 = 6;
/// How long a mail belongs to whoever claimed it: longer than to claim it, to send it and
/// to note that may take together.
pub(crate) const LEASE: Duration = Duration::from_secs(180);
/// How long after its first attempt a mail is tried again.
const RETRY_FIRST: Duration = Duration::from_secs(10);
/// How many times as long after each further one: the last is an hour after the first.
const RETRY_FACTOR: u32 = 4;
/// How long the row of a mail is kept that was sent or given up.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Rows that are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: usize = 100;
/// Characters of an error that are kept.
const ERROR_CHARS_MAX: usize = 500;
/// How long the store may take for one call.
pub(crate) const CALL_MAX: Duration = Duration::from_secs(10);

/// A mail to be sent.
#[derive(Clone, Copy, Debug)]
pub struct NewMail<'a> {
    /// What it is for.
    pub kind: MailKind,
    /// Whom it goes to; see [`is_address`](crate::is_address).
    pub to: &'a str,
    /// Its words.
    pub content: &'a Content,
}

/// The plan by which a mail comes into the queue, to be carried out in one set with what it
/// tells of. `id` is a fresh uuid. Once that is committed, wake the
/// [`Sender`](crate::Sender).
///
/// # Errors
/// `LimitExceeded` and `Internal`, as of the planner.
pub fn enqueue(
    planner: &Planner,
    mail: &NewMail<'_>,
    now: Timestamp,
    id: Uuid,
) -> Result<WritePlan, Error> {
    planner.write(&insert(mail, now), &system(), now, &mut || id)
}

/// What makes plans: a planner, or whatever has the one of an app that changes.
pub trait Plans: Send + Sync + 'static {
    /// As [`Planner::read`].
    ///
    /// # Errors
    /// As of that.
    fn read(
        &self,
        request: &ReadRequest<'_>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<ReadPlan, Error>;

    /// As [`Planner::write`], of a request that makes no row.
    ///
    /// # Errors
    /// As of that.
    fn write(
        &self,
        request: &WriteRequest<'_>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<WritePlan, Error>;
}

impl Plans for Planner {
    fn read(
        &self,
        request: &ReadRequest<'_>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<ReadPlan, Error> {
        Self::read(self, request, actor, now)
    }

    fn write(
        &self,
        request: &WriteRequest<'_>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<WritePlan, Error> {
        Self::write(self, request, actor, now, &mut Uuid::now_v7)
    }
}

/// A mail that is due, or one that was claimed.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) mail: Mail,
    /// How often it was begun to be sent.
    pub(crate) attempts: u32,
}

/// What became of an attempt to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is tried again after this time.
    Again(Duration),
    /// It is not tried again.
    Never,
}

/// The queue of one store.
pub(crate) struct Queue {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) plans: Arc<dyn Plans>,
    pub(crate) clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Queue {
    /// At most so many of the mails that are due, those that wait longest first.
    pub(crate) async fn due(&self, max: usize) -> Result<Vec<Queued>, Error> {
        self.read(|now| due(now, max)).await
    }

    /// Claims a mail that was due, for one attempt more; none where somebody else has, or
    /// where it has had all its attempts. Then it is given up: whoever began the last one
    /// has died over it.
    pub(crate) async fn claim(&self, queued: Queued) -> Result<Option<Queued>, WriteError> {
        let now = self.now();
        let Queued { mail, attempts } = queued;
        let (id, counted, now_text) = (mail.id.to_string(), attempts.to_string(), text(now));
        let (more, until) = ((attempts + 1).to_string(), text(later(now, LEASE)));
        let mine = requests::still_due(&id, &counted, &now_text);
        if attempts >= ATTEMPTS_MAX {
            let why = "the last attempt did not come to an end";
            let keep_until = text(later(now, KEPT));
            if self.write(&update(mine, requests::dead(why, &keep_until))).await? {
                tracing::error!(mail = %mail.id, kind = &*mail.kind, attempts, why, "mail given up");
            }
            return Ok(None);
        }
        let claimed = self.write(&update(mine, requests::claimed(&more, &until))).await?;
        Ok(claimed.then_some(Queued { mail, attempts: attempts + 1 }))
    }

    /// Notes that a mail has left, and forgets its words. Whoever else may be at it by now
    /// is overruled: it has left.
    pub(crate) async fn sent(&self, mail: &Mail) -> Result<(), WriteError> {
        let (id, keep_until) = (mail.id.to_string(), text(later(self.now(), KEPT)));
        let request = update(requests::whoever_has(&id), requests::sent(&keep_until));
        self.write(&request).await.map(drop)
    }

    /// Notes that an attempt failed, unless the mail is another's by now.
    pub(crate) async fn failed(
        &self,
        claimed: &Queued,
        next: &Next,
        why: &str,
    ) -> Result<(), WriteError> {
        let now = self.now();
        let why: String = why
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .take(ERROR_CHARS_MAX)
            .collect();
        let (id, counted) = (claimed.mail.id.to_string(), claimed.attempts.to_string());
        let wait = match next {
            Next::Again(wait) => *wait,
            Next::Never => KEPT,
        };
        let at = text(later(now, wait));
        let values = match next {
            Next::Again(_) => requests::waiting(&why, &at),
            Next::Never => requests::dead(&why, &at),
        };
        self.write(&update(requests::claimed_as(&id, &counted), values)).await.map(drop)
    }

    /// Forgets the rows of mails that were sent or given up long ago.
    pub(crate) async fn forget(&self) -> Result<(), Error> {
        loop {
            let rows = self.read(|now| outlived(now, FORGOTTEN_AT_ONCE)).await?;
            let ids: Vec<String> = rows.iter().map(|row| row.mail.id.to_string()).collect();
            if ids.is_empty() {
                return Ok(());
            }
            self.write(&forget(&ids)).await.map_err(WriteError::into_error)?;
        }
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    async fn read(
        &self,
        request: impl FnOnce(&str) -> ReadRequest<'_>,
    ) -> Result<Vec<Queued>, Error> {
        let now = self.now();
        let plan = self.plans.read(&request(&text(now)), &system(), now)?;
        let answer = self.store.read(Arc::new(plan), cx(), Box::<FlatRows>::default()).await?;
        let rows = FlatRows::out_of(answer.sink);
        rows.into_iter().map(|row| row_of(row).ok_or_else(|| Error::internal(BadRow))).collect()
    }

    /// Carries a write out; whether it found a row.
    async fn write(&self, request: &WriteRequest<'_>) -> Result<bool, WriteError> {
        let plan = self.plans.write(request, &system(), self.now());
        let set = WriteSet { plans: vec![plan.map_err(WriteError::NotApplied)?], end: End::Commit };
        let answer = self.store.write(set, cx(), Box::new(NoRows)).await?;
        Ok(answer.done.affected.iter().any(|rows| !rows.is_empty()))
    }
}

/// What becomes of a mail whose attempt failed for the time being. `chance`, of 0 to 255,
/// spreads what failed together over a quarter of the time before and after.
pub(crate) fn after_failure(attempts: u32, chance: u8) -> Next {
    if attempts >= ATTEMPTS_MAX {
        return Next::Never;
    }
    let wait = RETRY_FIRST * RETRY_FACTOR.pow(attempts.saturating_sub(1));
    Next::Again(wait * 3 / 4 + wait * u32::from(chance) / 512)
}

#[derive(Debug, thiserror::Error)]
#[error("a row of mainstay_mails is not as its model says")]
struct BadRow;

fn system() -> Actor {
    Actor::system("mails wait in a model of Mainstay's own, which no rule speaks of")
}

fn cx() -> Cx {
    Cx::until(Instant::now() + CALL_MAX)
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    let micros = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    now.shifted(micros).unwrap_or(now)
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_tried_again_ever_later_for_an_hour_and_then_given_up() {
        let seconds = |chance: u8| {
            let mut found = Vec::new();
            for attempts in 1..=ATTEMPTS_MAX {
                if let Next::Again(wait) = after_failure(attempts, chance) {
                    found.push(wait.as_secs());
                }
            }
            found
        };
        assert_eq!(seconds(0), [7, 30, 120, 480, 1_920]);
        assert_eq!(seconds(128), [10, 40, 160, 640, 2_560]);
        assert_eq!(seconds(255), [12, 49, 199, 798, 3_195]);
        assert_eq!(after_failure(ATTEMPTS_MAX, 0), Next::Never);
        assert_eq!(after_failure(ATTEMPTS_MAX + 1, 0), Next::Never);
    }

    #[test]
    fn a_claim_outlasts_all_that_is_done_under_it() {
        use crate::sender::{ATTEMPT_MAX, NOTE_ATTEMPTS_MAX, NOTE_EVERY};
        let noting = (CALL_MAX + NOTE_EVERY) * NOTE_ATTEMPTS_MAX;
        assert!(LEASE > CALL_MAX + ATTEMPT_MAX + noting);
    }
}
