//! The rows, the same for all three: authors, posts, two comments for each post.
//!
//! Everything follows from a row's number, so the load generator can name a real
//! row without a list of ids, and each server stores the same text.

use std::io::{self, Write};

/// The first instant a post has, in seconds since 1970; each later post is a minute on.
const FIRST_POST_S: u64 = 1_577_836_800;

/// How many rows of each model there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dataset {
    /// Posts.
    pub(crate) posts: u64,
    /// Authors, to whom the posts are dealt in turn.
    pub(crate) authors: u64,
}

/// Whose spelling of ids and timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// Uuids, RFC 3339.
    Mainstay,
    /// Fifteen letters and digits, a space between date and time.
    PocketBase,
}

impl Spelling {
    /// What a row has besides, where rows go into the tables and not through the server.
    fn stamps(self) -> &'static str {
        match self {
            Self::Mainstay => "",
            Self::PocketBase => {
                r#","created":"2026-01-01 00:00:00.000Z","updated":"2026-01-01 00:00:00.000Z""#
            }
        }
    }
}

/// Which model a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Authors,
    Posts,
    Comments,
}

impl Table {
    /// In the order in which refs find what they refer to.
    pub(crate) const ALL: [Self; 3] = [Self::Authors, Self::Posts, Self::Comments];

    /// The model's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Authors => "authors",
            Self::Posts => "posts",
            Self::Comments => "comments",
        }
    }
}

impl Dataset {
    /// So many posts.
    pub(crate) fn new(posts: u64) -> Self {
        Self { posts, authors: (posts / 100).max(10) }
    }

    /// How many rows a table has.
    pub(crate) fn count(self, table: Table) -> u64 {
        match table {
            Table::Authors => self.authors,
            Table::Posts => self.posts,
            Table::Comments => self.posts * 2,
        }
    }

    /// One row as a JSON object.
    pub(crate) fn row(self, spelling: Spelling, table: Table, n: u64) -> String {
        let id = id(spelling, table, n);
        let stamps = spelling.stamps();
        match table {
            Table::Authors => format!(r#"{{"id":"{id}","name":"Author number {n}"{stamps}}}"#),
            Table::Posts => {
                let author = self::id(spelling, Table::Authors, n % self.authors);
                let posted_at = posted_at(spelling, n);
                let published = published(n);
                let views = n * 7919 % 10_000;
                format!(
                    r#"{{"id":"{id}","title":"Post {n} about the sea and its harbours","body":"{BODY}","views":{views},"published":{published},"author":"{author}","posted_at":"{posted_at}"{stamps}}}"#
                )
            }
            Table::Comments => {
                let post = self::id(spelling, Table::Posts, n / 2);
                format!(
                    r#"{{"id":"{id}","post":"{post}","body":"Comment {n}: well said, and to the point."{stamps}}}"#
                )
            }
        }
    }

    /// All rows, a line each, for the loader: the table's name, a tab, the row.
    pub(crate) fn write_lines(self, spelling: Spelling, out: &mut dyn Write) -> io::Result<()> {
        for table in Table::ALL {
            for n in 0..self.count(table) {
                writeln!(out, "{}\t{}", table.name(), self.row(spelling, table, n))?;
            }
        }
        Ok(())
    }
}

const BODY: &str = "The harbour was quiet before the boats came in, and quieter after they had gone; what remained was the sound of ropes against masts.";

/// Three of four posts are published.
fn published(n: u64) -> bool {
    n % 4 != 3
}

/// A row's id.
pub(crate) fn id(spelling: Spelling, table: Table, n: u64) -> String {
    let kind = table as u8;
    match spelling {
        Spelling::Mainstay => format!("01900000-0000-7000-8{kind:03}-{n:012x}"),
        Spelling::PocketBase => format!("{kind}{n:014}"),
    }
}

/// The pattern by which the load generator spells a post's id, for Lua's `string.format`.
pub(crate) fn post_id_pattern(spelling: Spelling) -> String {
    let kind = Table::Posts as u8;
    match spelling {
        Spelling::Mainstay => format!("01900000-0000-7000-8{kind:03}-%012x"),
        Spelling::PocketBase => format!("{kind}%014d"),
    }
}

fn posted_at(spelling: Spelling, n: u64) -> String {
    let seconds = FIRST_POST_S + n * 60;
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    match spelling {
        Spelling::Mainstay => {
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
        }
        Spelling::PocketBase => {
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.000Z")
        }
    }
}

/// The date so many days after 1970-01-01, counted year by year and month by month.
fn civil(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(posted_at(Spelling::Mainstay, 0), "2020-01-01T00:00:00Z");
        assert_eq!(posted_at(Spelling::PocketBase, 59 * 1440 + 61), "2020-02-29 01:01:00.000Z");
        assert_eq!(posted_at(Spelling::Mainstay, 366 * 1440), "2021-01-01T00:00:00Z");
    }

    #[test]
    fn every_row_is_json_and_every_ref_is_a_row() {
        let dataset = Dataset::new(100);
        for spelling in [Spelling::Mainstay, Spelling::PocketBase] {
            for table in Table::ALL {
                let last = dataset.count(table) - 1;
                let row: serde_json::Value =
                    serde_json::from_str(&dataset.row(spelling, table, last)).unwrap();
                assert_eq!(row["id"], id(spelling, table, last));
            }
            let comment = dataset.row(spelling, Table::Comments, 199);
            assert!(comment.contains(&id(spelling, Table::Posts, 99)));
        }
        assert_eq!(id(Spelling::PocketBase, Table::Posts, 7).len(), 15);
    }
}
