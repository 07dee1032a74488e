//! What may not be, of mails.

use std::{collections::HashMap, fmt};

use anyhow::ensure;

use super::{database::MailRow, mailbox::Arrived};

/// What arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    mails: usize,
    twice: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} mails arrived, {} of them more than once", self.mails, self.twice)
    }
}

/// Holds what arrived to what the queue says: nothing that the queue does not know, nothing
/// more often than it was begun, nothing given up, and all that it says has left.
pub(super) fn compare_mails(arrived: &Arrived, rows: &[MailRow]) -> anyhow::Result<Tally> {
    let rows: HashMap<&str, &MailRow> = rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for (id, count) in arrived.values().flatten() {
        *times.entry(id).or_default() += count;
    }
    let unknown = times.keys().filter(|id| !rows.contains_key(*id)).count();
    let too_often = times
        .iter()
        .filter(|(id, count)| rows.get(*id).is_some_and(|row| row.attempts < **count))
        .count();
    let dead = rows.values().filter(|row| row.state == "dead").count();
    let never =
        rows.values().filter(|row| row.state == "sent" && !times.contains_key(&*row.id)).count();
    ensure!(
        unknown + too_often + dead + never == 0,
        "{unknown} mails arrived that the queue does not know, {too_often} more often than they \
         were begun, {dead} were given up, {never} count as sent and never arrived"
    );
    let twice = times.values().filter(|count| **count > 1).count();
    Ok(Tally { mails: times.len(), twice })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_may_not_be_is_seen() {
        let row = |id: &str, attempts, state: &str| MailRow {
            id: id.to_owned(),
            attempts,
            state: state.to_owned(),
        };
        let arrived = |mails: &[(&str, usize)]| {
            let mails = mails.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect();
            Arrived::from([("a@example.com".to_owned(), mails)])
        };
        let compare = |mails: &[(&str, usize)], rows: &[MailRow]| {
            compare_mails(&arrived(mails), rows).map_err(|error| error.to_string())
        };
        let fine = compare(&[("a", 2), ("b", 1)], &[row("a", 2, "sent"), row("b", 1, "sending")]);
        assert_eq!(fine.unwrap(), Tally { mails: 2, twice: 1 });
        let wrong = |mails: &[(&str, usize)], row| compare(mails, &[row]).unwrap_err();
        assert!(wrong(&[("b", 1)], row("a", 1, "waiting")).starts_with("1 mails arrived that"));
        assert!(wrong(&[("a", 2)], row("a", 1, "sent")).contains("1 more often"));
        assert!(wrong(&[], row("a", 6, "dead")).contains("1 were given up"));
        assert!(wrong(&[], row("a", 1, "sent")).contains("1 count as sent"));
    }
}
