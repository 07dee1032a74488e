//! What is measured, and what each contender is asked in each case.

/// One kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Case {
    /// One row by its id.
    Read,
    /// Thirty rows, filtered and sorted, under a row rule.
    List,
    /// Thirty rows, each with its author and its comments.
    Embed,
    /// One new row.
    Create,
    /// One row changed, if the caller is its author.
    Update,
    /// The reads of 64 readers, beside 64 writers.
    ReadBeside,
    /// The writes of 64 writers, beside 64 readers.
    CreateBeside,
}

impl Case {
    /// The row in the table of results.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Read => "read by id",
            Self::List => "list of 30",
            Self::Embed => "list, embedded",
            Self::Create => "create",
            Self::Update => "update, guarded",
            Self::ReadBeside => "64 readers beside",
            Self::CreateBeside => "64 writers",
        }
    }

    /// Whether something is written, so that durability matters.
    pub(crate) fn writes(self) -> bool {
        !matches!(self, Self::Read | Self::List | Self::Embed)
    }

    /// What the peer is asked, as its nearest equivalent.
    pub(crate) fn peer_equivalent(self) -> &'static str {
        match self {
            Self::Read | Self::ReadBeside => "GET records/ID under the same viewRule",
            Self::List => {
                "GET records?perPage=30&skipTotal=1&filter=&sort= under the same listRule"
            }
            Self::Embed => "the same with expand=author,comments_via_post and fields=",
            Self::Create | Self::CreateBeside => "POST records under an open createRule, fields=id",
            Self::Update => "PATCH records/ID with a token, updateRule on the author, fields=id",
        }
    }
}

/// What the rows are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// A file of each contender's own.
    Sqlite,
    /// One server, whose tables the limit shares with Mainstay.
    Postgres,
}

impl Engine {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// The durability that required figures are of: the peer's, or where there is none
    /// that of an acknowledged write on the disk.
    pub(crate) fn durability(self) -> Durability {
        match self {
            Self::Sqlite => Durability::Process,
            Self::Postgres => Durability::Full,
        }
    }
}

/// What survives what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Durability {
    /// Acknowledged writes survive a killed process: SQLite's `synchronous = NORMAL`.
    Process,
    /// They survive a power cut: `FULL`.
    Full,
}

impl Durability {
    /// Mainstay's name for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Full => "full",
        }
    }

    /// SQLite's name for it.
    pub(crate) fn synchronous(self) -> &'static str {
        match self {
            Self::Process => "normal",
            Self::Full => "full",
        }
    }
}
