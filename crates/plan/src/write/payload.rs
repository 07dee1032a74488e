//! Which fields a payload gives, and what for.

use mainstay_core::{Code, Error, FieldId, Model, ModelId};

use crate::{PayloadRow, PayloadValue, Planner, WriteAction, WriteRequest, names, request::Text};

/// A payload by field.
#[derive(Default)]
pub(crate) struct Rows<'r> {
    /// The fields that any row gives, in the order of the model.
    pub(crate) columns: Vec<FieldId>,
    /// For each field of the model, whether it is one of `columns`.
    given: Vec<bool>,
    /// Row by row, the values for all fields of the model; none where a row gives none.
    values: Vec<Option<&'r PayloadValue<'r>>>,
}

/// One row of a payload.
#[derive(Clone, Copy)]
pub(crate) struct Row<'p, 'r> {
    given: &'p [bool],
    values: &'p [Option<&'r PayloadValue<'r>>],
}

/// What a row says of a field.
#[derive(Clone, Copy)]
pub(crate) enum Given<'r> {
    /// Its value.
    Value(&'r PayloadValue<'r>),
    /// Nothing, where another row has a value or `columns` asks for one.
    Missing,
    /// Nothing, as all rows.
    Nowhere,
}

impl<'r> Rows<'r> {
    /// The rows, in their order. A model has a field at least.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Row<'_, 'r>> {
        let rows = self.values.chunks_exact(self.given.len().max(1));
        rows.map(|values| Row { given: &self.given, values })
    }
}

impl<'r> Row<'_, 'r> {
    /// What this row says of a field.
    pub(crate) fn get(self, field: FieldId) -> Given<'r> {
        match (self.values[field.index()], self.given[field.index()]) {
            (Some(value), _) => Given::Value(value),
            (None, true) => Given::Missing,
            (None, false) => Given::Nowhere,
        }
    }
}

/// Reads a request's payload.
///
/// # Errors
/// `PayloadFieldUnknown`, `GeneratedAlways`, `LimitExceeded`.
pub(crate) fn read<'r>(
    planner: &Planner,
    model: ModelId,
    request: &'r WriteRequest<'r>,
) -> Result<Rows<'r>, Error> {
    let declared = planner.catalog().model(model);
    let (rows, columns): (&[PayloadRow<'r>], _) = match &request.action {
        WriteAction::Insert(insert) => (&insert.payload, insert.columns.as_deref()),
        WriteAction::Update { payload, columns } => {
            (std::slice::from_ref(payload), columns.as_deref())
        }
        WriteAction::Delete => return Ok(Rows::default()),
    };
    let max = planner.limits().write_rows_max;
    if rows.len() > max {
        return Err(Error::new(
            Code::LimitExceeded,
            format!("the payload has {} rows, and write_rows_max allows {max}", rows.len()),
        )
        .with_hint("send them in several requests"));
    }
    let fields = declared.fields.len();
    let mut given = vec![false; fields];
    for name in columns.into_iter().flatten() {
        given[names::payload_field(declared, name)?.index()] = true;
    }
    let mut values = vec![None; rows.len() * fields];
    for (row, values) in rows.iter().zip(values.chunks_exact_mut(fields)) {
        read_row(declared, row, columns, &mut given, values)?;
    }
    let columns: Vec<FieldId> = declared.field_ids().filter(|field| given[field.index()]).collect();
    if let Some(field) = columns.iter().find(|field| declared.field(**field).server_set) {
        let name = &declared.field(*field).name;
        return Err(Error::new(Code::GeneratedAlways, format!("{name} is set by the server"))
            .with_hint(format!("leave {name} out of the payload")));
    }
    Ok(Rows { columns, given, values })
}

fn read_row<'r>(
    declared: &Model,
    row: &'r PayloadRow<'r>,
    columns: Option<&[Text<'_>]>,
    given: &mut [bool],
    values: &mut [Option<&'r PayloadValue<'r>>],
) -> Result<(), Error> {
    for (name, value) in row {
        if columns.is_some_and(|columns| !columns.contains(name)) {
            continue;
        }
        let field = names::payload_field(declared, name)?.index();
        given[field] = true;
        values[field] = Some(value);
    }
    Ok(())
}
