//! Who may do what, for a terminal: model by model, roles that may the same together.

use serde_json::{Value as Json, json};

use super::{
    facts::{ALWAYS, Entry, Facts, ModelFacts, NEVER, RoleFact, Said},
    lock::cut,
};
use crate::cli::output::Style;

/// Letters of a column of roles at most; where it takes more, what is said of them
/// stands below.
const ROLES_WIDTH_MAX: usize = 28;

const FOOT: &str = "\
`authenticated` is every user, and what a role that is not named has. Who has several roles may
do what any of them may; where some are named together, `a+b`, that holds of those. update and
delete touch only rows that may be read. An upsert needs create of every row it proposes and, of
a row that is there already, update and check as well.";

/// Those of whom the same is said, as they are named.
fn groups<'f>(entry: &'f Entry, roles: &'f [RoleFact]) -> Vec<(String, &'f Said)> {
    let mut groups: Vec<(String, &Said)> = Vec::new();
    for (name, said) in entry.said_of(roles) {
        match groups.iter_mut().find(|(_, known)| *known == said) {
            Some((names, _)) => names.push_str(&format!(", {name}")),
            None => groups.push((name.to_owned(), said)),
        }
    }
    groups
}

/// The table.
pub(super) fn table(facts: &Facts, style: Style) -> String {
    let all = facts.models.iter().flat_map(|model| &model.entries);
    let lengths = all.flat_map(|entry| groups(entry, &facts.roles));
    let lengths = lengths.map(|(names, _)| names.len());
    let width = lengths.filter(|length| *length <= ROLES_WIDTH_MAX).max().unwrap_or(0);
    let models = facts.models.iter().map(|model| of_model(model, &facts.roles, width, style));
    let models = models.collect::<Vec<_>>().join("\n");
    let mut out = format!("{models}\n{}", style.dim(FOOT));
    if let Some(cut) = cut(facts) {
        out.push_str(&format!("\n{}", style.yellow(&cut)));
    }
    out
}

fn of_model(model: &ModelFacts, roles: &[RoleFact], width: usize, style: Style) -> String {
    let mut out = format!("{}  {}\n", style.bold(&model.name), style.dim(&model.file));
    let labels = model.entries.iter().map(|entry| label(entry).len());
    let labels = labels.max().unwrap_or(0);
    for entry in &model.entries {
        let mut label = label(entry);
        for (names, said) in groups(entry, roles) {
            let said = coloured(said, style);
            let shown = style.cyan(&format!("{label:<labels$}"));
            out.push_str(&if names.len() <= width {
                format!("  {shown}  {names:<width$}  {said}\n")
            } else {
                format!("  {shown}  {names}\n  {:labels$}  {:width$}  {said}\n", "", "")
            });
            label.clear();
        }
        if entry.field.is_none() && entry.operation == "delete" {
            for what in &model.on_delete {
                out.push_str(&format!("  {:labels$}  {}\n", "", style.yellow(what)));
            }
        }
    }
    out
}

fn label(entry: &Entry) -> String {
    match &entry.field {
        Some(field) => format!("{field} {}", entry.operation),
        None => entry.operation.to_owned(),
    }
}

fn coloured(said: &Said, style: Style) -> String {
    let text = match said.text.as_str() {
        ALWAYS => style.green(ALWAYS),
        NEVER => style.red(NEVER),
        condition => condition.to_owned(),
    };
    match &said.note {
        Some(note) => format!("{text}  {}", style.dim(&format!("# {note}"))),
        None => text,
    }
}

/// The same for programs.
pub(super) fn as_json(facts: &Facts) -> Json {
    let roles: Vec<Json> = facts
        .roles
        .iter()
        .map(|role| {
            json!({
                "name": role.name,
                "inherits": role.inherits,
                "can": role.can,
                "declared": !role.undeclared,
            })
        })
        .collect();
    let models: Vec<Json> = facts
        .models
        .iter()
        .map(|model| {
            let access: Vec<Json> =
                model.entries.iter().map(|entry| entry_json(entry, &facts.roles)).collect();
            json!({
                "model": model.name,
                "file": model.file,
                "access": access,
                "on_delete": model.on_delete,
            })
        })
        .collect();
    json!({ "roles": roles, "models": models })
}

fn entry_json(entry: &Entry, roles: &[RoleFact]) -> Json {
    let alone = roles.iter().zip(&entry.said);
    let may: Vec<Json> =
        alone.map(|(role, said)| said_json("role", json!(role.name), said)).collect();
    let together = entry.together.iter();
    let together: Vec<Json> =
        together.map(|it| said_json("roles", json!(it.roles), &it.said)).collect();
    json!({
        "field": entry.field,
        "operation": entry.operation,
        "may": may,
        "together": together,
        "together_cut": entry.is_cut,
    })
}

fn said_json(whose: &str, names: Json, Said { text, note }: &Said) -> Json {
    let (verdict, condition) = match text.as_str() {
        ALWAYS | NEVER => (text.as_str(), None),
        condition => ("condition", Some(condition)),
    };
    json!({ whose: names, "verdict": verdict, "condition": condition, "note": note })
}
