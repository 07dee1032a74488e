//! What a comparison cannot know, and whoever writes a migration says: which of two
//! names is the other's new one, and what may go.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What was said of names that went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    renames: BTreeMap<String, String>,
    drops: BTreeSet<String>,
}

/// A name that went, and the one it has become: `posts.title` and `headline`, or two
/// models' tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// `posts.title`, or `posts`.
    pub from: String,
    /// `headline`, or `articles`.
    pub to: String,
}

/// Something that went, where something else came that may be the same under another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// `posts.title`, or a model's table.
    pub gone: String,
    /// What came: fields of the same type and the same model, or tables.
    pub came: Vec<String>,
}

impl std::str::FromStr for Rename {
    type Err = String;

    /// Reads `posts.title=headline` or `posts=articles`; the model may be repeated after
    /// the sign.
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || format!("`{text}` is not of the form `model.field=name` or `model=name`");
        let (from, to) = text.split_once('=').ok_or_else(wanted)?;
        let (from, to) = (from.trim(), to.trim());
        let to = match from.split_once('.') {
            Some((model, _)) => to.strip_prefix(&format!("{model}.")).unwrap_or(to),
            None => to,
        };
        if from.is_empty() || to.is_empty() || to.contains(['.', '=']) {
            return Err(wanted());
        }
        Ok(Self { from: from.to_owned(), to: to.to_owned() })
    }
}

impl Choices {
    /// Something goes on under another name.
    pub fn rename(&mut self, Rename { from, to }: Rename) {
        self.renames.insert(from, to);
    }

    /// A field (`posts.title`) or a model goes, whatever else came. A field that is still
    /// there is dropped and added anew, without its values.
    pub fn drop(&mut self, gone: &str) {
        self.drops.insert(gone.to_owned());
    }

    pub(super) fn renamed(&self, from: &str) -> Option<&str> {
        self.renames.get(from).map(String::as_str)
    }

    pub(super) fn is_dropped(&self, name: &str) -> bool {
        self.drops.contains(name)
    }

    /// Whether a field of a model's, or a model, is what another has become.
    pub(super) fn is_new_name(&self, model: Option<&str>, name: &str) -> bool {
        self.renames
            .iter()
            .any(|(from, to)| to == name && from.split_once('.').map(|(of, _)| of) == model)
    }

    /// All that was spoken of.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.renames.keys().chain(&self.drops).map(String::as_str)
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { gone, came } = self;
        write!(f, "{gone} is gone and {} came: say", came.join(", "))?;
        for name in came {
            write!(f, " `--rename {gone}={name}`,")?;
        }
        write!(f, " or `--drop {gone}`")
    }
}
