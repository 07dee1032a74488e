//! An app in a temporary folder, and requests to it as one line each.

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use mainstay_core::{
    Actor, BuiltIn, Error, Limits, SourceFile, Timestamp, UserClaims, Value, ValueRef, read_app,
};
use mainstay_plan::{
    Argument, Clauses, Condition, Features, FieldExpr, InsertRequest, Operator, PayloadRow,
    PayloadValue, Planner, ReadRequest, Resolution, Return, SelectField, SelectItem, WriteAction,
    WritePlan, WriteRequest,
};
use mainstay_store::{
    Answer, Committed, Cx, End, Event, Migration, RowSink, Rows, Seq, Store, WriteError, WriteSet,
    differences, steps,
};
use uuid::Uuid;

use crate::engine::Engine;

/// An app with a store of its own.
pub(crate) struct App {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) planner: Planner,
    /// The engine, for what is asked of it beside the store.
    pub(crate) engine: Engine,
    ids: AtomicU64,
}

/// The time of every request.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2026-11-23T09:30:00Z").unwrap()
}

/// A call that may take as long as tests do.
pub(crate) fn cx() -> Cx {
    Cx::until(Instant::now() + Duration::from_secs(30))
}

/// The caller with this id.
pub(crate) fn user(id: &str) -> Actor {
    Actor::user(Arc::new(UserClaims { id: id.to_owned(), ..UserClaims::default() }))
}

/// The app itself.
pub(crate) fn service() -> Actor {
    Actor::service("tests arrange rows")
}

impl App {
    /// An app of these models: name and file.
    pub(crate) async fn of(models: &[(&str, &str)]) -> Self {
        Self::on(Engine::open().await, models).await
    }

    /// An app of these models on an engine of its own.
    pub(crate) async fn on(engine: Engine, models: &[(&str, &str)]) -> Self {
        let app = Self::empty(engine, &[], models);
        app.migrate().await;
        app
    }

    /// An app of these models beside some that are built in, on an engine of its own that
    /// has no tables yet.
    pub(crate) fn empty(engine: Engine, built_in: &[BuiltIn], models: &[(&str, &str)]) -> Self {
        let store = engine.store();
        Self { store, planner: planner(built_in, models), engine, ids: AtomicU64::new(1) }
    }

    /// Brings the store to what the models want.
    pub(crate) async fn migrate(&self) -> Vec<String> {
        let catalog = self.planner.catalog();
        let actual = self.store.introspect().await.unwrap();
        let found = differences(&self.store.wanted_schema(catalog), &actual);
        let (steps, rest) = steps(catalog, &found, Rows::Possible);
        assert!(rest.is_empty(), "{rest:?}");
        let applied = self.store.migrate(Migration::unrecorded(steps), cx()).await.unwrap();
        self.store.adopt(Arc::clone(catalog));
        applied.steps
    }

    /// Goes over to other models.
    pub(crate) fn remodel(&mut self, models: &[(&str, &str)]) {
        self.planner = planner(&[], models);
    }

    /// What a read answers, as one line.
    pub(crate) async fn read(&self, request: &ReadRequest<'_>, actor: &Actor) -> String {
        match self.try_read(request, actor).await {
            Ok(text) => text,
            Err(error) => shown(&error),
        }
    }

    pub(crate) async fn try_read(
        &self,
        request: &ReadRequest<'_>,
        actor: &Actor,
    ) -> Result<String, Error> {
        let plan = Arc::new(self.planner.read(request, actor, now())?);
        let answer = self.store.read(plan, cx(), Box::new(Lines::default())).await?;
        let mut text = answer.sink.text();
        if let Some(total) = answer.done.total {
            let _ = write!(text, " of {total}");
        }
        Ok(text)
    }

