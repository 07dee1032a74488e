//! An app under test, and the callers who use it.

use std::time::{Duration, Instant};

use mainstay::testing::{Response, TestApp};
use serde_json::Value as Json;

use crate::database;

/// Who sends a request.
pub(crate) enum Caller {
    /// Nobody.
    Anonymous,
    /// A user with these roles.
    User(&'static str, &'static [&'static str]),
    /// Whoever has this token.
    Bearer(String),
    /// The holder of the service key.
    Service,
}

impl Caller {
    /// A user without roles.
    pub(crate) fn user(id: &'static str) -> Self {
        Self::User(id, &[])
    }
}

/// A running app.
pub(crate) struct App(TestApp);

/// Starts an app of these files.
pub(crate) async fn app(files: &[(&str, &str)]) -> App {
    let app = TestApp::start(files).await;
    if let Some(url) = app.database_url() {
        database::note(app.folder(), url);
    }
    App(app)
}

impl App {
    /// Sends a request.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        caller: &Caller,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let token = match caller {
            Caller::Anonymous => None,
            Caller::User(id, roles) => Some(self.0.token(id, roles)),
            Caller::Bearer(token) => Some(token.clone()),
            Caller::Service => Some(self.0.service_key().to_owned()),
        };
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut all: Vec<(&str, &str)> = headers.to_vec();
        if let Some(bearer) = &bearer {
            all.push(("Authorization", bearer));
        }
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "Content-Type") {
            all.push(("Content-Type", "application/json"));
        }
        self.0.request(method, &encoded(path), &all, body.as_bytes()).await
    }

    /// The application folder, with the database in it.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.0.folder()
    }

    /// The text of the newest mail of a kind, once it has left.
    pub(crate) async fn mailed_text(&self, kind: &str) -> String {
        let mail = mailed(&self.0, |mail| mail["kind"] == kind).await;
        mail["text"].as_str().expect("a text").to_owned()
    }

    /// Goes over to the application folder with this file in it.
    pub(crate) async fn reload_with(&self, path: &str, text: &str) {
        self.0.write_file(path, text);
        self.0.reload().await.expect("no mistakes");
    }

    /// GET.
    pub(crate) async fn get(&self, caller: &Caller, path: &str) -> Response {
        self.send("GET", path, caller, &[], "").await
    }

    /// POST of JSON.
    pub(crate) async fn post(&self, caller: &Caller, path: &str, body: &str) -> Response {
        self.send("POST", path, caller, &[], body).await
    }

    /// PUT of JSON.
    pub(crate) async fn put(&self, caller: &Caller, path: &str, body: &str) -> Response {
        self.send("PUT", path, caller, &[], body).await
    }

    /// PATCH of JSON.
    pub(crate) async fn patch(&self, caller: &Caller, path: &str, body: &str) -> Response {
        self.send("PATCH", path, caller, &[], body).await
    }

    /// DELETE.
    pub(crate) async fn delete(&self, caller: &Caller, path: &str) -> Response {
        self.send("DELETE", path, caller, &[], "").await
    }

    /// Rows that must be created for a test to mean anything.
    pub(crate) async fn created(&self, caller: &Caller, model: &str, rows: &str) {
        let path = format!("/rest/v1/{model}?{}", columns_of(rows));
        let res = self.send("POST", &path, caller, &[("Prefer", "missing=default")], rows).await;
        assert_eq!(res.status, 201, "{model}: {}", res.body);
    }
}

/// How long a mail may take to leave, which it does in the background.
const MAILED_MAX: Duration = Duration::from_secs(30);

/// The newest mail of an app in development that is this one, once it has left.
pub(crate) async fn mailed(app: &TestApp, is_it: impl Fn(&Json) -> bool) -> Json {
    let began = Instant::now();
    loop {
        let accept = [("Accept", "application/json")];
        let mails = app.request("GET", "/_dev/mail", &accept, b"").await.json();
        let mails = mails.as_array().expect("a list of mails");
        if let Some(mail) = mails.iter().find(|mail| is_it(mail)) {
            return mail.clone();
        }
        assert!(began.elapsed() < MAILED_MAX, "it has not left; these have: {mails:?}");
    }
}

/// A path with what may not stand in one written as `%XX`.
fn encoded(path: &str) -> String {
    path.chars()
        .map(|character| match character {
            '"' | '<' | '>' | '{' | '}' | '\\' | ' ' | '^' | '|' | '`' => {
                format!("%{:02X}", u32::from(character))
            }
            plain => plain.to_string(),
        })
        .collect()
}

/// `columns=` with every name that any of the rows has, as the JavaScript client says it.
fn columns_of(rows: &str) -> String {
    let rows: Json = serde_json::from_str(rows).expect("rows of JSON");
    let mut names: Vec<&str> = Vec::new();
    for row in rows.as_array().expect("an array of rows") {
        for name in row.as_object().expect("an object").keys() {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    format!("columns={}", names.join(","))
}

/// The body as JSON.
pub(crate) fn json(res: &Response) -> Json {
    serde_json::from_str(&res.body).unwrap_or_else(|_| panic!("not JSON: {}", res.body))
}

/// All of them, run at once.
pub(crate) async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (one, done) in all.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(output) = one.as_mut().poll(context) {
                *done = Some(output);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
