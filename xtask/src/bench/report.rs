//! The figures of a run, and which of the required ones are met.

use std::{collections::BTreeMap, time::Duration};

use crate::bench::{
    case::{Case, Durability, Engine},
    contender::Name,
    dataset::Dataset,
    wrk::Sample,
};

/// The limit must be this many times the peer on a read by id.
const LIMIT_OVER_PEER: f64 = 6.0;
/// The slowest hundredth may take this many times the limit's.
const P99_OVER_LIMIT: f64 = 2.0;
/// Time from exec to the first good answer.
const READY_MAX_MS: f64 = 100.0;
/// Anonymous resident memory after the run over 10,000 rows.
const MEMORY_MAX_MIB: f64 = 64.0;

/// Requests a second, of the limit's and of the peer's, that a case must reach.
const REQUIRED: [(Case, f64, f64); 3] =
    [(Case::Read, 0.75, 6.0), (Case::List, 0.77, 10.0), (Case::Create, 0.72, 5.0)];
/// The same on PostgreSQL, where there is no peer.
const REQUIRED_ON_POSTGRES: [(Case, f64, f64); 4] = [
    (Case::Read, 0.8, 0.0),
    (Case::List, 0.8, 0.0),
    (Case::Embed, 0.8, 0.0),
    (Case::Create, 0.7, 0.0),
];
/// The same for a create where every acknowledged write is on the disk.
const FULL_CREATE_OF_LIMIT: f64 = 0.5;

/// Everything measured.
#[derive(Debug)]
pub(crate) struct Report {
    engine: Engine,
    connections: u32,
    dataset: Dataset,
    medians: BTreeMap<(Durability, Case, Name), Sample>,
    ready: BTreeMap<(Durability, Name), Duration>,
    memory: BTreeMap<Name, u64>,
}

/// What the figures come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The limit was written badly; nothing else counts.
    pub(crate) limit_too_slow: bool,
    /// How many required figures were measured and not met.
    pub(crate) missed: usize,
}

impl Report {
    pub(crate) fn new(engine: Engine, connections: u32, dataset: Dataset) -> Self {
        let (medians, ready, memory) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { engine, connections, dataset, medians, ready, memory }
    }

