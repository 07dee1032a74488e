//! `mainstay users role`: roles are given and taken.

use mainstay_auth::is_reserved_role;

use super::{account_json, with_accounts};
use crate::cli::{Failure, accounts::call, arguments::RoleArguments, output::Output};

pub(super) fn run(arguments: &RoleArguments, output: &Output) -> Result<(), Failure> {
    let RoleArguments { user, add, remove, .. } = arguments;
    with_accounts(&arguments.dir, async |accounts| {
        let call = call("mainstay users role");
        let id = accounts.meant(user, &call).await?.id;
        let changed = accounts.identity.change_roles(id, add, remove, &call).await?;
        for role in changed.not_held.iter().filter(|role| !is_reserved_role(role)) {
            output.warning(&format!("`{user}` had no role `{role}`"));
        }
        if arguments.json {
            output.print(&format!("{:#}", account_json(&changed.account)));
        } else {
            output.print(&changed.account.roles().join("\n"));
        }
        Ok(())
    })
}
