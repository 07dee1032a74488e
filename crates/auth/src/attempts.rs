//! How often may be tried: from one address, with one key, at one account.
//!
//! What is counted is kept in this node's memory, bounded, and forgotten with time. One
//! address may try so much in all, and so may one key of administration. Of an account, wrong
//! passwords make whoever comes from the same address wait, longer each time. Those from
//! everywhere make strangers wait, and never an address that has signed in to the account
//! before: a victim cannot be locked out by whoever knows their name. Nor can mails that one
//! other asks for keep somebody from theirs, or those of many others whoever has signed in
//! from the same address before.
//!
//! A password counts as wrong from before it is looked at until it was right, so that of
//! many at once no more are looked at than of as many in turn.

mod key;
mod window;

use std::{sync::Arc, time::Duration};

use mainstay_core::{Timestamp, removal::removed};
use moka::sync::Cache;
use parking_lot::Mutex;

pub(crate) use self::key::network;
use self::{
    key::{Name, name},
    window::{Full, Window},
};
use crate::{
    call::Call,
    refusal::{AuthCode, AuthError, AuthResult, Quota, refused},
};

/// How often may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimits {
    /// Requests of one address to each group of paths, in five minutes.
    pub requests_max: u32,
    /// Refreshes and sign-ins of one address, in five minutes.
    pub tokens_max: u32,
    /// Requests of administration with one key, in five minutes.
    pub admin_requests_max: u32,
    /// Wrong passwords of one address at one account before it waits.
    pub wrong_max: u32,
    /// Wrong passwords at one account, of all addresses, before strangers wait.
    pub wrong_in_all_max: u32,
}

impl Default for AttemptLimits {
    fn default() -> Self {
        Self {
            requests_max: 30,
            tokens_max: 150,
            admin_requests_max: 3_000,
            wrong_max: 5,
            wrong_in_all_max: 50,
        }
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
/// How long mails are remembered: the longest setting's five waits.
const MAIL_KEPT: Duration = Duration::from_secs(5 * 3_600);
/// How long it is remembered that an address has signed in.
const KNOWN_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// Mails to one address that are asked for from one place, and from all where nobody is
/// known, in so many times the wait between two: no more than one for each wait.
const MAILS_HERE_MAX: u32 = 3;
const MAILS_MAX: u32 = 5;
const MAIL_WAITS: i64 = 5;
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
    /// Administration.
    Admin,
}

impl Counted {
    /// What a limit of it is called in the header `RateLimit` and in the audit log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::Mail => "mail",
            Self::Verify => "verify",
            Self::Token => "token",
            Self::Anonymous => "anonymous",
            Self::Factor => "factor",
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

type Slot<T> = Arc<Mutex<T>>;
/// An account's name, and where somebody comes from.
type Here = (Name, String);

/// What was tried lately.
pub(crate) struct Attempts {
    limits: AttemptLimits,
    requests: Cache<(Counted, String), Slot<Window>>,
    wrong_here: Cache<Here, Slot<Wrong>>,
    wrong_in_all: Cache<Name, Slot<Wrong>>,
    known: Cache<Here, ()>,
    mailed_here: Cache<Here, Slot<Mailed>>,
    mailed_in_all: Cache<Name, Slot<Window>>,
}

#[derive(Debug, Default)]
struct Wrong {
    count: u32,
    last: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Mailed {
    last: Option<Timestamp>,
    lately: Window,
}

/// Why a password may not be tried, or a mail asked for, now.
#[derive(Debug)]
pub(crate) enum Held {
    /// There were too many from here.
    Here(AuthError),
    /// There were too many from everywhere, and nobody is known here.
    AsStranger(AuthError),
}

impl Held {
    /// Whether it is whoever asks from here, and not whether they are known.
    pub(crate) fn is_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }

    pub(crate) fn into_error(self) -> AuthError {
        match self {
            Self::Here(error) | Self::AsStranger(error) => error,
        }
    }
}

/// That a request was refused, and whether to tell of it: it is the window's first.
#[derive(Debug)]
pub(crate) struct TooMany {
    pub(crate) error: AuthError,
    pub(crate) is_first: bool,
}

impl Attempts {
    pub(crate) fn new(limits: AttemptLimits) -> Self {
        let window = Duration::from_secs(2 * WINDOW_S.unsigned_abs());
        Self {
            limits,
            requests: kept(window),
            wrong_here: kept(WRONG_KEPT),
            wrong_in_all: kept(WRONG_KEPT),
            known: kept(KNOWN_KEPT),
            mailed_here: kept(MAIL_KEPT),
            mailed_in_all: kept(MAIL_KEPT),
        }
    }

