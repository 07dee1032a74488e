//! `mainstay access explain`: which part of which rule admits a row, or does not.
//!
//! The row is read from the app's database, and its rules are asked by the reference
//! interpreter, which says what a store's SQL comes to as well. Nothing is changed. What
//! it prints shows values of rows: it is for whoever runs the app.

mod caller;
mod related;
mod show;

use std::sync::Arc;

use mainstay_core::{
    Actor, Code, Diagnostic, FieldId, Model, ModelId, RuleText, SourceFile, nearest,
};
use mainstay_plan::{Features, Planner};
use mainstay_rules::{
    Rule,
    interpret::{Explained, Row, Situation, World, explain},
};

use self::{
    caller::{Caller, Meant},
    related::{ReadError, Reader},
};
use crate::{
    cli::{
        Failure,
        arguments::{ExplainArguments, ExplainOperation},
        block_on,
        output::Output,
        warn_of_undeclared,
    },
    database::{Database, open_existing},
    folder::Folder,
    load::{Loaded, environment, load},
};

/// A rule that was asked of the row.
pub(super) struct Asked {
    /// `read`, or `notes read` of a field.
    pub(super) what: String,
    /// Where it stands: file and line.
    pub(super) place: Option<(String, usize)>,
    /// What it came to; none where the model has no such rule.
    pub(super) explained: Option<Explained>,
    /// Whether the row is admitted only if it is true.
    pub(super) decides: bool,
    pub(super) note: Option<&'static str>,
}

pub(super) fn run(arguments: &ExplainArguments, output: &Output) -> Result<(), Failure> {
    let folder = Folder::open(&arguments.dir)?;
    let loaded = load(folder.read()?, &environment())?;
    let meant = Meant::of(arguments)?;
    let model = model_of(&loaded, &arguments.model)?;
    warn_of_undeclared(&arguments.roles, &loaded.settings.roles, output);
    block_on(async {
        let database = open_existing(&folder, &loaded.settings, &loaded.catalog).await?;
        let answer = answer(&loaded, &database, meant, model, arguments).await;
        database.close().await;
        let (caller, asked) = answer?;
        output.print(&if arguments.json {
            format!("{:#}", show::as_json(arguments, &caller, &asked))
        } else {
            show::text(arguments, &caller, &asked, output.style)
        });
        Ok(())
    })
}

/// Who was meant, and each rule that was asked about them.
async fn answer(
    loaded: &Loaded,
    database: &Database,
    meant: Meant,
    model: ModelId,
    arguments: &ExplainArguments,
) -> Result<(Caller, Vec<Asked>), Failure> {
    let caller = meant.look_up(loaded, database, arguments).await?;
    let planner = Planner::new(
        Arc::clone(&loaded.catalog),
        Arc::clone(&loaded.rulebook),
        loaded.settings.limits.clone(),
        Features { aggregates: false },
    );
    let reader = Reader { planner: &planner, store: &*database.store };
    let asked = ask(loaded, &reader, &caller.actor, model, arguments).await?;
    Ok((caller, asked))
}

fn model_of(loaded: &Loaded, name: &str) -> Result<ModelId, Failure> {
    let catalog = &loaded.catalog;
    catalog.model_id(name).ok_or_else(|| {
        let names = catalog.models().iter().map(|model| &*model.name);
        let near = nearest(name, names).map(|near| format!("; did you mean `{near}`?"));
        Failure::Usage(format!("there is no model `{name}`{}", near.unwrap_or_default()))
    })
}

async fn ask(
    loaded: &Loaded,
    reader: &Reader<'_>,
    actor: &Actor,
    model: ModelId,
    arguments: &ExplainArguments,
) -> Result<Vec<Asked>, Failure> {
    let row = stored_row(loaded, reader, model, &arguments.id).await?;
    if actor.is_service() {
        return Ok(Vec::new());
    }
    let questions = questions(loaded, model, arguments.op);
    let conditions: Vec<_> = questions.iter().filter_map(|it| it.rule).map(Rule::filter).collect();
    let rows = reader.world(model, &row, &conditions).await.map_err(failed)?;
    let catalog = &*loaded.catalog;
    let situation = Situation {
        world: Some(World { catalog, rows: &rows }),
        row: &row,
        old: Some(&row),
        actor,
        now: mainstay_web::system_time(),
        slots: &[],
    };
    let answer = |question: Question<'_>| Asked {
        place: question.text.map(|text| place(text, &loaded.files)),
        explained: question.rule.map(|rule| explain(catalog, model, rule.filter(), &situation)),
        what: question.what,
        decides: question.decides,
        note: question.note,
    };
    Ok(questions.into_iter().map(answer).collect())
}

