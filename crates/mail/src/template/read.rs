//! Reading templates, and finding every mistake in them before a mail is sent.
//!
//! A file whose name is no mail's, a text without a subject, a mistake of syntax, a
//! variable that the mail does not have, whatever fails when the mail is rendered with
//! sample values, for each change where it tells of one, and a mail that names neither its
//! link nor its code.

use std::ops::Range;

use mainstay_core::{Diagnostic, SourceFile, nearest};
use minijinja::Environment;

use super::{Part, TEMPLATES_FOLDER, Templates, Variables, context, environment, variables};
use crate::{AccountChange, MailKind};

/// Bytes of one file.
const TEMPLATE_BYTES_MAX: usize = 65_536;
/// How the first line of a text begins.
const SUBJECT: &str = "Subject:";
/// What templates may extend or include begins so.
const SHARED: char = '_';

const BUILT_IN: [(&str, &str); 17] = [
    ("_layout.html", include_str!("../templates/_layout.html")),
    ("confirmation.txt", include_str!("../templates/confirmation.txt")),
    ("confirmation.html", include_str!("../templates/confirmation.html")),
    ("magic_link.txt", include_str!("../templates/magic_link.txt")),
    ("magic_link.html", include_str!("../templates/magic_link.html")),
    ("recovery.txt", include_str!("../templates/recovery.txt")),
    ("recovery.html", include_str!("../templates/recovery.html")),
    ("invite.txt", include_str!("../templates/invite.txt")),
    ("invite.html", include_str!("../templates/invite.html")),
    ("email_change_current.txt", include_str!("../templates/email_change_current.txt")),
    ("email_change_current.html", include_str!("../templates/email_change_current.html")),
    ("email_change_new.txt", include_str!("../templates/email_change_new.txt")),
    ("email_change_new.html", include_str!("../templates/email_change_new.html")),
    ("reauthentication.txt", include_str!("../templates/reauthentication.txt")),
    ("reauthentication.html", include_str!("../templates/reauthentication.html")),
    ("account_changed.txt", include_str!("../templates/account_changed.txt")),
    ("account_changed.html", include_str!("../templates/account_changed.html")),
];

/// What templates are tried with.
const SAMPLE: Variables<'_> = Variables {
    app_name: "Sample & Co",
    site_url: "https://sample.example",
    email: "ada@sample.example",
    new_email: "grace@sample.example",
    link: "https://sample.example/auth/v1/verify?token=sampletoken",
    token: "sampletoken",
    redirect_to: "https://sample.example/welcome",
    code: "314159",
    expires_minutes: 60,
    change: None,
};

pub(super) fn read(files: &[SourceFile]) -> Result<Templates, Vec<Diagnostic>> {
    let mut reader = Reader { environment: environment(), files, found: Vec::new() };
    for (name, text) in BUILT_IN {
        reader.add(&SourceFile { path: path_of(name), text: text.to_owned() });
    }
    for file in files {
        if reader.may_be_read(file) {
            reader.add(file);
        }
    }
    let has = |name: String| files.iter().any(|file| file.path == path_of(&name));
    let text_alone: Vec<MailKind> = MailKind::ALL
        .into_iter()
        .filter(|kind| has(Part::Text.template(*kind)) && !has(Part::Html.template(*kind)))
        .collect();
    for file in files {
        reader.find_unknown_variables(file);
    }
    // Rendering would tell the same mistakes again, in other words.
    if reader.found.is_empty() {
        for kind in MailKind::ALL {
            let text_alone = text_alone.contains(&kind);
            match kind.has_change() {
                true => reader.try_changes(kind, text_alone),
                false => reader.try_out(kind, &SAMPLE, text_alone),
            }
        }
    }
    if reader.found.is_empty() {
        return Ok(Templates { environment: reader.environment, text_alone });
    }
    mainstay_core::sort_diagnostics(&mut reader.found);
    Err(reader.found)
}

