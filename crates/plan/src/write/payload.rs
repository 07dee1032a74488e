//! Which fields a payload gives, and what for.

use mainstay_core::{Code, Error, FieldId, Model, ModelId};

use crate::{PayloadRow, PayloadValue, Planner, WriteAction, WriteRequest, names, request::Text};

/// A payload by field.
#[derive(Default)]
pub(crate) struct Rows<'r> {
    /// The fields that any row gives, in the order of the model.
    pub(crate) columns: Vec<FieldId>,
    /// For each row, its value for each of `columns`; none where it gives none.
    pub(crate) rows: Vec<Vec<Option<&'r PayloadValue<'r>>>>,
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
    let mut given = vec![false; declared.fields.len()];
    for name in columns.into_iter().flatten() {
        given[names::payload_field(declared, name)?.index()] = true;
    }
    let mut by_field: Vec<Vec<Option<&PayloadValue<'_>>>> = Vec::with_capacity(rows.len());
    for row in rows {
        by_field.push(row_by_field(declared, row, columns, &mut given)?);
    }
    let columns: Vec<FieldId> = declared.field_ids().filter(|field| given[field.index()]).collect();
    if let Some(field) = columns.iter().find(|field| declared.field(**field).server_set) {
        let name = &declared.field(*field).name;
        return Err(Error::new(Code::GeneratedAlways, format!("{name} is set by the server"))
            .with_hint(format!("leave {name} out of the payload")));
    }
    let rows = by_field
        .into_iter()
        .map(|row| columns.iter().map(|field| row[field.index()]).collect())
        .collect();
    Ok(Rows { columns, rows })
}

fn row_by_field<'r>(
    declared: &Model,
    row: &'r PayloadRow<'r>,
    columns: Option<&[Text<'_>]>,
    given: &mut [bool],
) -> Result<Vec<Option<&'r PayloadValue<'r>>>, Error> {
    let mut by_field = vec![None; declared.fields.len()];
    for (name, value) in row {
        if columns.is_some_and(|columns| !columns.contains(name)) {
            continue;
        }
        let field = names::payload_field(declared, name)?.index();
        given[field] = true;
        by_field[field] = Some(value);
    }
    Ok(by_field)
}
