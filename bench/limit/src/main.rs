//! The limit: what one would write by hand with axum and rusqlite for the app the
//! bench serves, to be as fast as the two allow.
//!
//! Reads run inline on the runtime's worker threads, over a connection of the
//! thread's own whose statements stay prepared; one thread writes, and commits
//! together whatever has arrived. There is no authentication, no validation beyond
//! the types and no rule but the one written into the SQL: a server that does more
//! is measured by how close it comes.
//!
//! `serve-postgres URL LISTEN on|off` serves the same from a PostgreSQL database that
//! Mainstay has made, with `synchronous_commit` on or off; see `postgres.rs`.
//! `serve DB LISTEN normal|full` serves, `load DB` reads the bench's rows from its
//! input, `load-pocketbase DB` the same into PocketBase's own tables.
#![expect(clippy::print_stderr, reason = "a program's last words on a failed start")]

mod json;
mod load;
mod postgres;
mod read;
mod schema;
mod serve;
mod write;

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["serve", db, listen, sync @ ("normal" | "full")] => {
            serve::serve(Path::new(db), listen, sync)
        }
        ["serve-postgres", url, listen, commit @ ("on" | "off")] => {
            postgres::serve(url, listen, commit)
        }
        ["load", db] => load::load_own(Path::new(db)),
        ["load-pocketbase", db] => load::load_pocketbase(Path::new(db)),
        _ => Err(anyhow::anyhow!(
            "usage: bench-limit serve DB LISTEN normal|full | serve-postgres URL LISTEN on|off | \
             load DB | load-pocketbase DB"
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-limit: {error:#}");
            ExitCode::FAILURE
        }
    }
}
