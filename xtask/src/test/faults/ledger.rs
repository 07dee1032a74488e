//! What was promised of each number, and whether the database holds to it.

use std::collections::{BTreeMap, BTreeSet};

use super::load::{Answer, Record};

/// Numbers that a complaint names.
const SHOWN_MAX: usize = 5;

/// What was answered to the writes of each number.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    kept: BTreeSet<i64>,
    /// Answered as not written.
    refused: BTreeSet<i64>,
    /// Written together, both or neither, of which it is not known.
    unknown: Vec<Vec<i64>>,
}

impl Ledger {
    /// One in which these are kept.
    pub(super) fn with(kept: impl IntoIterator<Item = i64>) -> Self {
        Self { kept: kept.into_iter().collect(), ..Self::default() }
    }

    /// Takes down what was answered.
    pub(super) fn note(&mut self, records: &[Record]) {
        for record in records {
            let numbers = record.asked.numbers();
            match record.answer {
                Answer::Done => self.kept.extend(numbers),
                Answer::Unavailable | Answer::Deadline => self.refused.extend(numbers),
                // An answer that must not be is complained of elsewhere.
                Answer::Unknown | Answer::Wrong(_) => self.unknown.push(numbers.collect()),
            }
        }
    }

    /// What of the stored numbers must not be, in words; nothing where all is well.
    pub(super) fn complaints(&self, stored: &[i64]) -> Vec<String> {
        let mut times: BTreeMap<i64, usize> = BTreeMap::new();
        for number in stored {
            *times.entry(*number).or_default() += 1;
        }
        let is_stored = |number: &i64| times.contains_key(number);
        let known: BTreeSet<i64> =
            self.kept.iter().chain(self.unknown.iter().flatten()).copied().collect();
        let doubled = times.iter().filter(|(_, times)| **times > 1).map(|(number, _)| *number);
        let torn = self
            .unknown
            .iter()
            .filter(|numbers| numbers.iter().any(is_stored) && !numbers.iter().all(is_stored));
        [
            ("acknowledged and lost", of(self.kept.iter().filter(|it| !is_stored(it)).copied())),
            ("stored more than once", of(doubled)),
            (
                "answered as not written and stored",
                of(self.refused.iter().filter(|it| is_stored(it)).copied()),
            ),
            ("stored in part", of(torn.flatten().copied())),
            (
                "stored and never sent",
                of(times
                    .keys()
                    .filter(|it| !known.contains(it) && !self.refused.contains(it))
                    .copied()),
            ),
        ]
        .into_iter()
        .filter_map(|(what, numbers)| Some(format!("{}: {what}", numbers?)))
        .collect()
    }
}

/// How many numbers, and the first of them; none where there are none.
fn of(numbers: impl Iterator<Item = i64>) -> Option<String> {
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    let shown = numbers.iter().take(SHOWN_MAX).cloned().collect::<Vec<_>>().join(", ");
    (!numbers.is_empty()).then(|| format!("{} numbers ({shown})", numbers.len()))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{super::load::Asked, *};

    fn ledger() -> Ledger {
        let now = Instant::now();
        let record = |asked, answer| Record { asked, began: now, ended: now, answer };
        let mut ledger = Ledger::with([-1]);
        ledger.note(&[
            record(Asked::OneRow(1), Answer::Done),
            record(Asked::OneRow(2), Answer::Unavailable),
            record(Asked::TwoRows(3), Answer::Unknown),
            record(Asked::Rows, Answer::Deadline),
        ]);
        ledger
    }

    #[test]
    fn what_is_not_known_may_be_there_or_not_and_the_rest_is_as_it_was_answered() {
        let well: [&str; 0] = [];
        assert_eq!(ledger().complaints(&[-1, 1]), well);
        assert_eq!(ledger().complaints(&[-1, 1, 3, 4]), well);
        assert_eq!(ledger().complaints(&[1]), ["1 numbers (-1): acknowledged and lost"]);
        assert_eq!(ledger().complaints(&[-1, 1, 1]), ["1 numbers (1): stored more than once"]);
        assert_eq!(
            ledger().complaints(&[-1, 1, 2]),
            ["1 numbers (2): answered as not written and stored"]
        );
        assert_eq!(ledger().complaints(&[-1, 1, 3]), ["2 numbers (3, 4): stored in part"]);
        assert_eq!(ledger().complaints(&[-1, 1, 9]), ["1 numbers (9): stored and never sent"]);
    }
}
