//! The commands that print and change nothing: `check`, `keys`, `token`, `routes`.

use mainstay_auth::{Keyring, TokenRequest, mint};
use mainstay_core::Severity;
use serde_json::json;

use super::{
    Failure,
    arguments::{FolderArguments, TokenArguments},
    load,
    output::Output,
};
use crate::{
    StartError,
    app::{App, token_settings},
    running::local_url,
    signing_key::keyring,
};

/// `mainstay check`: every mistake, or that there is none.
pub(super) fn check(arguments: &FolderArguments, output: &Output) -> Result<(), Failure> {
    let app = match App::load(&arguments.dir) {
        Ok(app) => app,
        Err(StartError::Mistakes(mistakes)) if arguments.json => {
            output.print(&diagnostics(mistakes.diagnostics()).to_string());
            return Err(Failure::App(count(mistakes.diagnostics().len(), "mistake")));
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.json {
        output.print(&diagnostics(&app.loaded.warnings).to_string());
        return Ok(());
    }
    super::tell_warnings(&app, output);
    let models = app.loaded.catalog.models().len();
    output.print(&format!("{} {}, no mistakes", output.style.green("ok:"), count(models, "model")));
    Ok(())
}

/// `mainstay keys`: where the app is, and its API keys.
pub(super) fn keys(arguments: &FolderArguments, output: &Output) -> Result<(), Failure> {
    let (app, keyring) = opened(arguments, output)?;
    let settings = app.settings();
    let url = local_url(settings.server.listen);
    let (anon, service) =
        (keyring.anon_key(settings.issuer()), keyring.service_key(settings.issuer()));
    if arguments.json {
        output.print(&json!({ "url": url, "anon": anon, "service": service }).to_string());
    } else {
        let style = output.style;
        output.print(&format!("{}      {url}", style.bold("url")));
        output.print(&format!("{}     {anon}", style.bold("anon")));
        output.print(&format!("{}  {service}", style.bold("service")));
    }
    Ok(())
}

/// `mainstay token`: a user's token, alone.
pub(super) fn token(arguments: &TokenArguments, output: &Output) -> Result<(), Failure> {
    let folder = FolderArguments { dir: arguments.dir.clone(), json: arguments.json };
    let (app, keyring) = opened(&folder, output)?;
    for role in &arguments.roles {
        let reserved = mainstay_auth::is_reserved_role(role);
        if !reserved && !app.settings().roles.contains(role) {
            output.warning(&format!("[roles] has no `{role}`: it can do nothing by itself"));
        }
    }
    let request = TokenRequest {
        user_id: arguments.user.clone(),
        email: arguments.email.clone(),
        roles: arguments.roles.clone(),
        lifetime_s: arguments.expires_in,
        ..TokenRequest::default()
    };
    let now = mainstay_web::system_time();
    let token = mint(&keyring, &request, &token_settings(app.settings()), now)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    if arguments.json {
        output.print(&json!({ "token": token }).to_string());
    } else {
        output.print(&token);
    }
    Ok(())
}

/// `mainstay routes`: what the app answers.
pub(super) fn routes(arguments: &FolderArguments, output: &Output) -> Result<(), Failure> {
    let app = load(&arguments.dir, output)?;
    let mut routes = vec![
        ("GET".to_owned(), "/healthz".to_owned(), "the process lives"),
        ("GET".to_owned(), "/readyz".to_owned(), "the store answers"),
        ("GET".to_owned(), "/openapi.json".to_owned(), "the description of the API"),
        ("GET".to_owned(), "/auth/v1/.well-known/jwks.json".to_owned(), "the public keys"),
    ];
    for model in app.loaded.catalog.models().iter().filter(|model| model.exposed) {
        let rules = &model.rules;
        let mut methods = Vec::new();
        let verbs = [
            ("GET HEAD", rules.read.is_some()),
            ("POST", rules.create.is_some()),
            ("PATCH", rules.read.is_some() && rules.update.is_some()),
            ("DELETE", rules.read.is_some() && rules.delete.is_some()),
        ];
        methods.extend(verbs.into_iter().filter(|(_, open)| *open).map(|(verb, _)| verb));
        let opened = if methods.is_empty() {
            "closed: no rule opens it"
        } else {
            "the methods that a rule opens; the service key may use all"
        };
        routes.push((methods.join(" "), format!("/rest/v1/{}", model.name), opened));
    }
    routes.push(("GET HEAD".to_owned(), "/*".to_owned(), "files of public/"));
    if arguments.json {
        let listed: Vec<_> = routes
            .iter()
            .map(|(methods, path, about)| {
                let methods: Vec<&str> = methods.split_whitespace().collect();
                json!({ "methods": methods, "path": path, "about": about })
            })
            .collect();
        output.print(&json!(listed).to_string());
    } else {
        for (methods, path, about) in routes {
            let style = output.style;
            output.print(&format!("{methods:<27} {path:<34} {}", style.dim(about)));
        }
    }
    Ok(())
}

fn opened(arguments: &FolderArguments, output: &Output) -> Result<(App, Keyring), Failure> {
    let app = load(&arguments.dir, output)?;
    let keyring = keyring(&app.folder, app.settings())?;
    Ok((app, keyring))
}

fn diagnostics(found: &[mainstay_core::Diagnostic]) -> serde_json::Value {
    let listed = found.iter().map(|one| {
        json!({
            "severity": match one.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            "file": one.file,
            "line": one.line,
            "column": one.column,
            "message": one.message,
            "hint": one.hint,
        })
    });
    listed.collect()
}

/// A count with its noun.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
