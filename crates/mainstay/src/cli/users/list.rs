//! `mainstay users list`: who there is.

use mainstay_auth::Account;
use mainstay_core::Timestamp;
use serde_json::{Value as Json, json};

use super::account_json;
use crate::cli::{
    Failure,
    accounts::{Accounts, call},
    arguments::FolderArguments,
    block_on,
    output::Output,
};

/// Accounts that are read at once, where an app allows pages of so many rows.
const PER_PAGE: u64 = 500;

pub(super) fn run(arguments: &FolderArguments, output: &Output) -> Result<(), Failure> {
    block_on(async {
        let accounts = Accounts::open_existing(&arguments.dir, output).await?;
        let Some(accounts) = accounts else { return tell(None, arguments, output).await };
        let outcome = tell(Some(&accounts), arguments, output).await;
        accounts.close().await;
        outcome
    })
}

/// Tells of all there are, a page at a time; of nobody where there is no database.
async fn tell(
    accounts: Option<&Accounts>,
    arguments: &FolderArguments,
    output: &Output,
) -> Result<(), Failure> {
    let mut told: Vec<Json> = Vec::new();
    let mut seen: u64 = 0;
    if let Some(accounts) = accounts {
        let per_page = PER_PAGE.min(accounts.page_rows_max);
        for page in 1.. {
            let call = call("mainstay users list");
            let found = accounts.identity.accounts(page, per_page, &call).await?;
            seen += found.accounts.len() as u64;
            for account in &found.accounts {
                match arguments.json {
                    true => told.push(account_json(account)),
                    false => output.print(&line(account, call.now)),
                }
            }
            if found.accounts.is_empty() || seen >= found.total {
                break;
            }
        }
    }
    if arguments.json {
        output.print(&format!("{:#}", json!({ "users": told })));
    } else if seen == 0 && accounts.is_some() {
        output.note("there are no users");
    }
    Ok(())
}

fn line(account: &Account, now: Timestamp) -> String {
    let name = account.email.as_deref().unwrap_or("-");
    let mut parts = vec![account.id.to_string(), name.to_owned()];
    parts.extend(account.roles().iter().map(ToString::to_string));
    let states = [
        (account.deleted_at.is_some(), "(deleted)"),
        (account.banned_until.is_some_and(|until| until > now), "(banned)"),
        (account.is_anonymous, "(anonymous)"),
        (account.email.is_some() && account.email_confirmed_at.is_none(), "(unconfirmed)"),
    ];
    parts.extend(states.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()));
    parts.join("  ")
}
