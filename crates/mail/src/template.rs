//! The texts of mails: minijinja templates, built in, each replaceable by the app's.
//!
//! `mails/confirmation.txt` in the application folder takes the place of the built-in
//! text, its first line being the subject; `mails/confirmation.html` that of the HTML.
//! An app that has its own text and no HTML of its own sends the text alone, so that no
//! reader sees words the developer has not written. What others include or extend begins
//! with `_`; the built-in HTML extends `_layout.html`, so that one file changes the look of
//! all. Values are escaped in HTML.
//!
//! All mistakes are found when the templates are read, by rendering each mail once:
//! see `read`.

mod read;

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use mainstay_core::{Diagnostic, SourceFile};
use minijinja::{AutoEscape, Environment, Error, Output, UndefinedBehavior, Value};

use crate::{AccountChange, MailKind};

/// The folder of the app's own templates, in the application folder.
pub const TEMPLATES_FOLDER: &str = "mails";
/// Characters of a subject; what is beyond is cut off.
const SUBJECT_CHARS_MAX: usize = 200;

/// What a mail is about: the values of a template's variables.
#[derive(Clone, Copy, Debug)]
pub struct Variables<'a> {
    /// `app_name`: the app's name.
    pub app_name: &'a str,
    /// `site_url`: where the app's pages are.
    pub site_url: &'a str,
    /// `email`: the user's address; empty where they have none yet.
    pub email: &'a str,
    /// `new_email`: the address they want instead, or have by now; mails about a change of it
    /// alone, otherwise empty.
    pub new_email: &'a str,
    /// `link`: what is opened to agree; every mail but the reauthentication.
    pub link: &'a str,
    /// `token`: the link's token alone, for a page of the app's own that calls
    /// `verifyOtp({ token_hash })`; wherever there is a link.
    pub token: &'a str,
    /// `redirect_to`: where the link leads in the end; wherever there is a link.
    pub redirect_to: &'a str,
    /// `code`: what is typed instead.
    pub code: &'a str,
    /// `expires_minutes`: how long link and code are good; wherever there is a code.
    pub expires_minutes: u64,
    /// `change`: what was changed, in a mail that tells of it.
    pub change: Option<AccountChange>,
}

/// A mail's words, rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The subject: one line, without control characters.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML, where it is to be sent.
    pub html: Option<String>,
}

/// A template failed on values that differ from those it was tried with.
#[derive(Debug, thiserror::Error)]
#[error("the template of the mail `{kind}` failed: {source}", kind = kind.name())]
pub struct RenderError {
    kind: MailKind,
    source: Error,
}

/// The templates of all mails, each known to render.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    text_alone: Vec<MailKind>,
}

impl Templates {
    /// The built-in templates with the app's in place of some: the files below
    /// [`TEMPLATES_FOLDER`], their paths from the application folder.
    ///
    /// # Errors
    /// All mistakes that were found, each with its place.
    pub fn read(files: &[SourceFile]) -> Result<Self, Vec<Diagnostic>> {
        read::read(files)
    }

    /// Renders a mail.
    ///
    /// # Errors
    /// Where a template does with these values what it did not do with those it was tried
    /// with, as in a branch that was not taken then.
    pub fn render(&self, kind: MailKind, of: &Variables<'_>) -> Result<Content, RenderError> {
        let render = |part: Part| self.part(kind, part, of);
        let content = || {
            Ok(Content {
                subject: one_line(&render(Part::Subject)?),
                text: format!("{}\n", render(Part::Text)?.trim()),
                html: match self.text_alone.contains(&kind) {
                    true => None,
                    false => Some(render(Part::Html)?),
                },
            })
        };
        content().map_err(|source| RenderError { kind, source })
    }

    fn part(&self, kind: MailKind, part: Part, of: &Variables<'_>) -> Result<String, Error> {
        let name = part.template(kind);
        self.environment.get_template(&name)?.render(context(kind, of))
    }
}

/// What a mail is made of, each a template of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Subject,
    Text,
    Html,
}

impl Part {
    fn template(self, kind: MailKind) -> String {
        let name = kind.name();
        match self {
            Self::Subject => format!("{name}.subject"),
            Self::Text => format!("{name}.txt"),
            Self::Html => format!("{name}.html"),
        }
    }
}

/// An environment without templates. A name that is not known is a mistake, not nothing.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_debug(true);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if *state.auto_escape() == AutoEscape::Html && !value.is_safe() => {
            escape(text, out).map_err(Error::from)
        }
        _ => minijinja::escape_formatter(out, state, value),
    });
    environment
}

/// Escapes what HTML wants escaped, in text and in attributes. The engine's own escaping
/// takes slashes too, and filters for spam take an address without them for a hidden one.
fn escape(text: &str, out: &mut Output<'_>) -> fmt::Result {
    text.chars().try_for_each(|letter| match letter {
        '&' => out.write_str("&amp;"),
        '<' => out.write_str("&lt;"),
        '>' => out.write_str("&gt;"),
        '"' => out.write_str("&quot;"),
        '\'' => out.write_str("&#39;"),
        letter => out.write_char(letter),
    })
}

/// The variables that the templates of a kind may use, with their values.
fn variables<'v>(kind: MailKind, of: &Variables<'v>) -> Vec<(&'static str, Value)> {
    let text = |text: &'v str| Value::from(text);
    let mut found = vec![
        ("app_name", text(of.app_name)),
        ("site_url", text(of.site_url)),
        ("email", text(of.email)),
    ];
    if kind.has_code() {
        found.extend([
            ("code", text(of.code)),
            ("expires_minutes", Value::from(of.expires_minutes)),
        ]);
    }
    if kind.has_change() {
        found.push(("change", text(of.change.map_or("", AccountChange::name))));
    }
    if kind.has_link() {
        found.extend([
            ("link", text(of.link)),
            ("token", text(of.token)),
            ("redirect_to", text(of.redirect_to)),
        ]);
    }
    if kind.has_new_email() {
        found.push(("new_email", text(of.new_email)));
    }
    found
}

fn context(kind: MailKind, of: &Variables<'_>) -> Value {
    let named: BTreeMap<&str, Value> = variables(kind, of).into_iter().collect();
    Value::from(named)
}

/// A subject is one line, whatever values came into it: what would end it is a space.
fn one_line(text: &str) -> String {
    let spaced: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    words.join(" ").chars().take(SUBJECT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
