//! An app whose store says what it is told to, and what is asked of it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, Response},
};
use mainstay_auth::{
    Identity, IdentitySettings, Keyring, Outgoing, RedirectTargets, Rows, TokenSettings, Verifier,
};
use mainstay_core::{Error, Limits, SourceFile, Value, ValueRef, read_app};
use mainstay_mail::Templates;
use mainstay_plan::{Features, Planner, Query, ReadPlan, Source};
use mainstay_store::{
    Committed, End, Health, ReadDone, RowSink, Store, ToldStore, WriteError, WriteSet,
};
use tower::{Service, ServiceExt};

use crate::{App, Rehearsal, ServerTiming, Settings, State, router};

pub(super) const POSTS: &str = r#"
[model]
id = "int"
timestamps = false
[fields]
title = { type = "text" }
[rules]
read = "true"
create = "true"
update = "true"
delete = "true"
"#;

pub(super) const SECRETS: &str = r#"
[fields]
title = { type = "text" }
"#;

/// What the store answers, whatever it is asked.
#[derive(Clone, Copy, Default)]
pub(super) struct Told {
    pub(super) rows: u64,
    pub(super) total: Option<u64>,
    pub(super) inserted: u64,
}

/// What it says, and how the transactions ended that it was given.
pub(super) struct Says {
    told: Told,
    pub(super) ended: Mutex<Vec<End>>,
}

fn fill(told: Told, query: &Query, sink: &mut dyn RowSink) -> Result<(), Error> {
    for row in 1..=told.rows {
        sink.begin_row();
        for column in &query.columns {
            match &column.source {
                Source::Value(_, mainstay_core::Type::Int) => {
                    sink.value(ValueRef::Int(i64::try_from(row).unwrap()));
                }
                _ => sink.value(ValueRef::Text("t")),
            }
        }
        sink.end_row()?;
    }
    Ok(())
}

impl mainstay_store::Told for Says {
    fn read(&self, plan: &ReadPlan, sink: &mut dyn RowSink) -> Result<ReadDone, Error> {
        fill(self.told, plan.shape().root(), sink)?;
        let total = self.told.total.filter(|_| plan.shape().count());
        Ok(ReadDone { rows: self.told.rows, total })
    }

    fn write(&self, set: &WriteSet, sink: &mut dyn RowSink) -> Result<Committed, WriteError> {
        self.ended.lock().unwrap().push(set.end);
        if let Some(query) = set.plans[0].shape().returning() {
            fill(self.told, query, sink).map_err(WriteError::Refused)?;
        }
        let keys = (1..=self.told.rows).map(|row| [Value::Int(i64::try_from(row).unwrap())]);
        let affected = keys.map(|key| Box::new(key) as Box<[Value]>).collect();
        Ok(Committed { mark: None, affected: vec![affected], inserted: vec![self.told.inserted] })
    }

    fn health(&self) -> Health {
        Health::Away("/secret/path is gone".to_owned())
    }
}

pub(super) fn serve(told: Told) -> (Router, Arc<ToldStore<Says>>) {
    serve_app(told, &[("models/posts.toml", POSTS), ("models/secrets.toml", SECRETS)])
}

pub(super) fn serve_app(told: Told, files: &[(&str, &str)]) -> (Router, Arc<ToldStore<Says>>) {
    let (state, store) = state_of(told, files, ServerTiming::Off);
    (router(state), store)
}

pub(super) fn parts_of(files: &[(&str, &str)], keyring: &Keyring) -> (Arc<Planner>, Arc<Verifier>) {
    let file = |(path, text): &(&str, &str)| SourceFile {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    let catalog = Arc::new(read_app(&[], &files, &[]).expect("a good app").catalog);
    let rulebook = Arc::new(mainstay_rules::compile(&catalog).expect("good rules"));
    let planner = Planner::new(catalog, rulebook, Limits::default(), Features { aggregates: true });
    let verifier = Verifier::new(
        keyring,
        TokenSettings::new("test"),
        Box::new(|roles| (roles.to_vec(), Vec::new())),
    );
    (Arc::new(planner), Arc::new(verifier))
}

pub(super) fn state_of(
    told: Told,
    files: &[(&str, &str)],
    server_timing: ServerTiming,
) -> (State, Arc<ToldStore<Says>>) {
    let store = Arc::new(ToldStore(Says { told, ended: Mutex::default() }));
    let keyring = Keyring::generate();
    let settings = Settings { rehearsal: Rehearsal::Allowed, server_timing, ..Settings::new() };
    let (planner, verifier) = parts_of(files, &keyring);
    let rows = Rows::new(Arc::clone(&store) as Arc<dyn Store>, Arc::clone(&planner));
    let identity = identity(rows, keyring, &verifier);
    let app = App::new("blog", planner, verifier);
    (State::new(app, Arc::clone(&store) as Arc<dyn Store>, Arc::new(identity), settings), store)
}

/// No account is ever asked for here; tokens are taken as they are.
fn identity(rows: Rows, keyring: Keyring, verifier: &Arc<Verifier>) -> Identity {
    let redirects = RedirectTargets::new("http://localhost", []).expect("a site");
    let settings = IdentitySettings {
        takes_tokens_without_session: true,
        ..IdentitySettings::new(TokenSettings::new("test"), "http://localhost", redirects)
    };
    let templates = Arc::new(Templates::read(&[]).expect("good templates"));
    let mails = Outgoing { templates, waker: None };
    Identity::new(Arc::new(rows), Arc::new(keyring), Arc::clone(verifier), settings, mails)
}

/// Headers that are the same on nearly every answer, and are shown where they differ.
const EVERYWHERE: &[&str] = &[
    "content-type: application/json; charset=utf-8",
    "vary: accept, prefer, range, authorization, apikey, cookie",
];

/// Sends `METHOD TARGET`, then a header on each line, then after an empty line the
/// body; and shows the answer.
pub(super) async fn ask(
    service: impl Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    text: &str,
) -> String {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
    let mut req = Request::builder().method(method).uri(target);
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        req = req.header(name, value);
    }
    let res = service.oneshot(req.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    shown(res).await
}

pub(super) async fn shown(res: Response<Body>) -> String {
    let (head, body) = res.into_parts();
    let mut headers: Vec<String> = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .filter(|header| !EVERYWHERE.contains(&header.as_str()))
        .collect();
    headers.sort();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let mut text = format!("{}\n{}", head.status.as_u16(), headers.join("\n"));
    text.push_str(&format!("\n{}", String::from_utf8_lossy(&body)));
    text.trim_end().lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}
