//! What is said of each operation on a model's rows and fields.

use mainstay_core::{Catalog, Field, FieldId, FieldKind, Filter, ModelId, RuleText};
use mainstay_plan::{Access, FieldAccess, ModelAccess, Operation, access};
use mainstay_rules::{Rule, rule_text};

use super::{
    ALWAYS, App, BUILT_IN, Entry, NEVER, Said, Together,
    together::{Answer, callers, combinations, unexpected},
};

/// The rows' first, then those of fields that are not like their row.
pub(super) fn entries(app: App<'_>, model: ModelId) -> Vec<Entry> {
    let of_role = |role: &super::RoleFact| access(app.catalog, app.rulebook, model, &role.callers);
    let by_role: Vec<ModelAccess> = app.roles.iter().map(of_role).collect();
    let finder = Finder { app, model, by_role };
    let rules = app.rulebook.model(model);
    let check = rules.check.as_ref().or(rules.update.as_ref());
    let read = rules.read.as_ref();
    let mut entries = vec![
        finder.rows("read", Operation::Read, |said| &said.read, &[read]),
        finder.rows("create", Operation::Create, |said| &said.create, &[rules.create.as_ref()]),
        finder.rows(
            "update",
            Operation::Update,
            |said| &said.update,
            &[read, rules.update.as_ref()],
        ),
        finder.rows("check", Operation::Check, |said| &said.check, &[check]),
        finder.rows(
            "delete",
            Operation::Delete,
            |said| &said.delete,
            &[read, rules.delete.as_ref()],
        ),
    ];
    let declared = app.catalog.model(model);
    for field in declared.field_ids().filter(|field| !is_left_closed(declared.field(*field))) {
        entries.extend(finder.field_read(field));
        entries.extend(finder.field_write(field));
    }
    entries
}

/// Whether a field is Mainstay's own, and closed as long as the app does not open it.
fn is_left_closed(field: &Field) -> bool {
    let is_built_in =
        |rule: &Option<RuleText>| rule.as_ref().is_some_and(|rule| rule.file.starts_with(BUILT_IN));
    is_built_in(&field.rules.read) && is_built_in(&field.rules.write)
}

/// Finds what is said of a model.
struct Finder<'l> {
    app: App<'l>,
    model: ModelId,
    by_role: Vec<ModelAccess>,
}

