//! Every target in a process of its own, and the table of what they came to.

use std::process::{Command, ExitCode, Stdio};

use anyhow::Context as _;
use mainstay_fuzz::Target;

use crate::{
    arguments::{Arguments, CAMPAIGN},
    campaign::{Figures, GIVEN_UP, left_at_hand, save, shown},
    mebibytes,
};

/// Runs the targets one after the other: they are measured, and would wait for each
/// other otherwise.
pub(crate) fn run(targets: &[Target], arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut rows = Vec::new();
    for target in targets {
        rows.push((target.name, campaign(target, arguments)?));
    }
    println!(
        "{:<8} {:>9} {:>9} {:>9} {:>11} {:>9}  ",
        "target", "inputs", "inputs/s", "plans", "slowest ms", "peak MiB"
    );
    let mut code = ExitCode::SUCCESS;
    for (name, campaign) in rows {
        let Figures { inputs, plans, time, slowest, peak_bytes } = campaign.figures;
        let (slowest, peak) = (slowest.as_secs_f64() * 1e3, mebibytes(peak_bytes));
        let rate = inputs as f64 / time.as_secs_f64().max(1e-3);
        let verdict = match (campaign.passed, plans) {
            (false, _) => "FAILED",
            (true, 0) => "FAILED: no mutated input reached a plan",
            (true, _) => "ok",
        };
        if verdict != "ok" {
            code = ExitCode::FAILURE;
        }
        println!(
            "{name:<8} {inputs:>9} {rate:>9.0} {plans:>9} {slowest:>11.1} {peak:>9.1}  {verdict}"
        );
    }
    Ok(code)
}

struct Campaign {
    figures: Figures,
    passed: bool,
}

fn campaign(target: &Target, arguments: &Arguments) -> anyhow::Result<Campaign> {
    let program = std::env::current_exe().context("this program's own path")?;
    let process = Command::new(program)
        .args([CAMPAIGN, target.name])
        .args(["--seconds", &arguments.time.as_secs().to_string()])
        .args(["--seed", &arguments.seed.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting the process of {}", target.name))?;
    let id = process.id();
    let output = process.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let figures = said.lines().last().and_then(Figures::from_line);
    for line in said.lines().filter(|line| Figures::from_line(line).is_none()) {
        println!("{line}");
    }
    let Some(figures) = figures else {
        match output.status.code() {
            Some(GIVEN_UP) => println!("{}: an input did not come to an end", target.name),
            _ => println!("{}: the process ended: {}", target.name, output.status),
        }
        if let Some(input) = left_at_hand(target, id) {
            println!("  by {}", shown(&input));
            println!("  saved as {}", save(target, &input)?.display());
        }
        return Ok(Campaign { figures: Figures::default(), passed: false });
    };
    Ok(Campaign { figures, passed: output.status.success() })
}
