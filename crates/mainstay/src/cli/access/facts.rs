//! Who may do what, role by role, as texts: what the table, the lock and JSON show.
//!
//! A field is named where it is not like its row for everyone. What a delete takes with
//! it is told where somebody may delete.

use mainstay_core::{Catalog, Field, FieldId, Filter, Model, ModelId, OnDelete, Roles, RuleText};
use mainstay_plan::{Access, FieldAccess, ModelAccess, Operation, access, cascades};
use mainstay_rules::{Callers, ModelRuleSet, Rulebook, rule_text};

use crate::load::Loaded;

/// What the files of built-in models begin with.
const BUILT_IN: &str = "built-in/";

/// All there is to say of an app.
pub(super) struct Facts {
    pub(super) roles: Vec<RoleFact>,
    pub(super) models: Vec<ModelFacts>,
}

/// A role, and what makes it one.
pub(super) struct RoleFact {
    pub(super) name: String,
    /// The other roles it has everything of.
    pub(super) inherits: Vec<Box<str>>,
    /// What it can do, that of the others included.
    pub(super) can: Vec<Box<str>>,
    /// Whether rules ask for it and `[roles]` has it not.
    pub(super) undeclared: bool,
    callers: Callers,
}

/// What may be done with the rows of a model.
pub(super) struct ModelFacts {
    pub(super) name: String,
    pub(super) file: String,
    /// Of the rows first, then of fields.
    pub(super) entries: Vec<Entry>,
    /// What a delete does to other rows.
    pub(super) on_delete: Vec<String>,
}

/// One operation on rows or a field, for each role in order.
pub(super) struct Entry {
    pub(super) field: Option<String>,
    pub(super) operation: &'static str,
    pub(super) said: Vec<Said>,
}

/// What is said of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// `always`, `never`, or a condition in the rule language's words.
    pub(super) text: String,
    /// What a reader should know besides.
    pub(super) note: Option<String>,
}

/// The word for what has no condition.
pub(super) const ALWAYS: &str = "always";
/// The word for what nobody of a role may.
pub(super) const NEVER: &str = "never";

impl Facts {
    pub(super) fn of(loaded: &Loaded) -> Self {
        let (catalog, rulebook) = (&*loaded.catalog, &*loaded.rulebook);
        let roles = roles(&loaded.settings.roles, catalog, rulebook);
        let models = catalog.model_ids().filter(|id| is_listed(catalog.model(*id)));
        let models = models.map(|id| model_facts(catalog, rulebook, id, &roles)).collect();
        Self { roles, models }
    }
}

/// Whether a field is Mainstay's own, and closed as long as the app does not open it.
fn is_left_closed(field: &Field) -> bool {
    let is_built_in =
        |rule: &Option<RuleText>| rule.as_ref().is_some_and(|rule| rule.file.starts_with(BUILT_IN));
    is_built_in(&field.rules.read) && is_built_in(&field.rules.write)
}

/// Whether a model is the app's to open or close, and the app has done either.
fn is_listed(model: &Model) -> bool {
    !model.is_internal() && !model.file.starts_with(BUILT_IN)
}

/// Callers without a credential, users without a role, then every role by name: those
/// that are declared, and those that a rule asks for all the same.
fn roles(declared: &Roles, catalog: &Catalog, rulebook: &Rulebook) -> Vec<RoleFact> {
    let mut names: Vec<&str> = declared.iter().map(|(name, _)| name).collect();
    names.extend(catalog.model_ids().flat_map(|id| named_in(rulebook.model(id))));
    names.sort_unstable();
    names.dedup();
    let kind = |name: &str, callers| RoleFact {
        name: name.to_owned(),
        inherits: Vec::new(),
        can: Vec::new(),
        undeclared: false,
        callers,
    };
    let of_role = |name: &str| {
        let (all, can) = declared.expand(&[name]);
        RoleFact {
            name: name.to_owned(),
            inherits: all.iter().filter(|other| ***other != *name).cloned().collect(),
            can: can.clone(),
            undeclared: !declared.contains(name),
            callers: Callers::with_roles(all, can),
        }
    };
    let mut roles = vec![
        kind("anon", Callers::anonymous()),
        kind("authenticated", Callers::with_roles(Vec::new(), Vec::new())),
    ];
    // A role that no user can hold, `anon` among them, is none.
    let holdable = names.into_iter().filter(|name| !declared.expand(&[*name]).0.is_empty());
    roles.extend(holdable.map(of_role));
    roles
}

/// The roles that the rules of a model ask for.
fn named_in(rules: &ModelRuleSet) -> impl Iterator<Item = &str> {
    let own = [&rules.read, &rules.create, &rules.update, &rules.check, &rules.delete];
    let of_fields = rules.fields.iter().flat_map(|field| [&field.read, &field.write]);
    own.into_iter().chain(of_fields).flatten().flat_map(mainstay_rules::Rule::roles)
}

