//! Programs that some tests need and a machine may not have.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::process::find;

/// What to do where a program is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Say so and go on.
    Skip,
    /// Install it.
    Install,
}

/// Makes sure of a program on the `PATH`. An error says, in words for the table, why it
/// is not there.
pub(crate) fn ensure(program: &str, package: &str, missing: Missing) -> Result<PathBuf, String> {
    ensure_found(find, program, package, missing)
}

/// The same for a program that its package puts elsewhere: `find` knows where.
pub(crate) fn ensure_found(
    find: impl Fn(&str) -> Option<PathBuf>,
    program: &str,
    package: &str,
    missing: Missing,
) -> Result<PathBuf, String> {
    if let Some(path) = find(program) {
        return Ok(path);
    }
    if missing == Missing::Skip {
        return Err(format!(
            "{program} is not installed; `cargo xtask test --all` installs {package}"
        ));
    }
    println!("installing {package}");
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        command.stdin(Stdio::null()).stdout(Stdio::null()).status().is_ok_and(|it| it.success())
    };
    let installed =
        apt(&["install", "-y", package]) || (apt(&["update"]) && apt(&["install", "-y", package]));
    find(program)
        .filter(|_| installed)
        .ok_or_else(|| format!("{program} is missing and `apt-get install {package}` failed"))
}
