//! The short form of the fuzz targets: each of `fuzz/src/bin` is a binary that
//! takes `--seconds N` and ends with an error on the first input that breaks a
//! promise. Those in `fuzz/fuzz_targets` are libFuzzer's and want `cargo fuzz`.

use std::{collections::BTreeSet, fs, time::Instant};

use super::{
    cargo::lines,
    table::{Suite, Table},
};
use crate::process::{cargo, root, target_dir};

/// Runs each target for so many seconds, if there are any.
pub(super) fn run(table: &mut Table, seconds: u32) -> anyhow::Result<()> {
    let manifest = root().join("fuzz/Cargo.toml");
    if !manifest.exists() {
        return Ok(());
    }
    let mut targets = BTreeSet::new();
    for entry in fs::read_dir(root().join("fuzz/src/bin"))? {
        let path = entry?.path();
        // A binary is a file, or a folder with a `main.rs`.
        if path.extension().is_some_and(|ending| ending == "rs") || path.join("main.rs").exists() {
            targets.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    for target in targets {
        println!("fuzzing {target} for {seconds} s");
        let started = Instant::now();
        let mut command = cargo();
        command.args(["run", "--quiet", "--manifest-path"]).arg(&manifest);
        command.arg("--target-dir").arg(target_dir());
        command.args(["--bin", &target, "--", "--seconds", &seconds.to_string()]);
        let passed = lines(&mut command, |line| println!("{line}"))?.success();
        let name = format!("fuzz {target}, {seconds} s");
        if !passed {
            table.failure(name.clone());
        }
        let (passed, failed) = (usize::from(passed), usize::from(!passed));
        table.ran(Suite { name, passed, failed, skipped: 0, time: started.elapsed() });
    }
    Ok(())
}
