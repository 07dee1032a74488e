//! The text of a rule.
//!
//! Where it compiles it becomes every rule of posts, and the rule of one of their fields,
//! and posts are read and written by every caller.

use std::sync::Arc;

use http::{HeaderMap, Method};
use mainstay_core::{Catalog, Colour, Diagnostic, FieldRules, Limits, Model, ModelRules, RuleText};
use mainstay_plan::Planner;
use mainstay_rules::{RuleKind, compile, compile_rule};
use mainstay_web::fuzz::{self, Sent};

use crate::{
    Reached,
    app::{app, planner},
};

const MODEL: &str = "posts";
/// The field whose rules are tried.
const FIELD: &str = "score";

/// Compiles the rule, and plans with it.
pub fn rule(input: &[u8]) -> Reached {
    let Ok(text) = std::str::from_utf8(input) else { return Reached::Refused };
    let catalog = &app().catalog;
    let id = catalog.model_id(MODEL).expect("BUG: a model of the app");
    let rule = RuleText { text: text.into(), file: "models/posts.toml".into(), offset: 0 };
    let compiles = |kind| match compile_rule(catalog, id, &rule, kind) {
        Ok(_) => Some(rule.clone()),
        Err(mistakes) => {
            for mistake in mistakes {
                let (span, message) = (mistake.span.clone(), mistake.message.as_str());
                let found = Diagnostic::in_rule(&rule, text, span, message);
                let _ = (found.render(text, Colour::Plain), mistake.to_string());
            }
            None
        }
    };
    // `check` sees all that the others see, and more: most texts end here. Where `read`
    // takes it, it stands everywhere else too.
    let Some(check) = compiles(RuleKind::Check) else { return Reached::Refused };
    let read = compiles(RuleKind::Read);
    let rules = ModelRules {
        read: read.clone(),
        create: read.clone(),
        update: read.clone(),
        check: Some(check),
        delete: read.clone(),
    };
    let field = FieldRules { read: read.clone(), write: read.clone() };
    let planner = planner_with(catalog, rules, field);
    let reached = plan_all(&planner);
    assert!(reached == Reached::Plan || read.is_none(), "nobody can read what a rule guards");
    reached
}

/// A planner for the app with these rules, and without all others, which would only
/// have to be compiled again.
fn planner_with(catalog: &Catalog, rules: ModelRules, field: FieldRules) -> Planner {
    let mut models: Vec<Model> = catalog.models().to_vec();
    for model in &mut models {
        model.rules = ModelRules::default();
        for field in &mut model.fields {
            field.rules = FieldRules::default();
        }
        if &*model.name == MODEL {
            model.rules = rules.clone();
            let declared = model.fields.iter_mut().find(|it| &*it.name == FIELD);
            declared.expect("BUG: a field of posts").rules = field.clone();
        }
    }
    let catalog = Catalog::new(catalog.version(), models, catalog.references().to_vec());
    let rulebook = compile(&catalog)
        .unwrap_or_else(|mistakes| panic!("a rule that compiled no longer does: {}", mistakes[0]));
    planner(&Arc::new(catalog), &Arc::new(rulebook), Limits::default())
}

/// Plans each thing that can be done with posts, for every caller.
fn plan_all(planner: &Planner) -> Reached {
    let headers = HeaderMap::new();
    let sent = |method, query, body| Sent { method, model: MODEL, query, headers: &headers, body };
    let sent = [
        sent(Method::POST, "select=id", &br#"{"title":"a","score":1}"#[..]),
        sent(Method::PATCH, "id=not.is.null", br#"{"score":2}"#),
        sent(Method::DELETE, "id=not.is.null", b""),
    ];
    let mut reached = Reached::Refused;
    for actor in &app().callers {
        let query = "select=id,score,parent(id)&score=gt.1&order=score";
        let read = fuzz::read_plan(planner, MODEL, query, actor, app().now);
        let all = fuzz::read_plan(planner, MODEL, "", actor, app().now);
        reached = reached.or(Reached::of(&read)).or(Reached::of(&all));
        for sent in &sent {
            reached = reached.or(Reached::of(&fuzz::write_plan(planner, sent, actor, app().now)));
        }
    }
    reached
}
