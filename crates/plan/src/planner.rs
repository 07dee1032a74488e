//! The planner: requests in, sealed plans out.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mainstay_core::{Actor, Catalog, Error, Limits, Timestamp, Truth};
use mainstay_rules::{Rulebook, Term};
use uuid::Uuid;

use crate::{
    Count, Features, Query, ReadPlan, ReadRequest, ReadShape, ShapeId, Source, WritePlan,
    WriteRequest, WriteShape,
    bind::{SlotSource, Sources},
    cache::Cache,
    gate::Gate,
    isolation::Counted,
    key::Key,
    names,
    read::ReadBuilder,
    rewrite, write,
};

/// Makes plans for one catalog. Cheap to share, safe to call from many threads.
pub struct Planner {
    catalog: Arc<Catalog>,
    rulebook: Arc<Rulebook>,
    limits: Limits,
    features: Features,
    reads: Cache<Made<ReadShape>>,
    writes: Cache<Made<WriteShape>>,
    patterns: write::Patterns,
    counted: Counted,
}

/// A shape, and where its values come from.
pub(crate) struct Made<S> {
    pub(crate) shape: Arc<S>,
    pub(crate) slots: Vec<SlotSource>,
}

impl Planner {
    /// A planner for a catalog and the rules compiled from it.
    #[must_use]
    pub fn new(
        catalog: Arc<Catalog>,
        rulebook: Arc<Rulebook>,
        limits: Limits,
        features: Features,
    ) -> Self {
        let half = limits.plan_cache_bytes_max / 2;
        let patterns = write::Patterns::of(&catalog);
        let counted = Counted::of(&catalog, &rulebook);
        Self {
            catalog,
            rulebook,
            limits,
            features,
            reads: Cache::new(half),
            writes: Cache::new(half),
            patterns,
            counted,
        }
    }

    /// The catalog plans are made for.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The rules plans obey.
    #[must_use]
    pub fn rulebook(&self) -> &Arc<Rulebook> {
        &self.rulebook
    }

    /// The limits plans keep to.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The plan of a read.
    ///
    /// # Errors
    /// `ModelUnknown`, `FieldUnknown`, `Denied`, and what else the request's names
    /// and values can be wrong about.
    pub fn read(
        &self,
        request: &ReadRequest<'_>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<ReadPlan, Error> {
        let mut key = Key::of_read(request);
        key.caller(actor);
        let made = match self.reads.get(&key.bytes, &truths(actor, now)) {
            Some(made) => made,
            None => self.make_read(request, &mut key, actor, now)?,
        };
        let values = self.sources(&key, &[], actor, now).values(&made.slots)?;
        Ok(ReadPlan::new(Arc::clone(&made.shape), values))
    }

