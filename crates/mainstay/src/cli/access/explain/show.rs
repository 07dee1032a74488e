//! The explanation, for a terminal and for programs.

use std::fmt::Write as _;

use mainstay_core::{Actor, Truth};
use mainstay_rules::interpret::Explained;
use serde_json::{Value as Json, json};

use super::{
    Asked,
    caller::{Caller, Known},
};
use crate::cli::{accounts::account_json, arguments::ExplainArguments, output::Style};

/// Whether the caller is let in, and every rule that decides is there and true.
fn is_allowed(caller: &Caller, asked: &[Asked]) -> bool {
    let decides = |asked: &&Asked| asked.decides;
    let is_true = |asked: &Asked| {
        asked.explained.as_ref().is_some_and(|explained| explained.truth == Truth::True)
    };
    caller.barred().is_none() && asked.iter().filter(decides).all(is_true)
}

/// What a terminal shows.
pub(super) fn text(
    arguments: &ExplainArguments,
    caller: &Caller,
    asked: &[Asked],
    style: Style,
) -> String {
    let ExplainArguments { model, id, op, .. } = arguments;
    let verb = op.verb();
    if caller.actor.is_service() {
        let allowed = style.green("allowed");
        return format!(
            "{allowed}: the service key passes every rule, and may {verb} {model} {id} as far as \
             constraints and limits let it"
        );
    }
    let named = named(&caller.actor, arguments);
    let mut out = if is_allowed(caller, asked) {
        format!("{}: {named} may {verb} {model} {id}\n", style.green("allowed"))
    } else {
        let why = caller.barred().map(|why| format!(": {why}")).unwrap_or_default();
        format!("{}: {named} may not {verb} {model} {id}{why}\n", style.red("denied"))
    };
    if let Some(source) = caller.source(arguments) {
        let _ = writeln!(out, "{}", style.dim(&source));
    }
    for asked in asked {
        let what = if asked.decides { style.bold(&asked.what) } else { asked.what.clone() };
        let place = match &asked.place {
            Some((file, line)) => format!("{file}:{line}"),
            None => "there is no such rule: nobody may".to_owned(),
        };
        let note = asked.note.map(|note| format!(", {note}")).unwrap_or_default();
        let _ = writeln!(out, "\n{what}  {}", style.dim(&format!("{place}{note}")));
        if let Some(explained) = &asked.explained {
            write_part(&mut out, explained, 1, style);
        }
    }
    out
}

fn named(actor: &Actor, arguments: &ExplainArguments) -> String {
    let caller = &arguments.caller;
    match actor.roles() {
        [] => caller.clone(),
        roles => format!("{caller} ({})", roles.join(", ")),
    }
}

fn write_part(out: &mut String, part: &Explained, depth: usize, style: Style) {
    let truth = match part.truth {
        Truth::True => style.green("true   "),
        Truth::False => style.red("false  "),
        Truth::Unknown => style.yellow("unknown"),
    };
    let indent = "  ".repeat(depth);
    let row = part.row.as_ref().map(|row| format!("{}: ", style.cyan(row))).unwrap_or_default();
    let _ = write!(out, "{indent}{truth}  {row}{}", part.text);
    if !part.values.is_empty() {
        let values = part.values.iter().map(|(name, value)| format!("{name} is {value}"));
        let values = values.collect::<Vec<_>>().join(", ");
        let _ = write!(out, "  {}", style.dim(&format!("# {values}")));
    }
    out.push('\n');
    for inner in &part.parts {
        write_part(out, inner, depth + 1, style);
    }
    if part.more > 0 {
        let _ = writeln!(
            out,
            "{indent}           {}",
            style.dim(&format!("and {} more rows", part.more))
        );
    }
}

/// The same for programs.
pub(super) fn as_json(arguments: &ExplainArguments, caller: &Caller, asked: &[Asked]) -> Json {
    let rules: Vec<Json> = asked
        .iter()
        .map(|asked| {
            let (file, line) = asked.place.as_ref().map(|(file, line)| (file, line)).unzip();
            json!({
                "rule": asked.what,
                "file": file,
                "line": line,
                "decides": asked.decides,
                "explained": asked.explained.as_ref().map(part_json),
            })
        })
        .collect();
    let account = match &caller.known {
        Known::Account { account, .. } => Some(account_json(account)),
        Known::NoUser | Known::Stranger => None,
    };
    json!({
        "allowed": is_allowed(caller, asked),
        "caller": arguments.caller,
        "account": account,
        "roles": caller.actor.roles(),
        "operation": arguments.op.verb(),
        "model": arguments.model,
        "id": arguments.id,
        "rules": rules,
    })
}

fn part_json(part: &Explained) -> Json {
    let values: serde_json::Map<String, Json> =
        part.values.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "condition": part.text,
        "row": part.row,
        "truth": match part.truth {
            Truth::True => "true",
            Truth::False => "false",
            Truth::Unknown => "unknown",
        },
        "values": values,
        "parts": part.parts.iter().map(part_json).collect::<Vec<_>>(),
        "more": part.more,
    })
}
