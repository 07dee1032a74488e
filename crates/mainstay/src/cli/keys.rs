//! `mainstay keys`: what a client needs to talk to the app, and what it is signed with.

mod rotate;

use serde_json::json;

use super::{
    Failure,
    arguments::{FolderArguments, KeysArguments, KeysCommand},
    open,
    output::Output,
};
use crate::running::local_url;

pub(super) fn run(arguments: &KeysArguments, output: &Output) -> Result<(), Failure> {
    match &arguments.command {
        None => print(&arguments.folder, output),
        Some(KeysCommand::Rotate(folder)) => rotate::run(rotate::Step::Rotate, folder, output),
        Some(KeysCommand::Prepare(folder)) => rotate::run(rotate::Step::Prepare, folder, output),
    }
}

fn print(arguments: &FolderArguments, output: &Output) -> Result<(), Failure> {
    let (loaded, keyring) = open(&arguments.dir)?;
    let settings = &loaded.settings;
    let (url, setting) = match &settings.server.public_url {
        Some(url) => (url.trim_end_matches('/').to_owned(), "[server] public_url"),
        None => (local_url(settings.server.listen), "[server] listen"),
    };
    let anon = keyring.anon_key(settings.issuer());
    let service = keyring.service_key(settings.issuer());
    if arguments.json {
        let keys = json!({ "url": url, "anon": anon, "service": service });
        output.print(&format!("{keys:#}"));
        return Ok(());
    }
    let name = |name: &str| output.style.dim(&format!("{name:<8}"));
    output.print(&format!("{} {url}", name("url")));
    output.print(&format!("{} {anon}", name("anon")));
    output.print(&format!("{} {service}", name("service")));
    if output.terminal {
        output.note(&format!("the url is that of `{setting}`, whatever `--listen` says"));
        output.note("the service key passes every rule: it is a secret");
    }
    Ok(())
}
