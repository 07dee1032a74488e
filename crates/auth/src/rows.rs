//! Rows of the built-in models, through plans like any other.
//!
//! Accounts, sessions and tokens are rows, and this crate holds no SQL: what it reads and
//! writes is planned as the app itself, which sees what is internal, and carried out by
//! whichever store the app has. Several writes are one transaction, and one that finds
//! nothing to change where something must be takes all of them back.

mod cell;
mod record;

use std::{borrow::Cow, sync::Arc};

use arc_swap::ArcSwap;
use mainstay_core::{Actor, Error, Timestamp};
use mainstay_mail::Plans;
use mainstay_plan::{
    Argument, Clauses, Condition, FieldExpr, InsertRequest, IsValue, Operator, OrderTerm,
    PayloadRow, Planner, ReadPlan, ReadRequest, Return, SelectField, SelectItem, WriteAction,
    WritePlan, WriteRequest,
};
use mainstay_store::{Committed, Cx, End, FlatRows, NoRows, Store, WriteSet};
use uuid::Uuid;

pub(crate) use self::{cell::Cell, record::Record};

/// The model of accounts.
pub(crate) const USERS: &str = "users";

/// Where the built-in models' rows are.
pub struct Rows {
    store: Arc<dyn Store>,
    planner: ArcSwap<Planner>,
}

/// A write of one model's rows, as one part of a transaction.
#[derive(Debug)]
pub(crate) enum Change {
    /// It is still to be planned.
    Asked {
        model: &'static str,
        action: WriteAction<'static>,
        filters: Vec<Condition<'static>>,
        at_least: u64,
    },
    /// It is planned already.
    Planned(Box<WritePlan>),
}

/// What is asked of one model's rows.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pub(crate) model: &'static str,
    pub(crate) fields: &'static [&'static str],
    pub(crate) filters: Vec<Condition<'static>>,
    /// The fields it is ordered by, each with whether the greatest comes first.
    pub(crate) order: Vec<(&'static str, bool)>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
}

impl Rows {
    /// The rows of this store, planned by this planner until another is adopted.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, planner: Arc<Planner>) -> Self {
        Self { store, planner: ArcSwap::new(planner) }
    }

    /// Goes over to another planner, as the store has gone over to its catalog.
    pub fn adopt(&self, planner: Arc<Planner>) {
        self.planner.store(planner);
    }

    /// The planner in force.
    #[must_use]
    pub fn planner(&self) -> Arc<Planner> {
        self.planner.load_full()
    }

    /// The rows that match.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub(crate) async fn find(
        &self,
        query: Query,
        cx: &Cx,
        now: Timestamp,
    ) -> Result<Vec<Record>, Error> {
        let fields = query.fields;
        let request = query.into_request();
        let plan = self.planner.load().read(&request, &app_itself(), now)?;
        let sink = Box::<FlatRows>::default();
        let answer = self.store.read(Arc::new(plan), cx.clone(), sink).await?;
        let rows = FlatRows::out_of(answer.sink).into_iter();
        Ok(rows.map(|values| Record::new(fields, values)).collect())
    }

    /// The one row that matches, if there is one.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub(crate) async fn one(
        &self,
        query: Query,
        cx: &Cx,
        now: Timestamp,
    ) -> Result<Option<Record>, Error> {
        let query = Query { limit: Some(1), ..query };
        Ok(self.find(query, cx, now).await?.pop())
    }

    /// How many rows match.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub(crate) async fn count(&self, query: Query, cx: &Cx, now: Timestamp) -> Result<u64, Error> {
        let mut request = Query { fields: &["id"], limit: Some(0), ..query }.into_request();
        request.count = mainstay_plan::Count::Exact;
        let plan = self.planner.load().read(&request, &app_itself(), now)?;
        let answer = self.store.read(Arc::new(plan), cx.clone(), Box::new(NoRows)).await?;
        Ok(answer.done.total.unwrap_or_default())
    }

    /// Makes all changes, or none. What is written of an account's own row comes first: of
    /// two writes about one account the second waits there, and holds nothing that the first
    /// wants.
    ///
    /// # Errors
    /// `Overtaken` where one finds too few rows; what a constraint says; where the store
    /// cannot be asked.
    pub(crate) async fn write(
        &self,
        mut changes: Vec<Change>,
        cx: &Cx,
        now: Timestamp,
    ) -> Result<Committed, Error> {
        changes.sort_by_key(|change| !change.is_of_account());
        let plans = {
            let planner = self.planner.load();
            let plan = |change: Change| change.plan(&planner, now);
            changes.into_iter().map(plan).collect::<Result<Vec<_>, _>>()?
        };
        self.commit(plans, cx).await
    }

    /// The same of what is planned already.
    ///
    /// # Errors
    /// As of [`write`](Self::write).
    pub(crate) async fn commit(&self, plans: Vec<WritePlan>, cx: &Cx) -> Result<Committed, Error> {
        let set = WriteSet { plans, end: End::Commit };
        let written = self.store.write(set, cx.clone(), Box::new(NoRows)).await;
        written.map(|answer| answer.done).map_err(mainstay_store::WriteError::into_error)
    }
}

/// So that mails are sent by the plans of the app as it is by then.
impl Plans for Rows {
    fn read(
        &self,
        request: &ReadRequest<'_>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<ReadPlan, Error> {
        self.planner.load().read(request, actor, now)
    }

