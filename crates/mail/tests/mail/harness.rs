//! A queue on a store, and a clock that stands still.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use mainstay_core::{Actor, Limits, SourceFile, Timestamp, Value, read_app};
use mainstay_mail::{Content, MailKind, NewMail, Sender, Transport, enqueue};
use mainstay_plan::{Features, FieldExpr, Planner, ReadRequest, SelectField, SelectItem};
use mainstay_store::{
    Cx, End, FlatRows, Migration, NoRows, Rows, Store, WriteSet, differences, steps,
};
use uuid::Uuid;

/// A queue of mails, and the time it goes by.
pub(crate) struct Queue {
    pub(crate) store: Arc<dyn Store>,
    planner: Arc<Planner>,
    micros: Arc<AtomicI64>,
}

impl Queue {
    /// An empty queue in an empty database.
    pub(crate) async fn on(store: Arc<dyn Store>) -> Self {
        let models: Vec<SourceFile> = Vec::new();
        let app = read_app(mainstay_mail::models(), &models, &[]);
        let catalog = Arc::new(app.map_err(|found| format!("{found:?}")).unwrap().catalog);
        let rulebook = mainstay_rules::compile(&catalog).map_err(|found| format!("{found:?}"));
        let found = differences(&store.wanted_schema(&catalog), &store.introspect().await.unwrap());
        let (steps, rest) = steps(&catalog, &found, Rows::None);
        assert!(rest.is_empty(), "{rest:?}");
        store.migrate(Migration::unrecorded(steps), cx()).await.unwrap();
        store.adopt(Arc::clone(&catalog));
        let rulebook = Arc::new(rulebook.unwrap());
        let planner =
            Planner::new(catalog, rulebook, Limits::default(), Features { aggregates: false });
        let start = Timestamp::parse("2026-11-23T09:30:00Z").unwrap();
        let micros = Arc::new(AtomicI64::new(start.as_micros()));
        Self { store, planner: Arc::new(planner), micros }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst)).unwrap()
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        let micros = i64::try_from(time.as_micros()).unwrap();
        self.micros.fetch_add(micros, Ordering::SeqCst);
    }

    /// Puts a mail into the queue.
    pub(crate) async fn put(&self, to: &str) -> Uuid {
        self.put_until(to, End::Commit).await
    }

    pub(crate) async fn put_until(&self, to: &str, end: End) -> Uuid {
        let content = Content {
            subject: "Grüße".to_owned(),
            text: "Open https://blog.example/?token=x\n".to_owned(),
            html: Some("<p>Open</p>".to_owned()),
        };
        let mail = NewMail { kind: MailKind::Recovery, to, content: &content };
        let id = Uuid::now_v7();
        let plan = enqueue(&self.planner, &mail, self.now(), id).unwrap();
        let set = WriteSet { plans: vec![plan], end };
        self.store.write(set, cx(), Box::new(NoRows)).await.unwrap();
        id
    }

    /// What takes mails out of it.
    pub(crate) fn sender(&self, transport: Arc<dyn Transport>) -> Sender {
        let micros = Arc::clone(&self.micros);
        let clock = move || Timestamp::from_micros(micros.load(Ordering::SeqCst)).unwrap();
        let plans = Arc::clone(&self.planner) as Arc<dyn mainstay_mail::Plans>;
        Sender::new(Arc::clone(&self.store), plans, transport, clock)
    }

    /// Every row, by id: state, attempts, words and last error.
    pub(crate) async fn rows(&self) -> Vec<String> {
        let columns = ["state", "attempts", "subject", "text_body", "html_body", "last_error"];
        let field = |name: &'static str| {
            SelectItem::Field(SelectField {
                alias: None,
                field: Some(FieldExpr { name: name.into(), json: Vec::new(), as_text: false }),
                cast: None,
                aggregate: None,
                aggregate_cast: None,
            })
        };
        let request = ReadRequest {
            model: "mainstay_mails".into(),
            select: columns.into_iter().map(field).collect(),
            ..ReadRequest::default()
        };
        let plan = self.planner.read(&request, &Actor::system("tests look"), self.now()).unwrap();
        let sink = Box::<FlatRows>::default();
        let answer = self.store.read(Arc::new(plan), cx(), sink).await.unwrap();
        let text = |value: &Value| value.as_ref().to_text().trim().to_owned();
        let line = |row: Vec<Value>| row.iter().map(text).collect::<Vec<_>>().join("|");
        FlatRows::out_of(answer.sink).into_iter().map(line).collect()
    }
}

fn cx() -> Cx {
    Cx::until(Instant::now() + Duration::from_secs(30))
}
