//! What fields, related rows and the rows of `exists` are called.

use mainstay_core::{Catalog, ModelId, Path, RefId, Relation, RowRef, Scope};

use crate::compile::{Way, ways_from};

/// Words that cannot name a row: the rule language's and those that CEL keeps.
const TAKEN: [&str; 24] = [
    "as",
    "auth",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "now",
    "null",
    "old",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// The rows in sight, each with its name.
pub(super) struct Names<'c> {
    catalog: &'c Catalog,
    root: ModelId,
    /// The rows of the `exists` on the way down; a junction's row has no name.
    scopes: Vec<(String, ModelId)>,
}

impl<'c> Names<'c> {
    /// The row of a model alone.
    pub(super) fn new(catalog: &'c Catalog, root: ModelId) -> Self {
        Self { catalog, root, scopes: Vec::new() }
    }

    /// Goes along relations to rows, and gives those at their end a name.
    pub(super) fn enter(&mut self, relations: &[Relation]) -> String {
        for relation in relations {
            self.scopes.push((String::new(), self.catalog.target(*relation)));
        }
        let Some((_, model)) = self.scopes.last() else { return String::new() };
        let name = self.new_name(*model);
        if let Some((last, _)) = self.scopes.last_mut() {
            last.clone_from(&name);
        }
        name
    }

    /// Comes back from so many relations.
    pub(super) fn leave(&mut self, relations: usize) {
        self.scopes.truncate(self.scopes.len().saturating_sub(relations));
    }

    /// A field of a row in sight, or of one that refs lead to.
    pub(super) fn field(&self, path: &Path) -> String {
        let model = self.catalog.model(self.model_of(&path.row));
        format!("{}{}", self.before_member(&path.row), model.field(path.field).name)
    }

    /// Rows related to a row.
    pub(super) fn relation(&self, from: &RowRef, relation: Relation) -> String {
        let name = match relation {
            Relation::ToMany(near) => self.name_of_way(from, Way::Direct(near)),
            Relation::ToOne(_) => None,
        };
        let (Relation::ToOne(reference) | Relation::ToMany(reference)) = relation;
        let name = name.unwrap_or_else(|| self.ref_name(reference).to_owned());
        format!("{}{name}", self.before_member(from))
    }

    /// Rows related to a row through a junction; none where that has no name.
    pub(super) fn through(&self, from: &RowRef, near: RefId, far: RefId) -> Option<String> {
        let name = self.name_of_way(from, Way::Through { near, far })?;
        Some(format!("{}{name}", self.before_member(from)))
    }

    /// The first name that means this way and nothing else.
    fn name_of_way(&self, from: &RowRef, way: Way) -> Option<String> {
        let model = self.model_of(from);
        let ways = ways_from(self.catalog.declarations(), model);
        let is_alone = |name: &str| {
            ways.iter().filter(|(known, ..)| known == name).count() == 1
                && self.catalog.model(model).field_id(name).is_none()
        };
        ways.iter()
            .find(|(name, _, known)| *known == way && is_alone(name))
            .map(|(name, ..)| name.clone())
    }

    /// The first letters of the model's name that mean nothing else here.
    fn new_name(&self, model: ModelId) -> String {
        let name = &*self.catalog.model(model).name;
        let is_free = |candidate: &str| {
            !TAKEN.contains(&candidate)
                && self.catalog.model_id(candidate).is_none()
                && self.catalog.model(self.root).field_id(candidate).is_none()
                && self.scopes.iter().all(|(known, _)| known != candidate)
        };
        let beginnings = (1..name.len()).filter_map(|end| name.get(..end)).map(str::to_owned);
        let numbered = (2_u32..).map(|number| format!("{name}{number}"));
        beginnings.chain(numbered).find(|candidate| is_free(candidate)).unwrap_or_default()
    }

    /// A row with the dot after it; nothing for the row asked about.
    fn before_member(&self, row: &RowRef) -> String {
        let start = match row.scope {
            Scope::Row(0) => None,
            Scope::Row(at) => self.scopes.get(usize::from(at) - 1).map(|(name, _)| name.as_str()),
            Scope::Old => Some("old"),
        };
        let hops = row.hops.iter().map(|hop| self.ref_name(*hop));
        start.into_iter().chain(hops).map(|name| format!("{name}.")).collect()
    }

    fn model_of(&self, row: &RowRef) -> ModelId {
        match (row.hops.last(), row.scope) {
            (Some(hop), _) => self.catalog.reference(*hop).to,
            (None, Scope::Row(at)) if at > 0 => {
                self.scopes.get(usize::from(at) - 1).map_or(self.root, |(_, model)| *model)
            }
            (None, _) => self.root,
        }
    }

    fn ref_name(&self, reference: RefId) -> &'c str {
        let reference = self.catalog.reference(reference);
        let from = self.catalog.model(reference.from);
        reference.from_fields.first().map_or("", |field| &from.field(*field).name)
    }
}
