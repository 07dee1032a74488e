//! An app under test, and the callers who use it.

use mainstay::testing::{Response, TestApp};

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
    let rows: serde_json::Value = serde_json::from_str(rows).expect("rows of JSON");
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
pub(crate) fn json(res: &Response) -> serde_json::Value {
    serde_json::from_str(&res.body).unwrap_or_else(|_| panic!("not JSON: {}", res.body))
}
