//! Names that are not there, and the nearest that are.

use mainstay_core::{Catalog, Code, Error, FieldId, Model, ModelId, nearest};

/// The model of this name that the API shows.
///
/// # Errors
/// `ModelUnknown`, with the nearest name.
pub(crate) fn model(catalog: &Catalog, name: &str) -> Result<ModelId, Error> {
    if let Some(id) = catalog.model_id(name).filter(|id| catalog.model(*id).exposed) {
        return Ok(id);
    }
    let error =
        Error::new(Code::ModelUnknown, format!("could not find the model \"{name}\" in this app"));
    let known = catalog.models().iter().filter(|model| model.exposed).map(|model| &*model.name);
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
