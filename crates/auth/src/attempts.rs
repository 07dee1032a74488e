//! How often may be tried: from one address, at one account, and with both.
//!
//! What is counted is kept in this node's memory, bounded, and forgotten with time. One
//! address may try so much in all. Of an account, wrong passwords make whoever comes from
//! the same address wait, longer each time. Those from everywhere make strangers wait, and
//! never an address that has signed in to the account before: a victim cannot be locked
//! out by whoever knows their name.

use std::time::Duration;

use mainstay_core::{Timestamp, removal::removed};
use moka::sync::Cache;
use parking_lot::Mutex;
use std::sync::Arc;

use crate::{
    call::Call,
    refusal::{AuthCode, AuthError, AuthResult, refused},
};

/// How often may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimits {
    /// Requests of one address to each group of paths, in five minutes.
    pub requests_max: u32,
    /// Refreshes and sign-ins of one address, in five minutes.
    pub tokens_max: u32,
    /// Wrong passwords of one address at one account before it waits.
    pub wrong_max: u32,
    /// Wrong passwords at one account, of all addresses, before strangers wait.
    pub wrong_in_all_max: u32,
}

impl Default for AttemptLimits {
    fn default() -> Self {
        Self { requests_max: 30, tokens_max: 150, wrong_max: 5, wrong_in_all_max: 50 }
    }
}

/// Keys that are remembered of each kind.
const REMEMBERED_MAX: u64 = 100_000;
/// Seconds in which requests are counted.
const WINDOW_S: i64 = 300;
/// Seconds somebody waits after the first wrong password too many, and at the most.
const WAIT_S: (u64, u64) = (1, 900);
/// How long wrong passwords are remembered.
const WRONG_KEPT: Duration = Duration::from_secs(3_600);
/// How long it is remembered that an address has signed in.
const KNOWN_KEPT: Duration = Duration::from_secs(30 * 86_400);
const MICROS: i64 = 1_000_000;

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counted {
    /// Sign-ups.
    SignUp,
    /// Requests for mails.
    Mail,
    /// Links and codes that come.
    Verify,
    /// Sign-ins and refreshes.
    Token,
    /// Sign-ins as nobody.
    Anonymous,
    /// Second factors.
    Factor,
    /// Changes of an account.
    User,
}

type Slot<T> = Arc<Mutex<T>>;

/// What was tried lately.
pub(crate) struct Attempts {
    limits: AttemptLimits,
    requests: Cache<(Counted, String), Slot<Window>>,
    wrong_here: Cache<(String, String), Slot<Wrong>>,
    wrong_in_all: Cache<String, Slot<Wrong>>,
    known: Cache<(String, String), ()>,
    mailed: Cache<String, Timestamp>,
}

#[derive(Debug, Default)]
struct Window {
    since: Option<Timestamp>,
    count: u32,
}

#[derive(Debug, Default)]
struct Wrong {
    count: u32,
    last: Option<Timestamp>,
}

impl Attempts {
    pub(crate) fn new(limits: AttemptLimits) -> Self {
        let kept = |time| Cache::builder().max_capacity(REMEMBERED_MAX).time_to_idle(time);
        Self {
            limits,
            requests: Cache::builder()
                .max_capacity(REMEMBERED_MAX)
                .time_to_idle(Duration::from_secs(2 * 300))
                .build(),
            wrong_here: Cache::builder()
                .max_capacity(REMEMBERED_MAX)
                .time_to_idle(WRONG_KEPT)
                .build(),
            wrong_in_all: kept(WRONG_KEPT).build(),
            known: Cache::builder().max_capacity(REMEMBERED_MAX).time_to_idle(KNOWN_KEPT).build(),
            mailed: Cache::new(REMEMBERED_MAX),
        }
    }