    /// All events, once there are so many: an engine with many writers shows an event
    /// when no earlier one can come any more.
    pub(crate) async fn changes(&self, count: usize) -> Vec<Event> {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let events = self.store.changes(Seq(0), 1_000).await.unwrap();
            if events.len() >= count || Instant::now() > until {
                return events;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(crate) fn plan(
        &self,
        request: &WriteRequest<'_>,
        actor: &Actor,
    ) -> Result<WritePlan, Error> {
        self.planner.write(request, actor, now(), &mut || {
            Uuid::from_u128(u128::from(self.ids.fetch_add(1, Ordering::Relaxed)))
        })
    }

    /// What a write answers, as one line.
    pub(crate) async fn write(&self, request: &WriteRequest<'_>, actor: &Actor) -> String {
        self.end(request, actor, End::Commit).await
    }

    pub(crate) async fn end(&self, request: &WriteRequest<'_>, actor: &Actor, end: End) -> String {
        let plan = match self.plan(request, actor) {
            Ok(plan) => plan,
            Err(error) => return format!("not planned: {}", shown(&error)),
        };
        match self.carry_out(vec![plan], end).await {
            Ok(answer) => {
                let keys: Vec<String> =
                    answer.done.affected[0].iter().map(|key| shown_key(key)).collect();
                let rows = answer.sink.text();
                format!("[{}] {} new {rows}", keys.join(" "), answer.done.inserted[0])
                    .trim_end()
                    .to_owned()
            }
            Err(WriteError::Refused(error)) => shown(&error),
            Err(WriteError::NotApplied(error)) => format!("not applied: {}", shown(&error)),
            Err(WriteError::Unknown(error)) => format!("unknown: {}", shown(&error)),
        }
    }

    pub(crate) async fn carry_out(
        &self,
        plans: Vec<WritePlan>,
        end: End,
    ) -> Result<Answer<Committed>, WriteError> {
        self.store.write(WriteSet { plans, end }, cx(), Box::new(Lines::default())).await
    }
}

fn planner(built_in: &[BuiltIn], models: &[(&str, &str)]) -> Planner {
    let files: Vec<SourceFile> = models
        .iter()
        .map(|(name, text)| SourceFile {
            path: format!("models/{name}.toml"),
            text: (*text).to_owned(),
        })
        .collect();
    let app = read_app(built_in, &files, &[]).map_err(|found| format!("{found:?}"));
    let catalog = Arc::new(app.unwrap().catalog);
    let rulebook =
        Arc::new(mainstay_rules::compile(&catalog).map_err(|found| format!("{found:?}")).unwrap());
    let limits = Limits { unfiltered_writes: true, ..Limits::default() };
    Planner::new(catalog, rulebook, limits, Features { aggregates: true })
}

fn shown(error: &Error) -> String {
    let mut text = error.to_string();
    if let Some(details) = error.details() {
        let _ = write!(text, " / {details}");
    }
    if let Some(source) = std::error::Error::source(error)
        && error.code() == mainstay_core::Code::Internal
    {
        let _ = write!(text, " / cause: {source}");
    }
    text
}

/// What a write answered, without the keys that were generated: on some engines a write
/// that is taken back uses them up.
pub(crate) fn without_keys(told: &str) -> &str {
    told.split_once("] ").map_or(told, |(_, rest)| rest)
}

fn shown_key(key: &[Value]) -> String {
    key.iter().map(|value| short(value.as_ref())).collect::<Vec<_>>().join("+")
}

/// A value as text, a uuid by its last digits.
fn short(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Uuid(id) => format!("#{:x}", id.as_u128()),
        ValueRef::Text(text) => format!("{text:?}"),
        other => other.to_text(),
    }
}

/// Rows as one line: `(1 "a" {2 "b"} [(3) (4)])`.
#[derive(Default)]
pub(crate) struct Lines {
    text: String,
}

impl Lines {
    fn push(&mut self, text: &str) {
        if !self.text.is_empty() && !self.text.ends_with(['(', '{', '[']) {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }
}

pub(crate) trait Text {
    fn text(self) -> String;
}

impl Text for Box<dyn RowSink> {
    fn text(self) -> String {
        let any: Box<dyn std::any::Any> = self;
        any.downcast::<Lines>().map(|lines| lines.text).unwrap()
    }
}

impl RowSink for Lines {
    fn begin_row(&mut self) {
        self.push("(");
    }
    fn value(&mut self, value: ValueRef<'_>) {
        self.push(&short(value));
    }
    fn begin_one(&mut self) {
        self.push("{");
    }
    fn end_one(&mut self) {
        self.text.push('}');
    }
    fn begin_many(&mut self) {
        self.push("[");
    }
    fn end_many(&mut self) {
        self.text.push(']');
    }
    fn end_row(&mut self) -> Result<(), Error> {
        self.text.push(')');
        Ok(())
    }
    fn reset(&mut self) {
        self.text.clear();
    }
}

/// An object of a payload: names and JSON scalars' text.
pub(crate) type Object<'a> = &'a [(&'static str, &'static str)];

/// `title,body`: plain fields to select.
pub(crate) fn fields(names: &'static str) -> Vec<SelectItem<'static>> {
    names
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| SelectItem::Field(field(name)))
        .collect()
}

pub(crate) fn field(name: &'static str) -> SelectField<'static> {
    SelectField {
        alias: None,
        field: Some(expr(name)),
        cast: None,
        aggregate: None,
        aggregate_cast: None,
    }
}

pub(crate) fn expr(name: &'static str) -> FieldExpr<'static> {
    FieldExpr { name: name.into(), json: Vec::new(), as_text: false }
}

/// `views=gt.3`.
pub(crate) fn compared(
    name: &'static str,
    operator: Operator,
    argument: &'static str,
) -> Condition<'static> {
    Condition::Compare {
        field: expr(name),
        negated: false,
        operator,
        quantifier: None,
        argument: Argument::Text(argument.into()),
    }
}

/// `views=eq.3`.
pub(crate) fn equal(name: &'static str, argument: &'static str) -> Condition<'static> {
    compared(name, Operator::Eq, argument)
}

/// A read of these fields of a model.
pub(crate) fn read(model: &'static str, names: &'static str) -> ReadRequest<'static> {
    ReadRequest { model: model.into(), select: fields(names), ..ReadRequest::default() }
}

fn writing(
    model: &'static str,
    action: WriteAction<'static>,
    filters: Vec<Condition<'static>>,
    returned: &'static str,
) -> WriteRequest<'static> {
    WriteRequest {
        model: model.into(),
        action,
        returning: if returned.is_empty() { Return::Minimal } else { Return::Representation },
        select: fields(returned),
        clauses: Clauses { filters, ..Clauses::default() },
        embedded: Vec::new(),
        max_affected: None,
        at_most: None,
    }
}

