//! Roles and permissions that rules ask for and `[roles]` does not name.
//!
//! That is no mistake: tokens from elsewhere may bring roles of their own. Mostly it is a
//! slip of the pen, by which nobody may any more what the rule was to allow, so it is warned
//! of. An app that declares no roles at all has them from elsewhere, and is not.

use std::ops::Range;

use mainstay_core::{Catalog, Diagnostic, Model, Roles, RuleText, SourceFile, nearest};
use mainstay_rules::{ModelRuleSet, Rule, Rulebook};

/// A warning for each of them, at the place in its rule.
pub(crate) fn undeclared(
    catalog: &Catalog,
    rulebook: &Rulebook,
    declared: &Roles,
    files: &[SourceFile],
) -> Vec<Diagnostic> {
    let roles: Vec<&str> = declared.iter().map(|(name, _)| name).collect();
    let can: Vec<&str> = declared.iter().flat_map(|(_, role)| &role.can).map(|it| &**it).collect();
    if roles.is_empty() {
        return Vec::new();
    }
    let warn = |text: &RuleText, name: &str, message: String, known: &[&str]| {
        let file = files.iter().find(|file| *file.path == *text.file);
        let file = file.map_or("", |file| file.text.as_str());
        Diagnostic::in_rule(text, file, place(&text.text, name), message)
            .with_nearest(nearest(name, known.iter().copied()))
            .as_warning()
    };
    let mut found = Vec::new();
    for id in catalog.model_ids() {
        for (text, rule) in rules(catalog.model(id), rulebook.model(id)) {
            for role in rule.roles().filter(|role| !roles.contains(role)) {
                let message = format!("`[roles]` declares no role `{role}`");
                found.push(warn(text, role, message, &roles));
            }
            for permission in rule.permissions().filter(|it| !can.contains(it)) {
                let message = format!("no role of `[roles]` can `{permission}`");
                found.push(warn(text, permission, message, &can));
            }
        }
    }
    found
}

/// Every rule of a model as it is written, and as it is asked.
fn rules<'a>(
    model: &'a Model,
    asked: &'a ModelRuleSet,
) -> impl Iterator<Item = (&'a RuleText, &'a Rule)> {
    let written = &model.rules;
    let of_rows = [
        (&written.read, &asked.read),
        (&written.create, &asked.create),
        (&written.update, &asked.update),
        (&written.check, &asked.check),
        (&written.delete, &asked.delete),
    ];
    let of_fields = model.fields.iter().zip(&asked.fields).flat_map(|(field, asked)| {
        [(&field.rules.read, &asked.read), (&field.rules.write, &asked.write)]
    });
    of_rows
        .into_iter()
        .chain(of_fields)
        .filter_map(|(text, rule)| Some((text.as_ref()?, rule.as_ref()?)))
}

/// Where a name stands in a rule, between quotes; at its beginning where that is not seen.
fn place(rule: &str, name: &str) -> Range<usize> {
    let quoted =
        ['\'', '"'].into_iter().find_map(|quote| rule.find(&format!("{quote}{name}{quote}")));
    quoted.map_or(0..0, |at| at..at + name.len() + 2)
}
