//! Which row is meant where a ref is written as a name.
//!
//! A ref may give the key of the row it points to or the value of any field of its
//! model that no two rows share. Rows of the seed files come first; what they do not
//! have is asked of the store, as the app itself.

use std::{collections::HashMap, time::Instant};

use mainstay_core::{Actor, Error, FieldId, Model, ModelId, Value};
use mainstay_plan::{
    Argument, Clauses, Condition, FieldExpr, Operator, PayloadValue, Planner, ReadRequest,
    SelectField, SelectItem,
};
use mainstay_store::{Cx, FlatRows, Store};
use std::{sync::Arc, time::Duration};

/// How deep JSON may nest where a name is compared; names are never JSON.
const NO_JSON: usize = 0;
/// How long one look-up may take.
const LOOK_UP_MAX: Duration = Duration::from_secs(10);

/// What is known of the rows that names can mean.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: HashMap<(ModelId, FieldId, String), Option<String>>,
}

/// What a name turned out to mean.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The row with this key.
    Key(String),
    /// A row of the seed files that is not loaded yet.
    NotYet,
    /// No row.
    Nothing,
}

/// The fields a row can be named by: its key, then every field that no two rows share.
pub(super) fn naming_fields(model: &Model) -> Vec<FieldId> {
    let mut fields: Vec<FieldId> = model.id_field().into_iter().collect();
    for unique in &model.uniques {
        if let [field] = unique.fields[..]
            && !fields.contains(&field)
        {
            fields.push(field);
        }
    }
    fields
}

/// A value as a name: in the one form its field's type gives it.
pub(super) fn name_of(model: &Model, field: FieldId, text: &str) -> Option<String> {
    let kind = model.field(field).value_type;
    Value::parse(text, kind, NO_JSON).ok().map(|value| value.as_ref().to_text())
}

/// The text of a value that can be a name.
pub(super) fn text_of<'v>(value: &'v PayloadValue<'_>) -> Option<&'v str> {
    match value {
        PayloadValue::String(text) | PayloadValue::Number(text) => Some(text),
        PayloadValue::Null | PayloadValue::Bool(_) | PayloadValue::Nested(_) => None,
    }
}

impl Names {
    /// Remembers that a row of this name is in the seed files.
    pub(super) fn expect(&mut self, model: ModelId, field: FieldId, name: String) {
        self.known.entry((model, field, name)).or_insert(None);
    }

    /// Remembers the key of a row that is loaded.
    pub(super) fn learn(&mut self, model: ModelId, field: FieldId, name: String, key: String) {
        self.known.insert((model, field, name), Some(key));
    }

    /// What a name means.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub(super) async fn meaning(
        &mut self,
        target: ModelId,
        text: &str,
        planner: &Planner,
        store: &dyn Store,
    ) -> Result<Meaning, Error> {
        let catalog = Arc::clone(planner.catalog());
        let model = catalog.model(target);
        let candidates: Vec<(FieldId, String)> = naming_fields(model)
            .into_iter()
            .filter_map(|field| name_of(model, field, text).map(|name| (field, name)))
            .collect();
        for (field, name) in &candidates {
            match self.known.get(&(target, *field, name.clone())) {
                Some(Some(key)) => return Ok(Meaning::Key(key.clone())),
                Some(None) => return Ok(Meaning::NotYet),
                None => {}
            }
        }
        for (field, name) in candidates {
            if let Some(key) = look_up(model, field, &name, planner, store).await? {
                self.learn(target, field, name, key.clone());
                return Ok(Meaning::Key(key));
            }
        }
        Ok(Meaning::Nothing)
    }
}

/// The key of the row whose field has this value, if there is one.
async fn look_up(
    model: &Model,
    field: FieldId,
    name: &str,
    planner: &Planner,
    store: &dyn Store,
) -> Result<Option<String>, Error> {
    let Some(id) = model.id_field() else { return Ok(None) };
    let condition = Condition::Compare {
        field: plain(&model.field(field).name),
        negated: false,
        operator: Operator::Eq,
        quantifier: None,
        argument: Argument::Text(name.into()),
    };
    let clauses = Clauses { filters: vec![condition], limit: Some(1), ..Clauses::default() };
    first_value(model, id, clauses, planner, store).await
}

/// Whether a model has no rows.
///
/// # Errors
/// Where the store cannot be asked.
pub(super) async fn is_empty(
    model: &Model,
    planner: &Planner,
    store: &dyn Store,
) -> Result<bool, Error> {
    let clauses = Clauses { limit: Some(1), ..Clauses::default() };
    let first = first_value(model, FieldId::at(0), clauses, planner, store).await?;
    Ok(first.is_none())
}

async fn first_value(
    model: &Model,
    wanted: FieldId,
    clauses: Clauses<'_>,
    planner: &Planner,
    store: &dyn Store,
) -> Result<Option<String>, Error> {
    let select = SelectItem::Field(SelectField {
        alias: None,
        field: Some(plain(&model.field(wanted).name)),
        cast: None,
        aggregate: None,
        aggregate_cast: None,
    });
    let request = ReadRequest {
        model: (&*model.name).into(),
        select: vec![select],
        clauses,
        ..ReadRequest::default()
    };
    let plan = planner.read(&request, &service(), mainstay_web::system_time())?;
    let cx = Cx::until(Instant::now() + LOOK_UP_MAX);
    let answer = store.read(Arc::new(plan), cx, Box::<FlatRows>::default()).await?;
    let rows = FlatRows::out_of(answer.sink);
    Ok(rows.first().and_then(|row| row.first()).map(|value| value.as_ref().to_text()))
}

/// Seed rows are the developer's own, as the rules are: they pass them.
pub(super) fn service() -> Actor {
    Actor::service("the rows of seed/ are written by whoever wrote the rules")
}

fn plain(name: &str) -> FieldExpr<'_> {
    FieldExpr { name: name.into(), json: Vec::new(), as_text: false }
}
