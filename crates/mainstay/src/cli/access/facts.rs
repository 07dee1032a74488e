//! Who may do what, role by role, as texts: what the table, the lock and JSON show.
//!
//! A field is named where it is not like its row for everyone. What a delete takes with
//! it is told where somebody may delete. Roles stand together (`a+b`) where who has all of
//! them may do something else than what each alone lets one expect.

mod entries;
mod together;

use mainstay_core::{Catalog, Model, ModelId, OnDelete, Roles};
use mainstay_plan::cascades;
use mainstay_rules::{Callers, ModelRuleSet, Rulebook};

use self::entries::entries;
use crate::load::Loaded;

pub(super) use self::together::COMBINATIONS_MAX;

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

/// An app, and the roles in it, of which facts are found.
#[derive(Clone, Copy)]
struct App<'l> {
    catalog: &'l Catalog,
    rulebook: &'l Rulebook,
    declared: &'l Roles,
    roles: &'l [RoleFact],
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
    /// What is said of roles together, where that is something else.
    pub(super) together: Vec<Together>,
    /// Whether more roles are asked for together than were looked at.
    pub(super) is_cut: bool,
}

/// What is said of whoever has several roles.
pub(super) struct Together {
    /// Their names, joined by `+`.
    pub(super) name: String,
    pub(super) roles: Vec<String>,
    pub(super) said: Said,
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
        let declared = &loaded.settings.roles;
        let app = App { catalog, rulebook, declared, roles: &roles };
        let models = models.map(|id| model_facts(app, id)).collect();
        Self { roles, models }
    }

    /// Of what not all combinations of roles were looked at: `posts update`.
    pub(super) fn cut(&self) -> impl Iterator<Item = String> {
        self.models.iter().flat_map(|model| {
            let cut = model.entries.iter().filter(|entry| entry.is_cut);
            cut.map(|entry| entry.subject(&model.name))
        })
    }
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

fn model_facts(app: App<'_>, model: ModelId) -> ModelFacts {
    let declared = app.catalog.model(model);
    let entries = entries(app, model);
    let delete = entries.iter().find(|entry| entry.field.is_none() && entry.operation == "delete");
    let deletes = delete.is_some_and(|entry| {
        let together = entry.together.iter().map(|together| &together.said);
        entry.said.iter().chain(together).any(|said| said.text != NEVER)
    });
    ModelFacts {
        name: declared.name.to_string(),
        file: declared.file.to_string(),
        entries,
        on_delete: if deletes { on_delete(app.catalog, model) } else { Vec::new() },
    }
}

impl Entry {
    /// What it is about: `posts update`, `posts.views read`.
    pub(super) fn subject(&self, model: &str) -> String {
        match &self.field {
            Some(field) => format!("{model}.{field} {}", self.operation),
            None => format!("{model} {}", self.operation),
        }
    }

    /// What is said, and of whom: of every caller, or of those without a credential, of
    /// users, of each role of which something else is said than of users, and of roles
    /// together. No role has a name with a space in it.
    pub(super) fn said_of<'f>(&'f self, roles: &'f [RoleFact]) -> Vec<(&'f str, &'f Said)> {
        let [anon, authenticated, ..] = &self.said[..] else { return Vec::new() };
        if self.together.is_empty() && self.said.iter().all(|said| said == anon) {
            return vec![("every caller", anon)];
        }
        let named = roles.iter().zip(&self.said).enumerate();
        let named = named.filter(|(at, (_, said))| *at < 2 || *said != authenticated);
        let named = named.map(|(_, (role, said))| (&*role.name, said));
        let together = self.together.iter().map(|together| (&*together.name, &together.said));
        named.chain(together).collect()
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