fn model_facts(
    catalog: &Catalog,
    rulebook: &Rulebook,
    model: ModelId,
    roles: &[RoleFact],
) -> ModelFacts {
    let by_role: Vec<ModelAccess> =
        roles.iter().map(|role| access(catalog, rulebook, model, &role.callers)).collect();
    let declared = catalog.model(model);
    let words = Words { catalog, model };
    let rows = |operation, of: fn(&ModelAccess) -> &Access, own: Operation| Entry {
        field: None,
        operation,
        said: by_role.iter().map(|said| words.access(of(said), own, declared)).collect(),
    };
    let mut entries = vec![
        rows("read", |said| &said.read, Operation::Read),
        rows("create", |said| &said.create, Operation::Create),
        rows("update", |said| &said.update, Operation::Update),
        rows("check", |said| &said.check, Operation::Check),
        rows("delete", |said| &said.delete, Operation::Delete),
    ];
    for field in declared.field_ids().filter(|field| !is_left_closed(declared.field(*field))) {
        let read = words.field("read", field, &by_role, Words::field_read);
        let write = words.field("write", field, &by_role, Words::field_write);
        entries.extend([read, write].into_iter().flatten());
    }
    let deletes = by_role.iter().any(|said| !said.delete.condition.is_never());
    ModelFacts {
        name: declared.name.to_string(),
        file: declared.file.to_string(),
        entries,
        on_delete: if deletes { on_delete(catalog, model) } else { Vec::new() },
    }
}

impl Entry {
    /// What is said, and of whom: of every caller, or of those without a credential, of
    /// users, and of each role of which something else is said than of users. No role
    /// has a name with a space in it.
    pub(super) fn said_of<'f>(&'f self, roles: &'f [RoleFact]) -> Vec<(&'f str, &'f Said)> {
        let [anon, authenticated, ..] = &self.said[..] else { return Vec::new() };
        if self.said.iter().all(|said| said == anon) {
            return vec![("every caller", anon)];
        }
        let named = roles.iter().zip(&self.said).enumerate();
        named
            .filter(|(at, (_, said))| *at < 2 || *said != authenticated)
            .map(|(_, (role, said))| (&*role.name, said))
            .collect()
    }
}

/// Writes what is said of a model.
struct Words<'c> {
    catalog: &'c Catalog,
    model: ModelId,
}

impl Words<'_> {
    fn condition(&self, condition: &Filter) -> Said {
        let text = match condition {
            always if always.is_always() => ALWAYS.to_owned(),
            never if never.is_never() => NEVER.to_owned(),
            condition => rule_text(self.catalog, self.model, condition),
        };
        Said { text, note: None }
    }

    fn access(&self, access: &Access, operation: Operation, declared: &Model) -> Said {
        let note = match (access.missing, operation) {
            (Some(Operation::Read), Operation::Read) => {
                Some("no read rule: a request that crosses it is refused".to_owned())
            }
            // Where there is no check rule the update rule is asked, and that is not there.
            (Some(Operation::Check), _) => Some("no update rule".to_owned()),
            (Some(missing), _) => Some(format!("no {} rule", name_of(missing))),
            (None, Operation::Check) if declared.rules.check.is_none() => {
                Some("the update rule".to_owned())
            }
            (None, _) => None,
        };
        Said { note, ..self.condition(&access.condition) }
    }

    /// What is said of a field; none where it is as its row is for everyone.
    fn field(
        &self,
        operation: &'static str,
        field: FieldId,
        by_role: &[ModelAccess],
        said: impl Fn(&Self, &FieldAccess, &ModelAccess) -> Said,
    ) -> Option<Entry> {
        let of = |row: &ModelAccess| said(self, &row.fields[field.index()], row);
        // A field that has no rule and names nothing.
        let plain = FieldAccess { field, read: Filter::ALWAYS, write: Filter::ALWAYS, names: None };
        let entry = Entry {
            field: Some(self.catalog.model(self.model).field(field).name.to_string()),
            operation,
            said: by_role.iter().map(of).collect(),
        };
        let is_plain = by_role.iter().all(|row| of(row) == said(self, &plain, row));
        (!is_plain).then_some(entry)
    }

    /// Who sees no row sees no field.
    fn field_read(&self, field: &FieldAccess, row: &ModelAccess) -> Said {
        let sees = !row.read.condition.is_never();
        self.condition(if sees { &field.read } else { &Filter::NEVER })
    }

    /// Who neither creates nor updates rows writes no field.
    fn field_write(&self, field: &FieldAccess, row: &ModelAccess) -> Said {
        if row.create.condition.is_never() && row.update.condition.is_never() {
            return self.condition(&Filter::NEVER);
        }
        let note = match &field.names {
            Some((target, seen)) if !field.write.is_never() => {
                let target = &self.catalog.model(*target).name;
                Some(match seen.is_never() {
                    true => format!("null alone: no row of {target} may be read"),
                    false => format!("names only rows of {target} that may be read"),
                })
            }
            _ => None,
        };
        Said { note, ..self.condition(&field.write) }
    }
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

/// What a delete does to rows that point at what goes, nearest first.
fn on_delete(catalog: &Catalog, model: ModelId) -> Vec<String> {
    let found = cascades(catalog, model).into_iter().map(|cascade| {
        let reference = catalog.reference(cascade.reference);
        let from = catalog.model(reference.from);
        let fields = reference.from_fields.iter().map(|field| &*from.field(*field).name);
        let fields = fields.collect::<Vec<_>>().join(", ");
        let name = &from.name;
        match cascade.on_delete {
            OnDelete::Cascade => format!("rows of {name} go with it, by {name}.{fields}"),
            OnDelete::SetNull => format!("{name}.{fields} becomes null"),
            OnDelete::Restrict => format!("refused while {name}.{fields} points at what goes"),
        }
    });
    found.collect()
}