impl Finder<'_> {
    fn rows(
        &self,
        operation: &'static str,
        own: Operation,
        of: fn(&ModelAccess) -> &Access,
        asked: &[Option<&Rule>],
    ) -> Entry {
        let has_check = self.app.catalog.model(self.model).rules.check.is_some();
        let answer = |said: &ModelAccess| row_answer(of(said), own, has_check);
        self.entry(None, operation, self.combined(asked), answer)
    }

    /// What is said of reading a field; none where it is as its row is for everyone.
    fn field_read(&self, field: FieldId) -> Option<Entry> {
        let rules = self.app.rulebook.model(self.model);
        let own = &rules.fields[field.index()];
        let asked = [rules.read.as_ref(), own.read.as_ref()];
        self.field("read", field, &asked, field_read)
    }

    /// The same of writing it.
    fn field_write(&self, field: FieldId) -> Option<Entry> {
        let rules = self.app.rulebook.model(self.model);
        let own = &rules.fields[field.index()];
        // A ref names rows that may be read.
        let named = match self.app.catalog.model(self.model).field(field).kind {
            FieldKind::Ref { reference, blind: false } => {
                let target = self.app.catalog.reference(reference).to;
                self.app.rulebook.model(target).read.as_ref()
            }
            _ => None,
        };
        let of_rows = [&rules.read, &rules.create, &rules.update];
        let mut asked: Vec<Option<&Rule>> = of_rows.into_iter().map(Option::as_ref).collect();
        asked.extend([own.read.as_ref(), own.write.as_ref(), named]);
        self.field("write", field, &asked, |field, row| field_write(self.app.catalog, field, row))
    }

    fn field(
        &self,
        operation: &'static str,
        field: FieldId,
        asked: &[Option<&Rule>],
        answer: impl Fn(&FieldAccess, &ModelAccess) -> Answer,
    ) -> Option<Entry> {
        let of = |row: &ModelAccess| answer(&row.fields[field.index()], row);
        // A field that has no rule and names nothing.
        let plain = FieldAccess { field, read: Filter::ALWAYS, write: Filter::ALWAYS, names: None };
        let is_plain = |row: &ModelAccess| of(row) == answer(&plain, row);
        let combined = self.combined(asked);
        let mut all = self.by_role.iter().chain(combined.0.iter().map(|(_, row)| row));
        (!all.all(is_plain)).then(|| self.entry(Some(field), operation, combined, of))
    }

    fn entry(
        &self,
        field: Option<FieldId>,
        operation: &'static str,
        (combined, is_cut): Combined,
        answer: impl Fn(&ModelAccess) -> Answer,
    ) -> Entry {
        let alone: Vec<Answer> = self.by_role.iter().map(&answer).collect();
        let together = unexpected(combined, &alone, &answer).into_iter().map(|(roles, row)| {
            let roles = roles.iter().map(|at| self.app.roles[*at].name.clone());
            let roles: Vec<String> = roles.collect();
            Together { name: roles.join("+"), roles, said: self.said(&answer(&row)) }
        });
        let field = field.map(|field| self.app.catalog.model(self.model).field(field));
        Entry {
            field: field.map(|field| field.name.to_string()),
            operation,
            together: together.collect(),
            said: alone.iter().map(|answer| self.said(answer)).collect(),
            is_cut,
        }
    }

    /// What callers may do who have several of the roles that rules ask for together.
    fn combined(&self, asked: &[Option<&Rule>]) -> Combined {
        let App { catalog, rulebook, declared, roles } = self.app;
        let conditions: Vec<&Filter> = asked.iter().flatten().map(|rule| rule.filter()).collect();
        let (combinations, is_cut) = combinations(&conditions, roles);
        let combined = combinations.into_iter().map(|combination| {
            let callers = callers(&combination, declared, roles);
            let access = access(catalog, rulebook, self.model, &callers);
            (combination, access)
        });
        (combined.collect(), is_cut)
    }

    fn said(&self, answer: &Answer) -> Said {
        let text = match &answer.condition {
            always if always.is_always() => ALWAYS.to_owned(),
            never if never.is_never() => NEVER.to_owned(),
            condition => rule_text(self.app.catalog, self.model, condition),
        };
        Said { text, note: answer.note.clone() }
    }
}

/// What those may do who have several roles, and whether there are more such roles.
type Combined = (Vec<(super::together::Combination, ModelAccess)>, bool);

fn row_answer(access: &Access, operation: Operation, has_check: bool) -> Answer {
    let note = match (access.missing, operation) {
        (Some(Operation::Read), Operation::Read) => {
            Some("no read rule: a request that crosses it is refused".to_owned())
        }
        // Where there is no check rule the update rule is asked, and that is not there.
        (Some(Operation::Check), _) => Some("no update rule".to_owned()),
        (Some(missing), _) => Some(format!("no {} rule", name_of(missing))),
        (None, Operation::Check) if !has_check => Some("the update rule".to_owned()),
        (None, _) => None,
    };
    Answer { condition: access.condition.clone(), note }
}

/// Who sees no row sees no field.
fn field_read(field: &FieldAccess, row: &ModelAccess) -> Answer {
    let sees = !row.read.condition.is_never();
    Answer { condition: if sees { field.read.clone() } else { Filter::NEVER }, note: None }
}

/// Who neither creates nor updates rows writes no field.
fn field_write(catalog: &Catalog, field: &FieldAccess, row: &ModelAccess) -> Answer {
    if row.create.condition.is_never() && row.update.condition.is_never() {
        return Answer { condition: Filter::NEVER, note: None };
    }
    let note = match &field.names {
        Some((target, seen)) if !field.write.is_never() => {
            let target = &catalog.model(*target).name;
            Some(match seen.is_never() {
                true => format!("null alone: no row of {target} may be read"),
                false => format!("names only rows of {target} that may be read"),
            })
        }
        _ => None,
    };
    Answer { condition: field.write.clone(), note }
}

fn name_of(operation: Operation) -> &'static str {
    match operation {
        Operation::Read => "read",
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Check => "check",
        Operation::Delete => "delete",
    }
}