    fn write(
        &self,
        request: &WriteRequest<'_>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<WritePlan, Error> {
        self.planner.load().write(request, actor, now, &mut Uuid::now_v7)
    }
}

/// On whose behalf all of it is done.
fn app_itself() -> Actor {
    Actor::system("accounts and sessions are the app's own")
}

impl Change {
    /// A new row.
    pub(crate) fn insert(
        model: &'static str,
        row: impl IntoIterator<Item = (impl Into<Cow<'static, str>>, Cell)>,
    ) -> Self {
        let action = WriteAction::Insert(InsertRequest {
            payload: vec![payload(row)],
            columns: None,
            missing_default: true,
            resolution: None,
            on_conflict: Vec::new(),
        });
        Self::Asked { model, action, filters: Vec::new(), at_least: 0 }
    }

    /// Other values in the rows that match.
    pub(crate) fn update(
        model: &'static str,
        filters: Vec<Condition<'static>>,
        values: impl IntoIterator<Item = (impl Into<Cow<'static, str>>, Cell)>,
    ) -> Self {
        let action = WriteAction::Update { payload: payload(values), columns: None };
        Self::Asked { model, action, filters, at_least: 0 }
    }

    /// No more rows that match.
    pub(crate) fn delete(model: &'static str, filters: Vec<Condition<'static>>) -> Self {
        Self::Asked { model, action: WriteAction::Delete, filters, at_least: 0 }
    }

    /// The same, with all that is written beside it taken back where no row matches.
    pub(crate) fn or_nothing(self) -> Self {
        match self {
            Self::Asked { model, action, filters, .. } => {
                Self::Asked { model, action, filters, at_least: 1 }
            }
            Self::Planned(plan) => Self::Planned(Box::new(plan.affecting_at_least(1))),
        }
    }

    /// Whether the row of an account is written.
    fn is_of_account(&self) -> bool {
        let Self::Asked { model, action, .. } = self else { return false };
        *model == USERS && !matches!(action, WriteAction::Delete)
    }

    pub(crate) fn plan(self, planner: &Planner, now: Timestamp) -> Result<WritePlan, Error> {
        let (model, action, filters, at_least) = match self {
            Self::Asked { model, action, filters, at_least } => (model, action, filters, at_least),
            Self::Planned(plan) => return Ok(*plan),
        };
        let request = WriteRequest {
            model: model.into(),
            action,
            returning: Return::Minimal,
            select: Vec::new(),
            clauses: Clauses { filters, ..Clauses::default() },
            embedded: Vec::new(),
            max_affected: None,
            at_most: None,
        };
        let plan = planner.write(&request, &app_itself(), now, &mut Uuid::now_v7)?;
        Ok(plan.affecting_at_least(at_least))
    }
}

impl Query {
    fn into_request(self) -> ReadRequest<'static> {
        let term = |(name, descending): (&'static str, bool)| OrderTerm {
            relation: None,
            field: field(name),
            descending,
            nulls_first: None,
        };
        let clauses = Clauses {
            filters: self.filters,
            order: self.order.into_iter().map(term).collect(),
            limit: self.limit,
            offset: self.offset,
        };
        let select = |name: &&'static str| {
            SelectItem::Field(SelectField {
                alias: None,
                field: Some(field(*name)),
                cast: None,
                aggregate: None,
                aggregate_cast: None,
            })
        };
        ReadRequest {
            model: self.model.into(),
            select: self.fields.iter().map(select).collect(),
            clauses,
            ..ReadRequest::default()
        }
    }
}

fn payload(
    row: impl IntoIterator<Item = (impl Into<Cow<'static, str>>, Cell)>,
) -> PayloadRow<'static> {
    row.into_iter().map(|(name, cell)| (name.into(), cell.into_payload())).collect()
}

fn field(name: impl Into<Cow<'static, str>>) -> FieldExpr<'static> {
    FieldExpr { name: name.into(), json: Vec::new(), as_text: false }
}

fn compare(
    name: impl Into<Cow<'static, str>>,
    operator: Operator,
    argument: Argument<'static>,
) -> Condition<'static> {
    Condition::Compare { field: field(name), negated: false, operator, quantifier: None, argument }
}

/// The field has this value.
pub(crate) fn is(name: impl Into<Cow<'static, str>>, value: impl Into<Cell>) -> Condition<'static> {
    compare(name, Operator::Eq, Argument::Text(value.into().into_text().into()))
}

/// The field has another value.
pub(crate) fn is_not(name: &'static str, value: impl Into<Cell>) -> Condition<'static> {
    compare(name, Operator::Neq, Argument::Text(value.into().into_text().into()))
}

/// The field has no value.
pub(crate) fn is_absent(name: &'static str) -> Condition<'static> {
    compare(name, Operator::Is, Argument::Is(IsValue::Null))
}

/// The field is less than this.
pub(crate) fn is_below(name: &'static str, value: impl Into<Cell>) -> Condition<'static> {
    compare(name, Operator::Lt, Argument::Text(value.into().into_text().into()))
}

/// The field is this, or less.
pub(crate) fn is_at_most(name: &'static str, value: impl Into<Cell>) -> Condition<'static> {
    compare(name, Operator::Lte, Argument::Text(value.into().into_text().into()))
}

/// The field has one of these values.
pub(crate) fn is_among(
    name: &'static str,
    values: impl IntoIterator<Item = impl Into<Cell>>,
) -> Condition<'static> {
    let texts = values.into_iter().map(|value| value.into().into_text().into()).collect();
    compare(name, Operator::In, Argument::List(texts))
}
