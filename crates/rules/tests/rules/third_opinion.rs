//! A third opinion on the corpus: `cel`'s own evaluator, where it means the same.
//!
//! Absent values are left out of what it is given, so that it errs where we say
//! *unknown*; its `&&`, `||` and `exists` let an error give way to what decides without
//! it, as Kleene's tables do.

use std::collections::HashMap;

use cel::{Context, Program, Value as CelValue};
use mainstay_core::{Actor, FieldKind, Model, Truth, Value};
use mainstay_rules::{
    RuleKind,
    corpus::{Corpus, corpus_rules},
    interpret::Row,
};

/// A row as a map of what is present, refs as their keys.
fn fields(model: &Model, row: &Row) -> HashMap<String, CelValue> {
    let values = model.fields.iter().zip(row);
    values.filter_map(|(field, value)| Some((field.name.to_string(), converted(value)?))).collect()
}

fn converted(value: &Value) -> Option<CelValue> {
    Some(match value {
        Value::Bool(value) => CelValue::Bool(*value),
        Value::Int(value) => CelValue::Int(*value),
        Value::Float(value) => CelValue::Float(*value),
        Value::Text(value) => CelValue::String(value.to_string().into()),
        Value::Bytes(value) => CelValue::Bytes(value.to_vec().into()),
        _ => return None,
    })
}

fn caller(actor: &Actor) -> HashMap<String, CelValue> {
    let text = |text: &str| CelValue::String(text.to_owned().into());
    let roles: Vec<CelValue> = actor.roles().iter().map(|role| text(role)).collect();
    let mut auth = HashMap::from([("roles".to_owned(), CelValue::List(roles.into()))]);
    if let Some(id) = actor.id() {
        auth.insert("id".to_owned(), text(id));
    }
    auth
}

/// The rows of a model that refer to a post.
fn related(corpus: &Corpus, name: &str, post: &Value) -> CelValue {
    let id = corpus.catalog.model_id(name).expect("a model of the corpus");
    let model = corpus.catalog.model(id);
    let place = model.field_id("post").expect("it refers to posts").index();
    assert!(matches!(model.fields[place].kind, FieldKind::Ref { .. }));
    let rows = corpus.rows[id.index()].iter().filter(|row| row[place] == *post);
    let rows: Vec<CelValue> = rows.map(|row| CelValue::from(fields(model, row))).collect();
    CelValue::List(rows.into())
}

#[test]
fn cels_own_evaluator_agrees_wherever_it_means_the_same() {
    let corpus = Corpus::new();
    let model = corpus.catalog.model(corpus.posts);
    let (mut cells, mut wrong) = (0, String::new());
    for rule in corpus_rules().into_iter().filter(|rule| rule.cel_agrees) {
        let program = Program::compile(rule.text).expect("cel reads its own language");
        let ours = corpus.compile(rule.text, RuleKind::Read).expect("a rule");
        for row in &corpus.rows[corpus.posts.index()] {
            for (name, actor) in &corpus.actors {
                let mut context = Context::default();
                for (field, value) in fields(model, row) {
                    context.add_variable_from_value(field, value);
                }
                context.add_variable_from_value("auth", CelValue::from(caller(actor)));
                for relation in ["members", "bans"] {
                    context.add_variable_from_value(relation, related(&corpus, relation, &row[0]));
                }
                let theirs = match program.execute(&context) {
                    Ok(CelValue::Bool(value)) => Truth::of(Some(value)),
                    Ok(other) => panic!("{}: {other:?} is not a bool", rule.name),
                    Err(_) => Truth::Unknown,
                };
                let truth = corpus.truth(ours.filter(), row, actor);
                cells += 1;
                if truth != theirs {
                    let post = row[0].as_ref().to_text();
                    wrong += &format!(
                        "{} of post {post} for {name}: {truth:?}, cel says {theirs:?}\n",
                        rule.name
                    );
                }
            }
        }
    }
    assert!(cells > 5_000, "{cells}");
    assert!(wrong.is_empty(), "{wrong}");
}