    /// Counts a request of an address.
    ///
    /// # Errors
    /// `over_request_rate_limit`, and when to come again.
    pub(crate) fn request(&self, counted: Counted, call: &Call) -> AuthResult<()> {
        let max = match counted {
            Counted::Token => self.limits.tokens_max,
            _ => self.limits.requests_max,
        };
        let slot = self.requests.get_with((counted, call.address.clone()), Arc::default);
        let mut window = slot.lock();
        let since = window.since.unwrap_or(call.now);
        let age_s = (call.now.as_micros() - since.as_micros()) / MICROS;
        if window.since.is_none() || !(0..WINDOW_S).contains(&age_s) {
            *window = Window { since: Some(call.now), count: 0 };
        }
        if window.count >= max && !removed("rate-limit") {
            let left_s = u64::try_from(WINDOW_S - age_s.max(0)).unwrap_or(1).max(1);
            let message = "Request rate limit reached";
            return Err(refused(429, AuthCode::OverRequestRateLimit, message).retry_after(left_s));
        }
        window.count += 1;
        Ok(())
    }

    /// Whether an address may try a password of an account now.
    ///
    /// # Errors
    /// `over_request_rate_limit`, and when to come again.
    pub(crate) fn password(&self, email: &str, call: &Call) -> AuthResult<()> {
        if removed("brute-force") {
            return Ok(());
        }
        let here = (email.to_owned(), call.address.clone());
        if let Some(slot) = self.wrong_here.get(&here) {
            wait(&slot.lock(), self.limits.wrong_max, call)?;
        }
        if self.known.contains_key(&here) {
            return Ok(());
        }
        match self.wrong_in_all.get(email) {
            Some(slot) => wait(&slot.lock(), self.limits.wrong_in_all_max, call),
            None => Ok(()),
        }
    }

    /// A password was wrong.
    pub(crate) fn failed(&self, email: &str, call: &Call) {
        let here = (email.to_owned(), call.address.clone());
        for slot in [
            self.wrong_here.get_with(here, Arc::default),
            self.wrong_in_all.get_with(email.to_owned(), Arc::default),
        ] {
            let mut wrong = slot.lock();
            wrong.count = wrong.count.saturating_add(1);
            wrong.last = Some(call.now);
        }
    }

    /// A password was right.
    pub(crate) fn succeeded(&self, email: &str, call: &Call) {
        let here = (email.to_owned(), call.address.clone());
        self.wrong_here.invalidate(&here);
        self.known.insert(here, ());
    }

    /// Counts a mail to an address.
    ///
    /// # Errors
    /// `over_email_send_rate_limit`, and when to come again.
    pub(crate) fn mail(&self, email: &str, every_s: u32, call: &Call) -> AuthResult<()> {
        if every_s == 0 {
            return Ok(());
        }
        let next = |at: Timestamp| at.as_micros() + i64::from(every_s) * MICROS;
        if let Some(left) = self
            .mailed
            .get(email)
            .map(|at| next(at) - call.now.as_micros())
            .filter(|left| *left > 0)
        {
            let left_s = u64::try_from(left / MICROS + 1).unwrap_or(1);
            return Err(too_many_mails(left_s));
        }
        self.mailed.insert(email.to_owned(), call.now);
        Ok(())
    }
}

fn wait(wrong: &Wrong, free: u32, call: &Call) -> AuthResult<()> {
    let Some(beyond) = wrong.count.checked_sub(free) else { return Ok(()) };
    let (first_s, most_s) = WAIT_S;
    let wait_s = first_s.checked_shl(beyond.min(20)).map_or(most_s, |wait| wait.min(most_s));
    let since = wrong.last.map_or(0, Timestamp::as_micros);
    let left = since + i64::try_from(wait_s).unwrap_or(0) * MICROS - call.now.as_micros();
    if left <= 0 {
        return Ok(());
    }
    let left_s = u64::try_from(left / MICROS + 1).unwrap_or(1);
    let message = "Too many wrong passwords: wait before the next";
    Err(refused(429, AuthCode::OverRequestRateLimit, message).retry_after(left_s))
}

fn too_many_mails(left_s: u64) -> AuthError {
    let message =
        format!("For security purposes, you can only request this after {left_s} seconds.");
    refused(429, AuthCode::OverEmailSendRateLimit, message).retry_after(left_s)
}
