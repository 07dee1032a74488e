//! `mainstay users role`: roles are given and taken.

use mainstay_auth::{AccountChanges, is_reserved_role};
use serde_json::{Map, json};

use super::{account_json, with_accounts};
use crate::cli::{Failure, accounts::call, arguments::RoleArguments, output::Output};

pub(super) fn run(arguments: &RoleArguments, output: &Output) -> Result<(), Failure> {
    with_accounts(&arguments.dir, async |accounts| {
        let call = call("mainstay users role");
        let account = accounts.meant(&arguments.user, &call).await?;
        let mut roles: Vec<String> = account.roles().iter().map(ToString::to_string).collect();
        for role in &arguments.remove {
            if !roles.contains(role) && !is_reserved_role(role) {
                output.warning(&format!("`{}` had no role `{role}`", arguments.user));
            }
        }
        roles.retain(|role| !arguments.remove.contains(role));
        let added = arguments.add.iter().filter(|role| !arguments.remove.contains(role));
        for role in added {
            if !roles.contains(role) {
                roles.push(role.clone());
            }
        }
        let asked = AccountChanges {
            app_metadata: Some(Map::from_iter([("roles".to_owned(), json!(roles))])),
            ..AccountChanges::default()
        };
        let account = accounts.identity.update_account(account.id, asked, &call).await?;
        if arguments.json {
            output.print(&format!("{:#}", account_json(&account)));
        } else {
            output.print(&account.roles().join("\n"));
        }
        Ok(())
    })
}
