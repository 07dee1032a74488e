//! `mainstay users ban`: nobody signs in to an account any more, or again.

use mainstay_auth::{AccountChanges, BanDuration};
use mainstay_core::ValueRef;

use super::{account_json, with_accounts};
use crate::cli::{Failure, accounts::call, arguments::BanArguments, output::Output};

pub(super) fn run(arguments: &BanArguments, output: &Output) -> Result<(), Failure> {
    let ban = match (&arguments.duration, arguments.lift) {
        (_, true) => BanDuration::Lift,
        (Some(text), false) => lasting(text)?,
        // Until time ends.
        (None, false) => BanDuration::For { micros: i64::MAX },
    };
    with_accounts(&arguments.dir, async |accounts| {
        let call = call("mainstay users ban");
        let account = accounts.meant(&arguments.user, &call).await?;
        let asked = AccountChanges { ban: Some(ban), ..AccountChanges::default() };
        let account = accounts.identity.update_account(account.id, asked, &call).await?;
        if arguments.json {
            output.print(&format!("{:#}", account_json(&account)));
            return Ok(());
        }
        match account.banned_until {
            Some(until) => {
                let until = ValueRef::Timestamp(until).to_text();
                output.print(&format!("banned until {until}"));
            }
            None => output.print("not banned"),
        }
        Ok(())
    })
}

/// How long a ban is to last.
fn lasting(text: &str) -> Result<BanDuration, Failure> {
    match BanDuration::parse(text) {
        Ok(ban @ BanDuration::For { micros: 1.. }) => Ok(ban),
        Ok(_) => Err(Failure::Usage(format!(
            "`--for {text}` bans nobody: give a time such as 24h, or `--lift` to lift a ban"
        ))),
        Err(error) => Err(Failure::Usage(error.to_string())),
    }
}
