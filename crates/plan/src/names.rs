//! Names that are not there, and the nearest that are.

use mainstay_core::{Actor, Catalog, Code, Error, FieldId, Model, ModelId, nearest};

/// The model of this name that is there for this caller.
///
/// # Errors
/// `ModelUnknown`, with the nearest name.
pub(crate) fn model(catalog: &Catalog, name: &str, actor: &Actor) -> Result<ModelId, Error> {
    let found = match actor.sees_internal() {
        true => catalog.model_id(name),
        false => catalog.exposed_id(name),
    };
    if let Some(id) = found {
        return Ok(id);
    }
    let error =
        Error::new(Code::ModelUnknown, format!("could not find the model \"{name}\" in this app"));
    let known = catalog.exposed_models().map(|model| &*model.name);
    Err(match nearest(name, known) {
        Some(near) => error.with_hint(format!("perhaps you meant the model \"{near}\"")),
        None => error,
    })
}

/// The field of this name, asked for in the query.
///
/// # Errors
/// `FieldUnknown`, with the nearest name.
pub(crate) fn field(model: &Model, name: &str) -> Result<FieldId, Error> {
    model.field_id(name).ok_or_else(|| {
        let error =
            Error::new(Code::FieldUnknown, format!("field {}.{name} does not exist", model.name));
        match nearest(name, model.fields.iter().map(|field| &*field.name)) {
            Some(near) => error.with_hint(format!("perhaps you meant the field \"{near}\"")),
            None => error,
        }
    })
}

/// The field of this name, given in the payload.
///
/// # Errors
/// `PayloadFieldUnknown`, with the nearest name.
pub(crate) fn payload_field(model: &Model, name: &str) -> Result<FieldId, Error> {
    model.field_id(name).ok_or_else(|| {
        let error = Error::new(
            Code::PayloadFieldUnknown,
            format!("could not find the field \"{name}\" of \"{}\"", model.name),
        );
        match nearest(name, model.fields.iter().map(|field| &*field.name)) {
            Some(near) => error.with_hint(format!("perhaps you meant the field \"{near}\"")),
            None => error,
        }
    })
}