/// One object of a payload, each value a JSON scalar's text.
pub(crate) fn object(values: &[(&'static str, &'static str)]) -> PayloadRow<'static> {
    values
        .iter()
        .map(|(name, value)| {
            let value = match *value {
                "null" => PayloadValue::Null,
                "true" => PayloadValue::Bool(true),
                "false" => PayloadValue::Bool(false),
                nested if nested.starts_with(['{', '[']) => PayloadValue::Nested(nested.into()),
                text => PayloadValue::String(text.into()),
            };
            ((*name).into(), value)
        })
        .collect()
}

/// New rows.
pub(crate) fn insert(
    model: &'static str,
    rows: &[Object<'_>],
    returned: &'static str,
) -> WriteRequest<'static> {
    inserting(model, rows, returned, None)
}

/// New rows, or other values for those that are there.
pub(crate) fn inserting(
    model: &'static str,
    rows: &[Object<'_>],
    returned: &'static str,
    resolution: Option<Resolution>,
) -> WriteRequest<'static> {
    let action = WriteAction::Insert(InsertRequest {
        payload: rows.iter().map(|row| object(row)).collect(),
        columns: None,
        missing_default: true,
        resolution,
        on_conflict: Vec::new(),
    });
    writing(model, action, Vec::new(), returned)
}

/// Other values for the rows that match.
pub(crate) fn update(
    model: &'static str,
    filters: Vec<Condition<'static>>,
    values: &[(&'static str, &'static str)],
    returned: &'static str,
) -> WriteRequest<'static> {
    let action = WriteAction::Update { payload: object(values), columns: None };
    writing(model, action, filters, returned)
}

/// No more of the rows that match.
pub(crate) fn delete(
    model: &'static str,
    filters: Vec<Condition<'static>>,
    returned: &'static str,
) -> WriteRequest<'static> {
    writing(model, WriteAction::Delete, filters, returned)
}
