//! An application folder's text and the environment become an app that can be served.
//!
//! Refuses with all mistakes at once, each with its place. It opens no database and
//! makes no file.

use std::{fmt, sync::Arc};

use mainstay_core::{
    Catalog, Colour, Diagnostic, Settings, SourceFile, read_app, render_diagnostics,
    sort_diagnostics,
};
use mainstay_rules::{RuleMistake, Rulebook};

use crate::{
    built_in,
    mail::{MailSetup, read_mail, read_templates},
    undeclared::undeclared,
};

/// An app whose models, settings and rules hold together.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The files it was read from.
    pub(crate) files: Vec<SourceFile>,
    pub(crate) settings: Settings,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) rulebook: Arc<Rulebook>,
    /// The words of mails, and how they leave.
    pub(crate) mail: MailSetup,
    /// What has no effect or will surprise.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// All that is wrong with an application folder.
#[derive(Clone, PartialEq, Eq)]
pub struct Mistakes {
    found: Vec<Diagnostic>,
    files: Vec<SourceFile>,
}

impl Mistakes {
    pub(crate) fn new(found: Vec<Diagnostic>, files: Vec<SourceFile>) -> Self {
        Self { found, files }
    }

    /// Each mistake with its place.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.found
    }

    /// What a developer sees: each mistake with its line, a caret and a hint.
    #[must_use]
    pub fn render(&self, colour: Colour) -> String {
        render_diagnostics(&self.found, &self.files, colour)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(Colour::Plain).trim_end())
    }
}

impl fmt::Debug for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Mistakes {}

/// The variables that settings are read from.
pub(crate) fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .map(|(name, value)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        })
        .filter(|(name, _)| name.starts_with("MAINSTAY_"))
        .collect()
}

/// Reads and checks an app.
///
/// # Errors
/// All mistakes there are, those in rules too, by file and place and with the warnings
/// among them.
pub(crate) fn load(
    files: Vec<SourceFile>,
    environment: &[(String, String)],
) -> Result<Loaded, Mistakes> {
    let templates = read_templates(&files);
    let app = match read_app(&built_in::models(), &files, environment) {
        Ok(app) => app,
        Err(refused) => {
            let in_rules = mainstay_rules::find_mistakes(&refused.for_rules);
            let mut found = refused.found;
            found.extend(templates.err().unwrap_or_default());
            return Err(with_rules(found, &in_rules, files));
        }
    };
    let mail = read_mail(templates, &app.settings.mail);
    let (rulebook, mail) = match (mainstay_rules::compile(&app.catalog), mail) {
        (Ok(rulebook), Ok(mail)) => (rulebook, mail),
        (rulebook, mail) => {
            let mut found = app.warnings;
            found.extend(mail.err().unwrap_or_default());
            return Err(with_rules(found, &rulebook.err().unwrap_or_default(), files));
        }
    };
    let mut warnings = app.warnings;
    warnings.extend(undeclared(&app.catalog, &rulebook, &app.settings.roles, &files));
    sort_diagnostics(&mut warnings);
    Ok(Loaded {
        files,
        settings: app.settings,
        catalog: Arc::new(app.catalog),
        rulebook: Arc::new(rulebook),
        mail,
        warnings,
    })
}

/// What was found in the files and what was found in their rules, as one list.
fn with_rules(
    mut found: Vec<Diagnostic>,
    in_rules: &[RuleMistake],
    files: Vec<SourceFile>,
) -> Mistakes {
    found.extend(in_rules.iter().map(|mistake| {
        let text = files.iter().find(|file| *file.path == *mistake.rule.file);
        let text = text.map_or("", |file| file.text.as_str());
        let (span, message) = (mistake.span.clone(), mistake.message.as_str());
        let found = Diagnostic::in_rule(&mistake.rule, text, span, message);
        match &mistake.hint {
            Some(hint) => found.with_hint(hint.as_str()),
            None => found,
        }
    }));
    sort_diagnostics(&mut found);
    Mistakes::new(found, files)
}