    /// The plan of a write. `new_uuid` gives the ids of new rows.
    ///
    /// # Errors
    /// As of [`read`](Self::read), and where a value breaks a constraint.
    pub fn write(
        &self,
        request: &WriteRequest<'_>,
        actor: &Actor,
        now: Timestamp,
        new_uuid: &mut dyn FnMut() -> Uuid,
    ) -> Result<WritePlan, Error> {
        let model = names::model(&self.catalog, &request.model, actor)?;
        write::refuse_change(self.catalog.model(model), &request.action)?;
        write::refuse_unfiltered(request, self.limits.unfiltered_writes)?;
        let payload = write::payload::read(self, model, request)?;
        let mut key = write::key_of(request, &payload);
        key.caller(actor);
        let made = match self.writes.get(&key.bytes, &truths(actor, now)) {
            Some(made) => made,
            None => self.make_write(request, model, &payload, &mut key, actor, now)?,
        };
        let (assigned, rows) =
            write::rows::values(self, model, request, payload, actor, now, new_uuid)?;
        let values = self.sources(&key, &assigned, actor, now).values(&made.slots)?;
        Ok(WritePlan {
            shape: Arc::clone(&made.shape),
            values,
            rows,
            affected_min: 0,
            follows_change: false,
            affected_max: match (request.max_affected, request.at_most) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            },
            rows_max: self.limits.write_rows_max as u64,
        })
    }

    /// The pattern that values of a field must match, if it has one.
    pub(crate) fn pattern(
        &self,
        model: mainstay_core::ModelId,
        field: mainstay_core::FieldId,
    ) -> Option<&regex::Regex> {
        self.patterns.get(model, field)
    }

    fn make_read<'r, 'a>(
        &self,
        request: &'r ReadRequest<'a>,
        key: &mut Key<'r, 'a>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Made<ReadShape>>, Error> {
        key.check_size()?;
        let model = names::model(&self.catalog, &request.model, actor)?;
        let mut gate = Gate::new(&self.rulebook, actor, now);
        let mut builder = self.builder(&mut gate, key, &request.embedded);
        let root = builder.root(model, &request.select)?;
        let answers_nothing = root.filter.is_never() && root.group_by.is_none();
        let (slots, consulted) = gate.finish();
        let shape = Arc::new(ReadShape {
            id: next_id(),
            catalog: self.catalog.version(),
            root,
            count: request.count != Count::None,
            answers_nothing,
        });
        let weight = weight(&shape.root);
        let made = Arc::new(Made { shape, slots });
        let key = std::mem::take(&mut key.bytes);
        self.reads.insert(key, consulted, Arc::clone(&made), weight);
        Ok(made)
    }

    fn make_write<'r, 'a>(
        &self,
        request: &'r WriteRequest<'a>,
        model: mainstay_core::ModelId,
        payload: &write::payload::Rows<'_>,
        key: &mut Key<'r, 'a>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Arc<Made<WriteShape>>, Error> {
        key.check_size()?;
        let mut gate = Gate::new(&self.rulebook, actor, now);
        let mut builder = self.builder(&mut gate, key, &request.embedded);
        let (action, returning) = write::shape(&mut builder, model, request, payload)?;
        let (slots, consulted) = gate.finish();
        let shape = Arc::new(WriteShape {
            id: next_id(),
            catalog: self.catalog.version(),
            model,
            isolation: self.counted.isolation(&self.catalog, model, &action),
            action,
            returning,
        });
        let weight = shape.returning.as_ref().map_or(0, weight);
        let made = Arc::new(Made { shape, slots });
        let key = std::mem::take(&mut key.bytes);
        self.writes.insert(key, consulted, Arc::clone(&made), weight);
        Ok(made)
    }

    fn builder<'b, 'r, 'a, 'p>(
        &'b self,
        gate: &'b mut Gate<'p>,
        key: &'b Key<'r, 'a>,
        embedded: crate::read::Embedded<'r, 'a>,
    ) -> ReadBuilder<'b, 'r, 'a, 'p> {
        ReadBuilder::new(&self.catalog, gate, key, &self.limits, self.features, embedded)
    }

    fn sources<'s, 'a>(
        &self,
        key: &'s Key<'s, 'a>,
        assigned: &'s [mainstay_core::Value],
        actor: &'s Actor,
        now: Timestamp,
    ) -> Sources<'s, 'a> {
        Sources {
            arguments: &key.arguments,
            clauses: &key.clauses,
            assigned,
            actor,
            now,
            page_rows_max: self.limits.page_rows_max,
            json_depth_max: self.limits.json_depth_max,
            pattern_bytes_max: self.limits.pattern_bytes_max,
        }
    }
}

fn truths<'s>(actor: &'s Actor, now: Timestamp) -> impl Fn(&Term) -> Truth + 's {
    move |term| term.evaluate(actor, now)
}

/// What a query holds, in columns and nodes of conditions and values.
fn weight(query: &Query) -> usize {
    let columns: usize = query
        .columns
        .iter()
        .map(|column| match &column.source {
            Source::Value(operand, _) => rewrite::operand_nodes(operand),
            Source::Aggregate(_, operand, ..) => operand.as_ref().map_or(1, rewrite::operand_nodes),
            Source::Embed(embed) | Source::Spread(embed) => weight(&embed.query),
        })
        .sum();
    query.columns.len() + columns + rewrite::nodes(&query.filter)
}

/// A shape id that no shape of this process has had.
fn next_id() -> ShapeId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    ShapeId(NEXT.fetch_add(1, Ordering::Relaxed))
}
