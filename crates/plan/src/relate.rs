//! Which relation an embed means.
//!
//! A name in `select` may be a related model, a ref field of the model above, or a
//! reference's own name. A hint after `!` tells several relations apart: a
//! reference's name, a ref field of either side, or a junction. More than one match
//! is an error that lists them, never a choice. An internal model is related to nothing,
//! unless the caller sees it.
//! Source: PostgREST's "Resource Embedding" and "Foreign Key Joins on Multiple
//! Foreign Key Relationships".

use mainstay_core::{Actor, Catalog, Code, Error, FieldId, ModelId, RefId};

/// A way from one model to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Candidate {
    /// Along a reference.
    One(RefId),
    /// Against one whose fields are unique.
    OneBack(RefId),
    /// Against one.
    Many(RefId),
    /// Through a junction: its ref to the model above, its ref to the other.
    Through(RefId, RefId),
}

impl Candidate {
    /// The model it leads to.
    pub(crate) fn target(self, catalog: &Catalog) -> ModelId {
        match self {
            Self::One(reference) | Self::Through(_, reference) => catalog.reference(reference).to,
            Self::OneBack(reference) | Self::Many(reference) => catalog.reference(reference).from,
        }
    }
}

/// The relation from a model that a name and a hint mean.
///
/// # Errors
/// `RelationUnknown` where there is none, `RelationAmbiguous` where there are several.
pub(crate) fn find(
    catalog: &Catalog,
    from: ModelId,
    name: &str,
    hint: Option<&str>,
    actor: &Actor,
) -> Result<Candidate, Error> {
    let named: Vec<Candidate> = candidates(catalog, from, actor)
        .into_iter()
        .filter(|candidate| is_named(catalog, *candidate, name))
        .filter(|candidate| hint.is_none_or(|hint| is_hinted(catalog, *candidate, hint)))
        .collect();
    match named[..] {
        [one] => Ok(one),
        [] => Err(unknown(catalog, from, name, hint, actor)),
        _ => Err(ambiguous(catalog, from, name, &named)),
    }
}

/// Every relation a model has, as far as it is there for this caller.
fn candidates(catalog: &Catalog, from: ModelId, actor: &Actor) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = catalog.references_from(from).map(Candidate::One).collect();
    let is_there = |near: &RefId| {
        actor.sees_internal() || !catalog.model(catalog.reference(*near).from).is_internal()
    };
    for near in catalog.references_to(from).filter(is_there) {
        let reference = catalog.reference(near);
        found.push(if reference.one_to_one {
            Candidate::OneBack(near)
        } else {
            Candidate::Many(near)
        });
        if catalog.model(reference.from).junction {
            let others = catalog.references_from(reference.from).filter(|far| *far != near);
            found.extend(others.map(|far| Candidate::Through(near, far)));
        }
    }
    found
}

fn is_named(catalog: &Catalog, candidate: Candidate, name: &str) -> bool {
    let target = &*catalog.model(candidate.target(catalog)).name;
    match candidate {
        Candidate::One(id) => {
            let reference = catalog.reference(id);
            // A model that points at itself is, by its own name, the rows that point.
            (target == name && reference.from != reference.to)
                || &*reference.name == name
                || is_field(catalog, reference.from, &reference.from_fields, name)
        }
        Candidate::OneBack(id) | Candidate::Many(id) => {
            target == name || &*catalog.reference(id).name == name
        }
        Candidate::Through(..) => target == name,
    }
}

fn is_hinted(catalog: &Catalog, candidate: Candidate, hint: &str) -> bool {
    let matches = |id: RefId| {
        let reference = catalog.reference(id);
        &*reference.name == hint
            || is_field(catalog, reference.from, &reference.from_fields, hint)
            || is_field(catalog, reference.to, &reference.to_fields, hint)
    };
    match candidate {
        Candidate::One(id) | Candidate::OneBack(id) | Candidate::Many(id) => matches(id),
        Candidate::Through(near, _) => &*catalog.model(catalog.reference(near).from).name == hint,
    }
}

fn is_field(catalog: &Catalog, model: ModelId, fields: &[FieldId], name: &str) -> bool {
    matches!(fields, [field] if &*catalog.model(model).field(*field).name == name)
}

fn unknown(
    catalog: &Catalog,
    from: ModelId,
    name: &str,
    hint: Option<&str>,
    actor: &Actor,
) -> Error {
    let model = &*catalog.model(from).name;
    let mut names: Vec<&str> = Vec::new();
    for candidate in candidates(catalog, from, actor) {
        names.push(&catalog.model(candidate.target(catalog)).name);
        if let Candidate::One(id) = candidate {
            let reference = catalog.reference(id);
            names.extend(
                reference.from_fields.iter().map(|id| &*catalog.model(from).field(*id).name),
            );
        }
    }
    let error = Error::new(
        Code::RelationUnknown,
        format!("could not find a relation between \"{model}\" and \"{name}\""),
    )
    .with_details(match hint {
        Some(hint) => {
            format!("no ref between \"{model}\" and \"{name}\" goes by the hint \"{hint}\"")
        }
        None => format!("no ref joins \"{model}\" and \"{name}\", in either direction"),
    });
    match mainstay_core::nearest(name, names.iter().copied()) {
        Some(near) => error.with_hint(format!("perhaps you meant \"{near}\"")),
        None => error,
    }
}

fn ambiguous(catalog: &Catalog, from: ModelId, name: &str, all: &[Candidate]) -> Error {
    let model = &*catalog.model(from).name;
    let hints: Vec<String> = all
        .iter()
        .map(|candidate| match candidate {
            Candidate::One(id) | Candidate::OneBack(id) | Candidate::Many(id) => {
                format!("{name}!{}", catalog.reference(*id).name)
            }
            Candidate::Through(near, _) => {
                format!("{name}!{}", catalog.model(catalog.reference(*near).from).name)
            }
        })
        .collect();
    Error::new(
        Code::RelationAmbiguous,
        format!(
            "could not embed because more than one relation was found for \"{model}\" and \"{name}\""
        ),
    )
    .with_details(format!("{} relations join them", all.len()))
    .with_hint(format!("say which is meant: {}", hints.join(", ")))
}
