//! I2 and I7: the middle is pure, and each room depends only on the rooms below it.

use super::{
    Finding,
    tree::{File, Tree},
};

/// The crates that do no I/O.
const PURE: [&str; 3] = ["core", "rules", "plan"];

/// Dependencies a pure crate does not have.
const DRIVERS: [&str; 8] = [
    "axum",
    "deadpool-postgres",
    "hyper",
    "mysql_async",
    "reqwest",
    "rusqlite",
    "tokio",
    "tokio-postgres",
];

/// Names a pure crate does not use: drivers, files, sockets, threads, clocks, dice.
/// An address is a value, so `std::net` as such is not among them.
const IMPURE: [&str; 16] = [
    "tokio::",
    "axum::",
    "hyper::",
    "rusqlite::",
    "std::fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::thread",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now(",
    "Zoned::now",
    "Uuid::now_v7",
    "Uuid::new_v4",
];

/// The same where they stand in a group: `use std::{fs, …}`.
const IMPURE_OF_STD: [&str; 2] = ["fs", "thread"];

/// Where a pure crate uses one of these all the same, and why it stays pure.
const EXCEPTIONS: [(&str, &str, &str); 1] = [(
    "crates/rules/src/source.rs",
    "std::thread",
    "the parser recurses: it runs on a stack of known size and is joined before the answer",
)];

/// The manifests that may name axum: the web room, what stands above it, the limit.
const WEB: [&str; 3] =
    ["bench/limit/Cargo.toml", "crates/mainstay/Cargo.toml", "crates/web/Cargo.toml"];

/// The rooms each room may depend on.
fn below(room: &str) -> Option<&'static [&'static str]> {
    Some(match room {
        "core" => &[],
        "rules" => &["core"],
        "plan" => &["core", "rules"],
        "store" => &["core", "plan"],
        "auth" => &["core", "mail", "plan", "store"],
        "cache" | "events" | "jobs" | "mail" => &["core", "plan", "store"],
        "web" => &["auth", "cache", "core", "events", "jobs", "mail", "plan", "store"],
        "mainstay" => return None,
        _ if room.starts_with("store-") => &["core", "plan", "store"],
        _ => &["core"],
    })
}

/// Runs the check.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        if file.path.ends_with("Cargo.toml") {
            for (line, name) in dependencies(&file.text) {
                findings.extend(dependency(&file.path, file.room(), line, &name));
            }
        }
        if file.is_rust() && file.room().is_some_and(|room| PURE.contains(&room)) {
            for (line, code) in file.production() {
                findings.extend(impure(&file.path, line, code));
            }
            for (line, name) in grouped_imports(file) {
                findings.extend(impure(&file.path, line, &format!("std::{name}")));
            }
        }
    }
    findings
}

fn dependency(path: &str, room: Option<&str>, line: usize, name: &str) -> Option<Finding> {
    let finding = |expected: String, to_do: &str| {
        Some(Finding::new(path, line, format!("depends on `{name}`"), expected, to_do))
    };
    if room.is_some_and(|room| PURE.contains(&room)) && DRIVERS.contains(&name) {
        return finding(
            "core, rules and plan are synchronous and do no I/O".into(),
            "move what needs it to a crate above",
        );
    }
    if matches!(name, "axum" | "axum-core" | "axum-extra") && !WEB.contains(&path) {
        return finding(
            format!("axum only in {}", WEB.join(", ")),
            "move the handler to crates/web",
        );
    }
    let own = name.strip_prefix("mainstay-").or((name == "mainstay").then_some("mainstay"))?;
    let allowed = below(room?)?;
    if allowed.contains(&own) || room == Some(own) {
        return None;
    }
    finding(
        format!(
            "{} may depend on {}",
            room?,
            if allowed.is_empty() { "no room".into() } else { allowed.join(", ") }
        ),
        "depend on a trait of a lower room, or move the code up",
    )
}

/// The dependencies of a manifest with their lines; what tests alone need is left out.
fn dependencies(manifest: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            inside = table == "dependencies"
                || table == "build-dependencies"
                || (table.starts_with("target.") && table.ends_with(".dependencies"));
            if let Some((_, name)) = table.split_once("dependencies.")
                && !table.starts_with("dev-")
                && !table.starts_with("workspace")
            {
                found.push((index + 1, name.to_owned()));
            }
        } else if inside && !line.starts_with('#') {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default().trim_matches('"');
            if !name.is_empty() {
                found.push((index + 1, name.to_owned()));
            }
        }
    }
    found
}

fn impure(path: &str, line: usize, code: &str) -> Option<Finding> {
    let used = IMPURE.iter().find(|used| {
        code.match_indices(*used)
            .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    })?;
    if EXCEPTIONS.iter().any(|(file, name, _)| file == &path && name == used) {
        return None;
    }
    Some(Finding::new(
        path,
        line,
        format!("uses `{}`", used.trim_end_matches([':', '('])),
        "core, rules and plan do no I/O; time and randomness are inputs",
        "take it as an argument, or move the code to a crate above",
    ))
}

/// The lines of `use std::{…}` that bring in files or threads, with which.
fn grouped_imports(file: &File) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    let mut group_line = None;
    for (line, code) in file.production() {
        let names = match code.split_once("use std::{") {
            Some((_, names)) => {
                group_line = Some(line);
                names
            }
            None => code,
        };
        let Some(group) = group_line else { continue };
        let mut names = names.split([',', '{', '}', ':', ';', ' ']);
        let impure = names.find_map(|name| IMPURE_OF_STD.iter().find(|it| **it == name));
        found.extend(impure.map(|name| (group, *name)));
        if code.contains(';') {
            group_line = None;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|it| (it.line, it.what)).collect()
    }

    #[test]
    fn a_pure_crate_that_reads_a_clock_or_a_file_is_found() {
        let source = "use std::{\n    fs,\n};\nlet t = Instant::now();\nlet u = MyTimestamp::nowhere();\n#[cfg(test)]\nmod tests { fn f() { std::thread::spawn(); } }\n";
        let lines: Vec<usize> =
            found("crates/plan/src/a.rs", source).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [4, 1]);
        assert_eq!(found("crates/web/src/a.rs", source), []);
    }

    #[test]
    fn a_dependency_from_a_higher_room_is_found() {
        let manifest = "[dependencies]\nmainstay-core.workspace = true\nmainstay-web = { path = \"\" }\n[dev-dependencies]\ntokio = \"1\"\n";
        assert_eq!(
            found("crates/store/Cargo.toml", manifest),
            [(3, "depends on `mainstay-web`".into())]
        );
    }

    #[test]
    fn a_driver_in_the_middle_and_axum_outside_the_web_are_found() {
        let manifest = "[dependencies]\ntokio.workspace = true\naxum.workspace = true\n";
        assert_eq!(found("crates/core/Cargo.toml", manifest).len(), 2);
        assert_eq!(found("crates/auth/Cargo.toml", manifest).len(), 1);
        assert_eq!(found("crates/web/Cargo.toml", manifest), []);
    }

    #[test]
    fn a_store_knows_no_web_and_the_web_knows_no_store() {
        let on = |name: &str| format!("[dependencies]\nmainstay-{name}.workspace = true\n");
        assert_eq!(found("crates/store-sqlite/Cargo.toml", &on("auth")).len(), 1);
        assert_eq!(found("crates/web/Cargo.toml", &on("store-sqlite")).len(), 1);
        assert_eq!(found("crates/mainstay/Cargo.toml", &on("store-sqlite")), []);
    }
}
