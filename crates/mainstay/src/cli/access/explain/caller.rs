//! Who is asked about: what the database says of a user, and what the command line says
//! instead.

use std::sync::Arc;

use mainstay_auth::{Account, Call};
use mainstay_core::{Actor, Timestamp, UserClaims, ValueRef};

use super::related::service;
use crate::{
    cli::{
        Failure,
        accounts::{Accounts, call},
        arguments::ExplainArguments,
    },
    database::Database,
    load::Loaded,
};

/// The caller as the command line names them.
pub(super) enum Meant {
    /// Whoever has no credential.
    Anonymous,
    /// The holder of the service key.
    Service,
    /// A user, by an id or an address.
    User,
}

/// The caller as rules see them.
pub(super) struct Caller {
    pub(super) actor: Actor,
    pub(super) known: Known,
}

/// What the database says of a caller.
pub(super) enum Known {
    /// Nothing: it is no user.
    NoUser,
    /// Nothing: no account has the id or the address.
    Stranger,
    /// This account.
    Account {
        account: Box<Account>,
        /// Why no request of its user is answered, whatever the rules say.
        barred: Option<String>,
    },
}

impl Meant {
    /// # Errors
    /// Where roles, an address or claims are given to one who is no user.
    pub(super) fn of(arguments: &ExplainArguments) -> Result<Self, Failure> {
        let meant = match arguments.caller.as_str() {
            "anon" => Self::Anonymous,
            "service" => Self::Service,
            _ => return Ok(Self::User),
        };
        if let Some(option) = given(arguments).first() {
            let word = &arguments.caller;
            return Err(Failure::Usage(format!("`{word}` is no user: leave `{option}` out")));
        }
        Ok(meant)
    }

    /// The caller, with what the database has of them. An id that no account has is taken
    /// as it is: users may come from elsewhere, with tokens of their own.
    ///
    /// # Errors
    /// Where the database cannot be asked.
    pub(super) async fn look_up(
        self,
        loaded: &Loaded,
        database: &Database,
        arguments: &ExplainArguments,
    ) -> Result<Caller, Failure> {
        match self {
            Self::Anonymous => Ok(Caller { actor: Actor::anonymous(), known: Known::NoUser }),
            Self::Service => Ok(Caller { actor: service(), known: Known::NoUser }),
            Self::User => {
                let accounts = Accounts::without_keys(loaded, database.clone())?;
                let call = call("mainstay access explain");
                let found = accounts.identity.account_meant(&arguments.caller, &call).await?;
                Ok(user(loaded, &accounts, found, arguments, &call))
            }
        }
    }
}

/// The options by which the command line says something of a user.
fn given(arguments: &ExplainArguments) -> Vec<&'static str> {
    let options = [
        (!arguments.roles.is_empty(), "--role"),
        (arguments.email.is_some(), "--email"),
        (!arguments.claims.is_empty(), "--claim"),
    ];
    options.into_iter().filter_map(|(is_given, option)| is_given.then_some(option)).collect()
}

/// A user, with what the command line says of them before what the account has.
fn user(
    loaded: &Loaded,
    accounts: &Accounts,
    found: Option<Account>,
    arguments: &ExplainArguments,
    call: &Call,
) -> Caller {
    let stored = found.as_ref();
    let id = stored.map_or_else(|| arguments.caller.clone(), |account| account.id.to_string());
    let email = arguments.email.clone().or_else(|| stored?.email.clone());
    let roles: Vec<Box<str>> = match stored {
        Some(account) if arguments.roles.is_empty() => account.roles(),
        _ => arguments.roles.iter().map(|role| role.as_str().into()).collect(),
    };
    let (roles, permissions) = loaded.settings.roles.expand(&roles);
    let of_account = |account: &Account| {
        let mut account = Account { email: email.clone(), ..account.clone() };
        if !arguments.roles.is_empty() {
            account.app_metadata.insert("roles".to_owned(), arguments.roles.clone().into());
        }
        accounts.identity.claims_after_password(&account, call)
    };
    let mut claims = stored.map(of_account).unwrap_or_default();
    claims.extend(arguments.claims.iter().cloned());
    let claims = UserClaims { id, email, roles, permissions, claims, tenant: None };
    let known = match found {
        None => Known::Stranger,
        Some(account) => {
            let barred = barred(&account, call.now);
            Known::Account { account: Box::new(account), barred }
        }
    };
    Caller { actor: Actor::user(Arc::new(claims)), known }
}

/// Why nobody is let in as the user of an account.
fn barred(account: &Account, now: Timestamp) -> Option<String> {
    if account.deleted_at.is_some() {
        return Some("the account is deleted".to_owned());
    }
    let until = account.banned_until.filter(|until| *until > now)?;
    Some(format!("the account is banned until {}", ValueRef::Timestamp(until).to_text()))
}

impl Caller {
    /// Why no request of theirs is answered, whatever the rules say.
    pub(super) fn barred(&self) -> Option<&str> {
        match &self.known {
            Known::Account { barred, .. } => barred.as_deref(),
            Known::NoUser | Known::Stranger => None,
        }
    }

    /// Where what is known of them comes from, in a line; none of who is no user.
    pub(super) fn source(&self, arguments: &ExplainArguments) -> Option<String> {
        let given = given(arguments).join(" and ");
        Some(match &self.known {
            Known::NoUser => return None,
            Known::Stranger if given.is_empty() => {
                "no account has this id or address: taken for a user without roles".to_owned()
            }
            Known::Stranger => {
                format!("no account has this id or address: taken for a user with {given} alone")
            }
            Known::Account { account, .. } if given.is_empty() => {
                format!("account {}, as the database has it", account.id)
            }
            Known::Account { account, .. } => {
                format!("account {}, as the database has it but for {given}", account.id)
            }
        })
    }
}
