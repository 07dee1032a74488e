//! `mainstay keys`: what a client needs to talk to the app.

use serde_json::json;

use super::{Failure, arguments::FolderArguments, open, output::Output};
use crate::running::local_url;

pub(super) fn run(arguments: &FolderArguments, output: &Output) -> Result<(), Failure> {
    let (loaded, keyring) = open(&arguments.dir)?;
    let settings = &loaded.settings;
    let url = match &settings.server.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => local_url(settings.server.listen),
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
        output.note("the service key passes every rule: it is a secret");
    }
    Ok(())
}
