//! What rules are checked against: the models of a catalog, or of a folder with mistakes.
//!
//! All mistakes of a folder are told at once, so its rules are checked while some of
//! what they name is declared wrongly. Of that, the name is known and nothing else:
//! whoever checks a rule asks first, and says nothing about it, since what would be
//! said may be gone once the declaration is right. In doubt it is silence: a mistake
//! that is not told now is told at the next look, and one that is not there sends a
//! developer looking for it.
//!
//! A [`PartialCatalog`] is not a [`Catalog`](crate::Catalog), holds none and becomes
//! none, so nothing is planned, migrated or served from it.

use crate::{FieldId, Model, ModelId, RefId, Reference};

/// What could be understood of a folder with mistakes, to find those in its rules.
/// It is good for nothing else; see the head of its module.
#[derive(Clone, Debug)]
pub struct PartialCatalog {
    models: Vec<Model>,
    references: Vec<Reference>,
    /// What is not known of each model.
    doubts: Vec<Doubt>,
}

/// What is not known of a model, since its declaration has a mistake.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doubt {
    /// Whether it may have any field: its file or its `[fields]` cannot be read.
    pub(crate) any_field: bool,
    /// Fields of which no more than the name is known, by every name they may have
    /// been meant to have.
    pub(crate) fields: Vec<Box<str>>,
    /// Fields that may be refs, to whichever model.
    pub(crate) refs: Vec<Box<str>>,
    /// Whether it may be a junction or none, whatever it is taken for.
    pub(crate) junction: bool,
}

/// Models and references by their ids, and what is in doubt about them.
#[derive(Clone, Copy, Debug)]
pub struct Declarations<'c> {
    models: &'c [Model],
    references: &'c [Reference],
    /// One for each model; none of a catalog, where nothing is in doubt.
    doubts: &'c [Doubt],
}

impl PartialCatalog {
    /// Models and references whose ids are their places in the lists, and what is not
    /// known of each model.
    pub(crate) fn new(models: Vec<Model>, references: Vec<Reference>, doubts: Vec<Doubt>) -> Self {
        Self { models, references, doubts }
    }

    /// What is declared, and what of it is in doubt.
    #[must_use]
    pub fn declarations(&self) -> Declarations<'_> {
        Declarations { models: &self.models, references: &self.references, doubts: &self.doubts }
    }
}

impl<'c> Declarations<'c> {
    /// What is declared without a mistake.
    pub(crate) fn certain(models: &'c [Model], references: &'c [Reference]) -> Self {
        Self { models, references, doubts: &[] }
    }

    /// The ids of all models.
    pub fn model_ids(self) -> impl Iterator<Item = ModelId> + use<> {
        (0..self.models.len()).map(ModelId::at)
    }

    /// The model with this id.
    #[must_use]
    pub fn model(self, id: ModelId) -> &'c Model {
        &self.models[id.index()]
    }

    /// The reference with this id.
    #[must_use]
    pub fn reference(self, id: RefId) -> &'c Reference {
        &self.references[id.index()]
    }

    /// The references that leave a model.
    pub fn references_from(self, model: ModelId) -> impl Iterator<Item = RefId> + use<'c> {
        self.matching(move |reference| reference.from == model)
    }

    /// The references that arrive at a model.
    pub fn references_to(self, model: ModelId) -> impl Iterator<Item = RefId> + use<'c> {
        self.matching(move |reference| reference.to == model)
    }

    /// Whether no more than its name is known of a field.
    #[must_use]
    pub fn is_field_in_doubt(self, model: ModelId, field: FieldId) -> bool {
        let name = &self.model(model).field(field).name;
        self.doubt(model).is_some_and(|doubt| doubt.fields.contains(name))
    }

    /// Whether it is not known if a model is a junction.
    #[must_use]
    pub fn is_junction_in_doubt(self, model: ModelId) -> bool {
        self.doubt(model).is_some_and(|doubt| doubt.junction)
    }

    /// Whether a name that is neither a field of a model's nor rows related to it may
    /// be either, once what is in doubt is declared rightly.
    #[must_use]
    pub fn may_have(self, model: ModelId, name: &str) -> bool {
        if self.doubt(model).is_some_and(|doubt| doubt.may_have_field(name)) {
            return true;
        }
        let is_model = self.models.iter().any(|model| &*model.name == name);
        let mut others = self.models.iter().zip(self.doubts);
        others.any(|(other, doubt)| {
            doubt.may_be_related_as(&other.name, name) || is_model && doubt.may_join(other.junction)
        })
    }

    fn doubt(self, model: ModelId) -> Option<&'c Doubt> {
        self.doubts.get(model.index())
    }

    fn matching<W: Fn(&Reference) -> bool>(
        self,
        wanted: W,
    ) -> impl Iterator<Item = RefId> + use<'c, W> {
        self.references
            .iter()
            .enumerate()
            .filter(move |(_, reference)| wanted(reference))
            .map(|(at, _)| RefId::at(at))
    }
}

impl Doubt {
    /// What is not known of a model whose file cannot be read.
    pub(crate) fn unread() -> Self {
        let mut doubt = Self { any_field: true, ..Self::default() };
        doubt.options();
        doubt
    }

    /// `[model]` has a mistake: the type of the key, the timestamps and whether it is
    /// a junction are in doubt.
    pub(crate) fn options(&mut self) {
        self.fields.extend(["id", "created_at", "updated_at"].map(Into::into));
        self.junction = true;
    }

    /// Whether a field of this name is in doubt, or would be if there were one.
    pub(crate) fn may_have_field(&self, name: &str) -> bool {
        self.any_field || self.fields.iter().any(|field| &**field == name)
    }

    /// Whether the rows of a model may be related to another's by this name: the
    /// model's own, or `<model>_by_<field>`.
    fn may_be_related_as(&self, model: &str, name: &str) -> bool {
        match name.strip_prefix(model) {
            Some("") => self.any_field || !self.refs.is_empty(),
            Some(rest) => rest.strip_prefix("_by_").is_some_and(|field| {
                self.any_field || self.refs.iter().any(|declared| &**declared == field)
            }),
            None => false,
        }
    }

    /// Whether a model may join others in a way that is not known.
    fn may_join(&self, is_junction: bool) -> bool {
        self.junction || is_junction && (self.any_field || !self.refs.is_empty())
    }
}
