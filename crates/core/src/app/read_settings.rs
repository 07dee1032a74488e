//! `mainstay.toml` and the environment, read into [`Settings`].

use toml::de::DeValue;

use super::{
    SourceFile,
    document::{Entry, Problems, Table, parse, whole_of},
    keys::{Given, Key, Section},
    roles::RoleDrafts,
    settings::{Settings, Visitor, variable_of},
};
use crate::{
    diagnostic::Diagnostic,
    names::{listed, nearest},
};

/// Sections that may stand in the file and have no keys yet.
const EMPTY_SECTIONS: [&str; 1] = ["cache"];

/// Variables that begin with `MAINSTAY_` and are not settings: switches of the
/// test command.
const OTHER_VARIABLES: [&str; 2] = ["MAINSTAY_BIN", "MAINSTAY_REMOVE"];
/// How such variables may begin.
const OTHER_PREFIXES: [&str; 2] = ["MAINSTAY_TEST_", "MAINSTAY_BENCH_"];

/// Reads the settings; a missing file is an empty one.
pub(super) fn read_settings(
    file: Option<&SourceFile>,
    environment: &[(String, String)],
    problems: &mut Problems,
    warnings: &mut Vec<Diagnostic>,
) -> Settings {
    let mut settings = Settings::default();
    let mut roles = RoleDrafts::default();
    let document = file.and_then(|file| parse(file, problems).map(|table| (file, table)));
    if let Some((file, document)) = &document {
        let table = Table::new(file, document.get_ref());
        read_file(&table, &mut settings, &mut roles, problems, warnings);
    }
    read_environment(environment, &mut settings, &mut roles, problems);
    settings.roles = roles.resolve(problems);
    settings
}

fn read_file<'d>(
    file: &Table<'d>,
    settings: &mut Settings,
    roles: &mut RoleDrafts<'d>,
    problems: &mut Problems,
    warnings: &mut Vec<Diagnostic>,
) {
    let mut reader = FileReader { file, problems, sections: Vec::new() };
    settings.visit(&mut reader);
    let mut known = reader.sections;
    known.push("roles");
    known.extend(EMPTY_SECTIONS);
    for entry in file.entries.iter().filter(|entry| !known.contains(&entry.key)) {
        problems.add(|| {
            let found =
                entry.key_mistake(format!("`[{}]` is not a section of the settings", entry.key));
            match nearest(entry.key, known.iter().copied()) {
                Some(near) => found.with_nearest(Some(near)),
                None => found.with_hint(format!("the sections are {}", listed(&known))),
            }
        });
    }
    for name in EMPTY_SECTIONS {
        let table = file.get(name).and_then(|entry| entry.table(problems));
        for entry in table.iter().flat_map(|table| &table.entries) {
            problems.add(|| entry.key_mistake(format!("`[{name}]` has no keys in this version")));
        }
    }
    if let Some(entry) = file.get("roles") {
        roles.read(entry, problems);
    }
    if let Some(entry) = file.get("redis") {
        warnings.push(
            entry
                .key_mistake("`[redis]` has no effect in this version: one process serves the app")
                .as_warning(),
        );
    }
}

struct FileReader<'r, 'd> {
    file: &'r Table<'d>,
    problems: &'r mut Problems,
    sections: Vec<&'static str>,
}

impl Visitor for FileReader<'_, '_> {
    fn section<S: Section>(&mut self, section: &mut S) {
        self.sections.push(S::NAME);
        let Some(entry) = self.file.get(S::NAME) else { return };
        let Some(table) = entry.table(self.problems) else { return };
        let names: Vec<&str> = S::KEYS.iter().map(|key| key.name).collect();
        table.only(&names, format_args!("`[{}]`", S::NAME), self.problems);
        for key in S::KEYS {
            let Some(entry) = table.get(key.name) else { continue };
            if let Err(wanted) = (key.read)(section, &given(entry)) {
                self.problems
                    .add(|| entry.mistake(format!("`[{}] {}` wants {wanted}", S::NAME, key.name)));
            }
        }
    }
}

fn given<'d>(entry: &Entry<'d>) -> Given<'d> {
    let value = entry.value.get_ref();
    match value {
        DeValue::String(text) => Given::Text(text),
        DeValue::Boolean(flag) => Given::Flag(*flag),
        DeValue::Integer(_) => whole_of(value).map_or(Given::Other, Given::Whole),
        DeValue::Array(items) => items
            .iter()
            .map(|item| item.get_ref().as_str())
            .collect::<Option<Vec<&str>>>()
            .map_or(Given::Other, Given::Texts),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => Given::Other,
    }
}

fn read_environment<'d>(
    environment: &'d [(String, String)],
    settings: &mut Settings,
    roles: &mut RoleDrafts<'d>,
    problems: &mut Problems,
) {
    for (name, value) in environment {
        let other = OTHER_VARIABLES.contains(&name.as_str())
            || OTHER_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        if !name.starts_with("MAINSTAY_") || other {
            continue;
        }
        let mut reader = VariableReader { name, value, outcome: None, variables: Vec::new() };
        settings.visit(&mut reader);
        match reader.outcome {
            Some(Ok(())) => {}
            Some(Err(wanted)) => problems
                .add(|| Diagnostic::unplaced("environment", format!("`{name}` wants {wanted}"))),
            None => {
                let role = name.strip_prefix("MAINSTAY_ROLES__");
                if role.is_some_and(|rest| roles.set(name, rest, value)) {
                    continue;
                }
                let known = reader.variables;
                problems.add(|| unknown_variable(name, &known));
            }
        }
    }
}

fn unknown_variable(name: &str, known: &[String]) -> Diagnostic {
    let message = format!("the variable `{name}` is not a setting");
    let found = Diagnostic::unplaced("environment", message);
    // What all of them begin with is no likeness.
    let tail = name.strip_prefix("MAINSTAY_").unwrap_or(name);
    let all = || known.iter().map(String::as_str).chain(OTHER_VARIABLES);
    let tails = all().filter_map(|other| other.strip_prefix("MAINSTAY_"));
    let without_section = || all().find(|other| other.ends_with(&format!("__{tail}")));
    let near = nearest(tail, tails).map(|near| format!("MAINSTAY_{near}"));
    match near.as_deref().or_else(without_section) {
        Some(near) => found.with_nearest(Some(near)),
        None => found.with_hint("`MAINSTAY_SECTION__KEY` sets `[section] key`"),
    }
}

struct VariableReader<'r> {
    name: &'r str,
    value: &'r str,
    outcome: Option<Result<(), String>>,
    variables: Vec<String>,
}

impl Visitor for VariableReader<'_> {
    fn section<S: Section>(&mut self, section: &mut S) {
        for key in S::KEYS {
            let key: &Key<S> = key;
            let variable = variable_of(S::NAME, key.name);
            if variable == self.name {
                self.outcome = Some((key.read)(section, &Given::Variable(self.value)));
            }
            self.variables.push(variable);
        }
    }
}