    /// Counts a request of an address.
    ///
    /// # Errors
    /// `over_request_rate_limit`, and when to come again.
    pub(crate) fn request(&self, counted: Counted, call: &Call) -> Result<(), TooMany> {
        let max = match counted {
            Counted::Token => self.limits.tokens_max,
            _ => self.limits.requests_max,
        };
        self.take(counted, network(&call.address), max, call)
    }

    /// Counts a request of administration with a key.
    ///
    /// # Errors
    /// As of [`request`](Self::request).
    pub(crate) fn request_with(&self, key: &str, call: &Call) -> Result<(), TooMany> {
        let max = self.limits.admin_requests_max;
        let key = name(key).iter().map(|byte| format!("{byte:02x}")).collect();
        self.take(Counted::Admin, key, max, call)
    }

    fn take(&self, counted: Counted, who: String, max: u32, call: &Call) -> Result<(), TooMany> {
        let slot = self.requests.get_with((counted, who), Arc::default);
        let Err(full) = slot.lock().take(call.now, WINDOW_S, max) else { return Ok(()) };
        if removed("rate-limit") {
            return Ok(());
        }
        let message = "Request rate limit reached";
        let quota = Quota { name: counted.as_str(), max, window_s: WINDOW_S.unsigned_abs() };
        let error = refused(429, AuthCode::OverRequestRateLimit, message);
        Err(TooMany { error: error.over(quota, full.left_s), is_first: full.is_first })
    }

    /// Counts a password that is about to be tried as wrong.
    ///
    /// # Errors
    /// Where it may not be tried now; then it is not counted.
    pub(crate) fn begin_password(&self, account: &str, call: &Call) -> Result<(), Held> {
        if removed("brute-force") {
            return Ok(());
        }
        let here = here(account, call);
        let is_known = self.known.contains_key(&here);
        let in_all = self.wrong_in_all.get_with(here.0, Arc::default);
        let slot = self.wrong_here.get_with(here, Arc::default);
        let (mut here, mut in_all) = (slot.lock(), in_all.lock());
        wait(&here, self.limits.wrong_max, call).map_err(Held::Here)?;
        if !is_known {
            wait(&in_all, self.limits.wrong_in_all_max, call).map_err(Held::AsStranger)?;
        }
        for wrong in [&mut *here, &mut *in_all] {
            wrong.count = wrong.count.saturating_add(1);
            wrong.last = Some(call.now);
        }
        Ok(())
    }

    /// The password that was begun was right.
    pub(crate) fn password_was_right(&self, account: &str, call: &Call) {
        self.forget_password(account, call);
        let here = here(account, call);
        self.wrong_here.invalidate(&here);
        self.known.insert(here, ());
    }

    /// The password that was begun was not looked at.
    pub(crate) fn forget_password(&self, account: &str, call: &Call) {
        let here = here(account, call);
        let in_all = self.wrong_in_all.get(&here.0);
        for slot in [self.wrong_here.get(&here), in_all].into_iter().flatten() {
            let mut wrong = slot.lock();
            wrong.count = wrong.count.saturating_sub(1);
        }
    }

    /// Somebody has signed in to an account from here before.
    pub(crate) fn is_no_stranger(&self, account: &str, call: &Call) {
        self.known.insert(here(account, call), ());
    }

