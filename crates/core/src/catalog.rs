//! All models of an app, checked and ready to be planned against.
//!
//! A catalog never changes: a changed application folder makes another one, with
//! another version, and a plan made for one is refused by a store that holds the
//! other.

use rustc_hash::FxHashMap;

use crate::{Declarations, Model, Reference, Relation};

/// Declares an index type into one of the catalog's lists.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u16);

        impl $name {
            /// The id of what stands at this place of its list; lists are bounded
            /// far below 65,536 when a catalog is read.
            #[must_use]
            pub fn at(index: usize) -> Self {
                Self(u16::try_from(index).expect("BUG: catalog lists are bounded when read"))
            }

            /// The place in its list.
            #[must_use]
            pub fn index(self) -> usize {
                usize::from(self.0)
            }
        }
    )*};
}

ids! {
    /// A model of a catalog.
    ModelId,
    /// A field of a model.
    FieldId,
    /// A reference of a catalog.
    RefId,
}

/// Tells catalogs apart: a hash of everything a plan depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CatalogVersion(pub u64);

/// All models of an app and how they refer to each other.
#[derive(Clone, Debug)]
pub struct Catalog {
    version: CatalogVersion,
    models: Vec<Model>,
    references: Vec<Reference>,
    by_name: FxHashMap<Box<str>, ModelId>,
}

impl Catalog {
    /// A catalog of models whose ids are their places in the lists. Whoever calls
    /// this has checked that every id within points somewhere.
    #[must_use]
    pub fn new(version: CatalogVersion, models: Vec<Model>, references: Vec<Reference>) -> Self {
        let by_name = models
            .iter()
            .enumerate()
            .map(|(at, model)| (model.name.clone(), ModelId::at(at)))
            .collect();
        Self { version, models, references, by_name }
    }

    /// What tells this catalog from others.
    #[must_use]
    pub fn version(&self) -> CatalogVersion {
        self.version
    }

    /// All models, in the order of their names.
    #[must_use]
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The models that the API, rules and refs can name, in the order of their names.
    pub fn exposed_models(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(|model| !model.is_internal())
    }

    /// The model of this API name, if it is one that the API can name.
    #[must_use]
    pub fn exposed_id(&self, name: &str) -> Option<ModelId> {
        self.model_id(name).filter(|id| !self.model(*id).is_internal())
    }

    /// The ids of all models.
    pub fn model_ids(&self) -> impl Iterator<Item = ModelId> + use<> {
        (0..self.models.len()).map(ModelId::at)
    }

    /// The model with this id.
    #[must_use]
    pub fn model(&self, id: ModelId) -> &Model {
        &self.models[id.index()]
    }

    /// The model of this name, whoever may see it.
    #[must_use]
    pub fn model_id(&self, name: &str) -> Option<ModelId> {
        self.by_name.get(name).copied()
    }

    /// All references.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// The reference with this id.
    #[must_use]
    pub fn reference(&self, id: RefId) -> &Reference {
        &self.references[id.index()]
    }

    /// The references that leave a model.
    pub fn references_from(&self, model: ModelId) -> impl Iterator<Item = RefId> + '_ {
        self.declarations().references_from(model)
    }

    /// The references that arrive at a model.
    pub fn references_to(&self, model: ModelId) -> impl Iterator<Item = RefId> + '_ {
        self.declarations().references_to(model)
    }

    /// The model a relation leads to.
    #[must_use]
    pub fn target(&self, relation: Relation) -> ModelId {
        match relation {
            Relation::ToOne(reference) => self.reference(reference).to,
            Relation::ToMany(reference) => self.reference(reference).from,
        }
    }

    /// What rules are checked against.
    #[must_use]
    pub fn declarations(&self) -> Declarations<'_> {
        Declarations::certain(&self.models, &self.references)
    }
}
