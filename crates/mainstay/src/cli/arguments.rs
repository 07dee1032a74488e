//! What can be typed after `mainstay`, and the help for it.

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum, builder::styling};
use mainstay_auth::PAGE_ENTRIES_MAX;
use mainstay_store::Rename;
use serde_json::Value as Json;

const STYLES: styling::Styles = styling::Styles::styled()
    .header(styling::AnsiColor::Green.on_default().bold())
    .usage(styling::AnsiColor::Green.on_default().bold())
    .literal(styling::AnsiColor::Cyan.on_default().bold())
    .placeholder(styling::AnsiColor::Cyan.on_default());

const AFTER_HELP: &str = "\
Two commands to begin with:
  mainstay new blog     a folder that works as it is
  mainstay dev blog     serves it on http://127.0.0.1:8000

Every setting of mainstay.toml can be given in the environment:
MAINSTAY_DATABASE__URL sets `[database] url`.

Exit codes: 0 it worked, 1 the app or its database is at fault, 2 the command line is.";

/// The back end of a web application, served from a folder of text files
#[derive(Debug, Parser)]
#[command(
    name = "mainstay",
    bin_name = "mainstay",
    version,
    about,
    after_help = AFTER_HELP,
    styles = STYLES,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an application folder that works as it is
    New(NewArguments),
    /// Serve an app while it is being written
    ///
    /// Listens on this machine alone. Migrations are applied; new models, fields and indexes
    /// are added to the database as they are written; nothing else is dropped from it. A database that
    /// is made is filled from seed/. A folder with mistakes in it is reported, and the
    /// app goes on as it last was.
    Dev(ServerArguments),
    /// Serve an app in production
    ///
    /// Starts only where the database is as the models want it and has seen every
    /// migration; where there is no migrations/ an empty one is made so. SIGTERM and SIGINT let requests under way finish first.
    Serve(ServerArguments),
    /// Report every mistake in an application folder
    Check(FolderArguments),
    /// Show who may do what, role by role
    ///
    /// For each model what a role may read, create, update and delete: always, never, or
    /// on which condition. --lock writes it to access.lock, to be committed and reviewed;
    /// --check fails where that is not what the rules say.
    Access(AccessArguments),
    /// Load the rows of seed/ into the database
    ///
    /// Each file is named after its model: posts.json (an array of objects), users.csv
    /// (with a line of names). A ref may be written as the value of a unique field of
    /// the row it points to. A row that is there already, by its id or by a unique of
    /// the model, is updated.
    Seed(FolderArguments),
    /// Write and apply migrations
    ///
    /// A migration is a file of steps that lead the database's tables from what they were
    /// to what the models want. It is written from the models, reviewed, committed, and
    /// applied once to each database.
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// Print a user's token, for development and tests
    Token(TokenArguments),
    /// Make, list and ban users, give and take their roles
    ///
    /// A server that runs beside it notices within `[auth] session_check_s` seconds.
    #[command(subcommand)]
    Users(UsersCommand),
    /// Tell what happened to accounts, the latest first
    Audit(AuditArguments),
    /// Print the address and the API keys
    ///
    /// The anon key may stand in a web page. The service key passes every rule: it is
    /// a secret.
    Keys(KeysArguments),
    /// List what the app answers
    Routes(FolderArguments),
}

