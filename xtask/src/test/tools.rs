//! Programs that some tests need and a machine may not have.

use std::process::{Command, Stdio};

use crate::process::find;

/// What to do where a program is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Say so and go on.
    Skip,
    /// Install it.
    Install,
}

/// Makes sure of a program. An error says, in words for the table, why it is not there.
pub(super) fn ensure(program: &str, package: &str, missing: Missing) -> Result<(), String> {
    if find(program).is_some() {
        return Ok(());
    }
    if missing == Missing::Skip {
        return Err(format!("{program} is not installed"));
    }
    println!("installing {package}");
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        command.stdin(Stdio::null()).stdout(Stdio::null()).status().is_ok_and(|it| it.success())
    };
    let installed =
        apt(&["install", "-y", package]) || (apt(&["update"]) && apt(&["install", "-y", package]));
    match installed && find(program).is_some() {
        true => Ok(()),
        false => Err(format!("{program} is missing and `apt-get install {package}` failed")),
    }
}
