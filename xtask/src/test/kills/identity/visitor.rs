//! One of those who come to the app at once, and what was acknowledged to them.

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    io, mem,
};

use anyhow::{bail, ensure};

use super::{
    api::{Answer, Api, Tokens},
    mailbox::{Arrived, Mailbox},
};
use crate::http::Connection;

const PASSWORD: &str = "a horse of its own";

/// How much was acknowledged of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) signed_up: usize,
    pub(super) refreshed: usize,
    pub(super) signed_out: usize,
    pub(super) mailed: usize,
}

impl Done {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            signed_up: self.signed_up + other.signed_up,
            refreshed: self.refreshed + other.refreshed,
            signed_out: self.signed_out + other.signed_out,
            mailed: self.mailed + other.mailed,
        }
    }

    pub(super) fn reaches(self, least: Self) -> bool {
        self.signed_up >= least.signed_up
            && self.refreshed >= least.refreshed
            && self.signed_out >= least.signed_out
            && self.mailed >= least.mailed
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signed_up, refreshed, signed_out, mailed } = self;
        write!(
            f,
            "{signed_up} sign-ups, {refreshed} refreshes, {signed_out} sign-outs and {mailed} \
             mails were acknowledged, and hold"
        )
    }
}

/// What a visitor may do next, for one of their accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    SignUp,
    Confirm,
    Refresh,
    SignOut,
    Recover,
}

/// An account.
#[derive(Debug)]
struct Person {
    email: String,
    is_acknowledged: bool,
    is_confirmed: bool,
    /// Mails that were acknowledged.
    mails: usize,
    session: Option<Tokens>,
    ended: Vec<Tokens>,
}

/// A visitor and their accounts.
#[derive(Debug)]
pub(super) struct Visitor {
    number: usize,
    people: Vec<Person>,
    /// What no answer came to: it is asked again before anything else.
    in_flight: Option<(Action, usize)>,
    /// Whether it was asked before, so that it may have happened.
    asked_before: bool,
    refreshed: usize,
}

impl Visitor {
    pub(super) fn new(number: usize) -> Self {
        Self { number, people: Vec::new(), in_flight: None, asked_before: false, refreshed: 0 }
    }

    /// What was acknowledged so far.
    pub(super) fn done(&self) -> Done {
        let sum = |count: fn(&Person) -> usize| self.people.iter().map(count).sum();
        Done {
            signed_up: sum(|person| usize::from(person.is_acknowledged)),
            refreshed: self.refreshed,
            signed_out: sum(|person| person.ended.len()),
            mailed: sum(|person| person.mails),
        }
    }

    /// Does one thing after the other until the server is gone. An error is an answer that
    /// must not be.
    pub(super) fn visit(&mut self, address: &str, mailbox: &Mailbox) -> anyhow::Result<()> {
        let Ok(mut connection) = Connection::open(address) else { return Ok(()) };
        loop {
            let (action, at) = match self.in_flight {
                Some(asked) => asked,
                None => self.next(),
            };
            self.in_flight = Some((action, at));
            if !self.act(action, at, &mut connection, mailbox)? {
                return Ok(());
            }
        }
    }

    /// Asks again what no answer came to.
    pub(super) fn settle(
        &mut self,
        connection: &mut Connection,
        mailbox: &Mailbox,
    ) -> anyhow::Result<()> {
        while let Some((action, at)) = self.in_flight {
            ensure!(self.act(action, at, connection, mailbox)?, "a living server did not answer");
        }
        Ok(())
    }

    /// Chooses what is next; where there is nobody to do it for, somebody new signs up.
    fn next(&mut self) -> (Action, usize) {
        let chance = RandomState::new().hash_one(self.people.len());
        let (action, may): (Action, fn(&Person) -> bool) = match chance % 10 {
            0..3 => (Action::Confirm, |person| !person.is_confirmed),
            3..7 => (Action::Refresh, |person| person.session.is_some()),
            7 => (Action::SignOut, |person| person.session.is_some()),
            8 => (Action::Recover, |person| person.is_confirmed),
            _ => (Action::SignUp, |_| false),
        };
        let able: Vec<usize> = (0..self.people.len()).filter(|at| may(&self.people[*at])).collect();
        let chosen = usize::try_from(chance >> 32).unwrap_or_default();
        if let Some(at) = chosen.checked_rem(able.len()) {
            return (action, able[at]);
        }
        let at = self.people.len();
        self.people.push(Person {
            email: format!("visitor-{}-{at}@example.com", self.number),
            is_acknowledged: false,
            is_confirmed: false,
            mails: 0,
            session: None,
            ended: Vec::new(),
        });
        (Action::SignUp, at)
    }

