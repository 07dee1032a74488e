//! What an app says of its mails: their words, in `mails/`, and how they leave, in
//! `[mail]`.

use std::sync::Arc;

use mainstay_core::{Diagnostic, MailSettings, SETTINGS_FILE, SourceFile};
use mainstay_mail::{FromAddress, SmtpUrl, TEMPLATES_FOLDER, Templates};

/// An app's mails, as far as its files and the environment say.
#[derive(Clone, Debug)]
pub(crate) struct MailSetup {
    /// The words of each.
    pub(crate) templates: Arc<Templates>,
    /// The server they are handed to.
    pub(crate) smtp: Option<SmtpUrl>,
    /// Whom they come from.
    pub(crate) from: Option<FromAddress>,
}

/// The templates among an app's files, over the built-in ones.
///
/// # Errors
/// All mistakes in them.
pub(crate) fn read_templates(files: &[SourceFile]) -> Result<Templates, Vec<Diagnostic>> {
    let is_template = |file: &&SourceFile| {
        file.path.strip_prefix(TEMPLATES_FOLDER).is_some_and(|rest| rest.starts_with('/'))
    };
    let own: Vec<SourceFile> = files.iter().filter(is_template).cloned().collect();
    Templates::read(&own)
}

/// Templates and settings together.
///
/// # Errors
/// All mistakes in either. What `smtp` is set to is not shown: it may hold a password.
pub(crate) fn read_mail(
    templates: Result<Templates, Vec<Diagnostic>>,
    settings: &MailSettings,
) -> Result<MailSetup, Vec<Diagnostic>> {
    let (templates, mut found) = match templates {
        Ok(templates) => (Some(templates), Vec::new()),
        Err(found) => (None, found),
    };
    let mut mistake = |wanted: String| {
        let message = format!("`[mail] {wanted}");
        found.push(Diagnostic::unplaced(SETTINGS_FILE, message));
    };
    let smtp = settings.smtp.as_ref().and_then(|url| {
        let url = SmtpUrl::parse(url.expose());
        url.map_err(|wanted| mistake(format!("smtp` wants {wanted}"))).ok()
    });
    let from = settings.from.as_ref().and_then(|from| {
        let address = FromAddress::parse(from.as_str());
        if address.is_none() {
            mistake("from` is no address that mails can come from".to_owned());
        }
        address
    });
    match templates {
        Some(templates) if found.is_empty() => {
            Ok(MailSetup { templates: Arc::new(templates), smtp, from })
        }
        _ => Err(found),
    }
}
