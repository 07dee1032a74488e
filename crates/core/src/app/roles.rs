//! `[roles]`: which role inherits which, and what each can do.
//!
//! Inheritance is checked for circles when it is read, and a circle could do no
//! harm to [`Roles::expand`] either. The roles that name kinds of callers are not
//! the app's to declare.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Entry, Place, Problems};
use crate::names::{NAME_BYTES_MAX, nearest};

/// Roles that say what kind of caller it is; they stand in the claim `role`.
pub(crate) const RESERVED_ROLES: [&str; 3] = ["anon", "authenticated", "service_role"];

/// Roles an app may declare.
const ROLES_MAX: usize = 1_000;
/// Roles one role may name, and permissions it may have.
const ROLE_ITEMS_MAX: usize = 1_000;
/// Bytes of a permission's name.
const PERMISSION_BYTES_MAX: usize = 100;

/// The app's roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    by_name: BTreeMap<Box<str>, Role>,
}

/// What one role is, its own keys alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Role {
    /// The roles it has everything of.
    pub inherits: Vec<Box<str>>,
    /// What it can do beyond theirs, as `auth.can('…')` asks.
    pub can: Vec<Box<str>>,
}

impl Roles {
    /// Whether a role is declared.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Every declared role, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Role)> {
        self.by_name.iter().map(|(name, role)| (&**name, role))
    }

    /// These roles with all they inherit, and all that they can do, each once and
    /// in the order of their names. A role that is not declared is kept and can do
    /// nothing; a reserved one is left out, for no user holds it.
    #[must_use]
    pub fn expand<T: AsRef<str>>(&self, held: &[T]) -> (Vec<Box<str>>, Vec<Box<str>>) {
        let mut roles = BTreeSet::new();
        let mut waiting: Vec<&str> = held.iter().map(AsRef::as_ref).collect();
        while let Some(name) = waiting.pop() {
            if RESERVED_ROLES.contains(&name) || !roles.insert(Box::from(name)) {
                continue;
            }
            if let Some(role) = self.by_name.get(name) {
                waiting.extend(role.inherits.iter().map(|inherited| &**inherited));
            }
        }
        let can: BTreeSet<Box<str>> = roles
            .iter()
            .filter_map(|name| self.by_name.get(name))
            .flat_map(|role| role.can.iter().cloned())
            .collect();
        (roles.into_iter().collect(), can.into_iter().collect())
    }
}

/// A role as it is written, before the roles it names are looked up.
#[derive(Debug)]
struct Draft<'d> {
    place: Place<'d>,
    inherits: Vec<(&'d str, Place<'d>)>,
    can: Vec<(&'d str, Place<'d>)>,
}

/// The roles as written in the file and in the environment.
#[derive(Debug, Default)]
pub(super) struct RoleDrafts<'d> {
    by_name: BTreeMap<String, Draft<'d>>,
}

impl<'d> RoleDrafts<'d> {
    /// Reads the table `[roles]`.
    pub(super) fn read(&mut self, entry: &Entry<'d>, problems: &mut Problems) {
        let Some(table) = entry.table(problems) else { return };
        for role in &table.entries {
            if self.by_name.len() == ROLES_MAX {
                problems.add(|| role.key_mistake(format!("an app has at most {ROLES_MAX} roles")));
                return;
            }
            let place = Place::File(role.file, role.key_span.clone());
            if let Some(fault) = role_name_fault(role.key) {
                problems.add(|| place.mistake(fault));
                continue;
            }
            let mut draft = Draft { place, inherits: Vec::new(), can: Vec::new() };
            if let Some(keys) = role.table(problems) {
                keys.only(&["inherits", "can"], format_args!("a role"), problems);
                let mut texts = |key| keys.get(key).and_then(|entry| entry.texts(problems));
                draft.inherits = texts("inherits").unwrap_or_default();
                draft.can = texts("can").unwrap_or_default();
            }
            self.by_name.insert(role.key.to_owned(), draft);
        }
    }

    /// Takes `MAINSTAY_ROLES__<ROLE>__CAN` or `…__INHERITS`. Whether it is one.
    pub(super) fn set(&mut self, variable: &'d str, rest: &str, value: &'d str) -> bool {
        let lower = rest.to_ascii_lowercase();
        let Some((name, key)) = lower.split_once("__") else { return false };
        if role_name_fault(name).is_some() || !matches!(key, "can" | "inherits") {
            return false;
        }
        let place = || Place::Variable(variable);
        let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
        let words = words.map(|word| (word, place())).collect();
        let draft = self.by_name.entry(name.to_owned()).or_insert_with(|| Draft {
            place: place(),
            inherits: Vec::new(),
            can: Vec::new(),
        });
        if key == "can" {
            draft.can = words
        } else {
            draft.inherits = words
        }
        true
    }

