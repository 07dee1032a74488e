//! The call sites of `Actor::service` and `Actor::system`: each is a place where rules do
//! not apply, so each stands in `xtask/service-actors.toml` with the reason, and no other
//! exists.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Finding, tree::Tree};

/// What makes such an actor.
const MAKERS: [&str; 2] = ["Actor::service", "Actor::system"];

/// Where they are listed.
const LIST: &str = "xtask/service-actors.toml";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    site: Vec<Site>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Site {
    path: String,
    calls: usize,
    why: String,
}

/// Runs the check.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let list = tree.get(LIST).map_or("", |file| &file.text);
    let list: List = match toml::from_str(list) {
        Ok(list) => list,
        Err(error) => {
            let what = error.to_string();
            return vec![Finding::new(LIST, 0, what, "[[site]] path, calls, why", "mend it")];
        }
    };
    let mut findings = Vec::new();
    let mut calls: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for file in tree.rust() {
        for (line, code) in file.production() {
            let made = MAKERS.iter().map(|maker| code.matches(maker).count()).sum();
            calls.entry(&file.path).or_default().extend(std::iter::repeat_n(line, made));
        }
    }
    calls.retain(|_, lines| !lines.is_empty());
    for (path, lines) in &calls {
        let listed = list.site.iter().find(|site| site.path == *path).map_or(0, |site| site.calls);
        if lines.len() > listed {
            findings.push(Finding::new(
                *path,
                lines[listed],
                format!("{} is called {} times here", MAKERS.join(" or "), lines.len()),
                format!("{listed}, as {LIST} lists"),
                format!("use the caller's own actor, or list the site in {LIST} with its reason"),
            ));
        }
    }
    for site in &list.site {
        let made = calls.get(site.path.as_str()).map_or(0, Vec::len);
        if made < site.calls || site.why.trim().is_empty() {
            findings.push(Finding::new(
                LIST,
                0,
                format!("{} is listed with {} calls and has {made}", site.path, site.calls),
                "the list is as short as the tree allows, and each site says why",
                "lower the number or write the reason",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(list: &str, source: &str) -> Vec<String> {
        let tree = Tree::of(&[("crates/auth/src/a.rs", source), (LIST, list)]);
        check(&tree).into_iter().map(|it| format!("{}:{}", it.path, it.line)).collect()
    }

    const ONE: &str = "[[site]]\npath = \"crates/auth/src/a.rs\"\ncalls = 1\nwhy = \"a key\"\n";

    #[test]
    fn an_unlisted_call_site_is_found_and_a_test_is_none() {
        let source =
            "x\nActor::service(\"y\")\n#[cfg(test)]\nmod tests { Actor::service(\"z\") }\n";
        assert_eq!(found("", source), ["crates/auth/src/a.rs:2"]);
        assert_eq!(found(ONE, source), Vec::<String>::new());
        assert_eq!(found("", &source.replace("service", "system")), ["crates/auth/src/a.rs:2"]);
    }

    #[test]
    fn a_listed_site_that_is_gone_is_found() {
        assert_eq!(found(ONE, "nothing\n"), [format!("{LIST}:0")]);
    }
}