fn path_of(name: &str) -> String {
    format!("{TEMPLATES_FOLDER}/{name}")
}

/// A file's name below the templates' folder.
fn name_of(file: &SourceFile) -> &str {
    let name = file.path.strip_prefix(TEMPLATES_FOLDER);
    name.and_then(|name| name.strip_prefix('/')).unwrap_or(&file.path)
}

/// The mail that a template's name says it is for; none of what others include.
fn kind_of(name: &str) -> Option<MailKind> {
    let (stem, _) = name.rsplit_once('.')?;
    MailKind::of_name(stem)
}

struct Reader<'f> {
    environment: Environment<'static>,
    files: &'f [SourceFile],
    found: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Whether a file has a name and a size that templates have.
    fn may_be_read(&mut self, file: &SourceFile) -> bool {
        let name = name_of(file);
        if file.text.len() > TEMPLATE_BYTES_MAX {
            let message = format!("a mail's template has at most {TEMPLATE_BYTES_MAX} bytes");
            self.found.push(Diagnostic::at(file, 0..0, message));
            return false;
        }
        if name.starts_with(SHARED) || BUILT_IN.iter().any(|(known, _)| *known == name) {
            return true;
        }
        let near = nearest(name, BUILT_IN.iter().map(|(known, _)| *known));
        let near = near.map(path_of);
        let found = Diagnostic::at(file, 0..0, format!("`{name}` is no mail's template"));
        self.found.push(match near {
            Some(near) => found.with_nearest(Some(&near)),
            None => found.with_hint(
                "the templates are those of docs/mail.md; what they include begins with `_`",
            ),
        });
        false
    }

    /// Adds a file's templates: one, or a text's subject and the text itself.
    fn add(&mut self, file: &SourceFile) {
        let name = name_of(file);
        let parts = match kind_of(name).filter(|_| name.ends_with(".txt")) {
            None => vec![(name.to_owned(), file.text.clone())],
            Some(kind) => match subject_and_text(&file.text) {
                Some((subject, text)) => {
                    vec![(Part::Subject.template(kind), subject), (Part::Text.template(kind), text)]
                }
                None => {
                    let first = file.text.find('\n').unwrap_or(file.text.len());
                    let message = format!("the first line of a mail's text is `{SUBJECT} …`");
                    self.found.push(Diagnostic::at(file, 0..first, message));
                    return;
                }
            },
        };
        for (name, text) in parts {
            if let Err(error) = self.environment.add_template_owned(name, text) {
                self.report(&error);
            }
        }
    }

    /// Reports each variable that no mail has for which the file may be rendered.
    fn find_unknown_variables(&mut self, file: &SourceFile) {
        let name = name_of(file);
        let kind = kind_of(name);
        let kinds = kind.map_or(MailKind::ALL.to_vec(), |kind| vec![kind]);
        let mut known: Vec<&str> = Vec::new();
        for kind in kinds {
            known.extend(variables(kind, &SAMPLE).into_iter().map(|(name, _)| name));
        }
        let mut templates = vec![name.to_owned()];
        templates.extend(kind.map(|kind| Part::Subject.template(kind)));
        let mut unknown = Vec::new();
        for template in &templates {
            let Ok(template) = self.environment.get_template(template) else { continue };
            unknown.extend(template.undeclared_variables(false));
        }
        let globals: Vec<&str> = self.environment.globals().map(|(name, _)| name).collect();
        unknown.retain(|name| !known.contains(&name.as_str()) && !globals.contains(&name.as_str()));
        for name in unknown {
            let message = match kind {
                Some(kind) => format!("the mail `{}` has no `{name}`", kind.name()),
                None => format!("no mail has a `{name}`"),
            };
            let span = place_of(&name, &file.text);
            let near = nearest(&name, known.iter().copied());
            self.found.push(Diagnostic::at(file, span, message).with_nearest(near));
        }
    }

    /// Renders a mail for each change that it may tell of, up to the first with a mistake.
    fn try_changes(&mut self, kind: MailKind, text_alone: bool) {
        for change in AccountChange::ALL {
            let before = self.found.len();
            self.try_out(kind, &Variables { change: Some(change), ..SAMPLE }, text_alone);
            if self.found.len() > before {
                return;
            }
        }
    }

    /// Renders a mail with sample values, and looks at what came out.
    fn try_out(&mut self, kind: MailKind, sample: &Variables<'_>, text_alone: bool) {
        let mut rendered = Vec::new();
        for part in [Part::Subject, Part::Text, Part::Html] {
            if part == Part::Html && text_alone {
                continue;
            }
            let name = part.template(kind);
            let outcome = self
                .environment
                .get_template(&name)
                .and_then(|template| template.render(context(kind, sample)));
            match outcome {
                Ok(text) => rendered.push((part, text)),
                Err(error) => self.report(&error),
            }
        }
        for (part, text) in rendered {
            let missing = match part {
                Part::Subject if text.trim().is_empty() => "the subject is empty",
                Part::Text | Part::Html
                    if kind.has_code()
                        && ![SAMPLE.code, SAMPLE.token].iter().any(|it| text.contains(it)) =>
                {
                    "whoever gets this mail can do nothing: it names neither `link` nor `code`"
                }
                _ => continue,
            };
            let name = if part == Part::Subject { Part::Text } else { part }.template(kind);
            self.found.push(match self.file(&name) {
                Some(file) => Diagnostic::at(file, 0..0, missing),
                None => Diagnostic::unplaced(&path_of(&name), missing),
            });
        }
    }

    /// A mistake that the template engine found. Where one template renders another, the
    /// innermost place is meant.
    fn report(&mut self, error: &minijinja::Error) {
        let mut innermost = error;
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            if let Some(inner) = inner.downcast_ref::<minijinja::Error>() {
                innermost = inner;
            }
            source = inner.source();
        }
        let mut message = innermost.kind().to_string();
        if let Some(detail) = innermost.detail() {
            message = format!("{message}: {detail}");
        }
        let name = innermost.name().unwrap_or_default().replace(".subject", ".txt");
        let found = match self.file(&name) {
            Some(file) => Diagnostic::at(file, place(innermost, &file.text), message),
            None => Diagnostic::unplaced(&path_of(&name), message),
        };
        self.found.push(found);
    }

    fn file(&self, name: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| name_of(file) == name)
    }
}

