//! `mainstay audit`: what happened to accounts, the latest first.

use mainstay_auth::{AuditBefore, AuditEntry, AuditPage, AuditQuery};
use mainstay_core::{Timestamp, ValueRef};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    Failure,
    accounts::{Accounts, call},
    arguments::AuditArguments,
    block_on,
    output::Output,
};

pub(super) fn run(arguments: &AuditArguments, output: &Output) -> Result<(), Failure> {
    let before = arguments.before.as_deref().map(before).transpose()?;
    block_on(async {
        let Some(accounts) = Accounts::open_existing(&arguments.dir, output).await? else {
            tell(&AuditPage { entries: Vec::new(), has_more: false }, arguments, output);
            return Ok(());
        };
        let page = page(&accounts, before, arguments).await;
        accounts.close().await;
        let page = page?;
        tell(&page, arguments, output);
        match page.entries.last() {
            None if before.is_none() => output.note("nothing happened yet"),
            None => output.note("nothing happened before"),
            Some(last) if page.has_more => {
                output.note(&format!("there is more: the same with `--before {}`", last.id));
            }
            Some(_) => {}
        }
        Ok(())
    })
}

async fn page(
    accounts: &Accounts,
    before: Option<AuditBefore>,
    arguments: &AuditArguments,
) -> Result<AuditPage, Failure> {
    let call = call("mainstay audit");
    let user = match &arguments.user {
        None => None,
        // The log outlives the accounts it speaks of.
        Some(typed) => match typed.parse() {
            Ok(id) => Some(id),
            Err(_) => Some(accounts.meant(typed, &call).await?.id),
        },
    };
    let asked = AuditQuery { user, before, limit: arguments.limit };
    Ok(accounts.identity.audit_log(asked, &call).await?)
}

/// Where the entries that are meant begin: before an entry, or before a time.
fn before(typed: &str) -> Result<AuditBefore, Failure> {
    let entry = Uuid::parse_str(typed).ok().map(AuditBefore::Entry);
    let found = entry.or_else(|| Timestamp::parse(typed).map(AuditBefore::Time));
    found.ok_or_else(|| {
        Failure::Usage(format!(
            "`--before {typed}` is neither the id of an entry nor a time: give one such as \
             2026-01-31T12:00:00Z, or the id that `mainstay audit` says"
        ))
    })
}

fn tell(page: &AuditPage, arguments: &AuditArguments, output: &Output) {
    if arguments.json {
        let entries: Vec<Json> = page.entries.iter().map(AuditEntry::to_json).collect();
        let report = json!({ "entries": entries, "has_more": page.has_more });
        output.print(&format!("{report:#}"));
        return;
    }
    for entry in &page.entries {
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
