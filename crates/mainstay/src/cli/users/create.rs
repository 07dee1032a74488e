//! `mainstay users create`: an account for somebody.

use std::io::Read as _;

use mainstay_auth::AccountChanges;
use serde_json::{Map, Value as Json, json};

use super::{account_json, with_accounts};
use crate::cli::{Failure, accounts::call, arguments::CreateUserArguments, output::Output};

/// Bytes of a password that are read.
const PASSWORD_BYTES_MAX: u64 = 64 * 1024;

pub(super) fn run(arguments: &CreateUserArguments, output: &Output) -> Result<(), Failure> {
    let password = match arguments.password_stdin {
        true => Some(read_password()?),
        false => arguments.password.clone(),
    };
    let data = match &arguments.data {
        Some(text) => Some(serde_json::from_str::<Map<String, Json>>(text).map_err(|error| {
            Failure::Usage(format!(
                "`--data` is no object of JSON such as '{{\"name\":\"Ada\"}}': {error}"
            ))
        })?),
        None => None,
    };
    with_accounts(&arguments.dir, async |accounts| {
        let asked = AccountChanges {
            email: Some(arguments.email.clone()),
            confirms_email: arguments.confirmed,
            password,
            app_metadata: (!arguments.roles.is_empty())
                .then(|| Map::from_iter([("roles".to_owned(), json!(arguments.roles))])),
            user_metadata: data,
            ..AccountChanges::default()
        };
        let call = call("mainstay users create");
        let account = accounts.identity.create_account(None, asked, &call).await?;
        if arguments.json {
            output.print(&format!("{:#}", account_json(&account)));
        } else {
            output.print(&account.id.to_string());
        }
        Ok(())
    })
}

/// The password, without the end of its line.
fn read_password() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(PASSWORD_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| Failure::App(format!("the password cannot be read: {error}")))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    match text.is_empty() {
        true => Err(Failure::Usage("the standard input holds no password".to_owned())),
        false => Ok(text.to_owned()),
    }
}