async fn stored_row(
    loaded: &Loaded,
    reader: &Reader<'_>,
    model: ModelId,
    id: &str,
) -> Result<Row, Failure> {
    let declared = loaded.catalog.model(model);
    let Some(key) = declared.id_field() else {
        return Err(Failure::Usage(format!("no one field tells rows of {} apart", declared.name)));
    };
    let rows = reader.rows(model, &[(key, id.to_owned())]).await.map_err(failed)?;
    rows.into_iter().next().ok_or_else(|| {
        let name = &declared.field(key).name;
        Failure::App(format!("there is no row of {} whose {name} is {id}", declared.name))
    })
}

fn failed(error: ReadError) -> Failure {
    match error {
        ReadError::Store(error) if error.code() == Code::ValueUnreadable => {
            Failure::Usage(error.message().to_owned())
        }
        ReadError::Store(error) => Failure::App(crate::database::causes(&error)),
        ReadError::TooMany(_) => Failure::App(error.to_string()),
    }
}

fn place(rule: &RuleText, files: &[SourceFile]) -> (String, usize) {
    let text = files.iter().find(|file| *file.path == *rule.file);
    let text = text.map_or("", |file| file.text.as_str());
    (rule.file.to_string(), Diagnostic::in_rule(rule, text, 0..0, "").line)
}

/// A rule to be asked.
struct Question<'l> {
    what: String,
    rule: Option<&'l Rule>,
    text: Option<&'l RuleText>,
    decides: bool,
    note: Option<&'static str>,
}

/// The rules that an operation asks, those of the row first.
fn questions(loaded: &Loaded, model: ModelId, op: ExplainOperation) -> Vec<Question<'_>> {
    let declared = loaded.catalog.model(model);
    let (rules, texts) = (loaded.rulebook.model(model), &declared.rules);
    let row = |what: &str, rule, text| Question {
        what: what.to_owned(),
        rule,
        text,
        decides: true,
        note: None,
    };
    let read = || row("read", rules.read.as_ref(), texts.read.as_ref());
    let mut questions = match op {
        ExplainOperation::Read => vec![read()],
        ExplainOperation::Create => vec![Question {
            note: Some("of the stored row, as if it were created now"),
            ..row("create", rules.create.as_ref(), texts.create.as_ref())
        }],
        ExplainOperation::Update => vec![
            read(),
            row("update", rules.update.as_ref(), texts.update.as_ref()),
            Question {
                decides: false,
                note: Some("of the row unchanged; a write asks it of the row as stored"),
                ..row(
                    "check",
                    rules.check.as_ref().or(rules.update.as_ref()),
                    texts.check.as_ref().or(texts.update.as_ref()),
                )
            },
        ],
        ExplainOperation::Delete => {
            vec![read(), row("delete", rules.delete.as_ref(), texts.delete.as_ref())]
        }
    };
    questions.extend(declared.field_ids().flat_map(|field| of_field(loaded, model, field, op)));
    questions
}

/// The rules of a field that an operation asks where it names the field.
fn of_field(
    loaded: &Loaded,
    model: ModelId,
    field: FieldId,
    op: ExplainOperation,
) -> Vec<Question<'_>> {
    let declared: &Model = loaded.catalog.model(model);
    let rules = &loaded.rulebook.model(model).fields[field.index()];
    let field = declared.field(field);
    let question = |what: &str, rule, text, note| Question {
        what: format!("{} {what}", field.name),
        rule: Some(rule),
        text,
        decides: false,
        note,
    };
    let hides = Some("null where it is not true");
    let keeps = Some("asked of a write that gives it");
    let read = rules.read.as_ref().zip(field.rules.read.as_ref());
    let write = rules.write.as_ref().zip(field.rules.write.as_ref());
    let read = |note| read.map(|(rule, text)| question("read", rule, Some(text), note));
    let write = |note| write.map(|(rule, text)| question("write", rule, Some(text), note));
    match op {
        ExplainOperation::Read => read(hides).into_iter().collect(),
        ExplainOperation::Create | ExplainOperation::Update => {
            read(keeps).into_iter().chain(write(keeps)).collect()
        }
        ExplainOperation::Delete => Vec::new(),
    }
}