    /// Counts a mail to an address.
    ///
    /// # Errors
    /// Where none may be asked for now; then it is not counted.
    pub(crate) fn mail(&self, email: &str, every_s: u32, call: &Call) -> Result<(), Held> {
        if every_s == 0 {
            return Ok(());
        }
        let (every_s, here) = (i64::from(every_s), here(email, call));
        let span_s = MAIL_WAITS * every_s;
        let is_known = self.known.contains_key(&here);
        let in_all = self.mailed_in_all.get_with(here.0, Arc::default);
        let slot = self.mailed_here.get_with(here, Arc::default);
        let (mut here, mut in_all) = (slot.lock(), in_all.lock());
        let full = |Full { left_s, .. }| too_many_mails(left_s);
        let next = here.last.map_or(0, |at| at.as_micros() + every_s * MICROS);
        let left = next - call.now.as_micros();
        if left > 0 {
            let left_s = u64::try_from(left / MICROS + 1).unwrap_or(1);
            return Err(Held::Here(too_many_mails(left_s)));
        }
        here.lately.look(call.now, span_s, MAILS_HERE_MAX).map_err(full).map_err(Held::Here)?;
        if !is_known {
            in_all.take(call.now, span_s, MAILS_MAX).map_err(full).map_err(Held::AsStranger)?;
        }
        here.last = Some(call.now);
        here.lately.take(call.now, span_s, MAILS_HERE_MAX).map_err(full).map_err(Held::Here)
    }
}

/// What was used last is kept: somebody new always finds room.
fn kept<K, V>(time: Duration) -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    let policy = moka::policy::EvictionPolicy::lru();
    Cache::builder().max_capacity(REMEMBERED_MAX).eviction_policy(policy).time_to_idle(time).build()
}

fn here(account: &str, call: &Call) -> Here {
    (name(account), network(&call.address))
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use mainstay_store::Cx;

    use super::*;

    fn call(address: &str, at_s: i64) -> Call {
        let now = Timestamp::from_micros(at_s * MICROS).unwrap();
        Call::new(now, Cx::until(Instant::now()), address.to_owned(), "")
    }

    fn is_held(held: Result<(), Held>) -> (bool, bool) {
        (matches!(held, Err(Held::Here(_))), matches!(held, Err(Held::AsStranger(_))))
    }

    const HELD_HERE: (bool, bool) = (true, false);
    const HELD_AS_STRANGER: (bool, bool) = (false, true);
    const FREE: (bool, bool) = (false, false);

    #[test]
    fn five_passwords_are_free_from_one_address_and_count_before_they_are_looked_at() {
        let attempts = Attempts::new(AttemptLimits::default());
        let begin =
            |address: &str, at_s| is_held(attempts.begin_password("ana", &call(address, at_s)));
        assert_eq!([0; 5].map(|at_s| begin("192.0.2.1", at_s)), [FREE; 5]);
        assert_eq!(begin("192.0.2.1", 0), HELD_HERE);
        assert_eq!(begin("192.0.2.2", 0), FREE);
        // What was not looked at is free again; what was right makes all of it so.
        attempts.forget_password("ana", &call("192.0.2.1", 0));
        assert_eq!([begin("192.0.2.1", 0), begin("192.0.2.1", 0)], [FREE, HELD_HERE]);
        attempts.password_was_right("ana", &call("192.0.2.1", 0));
        assert_eq!([0; 5].map(|at_s| begin("192.0.2.1", at_s)), [FREE; 5]);
    }

    #[test]
    fn very_many_wrong_passwords_hold_strangers_and_nobody_who_is_known() {
        let attempts = Attempts::new(AttemptLimits::default());
        let begin = |address: &str| is_held(attempts.begin_password("ana", &call(address, 0)));
        attempts.is_no_stranger("ana", &call("192.0.2.1", 0));
        for network in 0..10 {
            assert_eq!([0; 5].map(|_| begin(&format!("203.0.113.{network}"))), [FREE; 5]);
        }
        assert_eq!(begin("203.0.113.99"), HELD_AS_STRANGER);
        assert_eq!(begin("192.0.2.1"), FREE);
    }

    #[test]
    fn nobody_takes_all_the_mails_that_an_address_may_get() {
        let attempts = Attempts::new(AttemptLimits::default());
        let mail = |address: &str, at_s| is_held(attempts.mail("ana", 60, &call(address, at_s)));
        assert_eq!([mail("192.0.2.1", 0), mail("192.0.2.1", 59)], [FREE, HELD_HERE]);
        assert_eq!([mail("192.0.2.1", 60), mail("192.0.2.1", 120)], [FREE; 2]);
        assert_eq!(mail("192.0.2.1", 180), HELD_HERE, "three in five waits");
        assert_eq!([mail("192.0.2.2", 180), mail("192.0.2.3", 180)], [FREE; 2]);
        assert_eq!(mail("192.0.2.4", 180), HELD_AS_STRANGER, "five in all");
        attempts.is_no_stranger("ana", &call("192.0.2.5", 0));
        assert_eq!(mail("192.0.2.5", 180), FREE);
        assert_eq!([mail("192.0.2.1", 300), mail("192.0.2.4", 300)], [FREE; 2]);
    }
}
