//! What is said of a role beforehand is what the plans of its callers say.

use std::sync::Arc;

use expect_test::expect;
use mainstay_core::{Actor, Code, Error, Filter, Limits, ModelId, UserClaims};
use mainstay_plan::{
    Access, Action, Clauses, Features, InsertRequest, ModelAccess, PayloadValue, Planner,
    ReadRequest, Return, WriteAction, WriteRequest, access,
};
use mainstay_rules::{
    Callers, RuleKind, both,
    corpus::{Corpus, corpus_rules},
    rule_text,
};
use uuid::Uuid;

use crate::show::{now, planner};

/// Rules that come to always, to never and to conditions, each for another role.
const RULES: [Option<&str>; 10] = [
    None,
    Some("true"),
    Some("false"),
    Some("public"),
    Some("owner == auth.id"),
    Some("public || owner == auth.id || auth.can('notes.edit')"),
    Some("'editor' in auth.roles"),
    Some("auth.id != null"),
    Some("auth.id == null && public"),
    Some("!('editor' in auth.roles) || owner.name == 'Ada'"),
];

/// The roles, each with one of its callers.
fn roles() -> Vec<(&'static str, Callers, Actor)> {
    let user = |roles: &[&str], can: &[&str]| {
        let boxed = |texts: &[&str]| -> Vec<Box<str>> {
            texts.iter().map(|text| Box::from(*text)).collect()
        };
        let actor = Actor::user(Arc::new(UserClaims {
            id: "ada".to_owned(),
            roles: boxed(roles),
            permissions: boxed(can),
            ..UserClaims::default()
        }));
        (Callers::with_roles(boxed(roles), boxed(can)), actor)
    };
    let (plain, of_plain) = user(&[], &[]);
    let (editors, of_editors) = user(&["editor"], &["notes.edit"]);
    vec![
        ("anon", Callers::anonymous(), Actor::anonymous()),
        ("authenticated", plain, of_plain),
        ("editor", editors, of_editors),
    ]
}

/// Notes under these rules, and the people who own them.
fn notes(read: Option<&str>, other: Option<&str>, field: Option<&str>) -> Planner {
    let rule = |name: &str, text: Option<&str>| {
        text.map(|text| format!("{name} = \"{text}\"\n")).unwrap_or_default()
    };
    let field = field.map(|text| format!(", read = \"{text}\"")).unwrap_or_default();
    let notes = format!(
        "[model]\nid = \"int\"\n[fields]\npublic = {{ type = \"bool\" }}\n\
         owner = {{ type = \"ref\", to = \"people\" }}\n\
         text = {{ type = \"text\"{field} }}\n[rules]\n{}{}{}{}",
        rule("read", read),
        rule("create", other),
        rule("update", other),
        rule("delete", other),
    );
    let people = "[model]\nid = \"text\"\n[fields]\nname = { type = \"text\" }\n\
                  [rules]\nread = \"true\"\n";
    planner(&[("notes", &notes), ("people", people)])
}

fn notes_of(planner: &Planner, callers: &Callers) -> ModelAccess {
    let catalog = planner.catalog();
    let model = catalog.model_id("notes").expect("notes");
    access(catalog, planner.rulebook(), model, callers)
}

/// The condition that a plan has on rows; never where it is refused.
fn asked(planner: &Planner, action: Option<WriteAction<'static>>, actor: &Actor) -> Filter {
    let Some(action) = action else {
        let request = ReadRequest { model: "notes".into(), ..ReadRequest::default() };
        return denied_or(planner.read(&request, actor, now()).map(|plan| {
            assert_eq!(plan.answers_nothing(), plan.shape().root().filter.is_never());
            plan.shape().root().filter.clone()
        }));
    };
    let request = write(action);
    let plan = planner.write(&request, actor, now(), &mut || Uuid::nil());
    denied_or(plan.map(|plan| match plan.shape().action() {
        Action::Insert { create, .. } => {
            create.iter().map(|guard| guard.filter.clone()).fold(Filter::ALWAYS, both)
        }
        // Joined again, so that a part that admits nothing is seen to.
        Action::Update { target, .. } | Action::Delete { target, .. } => {
            both(target.clone(), Filter::ALWAYS)
        }
    }))
}

fn write(action: WriteAction<'static>) -> WriteRequest<'static> {
    WriteRequest {
        model: "notes".into(),
        action,
        returning: Return::Minimal,
        select: Vec::new(),
        clauses: Clauses::default(),
        embedded: Vec::new(),
        max_affected: Some(1),
        at_most: None,
    }
}

fn denied_or(filter: Result<Filter, Error>) -> Filter {
    filter.unwrap_or_else(|error| {
        assert_eq!(error.code(), Code::Denied, "{error}");
        Filter::NEVER
    })
}

fn insert() -> WriteAction<'static> {
    WriteAction::Insert(InsertRequest {
        payload: vec![vec![("public".into(), PayloadValue::Bool(true))]],
        columns: None,
        missing_default: true,
        resolution: None,
        on_conflict: Vec::new(),
    })
}

