//! The workshop's commands: `cargo xtask test`, `bench`, `services` and `tidy`.
#![expect(clippy::print_stdout, reason = "these are command-line tools: printing is what they do")]
#![expect(clippy::print_stderr, reason = "mistakes go where a terminal expects them")]

mod args;
mod bench;
mod http;
mod process;
mod scratch;
mod services;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test  [--all] [--removals] [--kills N] [--migrations] [--faults]
                                                     the tests; closes with what really ran
cargo xtask bench [--quick] [--rows N] [--strict]    Mainstay, the limit and the peer, side by side
cargo xtask bench --logins | --timing                what signing in costs others, and what it tells them
cargo xtask services [-- CMD ARGS…]                  private servers for tests, until ctrl-C
cargo xtask tidy                                     the house rules

`cargo xtask COMMAND --help` lists a command's flags.";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let outcome = match command.as_str() {
        "test" => test::run(&rest),
        "bench" => bench::run(&rest),
        "services" => services::run(&rest),
        "tidy" => tidy::run(&rest),
        _ => {
            println!("{USAGE}");
            return if command.is_empty() || command == "--help" {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(2)
            };
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask {command}: {error:#}");
        ExitCode::FAILURE
    })
}