/// A text's subject and the rest, each with spaces for what was left out, so that places
/// in them are places in the file. The two are templates of their own: no value of the
/// first line can reach into the text.
fn subject_and_text(text: &str) -> Option<(String, String)> {
    let subject = text.strip_prefix(SUBJECT)?;
    let end = SUBJECT.len() + subject.find('\n').unwrap_or(subject.len());
    let blank = |bytes: usize| " ".repeat(bytes);
    let subject = blank(SUBJECT.len()) + &text[SUBJECT.len()..end];
    Some((subject, blank(end) + &text[end..]))
}

/// Where in the file the engine found a mistake: the bytes, or else the line.
fn place(error: &minijinja::Error, text: &str) -> Range<usize> {
    if let Some(range) = error.range() {
        return range;
    }
    let lines = text.split_inclusive('\n').take(error.line().unwrap_or(1).saturating_sub(1));
    let start = lines.map(str::len).sum();
    start..start
}

/// Where a template names a variable: the word, inside of `{{ }}` or `{% %}`.
fn place_of(name: &str, text: &str) -> Range<usize> {
    let part_of_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
    let is_inside = |at: usize| {
        let opened = text[..at].rfind(['{', '}']).is_some_and(|at| text[at..].starts_with('{'));
        opened || text[..at].rfind("{%") > text[..at].rfind("%}")
    };
    let at = text.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back().is_some_and(part_of_word);
        let after = text[at + name.len()..].chars().next();
        let after = after.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        !before && !after && is_inside(*at)
    });
    at.map_or(0..0, |at| at..at + name.len())
}