    /// Does it. Whether the server answered.
    fn act(
        &mut self,
        action: Action,
        at: usize,
        connection: &mut Connection,
        mailbox: &Mailbox,
    ) -> anyhow::Result<bool> {
        let mut api = Api(connection);
        let person = &mut self.people[at];
        let answer = match action {
            Action::SignUp => api.sign_up(&person.email, PASSWORD),
            Action::Confirm => person.confirm(&mut api, &mailbox.confirmations(&person.email)?),
            Action::Refresh => person.with_session(|tokens| api.refresh(tokens)),
            Action::SignOut => person.with_session(|tokens| api.sign_out(tokens)),
            Action::Recover => api.recover(&person.email),
        };
        let asked_before = mem::replace(&mut self.asked_before, true);
        let Ok(answer) = answer else { return Ok(false) };
        if answer.is_not_now() {
            return Ok(true);
        }
        match (action, answer.status, answer.tokens) {
            (Action::SignUp, 200, _) => {
                person.is_acknowledged = true;
                person.mails += 1;
            }
            (Action::Recover, 200, _) => person.mails += 1,
            (Action::Confirm, 200, Some(tokens)) => {
                person.is_confirmed = true;
                person.session = Some(tokens);
            }
            // The newest mail, which alone confirms, is still on its way.
            (Action::Confirm, 400, _) if answer.code == "email_not_confirmed" => {}
            (Action::Refresh, 200, Some(tokens)) => {
                person.session = Some(tokens);
                self.refreshed += 1;
            }
            (Action::SignOut, 204, _) => person.ended.extend(person.session.take()),
            (Action::SignOut, 403, _) if asked_before && answer.code == "session_not_found" => {
                person.ended.extend(person.session.take());
            }
            (_, status, _) => {
                bail!("{action:?} of {} is answered {status} {}", person.email, answer.code)
            }
        }
        self.in_flight = None;
        self.asked_before = false;
        Ok(true)
    }

    /// Whose mails have not arrived, of those that were acknowledged.
    pub(super) fn mails_missing(&self, arrived: &Arrived) -> Vec<String> {
        let count = |person: &Person| arrived.get(&person.email).map_or(0, |mails| mails.len());
        let missing = self.people.iter().filter(|person| count(person) < person.mails);
        missing.map(|it| format!("{} has {} of {}", it.email, count(it), it.mails)).collect()
    }

    /// Holds the app to all that it acknowledged.
    pub(super) fn verify(
        &mut self,
        connection: &mut Connection,
        mailbox: &Mailbox,
    ) -> anyhow::Result<()> {
        let mut api = Api(connection);
        for person in self.people.iter_mut().filter(|person| person.is_acknowledged) {
            let email = &person.email;
            if let Some(tokens) = &person.session {
                let user = api.user(tokens)?;
                ensure!(user.status == 200, "{email}: a session is lost: {user:?}");
                let refreshed = api.refresh(tokens)?;
                ensure!(refreshed.status == 200, "{email}: a refresh token is lost: {refreshed:?}");
            }
            for tokens in &person.ended {
                let (user, rows) = (api.user(tokens)?, api.rows(tokens)?);
                ensure!(user.status == 403, "{email}: an ended session lives: {user:?}");
                ensure!(rows.status == 401, "{email}: an ended session reads: {rows:?}");
                let refreshed = api.refresh(tokens)?;
                ensure!(
                    refreshed.status == 400,
                    "{email}: an ended session goes on: {refreshed:?}"
                );
            }
            if !person.is_confirmed {
                let confirmed = person.confirm(&mut api, &mailbox.confirmations(email)?)?;
                ensure!(confirmed.status == 200, "{email}: an account is lost: {confirmed:?}");
            }
            let signed_in = api.sign_in(&person.email, PASSWORD)?;
            ensure!(signed_in.status == 200, "{}: an account is lost: {signed_in:?}", person.email);
        }
        Ok(())
    }
}

impl Person {
    /// Confirms with whatever mail does; where one has before, and the answer was lost, by
    /// signing in.
    fn confirm(&self, api: &mut Api<'_>, tokens: &[String]) -> io::Result<Answer> {
        for token in tokens {
            let answer = api.confirm(token)?;
            if answer.status != 403 {
                return Ok(answer);
            }
        }
        api.sign_in(&self.email, PASSWORD)
    }

    fn with_session(&self, ask: impl FnOnce(&Tokens) -> io::Result<Answer>) -> io::Result<Answer> {
        ask(self.session.as_ref().expect("BUG: whoever has no session is not chosen"))
    }
}
