//! `mainstay users`: accounts are made, listed, given roles and banned.

mod ban;
mod create;
mod list;
mod role;

use std::path::Path;

use super::{
    Failure,
    accounts::{Accounts, account_json},
    arguments::UsersCommand,
    block_on,
    output::Output,
};

pub(super) fn run(command: &UsersCommand, output: &Output) -> Result<(), Failure> {
    match command {
        UsersCommand::Create(arguments) => create::run(arguments, output),
        UsersCommand::List(arguments) => list::run(arguments, output),
        UsersCommand::Role(arguments) => role::run(arguments, output),
        UsersCommand::Ban(arguments) => ban::run(arguments, output),
    }
}

/// Does something with the accounts of the app in a folder.
fn with_accounts(
    dir: &Path,
    act: impl AsyncFnOnce(&Accounts) -> Result<(), Failure>,
) -> Result<(), Failure> {
    block_on(async {
        let accounts = Accounts::open(dir).await?;
        let outcome = act(&accounts).await;
        accounts.close().await;
        outcome
    })
}
