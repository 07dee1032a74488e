//! Flags of a command: `--name`, or `--name VALUE`. Unknown ones are refused.

use std::{collections::BTreeMap, str::FromStr};

use anyhow::{Context as _, bail};

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing: it is there or not.
    Nothing,
    /// One value, the next argument.
    Value,
}

/// A flag's name, what it takes, and what it does.
pub(crate) type Flag = (&'static str, Takes, &'static str);

/// The flags a command was given.
#[derive(Debug)]
pub(crate) struct Args {
    given: BTreeMap<&'static str, String>,
}

impl Args {
    /// Reads the arguments. `None` if help was asked for, which is then printed.
    pub(crate) fn parse(args: &[String], flags: &[Flag]) -> anyhow::Result<Option<Self>> {
        let mut given = BTreeMap::new();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--help" {
                for (name, takes, does) in flags {
                    let value = if *takes == Takes::Value { " VALUE" } else { "" };
                    println!("  {:<22} {does}", format!("{name}{value}"));
                }
                return Ok(None);
            }
            let Some((name, takes, _)) = flags.iter().find(|(name, ..)| name == arg) else {
                let known: Vec<&str> = flags.iter().map(|(name, ..)| *name).collect();
                bail!("unknown argument `{arg}`; there is {}", known.join(", "));
            };
            let value = match takes {
                Takes::Nothing => String::new(),
                Takes::Value => {
                    args.next().with_context(|| format!("{name} wants a value"))?.clone()
                }
            };
            given.insert(*name, value);
        }
        Ok(Some(Self { given }))
    }

    /// Whether the flag was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The flag's value, if it was given.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// The flag's value as a number or the like.
    pub(crate) fn value<T: FromStr>(&self, name: &str) -> anyhow::Result<Option<T>> {
        self.text(name)
            .map(|text| {
                text.replace('_', "")
                    .parse()
                    .ok()
                    .with_context(|| format!("{name} {text}: not a number"))
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &[Flag] = &[("--quick", Takes::Nothing, ""), ("--rows", Takes::Value, "")];

    fn parse(args: &[&str]) -> anyhow::Result<Option<Args>> {
        Args::parse(&args.iter().map(ToString::to_string).collect::<Vec<_>>(), FLAGS)
    }

    #[test]
    fn flags_are_read_with_their_values() {
        let args = parse(&["--rows", "1_000", "--quick"]).unwrap().unwrap();
        assert!(args.has("--quick"));
        assert_eq!(args.value::<u64>("--rows").unwrap(), Some(1000));
    }

    #[test]
    fn an_unknown_flag_and_a_missing_value_are_refused() {
        assert!(parse(&["--quik"]).unwrap_err().to_string().contains("--quick, --rows"));
        assert!(parse(&["--rows"]).unwrap_err().to_string().contains("wants a value"));
    }
}
