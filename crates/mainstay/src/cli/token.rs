//! `mainstay token`: a user's token, for development and tests.

use mainstay_auth::{MintError, TokenRequest, mint};
use serde_json::json;

use super::{Failure, arguments::TokenArguments, open, output::Output, warn_of_undeclared};
use crate::app::token_settings;

pub(super) fn run(arguments: &TokenArguments, output: &Output) -> Result<(), Failure> {
    let (loaded, keyring) = open(&arguments.dir)?;
    let request = TokenRequest {
        user_id: arguments.user.clone(),
        email: arguments.email.clone(),
        roles: arguments.roles.clone(),
        lifetime_s: arguments.expires_in,
        ..TokenRequest::default()
    };
    let settings = token_settings(&loaded.settings);
    let token = mint(&keyring, &request, &settings, mainstay_web::system_time())
        .map_err(|error: MintError| Failure::Usage(error.to_string()))?;
    warn_of_undeclared(&arguments.roles, &loaded.settings.roles, output);
    if arguments.json {
        output.print(&format!("{:#}", json!({ "token": token })));
    } else {
        output.print(&token);
    }
    Ok(())
}
