//! `mainstay routes`: what the app answers, and whether any rule opens it.
//!
//! A route is listed as open where the model has a rule for it, whatever that rule
//! says: who passes it is decided request by request.

use mainstay_core::{Model, RuleText};
use serde_json::{Value as Json, json};

use super::{Failure, arguments::FolderArguments, output::Output};
use crate::{
    folder::Folder,
    load::{environment, load},
};

/// One line of the list.
struct Route {
    methods: &'static str,
    path: String,
    /// What has to hold; none where there is no rule to ask.
    rule: Option<String>,
    about: &'static str,
}

pub(super) fn run(arguments: &FolderArguments, output: &Output) -> Result<(), Failure> {
    let folder = Folder::open(&arguments.dir)?;
    let loaded = load(folder.read()?, &environment())?;
    let mut routes: Vec<Route> = loaded.catalog.exposed_models().flat_map(of_model).collect();
    routes.extend(fixed());
    if folder.public().is_dir() {
        routes.push(system("GET, HEAD", "/{file}", "the files of public/"));
    }
    if arguments.json {
        let routes: Vec<Json> = routes.iter().map(as_json).collect();
        output.print(&format!("{:#}", json!({ "routes": routes })));
        return Ok(());
    }
    let width = |of: fn(&Route) -> usize| routes.iter().map(of).max().unwrap_or(0);
    let methods = width(|route| route.methods.len());
    let paths = width(|route| route.path.len());
    for route in &routes {
        let rule = match &route.rule {
            Some(rule) => one_line(rule),
            None if route.about == DENIED => output.style.red(route.about),
            None => output.style.dim(route.about),
        };
        let (method, path) = (route.methods, &route.path);
        output.print(&format!("{method:<methods$}  {path:<paths$}  {rule}"));
    }
    Ok(())
}

const DENIED: &str = "denied: there is no rule";

fn of_model(model: &Model) -> [Route; 4] {
    let path = format!("/rest/v1/{}", model.name);
    let route = |methods, rule: &Option<RuleText>| Route {
        methods,
        path: path.clone(),
        rule: rule.as_ref().map(|rule| rule.text.to_string()),
        about: DENIED,
    };
    [
        route("GET, HEAD", &model.rules.read),
        route("POST, PUT", &model.rules.create),
        route("PATCH", &model.rules.update),
        route("DELETE", &model.rules.delete),
    ]
}

fn fixed() -> [Route; 6] {
    [
        system("GET, HEAD", "/rest/v1/", "the API's description (OpenAPI)"),
        system("GET, HEAD", "/openapi.json", "the same"),
        system("any", "/auth/v1/…", "accounts, tokens and sessions: docs/auth.md"),
        system("GET, HEAD", "/auth/v1/.well-known/jwks.json", "the public keys of tokens"),
        system("GET, HEAD", "/healthz", "whether the process runs"),
        system("GET, HEAD", "/readyz", "whether the database answers"),
    ]
}

fn system(methods: &'static str, path: &str, about: &'static str) -> Route {
    Route { methods, path: path.to_owned(), rule: None, about }
}

/// A rule as one line of bounded length.
fn one_line(rule: &str) -> String {
    const LETTERS_MAX: usize = 100;
    let words: Vec<&str> = rule.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(LETTERS_MAX) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

fn as_json(route: &Route) -> Json {
    let methods: Vec<&str> = route.methods.split(", ").collect();
    let denied = route.rule.is_none() && route.about == DENIED;
    json!({ "methods": methods, "path": route.path, "rule": route.rule, "denied": denied })
}