fn update(field: &'static str) -> WriteAction<'static> {
    WriteAction::Update { payload: vec![(field.into(), PayloadValue::Null)], columns: None }
}

#[test]
fn always_has_no_condition_in_a_plan_and_never_admits_nothing() {
    let mut compared = 0;
    for read in RULES {
        for other in RULES {
            let planner = notes(read, other, None);
            for (role, callers, actor) in roles() {
                let said = notes_of(&planner, &callers);
                let mut compare = |said: &Access, action| {
                    let filter = asked(&planner, action, &actor);
                    let place = format!("{role}: {read:?}, {other:?}: {said:?}, {filter:?}");
                    let condition = &said.condition;
                    assert_eq!(condition.is_always(), filter.is_always(), "{place}");
                    assert_eq!(condition.is_never(), filter.is_never(), "{place}");
                    compared += 1;
                };
                compare(&said.read, None);
                compare(&said.create, Some(insert()));
                compare(&said.update, Some(update("public")));
                compare(&said.delete, Some(WriteAction::Delete));
            }
        }
    }
    assert_eq!(compared, 1_200);
}

#[test]
fn what_a_changed_row_must_satisfy_is_what_the_plan_asks_of_it() {
    for update_rule in RULES.into_iter().flatten() {
        let planner = notes(Some("true"), Some(update_rule), None);
        for (role, callers, actor) in roles() {
            let said = notes_of(&planner, &callers).check.condition;
            let request = write(update("public"));
            let plan = planner.write(&request, &actor, now(), &mut || Uuid::nil()).expect("a plan");
            let Action::Update { after, .. } = plan.shape().action() else { panic!("an update") };
            let asked = after.iter().map(|guard| guard.filter.clone()).fold(Filter::ALWAYS, both);
            assert_eq!(said.is_always(), asked.is_always(), "{role}: {update_rule}");
            assert_eq!(said.is_never(), asked.is_never(), "{role}: {update_rule}");
        }
    }
}

#[test]
fn a_field_that_is_never_seen_is_refused_by_name_and_one_that_always_is_has_no_condition() {
    for rule in RULES {
        let planner = notes(Some("true"), Some("true"), rule);
        for (role, callers, actor) in roles() {
            let said = notes_of(&planner, &callers);
            let text = said.fields.iter().find(|field| field.field.index() == 3).expect("text");
            let written = asked(&planner, Some(update("text")), &actor);
            assert_eq!(text.write.is_never(), written.is_never(), "{role}: {rule:?}");
            assert_eq!(text.read, text.write, "{role}: {rule:?}");
        }
    }
}

#[test]
fn what_is_said_of_the_corpus_is_what_its_plans_ask() {
    let corpus = Corpus::new();
    for rule in corpus_rules() {
        let compiled = corpus.compile(rule.text, RuleKind::Read).expect("a rule");
        let rulebook = Arc::new(corpus.rulebook_with(compiled.filter().clone()));
        let catalog = Arc::new(corpus.catalog.clone());
        let planner = Planner::new(
            Arc::clone(&catalog),
            Arc::clone(&rulebook),
            Limits::default(),
            Features { aggregates: true },
        );
        let request = ReadRequest { model: "posts".into(), ..ReadRequest::default() };
        for (name, actor) in &corpus.actors {
            let callers = match actor.is_anonymous() {
                true => Callers::anonymous(),
                false => Callers::with_roles(
                    actor.roles().to_vec(),
                    ["posts.publish"]
                        .into_iter()
                        .filter(|it| actor.can(it))
                        .map(Into::into)
                        .collect(),
                ),
            };
            let said = access(&catalog, &rulebook, corpus.posts, &callers).read.condition;
            let plan = planner.read(&request, actor, corpus.now).expect("a plan");
            let place = format!("{} as {name}: {said:?}", rule.name);
            if said.is_always() {
                assert!(plan.shape().root().filter.is_always(), "{place}");
            }
            assert!(!said.is_never() || plan.answers_nothing(), "{place}");
        }
    }
}

#[test]
fn what_two_rules_say_twice_is_said_once() {
    let planner = notes(
        Some("public || owner == auth.id"),
        Some("owner == auth.id && text != null"),
        Some("owner == auth.id"),
    );
    let (_, callers, _) = roles().remove(1);
    let said = notes_of(&planner, &callers);
    let text = |filter: &Filter| rule_text(planner.catalog(), ModelId::at(0), filter);
    expect!["owner == auth.id && text != null"].assert_eq(&text(&said.update.condition));
    expect!["owner == auth.id"].assert_eq(&text(&said.fields[3].write));
}
