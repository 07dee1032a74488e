//! What the command line asks for.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use mainstay_fuzz::{TARGETS, Target};

/// The command line, read.
pub(crate) struct Arguments {
    pub(crate) task: Task,
    /// How long each target is fed.
    pub(crate) time: Duration,
    /// What the inputs follow from.
    pub(crate) seed: u64,
}

/// What is to be done.
pub(crate) enum Task {
    /// Every target, each in a process of its own.
    All,
    /// One of them.
    Only(Target),
    /// One of them in this process: what the others start.
    Campaign(Target),
    /// One input of one target.
    Input(Target, PathBuf),
    /// The seeds are written out.
    WriteCorpus,
}

/// What the process of one target is started with.
pub(crate) const CAMPAIGN: &str = "--campaign";

impl Arguments {
    pub(crate) fn read(mut given: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let (mut only, mut campaign, mut input) = (None, None, None);
        let (mut write_corpus, mut seconds, mut seed) = (false, 10, 1);
        while let Some(name) = given.next() {
            let mut value = || given.next().with_context(|| format!("{name} wants a value"));
            match name.as_str() {
                "--seconds" => seconds = value()?.parse().context("--seconds")?,
                "--seed" => seed = value()?.parse().context("--seed")?,
                "--target" => only = Some(target(&value()?)?),
                CAMPAIGN => campaign = Some(target(&value()?)?),
                "--input" => input = Some(PathBuf::from(value()?)),
                "--write-corpus" => write_corpus = true,
                _ => bail!(
                    "unknown flag {name}: --seconds N, --seed N, --target NAME, --input FILE \
                     or --write-corpus"
                ),
            }
        }
        let task = match (only, campaign, input) {
            (None, None, None) if write_corpus => Task::WriteCorpus,
            (None, None, None) => Task::All,
            (Some(target), None, Some(input)) => Task::Input(target, input),
            (Some(target), None, None) => Task::Only(target),
            (None, Some(target), None) => Task::Campaign(target),
            _ => bail!("--input wants a --target, and nothing beside it"),
        };
        Ok(Self { task, time: Duration::from_secs(seconds), seed })
    }
}

fn target(name: &str) -> anyhow::Result<Target> {
    let names = || TARGETS.map(|target| target.name).join(", ");
    let found = TARGETS.into_iter().find(|target| target.name == name);
    found.with_context(|| format!("{name} is no target; there are {}", names()))
}