#[derive(Debug, Args)]
pub(super) struct NewArguments {
    /// The folder to make; its last part is the app's name
    pub(super) name: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ServerArguments {
    /// The application folder
    #[arg(default_value = ".")]
    pub(super) dir: PathBuf,
    /// The address and port to listen on, instead of `[server] listen`
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(super) listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(super) struct FolderArguments {
    /// The application folder
    #[arg(default_value = ".")]
    pub(super) dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AccessArguments {
    #[command(subcommand)]
    pub(super) command: Option<AccessCommand>,
    /// The application folder
    #[arg(default_value = ".")]
    pub(super) dir: PathBuf,
    /// Write access.lock
    #[arg(long)]
    pub(super) lock: bool,
    /// Fail where access.lock is not what the rules say
    #[arg(long, conflicts_with = "lock")]
    pub(super) check: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum AccessCommand {
    /// Say of one row why somebody may, or may not
    ///
    /// Reads the row from the app's database and asks the rules of it, part by part: what
    /// each came to, and which values it saw. Values of rows are printed.
    Explain(ExplainArguments),
}

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// The application folder
    #[arg(default_value = ".")]
    pub(super) dir: PathBuf,
    /// Who asks: the id or the email address of an account, with the roles it has; any
    /// other user's id; `anon`, or `service`
    #[arg(long = "as", value_name = "CALLER")]
    pub(super) caller: String,
    /// What they would do
    #[arg(long, value_enum)]
    pub(super) op: ExplainOperation,
    /// The row's model
    #[arg(long)]
    pub(super) model: String,
    /// The row's key
    #[arg(long)]
    pub(super) id: String,
    /// A role of the user's, instead of those the account has; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    pub(super) roles: Vec<String>,
    /// The user's email address, instead of the account's: what rules see as `auth.email`
    #[arg(long, value_name = "ADDRESS")]
    pub(super) email: Option<String>,
    /// A claim of the user's token, JSON or text, instead of what it is after a sign-in with a
    /// password: what rules see as `auth.claims.NAME`; may be given several times
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
    pub(super) claims: Vec<(String, Json)>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// What may be asked of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExplainOperation {
    /// See it
    Read,
    /// Create one like it
    Create,
    /// Change it
    Update,
    /// Delete it
    Delete,
}

impl ExplainOperation {
    /// The word for it.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum MigrateCommand {
    /// Write a migration from what the models changed
    ///
    /// Compares the models with what the migrations in migrations/ come to. Where
    /// something went and something alike came, it asks which it is; without a terminal
    /// --rename and --drop say it.
    New(NewMigrationArguments),
    /// Apply the migrations that the database has not seen
    ///
    /// Each is one transaction: it is applied as a whole, or the database stays as it was.
    Up(FolderArguments),
    /// Tell which migrations the database has seen
    Status(FolderArguments),
}

#[derive(Debug, Args)]
pub(super) struct NewMigrationArguments {
    /// What it does, in lower-case letters, digits and `_`: add_mood
    pub(super) name: String,
    /// The application folder
    #[arg(default_value = ".")]
    pub(super) dir: PathBuf,
    /// Something goes on under another name: posts.title=headline, or posts=articles
    #[arg(long = "rename", value_name = "OLD=NEW")]
    pub(super) renames: Vec<Rename>,
    /// A field (posts.title) or a model (posts) goes, and no other is it; a field that is
    /// still there is dropped and added anew
    #[arg(long = "drop", value_name = "OLD")]
    pub(super) drops: Vec<String>,
    /// Write steps that lose data
    #[arg(long)]
    pub(super) allow_loss: bool,
    /// Write a migration to be filled in with SQL, whatever the models say
    #[arg(long, conflicts_with_all = ["renames", "drops", "allow_loss"])]
    pub(super) empty: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct TokenArguments {
    /// The application folder
    #[arg(default_value = ".")]
    pub(super) dir: PathBuf,
    /// The user's id, any text: what rules see as `auth.id`
    #[arg(long, value_name = "ID")]
    pub(super) user: String,
    /// A role of the user's; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    pub(super) roles: Vec<String>,
    /// The user's email address: what rules see as `auth.email`
    #[arg(long, value_name = "ADDRESS")]
    pub(super) email: Option<String>,
    /// Seconds until it expires
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    pub(super) expires_in: u32,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct KeysArguments {
    #[command(subcommand)]
    pub(super) command: Option<KeysCommand>,
    #[command(flatten)]
    pub(super) folder: FolderArguments,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Sign with another key from now on
    ///
    /// Tokens of the key before hold for a day, and sessions go on. The anon and service
    /// keys stay as they are.
    Rotate(FolderArguments),
    /// Have every node know the next key before one signs with it
    Prepare(FolderArguments),
}

#[derive(Debug, Subcommand)]
pub(super) enum UsersCommand {
    /// Make an account and print its id
    ///
    /// Without a password its user sets one by a mail.
    Create(CreateUserArguments),
    /// List accounts, the latest first
    List(FolderArguments),
    /// Give and take roles, and print those there are then
    Role(RoleArguments),
    /// Let nobody sign in to an account, from the next request on
    Ban(BanArguments),
}

#[derive(Debug, Args)]
pub(super) struct CreateUserArguments {
    /// The user's email address
    pub(super) email: String,
    /// The application folder
    #[arg(default_value = ".")]
    pub(super) dir: PathBuf,
    /// Read the password from the standard input
    #[arg(long, conflicts_with = "password")]
    pub(super) password_stdin: bool,
    /// The password; other users of this machine may see it
    #[arg(long, value_name = "PASSWORD")]
    pub(super) password: Option<String>,
    /// A role of the user's; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    pub(super) roles: Vec<String>,
    /// What the user says, as a JSON object; fields of the app's own that no user can be
    /// without are taken from it
    #[arg(long, value_name = "JSON")]
    pub(super) data: Option<String>,
    /// Take the address for confirmed
    #[arg(long)]
    pub(super) confirmed: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("change").required(true).multiple(true)))]
pub(super) struct RoleArguments {
    /// The user's email address or id
    #[arg(value_name = "EMAIL|ID")]
    pub(super) user: String,
    /// The application folder
    #[arg(default_value = ".")]
    pub(super) dir: PathBuf,
    /// A role to give; may be given several times
    #[arg(long, value_name = "ROLE", group = "change")]
    pub(super) add: Vec<String>,
    /// A role to take; may be given several times
    #[arg(long, value_name = "ROLE", group = "change")]
    pub(super) remove: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct BanArguments {
    /// The user's email address or id
    #[arg(value_name = "EMAIL|ID")]
    pub(super) user: String,
    /// The application folder
    #[arg(default_value = ".")]
    pub(super) dir: PathBuf,
    /// For how long: 24h, 1h30m; without it for good
    #[arg(long = "for", value_name = "DURATION", conflicts_with = "lift")]
    pub(super) duration: Option<String>,
    /// Let the user sign in again
    #[arg(long)]
    pub(super) lift: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct AuditArguments {
    /// The application folder
    #[arg(default_value = ".")]
    pub(super) dir: PathBuf,
    /// What happened to this user's account alone
    #[arg(long, value_name = "EMAIL|ID")]
    pub(super) user: Option<String>,
    /// Tell what happened before this entry, by its id, or before a time; where there is
    /// more, the last line says from where to go on
    #[arg(long, value_name = "ID|TIME")]
    pub(super) before: Option<String>,
    /// Entries to tell, 1000 at most
    #[arg(
        long,
        value_name = "N",
        default_value_t = 50,
        value_parser = clap::value_parser!(u64).range(1..=PAGE_ENTRIES_MAX)
    )]
    pub(super) limit: u64,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// `ADDRESS:PORT`; `localhost` is 127.0.0.1, and a port alone is on it.
fn address(text: &str) -> Result<SocketAddr, String> {
    let full = match text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')) {
        Some(port) => format!("127.0.0.1:{port}"),
        None if text.parse::<u16>().is_ok() => format!("127.0.0.1:{text}"),
        None => text.to_owned(),
    };
    full.parse().map_err(|_| "expected an address and a port, such as 127.0.0.1:8000".to_owned())
}

/// A claim as `NAME=VALUE`; what is no JSON is text.
fn claim(typed: &str) -> Result<(String, Json), String> {
    let (name, value) = typed
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| format!("expected NAME=VALUE such as `aal=aal2`, found `{typed}`"))?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_address_is_a_port_on_this_machine_or_written_out() {
        let read = |text| address(text).map_or_else(|error| error, |address| address.to_string());
        assert_eq!(read("8001"), "127.0.0.1:8001");
        assert_eq!(read("localhost:8001"), "127.0.0.1:8001");
        assert_eq!(read("0.0.0.0:80"), "0.0.0.0:80");
        assert_eq!(read("[::1]:80"), "[::1]:80");
        assert!(read("example.com:80").starts_with("expected"));
        assert!(read("70000").starts_with("expected"));
    }
}
