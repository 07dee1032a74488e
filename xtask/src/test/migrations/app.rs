//! The app as it evolves: its models at first, and what each of twelve steps makes of them.

use super::models::{
    COMMENTS, COMMENTS_ON_POSTS, COMMENTS_WITH_COUNTS, COMMENTS_WITH_FLAGS, NOTES, NOTES_BY_VOTES,
    NOTES_WITH_TEXTS, PEOPLE, PEOPLE_OF_ONE_EMAIL, PEOPLE_WITH_DATES, PEOPLE_WITH_LEVELS,
    PEOPLE_WITH_NICKS, PEOPLE_WITH_TWO_NAMES, PEOPLE_WITHOUT_CITIES, POSTS, POSTS_OF_ONE_HEADLINE,
    POSTS_OF_USERS, POSTS_THAT_HOLD_AUTHORS, POSTS_WITH_AUTHORS, POSTS_WITH_DATES,
    POSTS_WITH_EXACT_PRICES, POSTS_WITH_HEADLINES, POSTS_WITH_TAGS, POSTS_WITH_VIEWS,
    POSTS_WITHOUT_BODIES,
};

/// One step of the app's: the models that it writes or removes, and what a developer says
/// and does besides.
#[derive(Debug)]
pub(super) struct Step {
    /// The migration's name.
    pub(super) name: &'static str,
    /// A model's name and its file's text; none where the model goes.
    pub(super) models: &'static [(&'static str, Option<&'static str>)],
    /// What was renamed and what goes: flags of `migrate new`, without which it refuses.
    pub(super) said: &'static [&'static str],
    pub(super) loss: Loss,
    pub(super) sql: Option<Sql>,
}

/// Whether `migrate new` refuses until loss is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    None,
    /// `--allow-loss` is wanted.
    Wanted,
}

/// A step in SQL, written into the migration by hand.
#[derive(Debug)]
pub(super) struct Sql {
    /// The kind of the step before which it stands; none for the end.
    pub(super) before: Option<&'static str>,
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

/// Pages and bodies are large, so that many rows pass in few requests.
pub(super) const SETTINGS: &str = "\
[app]
name = \"chain\"

[auth]
confirm_email = false

[limits]
page_rows_max = 10000
write_rows_max = 10000
body_bytes_max = 16000000
";

/// The first migration, and the models it makes.
pub(super) const START: Step = Step {
    name: "start",
    models: &[
        ("people", Some(PEOPLE)),
        ("posts", Some(POSTS)),
        ("comments", Some(COMMENTS)),
        ("drafts", Some("[model]\ntimestamps = false\n[fields]\nnote = \"text\"\n")),
    ],
    said: &[],
    loss: Loss::None,
    sql: None,
};

/// What comes after it, in order.
pub(super) const STEPS: [Step; 12] = [
    Step {
        name: "add_fields",
        models: &[
            ("people", Some(PEOPLE_WITH_NICKS)),
            ("posts", Some(POSTS_WITH_VIEWS)),
            ("comments", Some(COMMENTS_WITH_FLAGS)),
        ],
        said: &[],
        loss: Loss::None,
        sql: None,
    },
    Step {
        name: "rename_title",
        models: &[("posts", Some(POSTS_WITH_HEADLINES))],
        said: &["--rename=posts.title=headline"],
        loss: Loss::None,
        sql: None,
    },
    Step {
        name: "retype_amounts",
        models: &[
            ("posts", Some(POSTS_WITH_EXACT_PRICES)),
            ("comments", Some(COMMENTS_WITH_COUNTS)),
        ],
        said: &[],
        loss: Loss::Wanted,
        sql: None,
    },
    Step {
        name: "split_name",
        models: &[("people", Some(PEOPLE_WITH_TWO_NAMES))],
        said: &["--drop=people.name"],
        loss: Loss::Wanted,
        sql: Some(SPLIT_NAME),
    },
    Step {
        name: "add_refs",
        models: &[("posts", Some(POSTS_WITH_AUTHORS)), ("comments", Some(COMMENTS_ON_POSTS))],
        said: &[],
        loss: Loss::None,
        sql: None,
    },
    Step {
        name: "add_uniques",
        models: &[("people", Some(PEOPLE_OF_ONE_EMAIL)), ("posts", Some(POSTS_OF_ONE_HEADLINE))],
        said: &[],
        loss: Loss::None,
        sql: None,
    },
    Step {
        name: "rename_comments",
        models: &[("comments", None), ("notes", Some(NOTES))],
        said: &["--rename=comments=notes", "--rename=comments.said=words"],
        loss: Loss::None,
        sql: None,
    },
    Step {
        name: "drop_texts",
        models: &[("people", Some(PEOPLE_WITHOUT_CITIES)), ("posts", Some(POSTS_WITHOUT_BODIES))],
        said: &[],
        loss: Loss::Wanted,
        sql: None,
    },
    Step {
        name: "add_tags",
        models: &[
            ("posts", Some(POSTS_WITH_TAGS)),
            (
                "tags",
                Some("[model]\nid = \"text\"\ntimestamps = false\n[fields]\nlabel = \"text\"\n"),
            ),
        ],
        said: &[],
        loss: Loss::None,
        sql: Some(FILL_TAGS),
    },
    Step {
        name: "retype_moments",
        models: &[
            ("people", Some(PEOPLE_WITH_DATES)),
            ("posts", Some(POSTS_WITH_DATES)),
            ("notes", Some(NOTES_WITH_TEXTS)),
        ],
        said: &[],
        loss: Loss::Wanted,
        sql: None,
    },
    Step {
        name: "require_level",
        models: &[("people", Some(PEOPLE_WITH_LEVELS)), ("posts", Some(POSTS_THAT_HOLD_AUTHORS))],
        said: &[],
        loss: Loss::None,
        sql: None,
    },
    Step {
        name: "people_are_members",
        models: &[
            ("drafts", None),
            ("people", None),
            ("members", Some(PEOPLE_WITH_LEVELS)),
            ("posts", Some(POSTS_OF_USERS)),
            ("notes", Some(NOTES_BY_VOTES)),
        ],
        said: &["--rename=people=members"],
        loss: Loss::Wanted,
        sql: None,
    },
];

const SPLIT_NAME: Sql = Sql {
    before: Some("drop_field"),
    sqlite: "
UPDATE people SET first = substr(name, 1, instr(name || ' ', ' ') - 1),
    last = nullif(substr(name, instr(name || ' ', ' ') + 1), '');
",
    postgres: "
UPDATE people SET first = split_part(name, ' ', 1), last = nullif(split_part(name, ' ', 2), '');
",
};

const FILL_TAGS: Sql = Sql {
    before: None,
    sqlite: "
INSERT INTO tags (id, label) SELECT DISTINCT substr(headline, -1), 'ends so' FROM posts;
UPDATE posts SET tag = substr(headline, -1) WHERE views = 0 AND published = 1;
",
    postgres: "
INSERT INTO tags (id, label) SELECT DISTINCT right(headline, 1), 'ends so' FROM posts;
UPDATE posts SET tag = right(headline, 1) WHERE views = 0 AND published = 1;
",
};