    /// Takes the medians of a case's rounds.
    pub(crate) fn measured(
        &mut self,
        name: Name,
        durability: Durability,
        case: Case,
        samples: &[Sample],
    ) {
        let median = |figure: fn(&Sample) -> f64| {
            let mut figures: Vec<f64> = samples.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        let sample = Sample {
            per_second: median(|sample| sample.per_second),
            p50_us: median(|sample| sample.p50_us),
            p99_us: median(|sample| sample.p99_us),
        };
        self.medians.insert((durability, case, name), sample);
    }

    /// Notes the time from exec to ready.
    pub(crate) fn ready(&mut self, name: Name, durability: Durability, time: Duration) {
        self.ready.insert((durability, name), time);
    }

    /// Notes anonymous resident memory.
    pub(crate) fn memory(&mut self, name: Name, bytes: u64) {
        self.memory.insert(name, bytes);
    }

    /// Prints all of it.
    pub(crate) fn print(&self) -> Verdict {
        println!(
            "\n{} posts on {}, medians of 3, {} connections",
            self.dataset.posts,
            self.engine.name(),
            self.connections
        );
        self.print_cases();
        self.print_processes();
        let limit_too_slow = self.print_limit();
        let lines = self.requirements();
        if !lines.is_empty() {
            println!("\nRequired");
        }
        for line in &lines {
            let verdict = if line.met { "met    " } else { "NOT MET" };
            println!("  {verdict}  {}", line.text);
        }
        Verdict { limit_too_slow, missed: lines.iter().filter(|line| !line.met).count() }
    }

    fn print_cases(&self) {
        println!(
            "\n{:<20}{:<9}{:<12}{:>10}{:>11}{:>11}{:>10}{:>10}",
            "case", "durable", "", "req/s", "p50 ms", "p99 ms", "of limit", "of peer"
        );
        for (&(durability, case, name), sample) in &self.medians {
            let of = |other: Name| {
                self.ratio(durability, case, name, other)
                    .map_or_else(String::new, |ratio| format!("{ratio:.2}"))
            };
            println!(
                "{:<20}{:<9}{name:<12}{:>10.0}{:>11.2}{:>11.2}{:>10}{:>10}",
                case.title(),
                if case.writes() { durability.name() } else { "" },
                sample.per_second,
                sample.p50_us / 1000.0,
                sample.p99_us / 1000.0,
                of(Name::Limit),
                of(Name::PocketBase),
            );
        }
        if self.engine == Engine::Postgres {
            return;
        }
        println!("\nThe peer's nearest equivalents");
        for case in [Case::Read, Case::List, Case::Embed, Case::Create, Case::Update] {
            println!("  {:<18}{}", case.title(), case.peer_equivalent());
        }
    }

    fn print_processes(&self) {
        println!("\n{:<12}{:>18}{:>22}", "", "ready after exec", "anonymous memory");
        for (&name, &bytes) in &self.memory {
            let ready = self.ready.get(&(self.engine.durability(), name));
            let ready = ready.copied().unwrap_or_default();
            println!("{name:<12}{:>15.0} ms{:>18.1} MiB", ready.as_secs_f64() * 1e3, mib(bytes));
        }
    }

    /// Says whether the limit is one. Whether it is too slow.
    fn print_limit(&self) -> bool {
        let ratio = self.ratio(Durability::Process, Case::Read, Name::Limit, Name::PocketBase);
        let Some(ratio) = ratio else { return false };
        let too_slow = ratio < LIMIT_OVER_PEER;
        let verdict = if too_slow { "written badly" } else { "a limit" };
        println!(
            "\nThe limit reads by id {ratio:.2} times as fast as the peer (at least {LIMIT_OVER_PEER}): {verdict}"
        );
        too_slow
    }

    fn ratio(&self, durability: Durability, case: Case, name: Name, other: Name) -> Option<f64> {
        let figure = |name| self.medians.get(&(durability, case, name)).map(|it| it.per_second);
        (name != other).then(|| Some(figure(name)? / figure(other)?))?
    }

    fn requirements(&self) -> Vec<Requirement> {
        let mut lines = Vec::new();
        let required: &[_] = match self.engine {
            Engine::Sqlite => &REQUIRED,
            Engine::Postgres => &REQUIRED_ON_POSTGRES,
        };
        for &(case, of_limit, of_peer) in required {
            let title = case.title();
            for (other, least) in [(Name::Limit, of_limit), (Name::PocketBase, of_peer)] {
                let ratio = self.ratio(self.engine.durability(), case, Name::Mainstay, other);
                lines.extend(at_least(format!("{title} of the {other}'s"), ratio, least));
            }
            lines.extend(self.p99_requirement(case));
        }
        if self.engine == Engine::Postgres {
            return lines;
        }
        let full = self.ratio(Durability::Full, Case::Create, Name::Mainstay, Name::Limit);
        lines.extend(at_least("create, full, of the limit's".into(), full, FULL_CREATE_OF_LIMIT));
        let ready = self.ready.get(&(Durability::Process, Name::Mainstay));
        let ready_ms = ready.map(|ready| ready.as_secs_f64() * 1e3);
        lines.extend(at_most("ready after exec, ms".into(), ready_ms, READY_MAX_MS));
        if self.dataset.posts <= 10_000 {
            let memory_mib = self.memory.get(&Name::Mainstay).map(|&bytes| mib(bytes));
            lines.extend(at_most("anonymous memory, MiB".into(), memory_mib, MEMORY_MAX_MIB));
        }
        lines
    }

    fn p99_requirement(&self, case: Case) -> Option<Requirement> {
        let durability = self.engine.durability();
        let p99 = |name| self.medians.get(&(durability, case, name)).map(|it| it.p99_us);
        let ratio = p99(Name::Mainstay)? / p99(Name::Limit)?;
        at_most(format!("{} p99, times the limit's", case.title()), Some(ratio), P99_OVER_LIMIT)
    }
}

/// One line of what is required. A figure that was not measured gives none.
#[derive(Debug)]
struct Requirement {
    text: String,
    met: bool,
}

fn at_least(what: String, figure: Option<f64>, least: f64) -> Option<Requirement> {
    let figure = figure?;
    Some(Requirement {
        text: format!("{what}: {figure:.2}, at least {least}"),
        met: figure >= least,
    })
}

fn at_most(what: String, figure: Option<f64>, most: f64) -> Option<Requirement> {
    let figure = figure?;
    Some(Requirement { text: format!("{what}: {figure:.2}, at most {most}"), met: figure <= most })
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(per_second: f64, p99_us: f64) -> Sample {
        Sample { per_second, p50_us: p99_us / 2.0, p99_us }
    }

    #[test]
    fn the_median_of_three_rounds_counts() {
        let mut report = Report::new(Engine::Sqlite, 64, Dataset::new(100));
        let samples = [sample(9.0, 1.0), sample(1.0, 3.0), sample(5.0, 2.0)];
        report.measured(Name::Limit, Durability::Process, Case::Read, &samples);
        let median = report.medians[&(Durability::Process, Case::Read, Name::Limit)];
        assert_eq!((median.per_second, median.p99_us), (5.0, 2.0));
    }

    #[test]
    fn a_figure_below_what_is_required_is_not_met() {
        let mut report = Report::new(Engine::Sqlite, 64, Dataset::new(100));
        for (name, per_second) in
            [(Name::Limit, 100.0), (Name::Mainstay, 74.0), (Name::PocketBase, 12.0)]
        {
            let samples = [sample(per_second, 10.0)];
            report.measured(name, Durability::Process, Case::Read, &samples);
        }
        let met: Vec<bool> = report.requirements().iter().map(|line| line.met).collect();
        assert_eq!(met, [false, true, true]);
        assert!(!report.print_limit());
    }
}
