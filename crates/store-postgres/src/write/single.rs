//! A write that is one statement, and so a transaction by itself: one new row whose
//! guards look at nothing else.

use std::sync::Arc;

use mainstay_core::{Catalog, IdKind, Value, removal::removed};
use mainstay_plan::{Action, Guard, GuardClass, Isolation, Refusal, WritePlan, WriteShape};
use mainstay_store::{
    Committed, Cx, EventEntries, EventOp, WriteError,
    refusal::{check_count, deadline_exceeded, denied},
};

use super::{CompiledWrite, not_kept, text::Texts, transaction::outcome_unknown};
use crate::{
    error::Trouble,
    statement::{Bindings, Statement},
    store::Inner,
};

/// A write that is one statement.
pub(super) struct Single {
    statement: Arc<Statement>,
}

impl Single {
    /// The statement of a shape that can be one.
    pub(super) fn of(texts: &Texts<'_>, shape: &WriteShape, isolation: Isolation) -> Option<Self> {
        let Action::Insert { create, after, conflict: None } = shape.action() else { return None };
        let model = texts.catalog.model(shape.model());
        let is_local =
            |guard: &Guard| guard.class == GuardClass::RowLocal && guard.refusal == Refusal::Denied;
        // A generated number is not known before, and the event names it.
        let fits = isolation == Isolation::Locks
            && shape.returning().is_none()
            && model.id != IdKind::Int
            && create.iter().chain(after).all(is_local);
        let guards: Vec<&Guard> = match removed("guard-in-transaction") {
            true => Vec::new(),
            false => create.iter().chain(after).collect(),
        };
        fits.then(|| Self { statement: texts.insert_alone(&guards) })
    }

    pub(super) async fn run(
        &self,
        inner: &Inner,
        catalog: &Catalog,
        compiled: &CompiledWrite,
        plan: &WritePlan,
        cx: &Cx,
    ) -> Result<Committed, WriteError> {
        let model = catalog.model(plan.shape().model());
        let row = &plan.rows()[0];
        check_count(plan, 1).map_err(WriteError::Refused)?;
        let key: Box<[Value]> = model.key.iter().map(|field| row[field.index()].clone()).collect();
        let mut events = EventEntries::default();
        events.begin_write();
        events.push(model, EventOp::Insert, &key, None);
        let mut array = String::with_capacity(128);
        events.write_array(0, &mut array);
        let links = [Value::Text(array.into_boxed_str())];
        let bindings = Bindings { slots: plan.values(), row, links: &links, ..Bindings::default() };

        let lane = inner.lanes.take().map_err(WriteError::NotApplied)?;
        let connection = lane.connection();
        // Until it is sent, nothing can have been kept.
        let preparing = connection.prepare_first(&self.statement);
        tokio::time::timeout_at(cx.deadline.into(), preparing)
            .await
            .map_err(|_| WriteError::NotApplied(deadline_exceeded()))?
            .map_err(not_kept)?;
        let executing = connection.execute(&self.statement, bindings);
        match tokio::time::timeout_at(cx.deadline.into(), executing).await {
            Ok(Ok(1)) => Ok(Committed { mark: None, affected: vec![vec![key]], inserted: vec![1] }),
            Ok(Ok(_)) => Err(WriteError::Refused(denied(&model.name))),
            Ok(Err(trouble @ (Trouble::Lost(_) | Trouble::Internal(_)))) => {
                Err(WriteError::Unknown(outcome_unknown(trouble)))
            }
            Ok(Err(Trouble::Deadline)) => Err(WriteError::NotApplied(deadline_exceeded())),
            Ok(Err(trouble)) => {
                let trouble = match inner.pool.take(cx.deadline).await {
                    Ok(connection) => {
                        let told = compiled.explain(&connection, plan, trouble, cx).await;
                        connection.give_back();
                        told
                    }
                    Err(error) => Trouble::Unavailable(error),
                };
                Err(not_kept(trouble))
            }
            Err(_) => Err(WriteError::Unknown(outcome_unknown(Trouble::Deadline))),
        }
    }
}
