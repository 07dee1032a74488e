//! The switches that take a protection out: what the code asks for, and what
//! `xtask/removals.toml` registers with its test, are the same.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Finding, docs, tree::Tree};

/// Where they are registered.
pub(crate) const REGISTRY: &str = "xtask/removals.toml";

/// The registry.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Removals {
    /// Every entry.
    #[serde(default)]
    pub(crate) removal: Vec<Removal>,
}

/// One protection that can be taken out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Removal {
    /// What `MAINSTAY_REMOVE` names.
    pub(crate) switch: String,
    /// The package that holds the test.
    #[serde(rename = "crate")]
    pub(crate) package: String,
    /// The test that must fail without the protection: a function's name.
    pub(crate) test: String,
}

impl Removals {
    /// Reads the registry from the tree.
    pub(super) fn load(tree: &Tree) -> Result<Self, toml::de::Error> {
        toml::from_str(tree.get(REGISTRY).map_or("", |file| &file.text))
    }

    /// The names of all switches.
    pub(super) fn switches(&self) -> impl Iterator<Item = &str> {
        self.removal.iter().map(|removal| removal.switch.as_str())
    }
}

/// Every switch that code asks for, with its file and line.
pub(super) fn switches_in_code(tree: &Tree) -> Vec<(String, String, usize)> {
    let mut found = Vec::new();
    for file in tree.rust().filter(|file| file.room().is_some()) {
        let lines: Vec<&str> = file.text.lines().collect();
        for (line, code) in file.production() {
            if !code.contains("removed(") {
                continue;
            }
            // The name may stand on the next line, and what is there is a string, which
            // the code does not show.
            let text = lines[line - 1..lines.len().min(line + 1)].join(" ");
            for (at, call) in text.match_indices("removed(") {
                let argument = text[at + call.len()..].trim_start();
                if at < lines[line - 1].len()
                    && let Some(name) =
                        argument.strip_prefix('"').and_then(|it| it.split('"').next())
                {
                    found.push((name.to_owned(), file.path.clone(), line));
                }
            }
        }
    }
    found
}

/// Runs the check.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let registry = match Removals::load(tree) {
        Ok(registry) => registry,
        Err(error) => {
            let expected = "[[removal]] switch, crate, test";
            return vec![Finding::new(REGISTRY, 0, error.to_string(), expected, "mend it")];
        }
    };
    let mut findings = Vec::new();
    let in_code = switches_in_code(tree);
    let registered: BTreeSet<&str> = registry.switches().collect();
    for (switch, path, line) in &in_code {
        if !registered.contains(switch.as_str()) {
            findings.push(Finding::new(
                path,
                *line,
                format!("the switch `{switch}` has no test"),
                format!("{REGISTRY} names the test that fails when it is thrown"),
                "write the test and register it",
            ));
        }
    }
    let tests = docs::tests(tree);
    for removal in &registry.removal {
        let mut say = |what: String, to_do: &str| {
            let expected = "a switch the code asks for, and a test that exists";
            findings.push(Finding::new(REGISTRY, 0, what, expected, to_do));
        };
        if !in_code.iter().any(|(switch, ..)| *switch == removal.switch) {
            say(format!("no code asks for the switch `{}`", removal.switch), "remove the entry");
        }
        let name = removal.test.rsplit("::").next().unwrap_or_default();
        if !tests.contains(name) {
            say(format!("{}: there is no test `{name}`", removal.switch), "write it");
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "fn f() { if removed(\"default-deny\") {} }\n#[cfg(test)]\nmod tests {\n#[test]\nfn nobody_reads() { removed(\"x\") }\n}\n";

    fn found(registry: &str) -> Vec<String> {
        let tree = Tree::of(&[("crates/plan/src/a.rs", CODE), (REGISTRY, registry)]);
        check(&tree).into_iter().map(|it| it.what).collect()
    }

    #[test]
    fn a_switch_without_a_test_is_found() {
        assert_eq!(found(""), ["the switch `default-deny` has no test"]);
        let registry = "[[removal]]\nswitch = \"default-deny\"\ncrate = \"mainstay-plan\"\ntest = \"nobody_reads\"\n";
        assert_eq!(found(registry), Vec::<String>::new());
    }

    #[test]
    fn an_entry_without_code_or_test_is_found() {
        let registry =
            "[[removal]]\nswitch = \"gone\"\ncrate = \"mainstay-plan\"\ntest = \"gone_too\"\n";
        assert_eq!(found(registry).len(), 3);
    }
}
