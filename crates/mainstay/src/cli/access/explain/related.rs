//! The rows that rules look at, read through plans as the app itself.
//!
//! Rules see all rows and fields of the models they follow, whoever asks; so does this.
//! Only rows that a rule's relations lead to from the row at hand are read. Each is read
//! for itself: a row that changes meanwhile is seen as it is when its turn comes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use mainstay_core::{Actor, Catalog, Error, FieldId, Filter, ModelId, Relation, Value, Way};
use mainstay_plan::{
    Argument, Clauses, Condition, FieldExpr, Operator, Planner, ReadRequest, SelectField,
    SelectItem,
};
use mainstay_rules::interpret::Row;
use mainstay_store::{Cx, FlatRows, Store};

/// How long one read may take.
const READ_MAX: Duration = Duration::from_secs(10);
/// Rows that one relation may lead to; more are not looked through by hand.
const RELATED_ROWS_MAX: usize = 10_000;

/// Reads rows of an app's.
pub(super) struct Reader<'a> {
    pub(super) planner: &'a Planner,
    pub(super) store: &'a dyn Store,
}

/// Why rows cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Store(#[from] Error),
    #[error("the rule looks at more than {RELATED_ROWS_MAX} rows of {0}")]
    TooMany(String),
}

impl Reader<'_> {
    /// The rows of a model whose fields have these values.
    pub(super) async fn rows(
        &self,
        model: ModelId,
        wanted: &[(FieldId, String)],
    ) -> Result<Vec<Row>, ReadError> {
        let catalog = self.planner.catalog();
        let declared = catalog.model(model);
        let name = |field: FieldId| &*declared.field(field).name;
        let select = declared.field_ids().map(|field| {
            SelectItem::Field(SelectField {
                alias: None,
                field: Some(plain(name(field))),
                cast: None,
                aggregate: None,
                aggregate_cast: None,
            })
        });
        let filters = wanted.iter().map(|(field, value)| Condition::Compare {
            field: plain(name(*field)),
            negated: false,
            operator: Operator::Eq,
            quantifier: None,
            argument: Argument::Text(value.as_str().into()),
        });
        let mut request = ReadRequest {
            model: (&*declared.name).into(),
            select: select.collect(),
            clauses: Clauses { filters: filters.collect(), ..Clauses::default() },
            ..ReadRequest::default()
        };
        let mut rows: Vec<Row> = Vec::new();
        loop {
            request.clauses.offset = Some(rows.len() as u64);
            let page = self.page(&request).await?;
            let is_last = (page.len() as u64) < self.planner.limits().page_rows_max;
            rows.extend(page);
            if is_last {
                return Ok(rows);
            }
            if rows.len() > RELATED_ROWS_MAX {
                return Err(ReadError::TooMany(declared.name.to_string()));
            }
        }
    }

    /// As many rows as an answer may hold.
    async fn page(&self, request: &ReadRequest<'_>) -> Result<Vec<Row>, Error> {
        let plan = self.planner.read(request, &service(), mainstay_web::system_time())?;
        let cx = Cx::until(Instant::now() + READ_MAX);
        let answer = self.store.read(Arc::new(plan), cx, Box::<FlatRows>::default()).await?;
        Ok(FlatRows::out_of(answer.sink))
    }

    /// All rows that these conditions look at from a row of a model, by model.
    pub(super) async fn world(
        &self,
        model: ModelId,
        row: &Row,
        conditions: &[&Filter],
    ) -> Result<Vec<Vec<Row>>, ReadError> {
        let catalog = Arc::clone(self.planner.catalog());
        let mut world = World::new(&catalog);
        world.add(model, row);
        let mut at: HashMap<Way, Vec<Row>> = HashMap::from([(Way::new(), vec![row.clone()])]);
        let mut ways: Vec<Way> = conditions.iter().flat_map(|one| one.ways()).collect();
        // The rows at the beginning of a way are read before those at its end.
        ways.sort_by_key(Vec::len);
        for way in ways {
            let Some((last, before)) = way.split_last() else { continue };
            if at.contains_key(&way) {
                continue;
            }
            let from = at.get(before).cloned().unwrap_or_default();
            let found = self.related(&catalog, *last, &from).await?;
            let target = catalog.target(*last);
            found.iter().for_each(|row| world.add(target, row));
            at.insert(way, found);
        }
        Ok(world.rows)
    }

    /// The rows that a relation leads to from any of these.
    async fn related(
        &self,
        catalog: &Catalog,
        relation: Relation,
        from: &[Row],
    ) -> Result<Vec<Row>, ReadError> {
        let (Relation::ToOne(reference) | Relation::ToMany(reference)) = relation;
        let reference = catalog.reference(reference);
        let (near, far) = match relation {
            Relation::ToOne(_) => (&reference.from_fields, &reference.to_fields),
            Relation::ToMany(_) => (&reference.to_fields, &reference.from_fields),
        };
        let mut asked: HashSet<Vec<String>> = HashSet::new();
        let mut found = Vec::new();
        for row in from {
            let values = near.iter().map(|field| row.get(field.index()).unwrap_or(&Value::Null));
            let values: Vec<&Value> = values.collect();
            if values.iter().any(|value| value.is_null()) {
                continue;
            }
            let texts: Vec<String> = values.iter().map(|value| value.as_ref().to_text()).collect();
            if asked.insert(texts.clone()) {
                let wanted: Vec<_> = far.iter().copied().zip(texts).collect();
                found.extend(self.rows(catalog.target(relation), &wanted).await?);
            }
            if found.len() > RELATED_ROWS_MAX {
                let target = catalog.model(catalog.target(relation));
                return Err(ReadError::TooMany(target.name.to_string()));
            }
        }
        Ok(found)
    }
}

/// The rows read so far, each once.
struct World<'c> {
    catalog: &'c Catalog,
    rows: Vec<Vec<Row>>,
    known: HashSet<(ModelId, Vec<String>)>,
}

impl<'c> World<'c> {
    fn new(catalog: &'c Catalog) -> Self {
        Self { catalog, rows: vec![Vec::new(); catalog.models().len()], known: HashSet::new() }
    }

    fn add(&mut self, model: ModelId, row: &Row) {
        let key = self.catalog.model(model).key.iter();
        let key = key.filter_map(|field| row.get(field.index()));
        let key: Vec<String> = key.map(|value| value.as_ref().to_text()).collect();
        // Without a key rows cannot be told apart, and none is taken for another.
        if key.is_empty() || self.known.insert((model, key)) {
            self.rows[model.index()].push(row.clone());
        }
    }
}

/// The operator asks what the rules see, which is everything.
pub(super) fn service() -> Actor {
    Actor::service("an operator asks why rules admit a row or do not, and rules see all rows")
}

fn plain(name: &str) -> FieldExpr<'_> {
    FieldExpr { name: name.into(), json: Vec::new(), as_text: false }
}
