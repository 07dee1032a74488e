//! A load that asks so often in a second, whatever the answers take.
//!
//! A time is taken from when the request was due. One that has to wait for the answer
//! before it on its connection has waited: measured from when it was sent, a server that
//! stands still for a while would be slow once, and not for all who came meanwhile.

use std::{
    io, thread,
    time::{Duration, Instant},
};

use anyhow::ensure;

use crate::http::{Connection, Response};

/// How often is asked, over how many connections in turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) per_second: u32,
    pub(super) connections: usize,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figures {
    pub(super) per_second: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

impl Pace {
    /// Asks for so long. An answer that is not 200 fails the run.
    pub(super) fn run(
        self,
        address: &str,
        time: Duration,
        ask: impl Fn(&mut Connection, usize) -> io::Result<Response> + Sync,
    ) -> anyhow::Result<Figures> {
        let began = Instant::now();
        let each = Duration::from_secs(1) / self.per_second;
        let ask = &ask;
        let on_one = |first: usize| -> anyhow::Result<Vec<Duration>> {
            let mut connection = Connection::open(address)?;
            let mut times = Vec::new();
            for at in (first..).step_by(self.connections) {
                let due = each * u32::try_from(at)?;
                if due >= time {
                    break;
                }
                thread::sleep(due.saturating_sub(began.elapsed()));
                let response = ask(&mut connection, at)?;
                times.push(began.elapsed() - due);
                ensure!(response.status == 200, "answered {}: {}", response.status, response.body);
            }
            Ok(times)
        };
        let on_one = &on_one;
        let times: anyhow::Result<Vec<Vec<Duration>>> = thread::scope(|scope| {
            let running: Vec<_> =
                (0..self.connections).map(|first| scope.spawn(move || on_one(first))).collect();
            running.into_iter().map(|it| it.join().expect("BUG: a load panicked")).collect()
        });
        let times = times?.concat();
        Ok(Figures::of(times, began.elapsed()))
    }
}

impl Figures {
    fn of(mut times: Vec<Duration>, took: Duration) -> Self {
        times.sort_unstable();
        let at = |share: f64| {
            let index = (times.len() as f64 * share) as usize;
            let time = times.get(index.min(times.len().saturating_sub(1)));
            time.copied().unwrap_or_default().as_secs_f64() * 1e6
        };
        Self {
            per_second: times.len() as f64 / took.as_secs_f64(),
            p50_us: at(0.5),
            p99_us: at(0.99),
        }
    }

    /// Each figure's median over the rounds.
    pub(super) fn median(rounds: &[Self]) -> Self {
        let middle = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures.get(figures.len() / 2).copied().unwrap_or_default()
        };
        Self {
            per_second: middle(|it| it.per_second),
            p50_us: middle(|it| it.p50_us),
            p99_us: middle(|it| it.p99_us),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_times_in_order() {
        let times = (1..=200).rev().map(Duration::from_micros).collect();
        let figures = Figures::of(times, Duration::from_secs(2));
        assert_eq!(figures, Figures { per_second: 100.0, p50_us: 101.0, p99_us: 199.0 });
        let other = Figures { p99_us: 1.0, ..figures };
        assert_eq!(Figures::median(&[figures, other, figures]), figures);
    }
}