    /// Looks up every role that is named, and finds circles.
    pub(super) fn resolve(self, problems: &mut Problems) -> Roles {
        let mut by_name = BTreeMap::new();
        for (name, draft) in &self.by_name {
            let mut role = Role::default();
            if draft.inherits.len().max(draft.can.len()) > ROLE_ITEMS_MAX {
                let text = format!("a role lists at most {ROLE_ITEMS_MAX} roles or permissions");
                problems.add(|| draft.place.mistake(text));
                continue;
            }
            for (inherited, place) in &draft.inherits {
                if self.by_name.contains_key(*inherited) {
                    role.inherits.push((*inherited).into());
                    continue;
                }
                problems.add(|| {
                    let known = self.by_name.keys().map(String::as_str);
                    place
                        .mistake(format!("there is no role `{inherited}`"))
                        .with_nearest(nearest(inherited, known))
                });
            }
            for (permission, place) in &draft.can {
                match permission_fault(permission) {
                    Some(fault) => problems.add(|| place.mistake(fault)),
                    None => role.can.push((*permission).into()),
                }
            }
            by_name.insert(Box::from(name.as_str()), role);
        }
        for circle in circles(&by_name) {
            let Some(draft) = circle.first().and_then(|name| self.by_name.get(*name)) else {
                continue;
            };
            let path = circle.join(" → ");
            problems.add(|| {
                draft.place.mistake(format!("the role `{}` inherits itself: {path}", circle[0]))
            });
        }
        Roles { by_name }
    }
}

fn role_name_fault(name: &str) -> Option<String> {
    if RESERVED_ROLES.contains(&name) {
        return Some(format!("`{name}` names a kind of caller and cannot be declared"));
    }
    let bytes = name.as_bytes();
    let well_formed = bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.len() <= NAME_BYTES_MAX
        && bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
    (!well_formed).then(|| {
        format!(
            "`{}` cannot name a role: it begins with a letter and has `a` to `z`, digits, `_` and `-`",
            name.chars().take(NAME_BYTES_MAX).collect::<String>()
        )
    })
}

fn permission_fault(permission: &str) -> Option<String> {
    let well_formed = !permission.is_empty()
        && permission.len() <= PERMISSION_BYTES_MAX
        && permission.chars().all(|letter| !letter.is_whitespace() && !letter.is_control());
    (!well_formed).then(|| {
        format!("a permission is one word of at most {PERMISSION_BYTES_MAX} bytes, such as `posts.publish`")
    })
}

/// Every circle met when each role is entered once: `a`, `b`, `a`.
fn circles(roles: &BTreeMap<Box<str>, Role>) -> Vec<Vec<&str>> {
    let mut found = Vec::new();
    let mut entered: BTreeSet<&str> = BTreeSet::new();
    for start in roles.keys() {
        if !entered.insert(start) {
            continue;
        }
        // The way to where we are: each role, and how many of those it names were followed.
        let mut way: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((name, followed)) = way.last_mut() {
            let next = roles.get(*name).and_then(|role| role.inherits.get(*followed));
            *followed += 1;
            let Some(next) = next else {
                way.pop();
                continue;
            };
            if entered.insert(next) {
                way.push((next, 0));
            } else if let Some(at) = way.iter().position(|(name, _)| *name == &**next) {
                let mut circle: Vec<&str> = way[at..].iter().map(|(name, _)| *name).collect();
                circle.push(next);
                found.push(circle);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(declared: &[(&str, &[&str], &[&str])]) -> Roles {
        let boxed = |words: &[&str]| words.iter().map(|word| Box::from(*word)).collect();
        let by_name = declared
            .iter()
            .map(|(name, inherits, can)| {
                (Box::from(*name), Role { inherits: boxed(inherits), can: boxed(can) })
            })
            .collect();
        Roles { by_name }
    }

    fn expanded(roles: &Roles, held: &[&str]) -> String {
        let (roles, can) = roles.expand(held);
        format!("{} can {}", roles.join("+"), can.join("+"))
    }

    #[test]
    fn a_role_has_all_that_it_inherits_through_any_number_of_others() {
        let roles = roles(&[
            ("admin", &["editor"], &["users.ban"]),
            ("editor", &["author"], &["posts.publish"]),
            ("author", &[], &["posts.write"]),
        ]);
        assert_eq!(expanded(&roles, &["editor"]), "author+editor can posts.publish+posts.write");
        assert_eq!(
            expanded(&roles, &["author", "admin", "author"]),
            "admin+author+editor can posts.publish+posts.write+users.ban"
        );
        assert_eq!(expanded(&roles, &["guest"]), "guest can ");
        assert_eq!(expanded(&roles, &["authenticated", "service_role", "anon"]), " can ");
    }

    #[test]
    fn a_circle_is_found_and_does_not_hang_expansion() {
        let roles = roles(&[
            ("a", &["b"], &[]),
            ("b", &["c"], &["x"]),
            ("c", &["a", "b"], &[]),
            ("d", &["d"], &[]),
            ("e", &["a"], &[]),
        ]);
        assert_eq!(
            circles(&roles.by_name),
            [vec!["a", "b", "c", "a"], vec!["b", "c", "b"], vec!["d", "d"]]
        );
        assert_eq!(expanded(&roles, &["e"]), "a+b+c+e can x");
    }
}
