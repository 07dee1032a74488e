//! `mainstay keys rotate` and `mainstay keys prepare`: another key to sign with.

use mainstay_auth::{Event, Keyring};
use serde_json::json;

use crate::{
    StartError,
    cli::{
        Failure,
        accounts::{Accounts, call},
        arguments::FolderArguments,
        block_on,
        output::Output,
    },
    database::{self, DatabaseError},
    folder::Folder,
    load::{Loaded, environment, load},
    signing_key::{SigningKeyError, replace_keyring},
};

/// What a rotation does, for whoever has just made one.
const ROTATED: &str = "\
The new key signs from the next start of a server on; one that runs goes on with the keys it
read, so start every server anew, each with this file. Access tokens of the key before hold
for a day at most, refresh tokens and sessions go on, and nobody is signed out. The `anon`
and `service` keys stay as they are, in every page and program that has them: their own key
now stands in the file. After a leak of the file this is no remedy, for all keys were in it:
remove it, and everything that was signed is void.";

const PREPARED: &str = "\
A key for the next rotation stands in the file: it is accepted and signs nothing. Give the
file to every node and start each anew; then `mainstay keys rotate`, and give it to them
again. The `anon` and `service` keys stay as they are.";

/// What is done to the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Step {
    Prepare,
    Rotate,
}

pub(in crate::cli) fn run(
    step: Step,
    arguments: &FolderArguments,
    output: &Output,
) -> Result<(), Failure> {
    let folder = Folder::open(&arguments.dir)?;
    let loaded = load(folder.read()?, &environment())?;
    let now = mainstay_web::system_time();
    if loaded.settings.auth.signing_key.is_some() {
        return Err(Failure::App(by_hand(step, now)));
    }
    let change = |keyring: &Keyring| match step {
        Step::Prepare => keyring.prepared(),
        Step::Rotate => keyring.rotated(now),
    };
    let (path, keyring) = replace_keyring(&folder, &loaded.settings, change)
        .map_err(|error: SigningKeyError| StartError::from(error))?;
    let kid = keyring.users().kid().to_owned();
    if arguments.json {
        let told = json!({ "file": path.display().to_string(), "signs": kid });
        output.print(&format!("{told:#}"));
    } else {
        output.print(&format!("{} {}", output.style.dim("file "), path.display()));
        output.print(&format!("{} {kid}", output.style.dim("signs")));
    }
    output.note(match step {
        Step::Prepare => PREPARED,
        Step::Rotate => ROTATED,
    });
    block_on(async {
        // The keys are others by now, whether that can be told or not.
        if let Err(failure) = tell(step, &kid, &folder, &loaded).await {
            failure.report(output);
            output.note("the keys are others now, and the audit log does not tell of it");
        }
        Ok(())
    })
}

/// Tells the audit log, where there is a database to hold one.
async fn tell(step: Step, kid: &str, folder: &Folder, loaded: &Loaded) -> Result<(), Failure> {
    let (event, command) = match step {
        Step::Prepare => (Event::KeyPrepared, "mainstay keys prepare"),
        Step::Rotate => (Event::KeyRotated, "mainstay keys rotate"),
    };
    let database = database::open_existing(folder, &loaded.settings, &loaded.catalog).await;
    let database = match database {
        Err(DatabaseError::Absent(_) | DatabaseError::Empty(_)) => return Ok(()),
        other => other?,
    };
    let accounts = Accounts::without_keys(loaded, database)?;
    let told = accounts.identity.tell_of_keys(event, kid, &call(command)).await;
    accounts.close().await;
    Ok(told?)
}

/// What to do where the key is not Mainstay's to write.
fn by_hand(step: Step, now: mainstay_core::Timestamp) -> String {
    let now = mainstay_core::ValueRef::Timestamp(now).to_text();
    let (first, place) = match step {
        Step::Prepare => (
            "  2. behind the first key that stands there put a line `For: Next rotation`, then the \
             new key;"
                .to_owned(),
            "  3. give the text to every node, and start each anew.",
        ),
        Step::Rotate => (
            format!(
                "  2. put the new key first, then a line `Retired: {now}`, then what stands there \
                 now;\n     where a key `For: Next rotation` stands there, put that one first \
                 instead, without its line;"
            ),
            "  3. give the text to every node, and start each anew. The `anon` and `service` keys \
             stay:\n     they follow from the last key, or from the one `For: API keys`.",
        ),
    };
    format!(
        "the key comes from `[auth] signing_key` (`MAINSTAY_AUTH__SIGNING_KEY`), which is not \
         written from here. By hand:\n  1. make a key: `openssl genpkey -algorithm EC -pkeyopt \
         ec_paramgen_curve:P-256`;\n{first}\n{place}"
    )
}
