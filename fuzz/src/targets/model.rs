//! The files of an application folder: TOML, models, settings, rules.
//!
//! The input is `models/things.toml`; a line `-- path` begins another file. Models
//! `people` and `teams` are there to be referred to, and what is built in, to whose
//! `users` a file can add.

use std::sync::Arc;

use http::{HeaderMap, Method};
use mainstay_core::{App, Colour, Diagnostic, SourceFile, read_app, render_diagnostics};
use mainstay_plan::Planner;
use mainstay_rules::RuleMistake;
use mainstay_web::fuzz::{self, Sent};

use crate::{
    Reached,
    app::{app, planner},
};

/// What begins a line that names the next file.
const FILE: &str = "-- ";
/// The file that the input begins in.
const FIRST: &str = "models/things.toml";

const PEOPLE: &str = "[model]\nid = \"text\"\n[fields]\nname = \"text\"\n[rules]\nread = \"true\"";
const TEAMS: &str =
    "[fields]\nowner = { type = \"ref\", to = \"users\" }\n[rules]\nread = \"owner == auth.id\"";

/// Models of an input that are planned with; the first ones.
const MODELS_PLANNED_MAX: usize = 4;

/// Reads the files, compiles the rules and plans reads and writes of each model; where
/// there are mistakes, shows them as a developer would see them.
pub fn model(input: &[u8]) -> Reached {
    let Ok(text) = std::str::from_utf8(input) else { return Reached::Refused };
    if text.trim().is_empty() {
        return Reached::Refused;
    }
    let files = files(text);
    match read_app(mainstay_auth::models(), &files, &[]) {
        Ok(app) => planned(app, &files),
        Err(refused) => {
            let _ = render_diagnostics(&refused.found, &files, Colour::Ansi);
            show_rules(&mainstay_rules::find_mistakes(&refused.for_rules), &files);
            Reached::Refused
        }
    }
}

fn files(text: &str) -> Vec<SourceFile> {
    let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
    let mut files = Vec::new();
    let (mut path, mut begin, mut at) = (FIRST, 0, 0);
    for line in text.split_inclusive('\n') {
        if let Some(name) = line.strip_prefix(FILE) {
            files.push(file(path, &text[begin..at]));
            path = name.trim();
            begin = at + line.len();
        }
        at += line.len();
    }
    files.push(file(path, &text[begin..]));
    files.push(file("models/people.toml", PEOPLE));
    files.push(file("models/teams.toml", TEAMS));
    files
}

fn planned(read: App, files: &[SourceFile]) -> Reached {
    let _ = render_diagnostics(&read.warnings, files, Colour::Plain);
    let catalog = Arc::new(read.catalog);
    let rulebook = match mainstay_rules::compile(&catalog) {
        Ok(rulebook) => Arc::new(rulebook),
        Err(mistakes) => {
            show_rules(&mistakes, files);
            return Reached::Refused;
        }
    };
    let planner = planner(&catalog, &rulebook, read.settings.limits);
    let of_files = catalog.models().iter().filter(|model| model.file.starts_with("models/"));
    let names = of_files.map(|model| &*model.name);
    let ours = names.filter(|name| !matches!(*name, "people" | "teams"));
    ours.take(MODELS_PLANNED_MAX).fold(Reached::Refused, |reached, name| {
        plan_all(&planner, name);
        // The service alone passes rules that admit nobody, which most do at first.
        let service = &app().callers[2];
        let read = fuzz::read_plan(&planner, name, "select=*", service, app().now);
        reached.or(Reached::of(&read))
    })
}

/// Shows the mistakes in rules.
fn show_rules(mistakes: &[RuleMistake], files: &[SourceFile]) {
    for mistake in mistakes {
        let text = files.iter().find(|file| *file.path == *mistake.rule.file);
        let text = text.map_or("", |file| file.text.as_str());
        let (span, message) = (mistake.span.clone(), mistake.message.as_str());
        let found = Diagnostic::in_rule(&mistake.rule, text, span, message);
        let _ = (found.render(text, Colour::Plain), mistake.to_string());
    }
}

/// Plans what can be done with a model, each for every caller.
fn plan_all(planner: &Planner, model: &str) {
    let headers = HeaderMap::new();
    let sent = |method, query, body| Sent { method, model, query, headers: &headers, body };
    for actor in &app().callers {
        let _ = fuzz::read_plan(planner, model, "select=*,users(*)", actor, app().now);
        for sent in [
            sent(Method::POST, "", &b"{}"[..]),
            sent(Method::POST, "", br#"{"name":"a","at":"2026-03-04","n":"12"}"#),
            sent(Method::PATCH, "id=not.is.null", br#"{"name":"a"}"#),
            sent(Method::DELETE, "id=not.is.null", b""),
        ] {
            let _ = fuzz::write_plan(planner, &sent, actor, app().now);
        }
    }
}
