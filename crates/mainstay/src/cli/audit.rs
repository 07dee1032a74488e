//! `mainstay audit`: what happened to accounts, the latest first.

use mainstay_auth::AuditEntry;
use mainstay_core::ValueRef;
use serde_json::{Value as Json, json};

use super::{
    Failure,
    accounts::{Accounts, call},
    arguments::AuditArguments,
    block_on,
    output::Output,
};

pub(super) fn run(arguments: &AuditArguments, output: &Output) -> Result<(), Failure> {
    block_on(async {
        let Some(accounts) = Accounts::open_existing(&arguments.dir, output).await? else {
            tell(&[], arguments, output);
            return Ok(());
        };
        let entries = entries(&accounts, arguments).await;
        accounts.close().await;
        let entries = entries?;
        tell(&entries, arguments, output);
        if entries.is_empty() {
            output.note("nothing happened yet");
        }
        Ok(())
    })
}

async fn entries(
    accounts: &Accounts,
    arguments: &AuditArguments,
) -> Result<Vec<AuditEntry>, Failure> {
    let call = call("mainstay audit");
    let user = match &arguments.user {
        None => None,
        // The log outlives the accounts it speaks of.
        Some(typed) => match typed.parse() {
            Ok(id) => Some(id),
            Err(_) => Some(accounts.meant(typed, &call).await?.id),
        },
    };
    Ok(accounts.identity.audit_log(user, arguments.limit, &call).await?)
}

fn tell(entries: &[AuditEntry], arguments: &AuditArguments, output: &Output) {
    if arguments.json {
        let entries: Vec<Json> = entries.iter().map(AuditEntry::to_json).collect();
        output.print(&format!("{:#}", json!({ "entries": entries })));
        return;
    }
    for entry in entries {
        output.print(&line(entry));
    }
}

/// When, what, what came of it, by whom and to whom. What a stranger's program calls itself
/// is in the JSON alone: in a terminal it could be anything.
fn line(entry: &AuditEntry) -> String {
    let at = entry.at.map(|at| ValueRef::Timestamp(at).to_text()).unwrap_or_default();
    let by = entry.actor.as_deref().unwrap_or(&entry.actor_kind);
    let of = entry.user.map(|user| user.to_string()).unwrap_or_else(|| "-".to_owned());
    format!("{at}  {}  {}  by {by}  user {of}  {}", entry.event, entry.outcome, entry.address)
        .trim_end()
        .to_owned()
}
