//! A mistake in the application folder, and how a developer is shown it.
//!
//! Every mistake has a file, a place in it, what is wrong there and, where one is
//! near, what was probably meant. What an environment variable sets a key to never
//! appears, for it may be secret; lines of files do.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::{RuleText, app::SourceFile};

/// Bytes of a line that is shown; of a longer one, only the place is.
const EXCERPT_BYTES_MAX: usize = 2_000;

/// Whether a mistake keeps the app from being served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The app is not served.
    Error,
    /// The app is served; something in it has no effect or will surprise.
    Warning,
}

/// Whether the terminal shows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Text alone.
    Plain,
    /// With ANSI escapes.
    Ansi,
}

/// One mistake, at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it keeps the app from being served.
    pub severity: Severity,
    /// The file, relative to the application folder; `environment` for a variable.
    pub file: Box<str>,
    /// The bytes of the file it is about.
    pub span: Range<usize>,
    /// The line it begins on, from 1; 0 where the file is not a text with lines.
    pub line: usize,
    /// The column it begins at, in characters, from 1; 0 with line 0.
    pub column: usize,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// What stands beside the caret: mostly what was expected.
    pub label: Option<String>,
    /// What to do about it: mostly the nearest valid name.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A mistake at these bytes of a file with this text. A span that does not
    /// lie in the text, or splits a character, is moved to where it does not.
    #[must_use]
    pub fn new(file: &str, text: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        let span = clamp(text, span);
        let before = &text[..span.start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            severity: Severity::Error,
            file: file.into(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span,
            message: message.into(),
            label: None,
            hint: None,
        }
    }

    /// A mistake at these bytes of a file of the application folder.
    #[must_use]
    pub fn at(file: &SourceFile, span: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(&file.path, &file.text, span, message)
    }

    /// A mistake at these bytes of a rule, whose file has this text. Escapes in
    /// the TOML string that holds the rule are accounted for.
    #[must_use]
    pub fn in_rule(
        rule: &RuleText,
        text: &str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        let start = position_in_string(text, rule.offset, span.start);
        let end = position_in_string(text, rule.offset, span.end);
        Self::new(&rule.file, text, start..end, message)
    }

    /// A mistake that has no place in a text, such as an environment variable.
    #[must_use]
    pub fn unplaced(file: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: file.into(),
            span: 0..0,
            line: 0,
            column: 0,
            message: message.into(),
            label: None,
            hint: None,
        }
    }

    /// Puts this beside the caret.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says that this was probably meant, if anything was.
    #[must_use]
    pub fn with_nearest(mut self, nearest: Option<&str>) -> Self {
        if let Some(nearest) = nearest {
            self.hint = Some(format!("did you mean `{nearest}`?"));
        }
        self
    }

    /// The same, but the app is served all the same.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// What a developer sees: the message, `file:line:column`, the line with a
    /// caret under it, and the hint. `source` is the file's text; where it is
    /// another text, the line is left out. Ends with a line break.
    #[must_use]
    pub fn render(&self, source: &str, colour: Colour) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(self.message.as_str());
        let group = match self.excerpt(source) {
            Some((excerpt, span)) => title.element(
                Snippet::source(excerpt)
                    .line_start(self.line)
                    .path(&*self.file)
                    .annotation(AnnotationKind::Primary.span(span).label(self.label.as_deref())),
            ),
            None => title.element(self.origin()),
        };
        let mut report = vec![group];
        if let Some(hint) = &self.hint {
            report.push(Group::with_title(Level::HELP.secondary_title(hint.as_str())));
        }
        let renderer = match colour {
            Colour::Plain => Renderer::plain(),
            Colour::Ansi => Renderer::styled(),
        };
        let mut rendered = renderer.render(&report);
        rendered.push('\n');
        rendered
    }

    /// The line it begins on, and the bytes of that line it is about.
    fn excerpt<'s>(&self, source: &'s str) -> Option<(&'s str, Range<usize>)> {
        if self.line == 0 || clamp(source, self.span.clone()) != self.span {
            return None;
        }
        let start = source[..self.span.start].rfind('\n').map_or(0, |at| at + 1);
        let length = source[start..].find('\n').unwrap_or(source.len() - start);
        if length > EXCERPT_BYTES_MAX {
            return None;
        }
        let line = source[start..start + length].trim_end_matches('\r');
        let within = |at: usize| (at - start).min(line.len());
        Some((line, within(self.span.start)..within(self.span.end)))
    }

    fn origin(&self) -> Origin<'_> {
        let origin = Origin::path(&*self.file);
        if self.line == 0 { origin } else { origin.line(self.line).char_column(self.column) }
    }
}

/// Renders diagnostics one after the other, an empty line between them, each with
/// its line from the file it names.
#[must_use]
pub fn render_diagnostics(found: &[Diagnostic], files: &[SourceFile], colour: Colour) -> String {
    let text_of = |path: &str| {
        files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str())
    };
    found
        .iter()
        .map(|diagnostic| diagnostic.render(text_of(&diagnostic.file), colour))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Brings diagnostics into the order in which they are shown, those of a file together
/// and by their places, each once.
pub fn sort_diagnostics(found: &mut Vec<Diagnostic>) {
    found.sort_by(|one, other| {
        (&one.file, one.span.start, one.span.end).cmp(&(
            &other.file,
            other.span.start,
            other.span.end,
        ))
    });
    found.dedup();
}

/// The nearest span that lies in the text and splits no character.
fn clamp(text: &str, span: Range<usize>) -> Range<usize> {
    let floor = |at: usize| {
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

/// Where in the file the byte `wanted` of a TOML string's value stands, when its
/// content begins at `offset`.
fn position_in_string(text: &str, offset: usize, wanted: usize) -> usize {
    let content = text.get(offset..).unwrap_or_default();
    let before = text.get(..offset).unwrap_or_default().trim_end_matches(['\r', '\n']);
    if !before.ends_with('"') {
        return offset + wanted;
    }
    let (mut value, mut at) = (0, 0);
    while value < wanted {
        let rest = &content[at..];
        let Some(letter) = rest.chars().next() else { break };
        let (value_bytes, text_bytes) = match letter {
            '\\' => escape_lengths(rest),
            letter => (letter.len_utf8(), letter.len_utf8()),
        };
        value += value_bytes;
        at += text_bytes;
    }
    offset + at
}

/// Bytes of the value and bytes of the text that an escape at the start of `text` has.
fn escape_lengths(text: &str) -> (usize, usize) {
    let plain = text.chars().take(2).map(char::len_utf8).sum();
    let digits = match text.as_bytes().get(1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        // A backslash at the end of a line swallows it and the white space that follows.
        Some(byte) if byte.is_ascii_whitespace() => {
            return (0, text.len() - text[1..].trim_start().len());
        }
        _ => return (1, plain),
    };
    let letter = text
        .get(2..2 + digits)
        .and_then(|hex| u32::from_str_radix(hex, 16).ok())
        .and_then(char::from_u32);
    letter.map_or((1, plain), |letter| (letter.len_utf8(), 2 + digits))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_mistake_is_shown_with_its_line_a_caret_and_a_hint() {
        let text = "[fields]\r\n\ttitle = { type = \"text\", requird = true }\r\n";
        let at = text.find("requird").expect("there");
        let found =
            Diagnostic::new("models/posts.toml", text, at..at + 7, "`requird` is no option")
                .with_label("here")
                .with_nearest(Some("required"));
        assert_eq!((found.line, found.column), (2, 27));
        expect![[r#"
            error: `requird` is no option
             --> models/posts.toml:2:27
              |
            2 |     title = { type = "text", requird = true }
              |                              ^^^^^^^ here
              |
            help: did you mean `required`?
        "#]]
        .assert_eq(&found.render(text, Colour::Plain));
        assert!(found.render(text, Colour::Ansi).contains("\u{1b}["));
    }

    #[test]
    fn a_mistake_without_a_line_is_shown_without_one() {
        let found =
            Diagnostic::unplaced("environment", "`MAINSTAY_SERVER__LISTN` is not a setting")
                .with_nearest(Some("MAINSTAY_SERVER__LISTEN"));
        expect![[r#"
            error: `MAINSTAY_SERVER__LISTN` is not a setting
            --> environment
             |
            help: did you mean `MAINSTAY_SERVER__LISTEN`?
        "#]]
        .assert_eq(&found.render("", Colour::Plain));
        let moved = Diagnostic::new("a.toml", "one\ntwo\n", 4..7, "the file is another by now");
        expect![[r#"
            error: the file is another by now
            --> a.toml:2:1
        "#]]
        .assert_eq(&moved.render("x", Colour::Plain));
    }

    #[test]
    fn columns_count_characters() {
        let found = Diagnostic::new("a", "ä = 1\nöö = ü", 14..16, "here");
        assert_eq!((found.line, found.column), (2, 6));
        assert_eq!(Diagnostic::new("a", "ä", 1..1, "inside").span, 0..0);
        assert_eq!(Diagnostic::new("a", "abc", 2..99, "beyond").span, 2..3);
        let long = "x".repeat(100_000);
        let found = Diagnostic::new("a", &long, 90_000..90_001, "far out");
        assert_eq!(found.render(&long, Colour::Plain), "error: far out\n--> a:1:90001\n");
    }

    #[test]
    fn a_place_in_a_rule_is_found_behind_escapes() {
        let at = |toml: &str, value: &str, wanted: &str| {
            let quote = toml.find(['"', '\'']).expect("quoted");
            let skipped = if toml[quote..].starts_with("\"\"\"\n") { 4 } else { 1 };
            let rule = RuleText { text: value.into(), file: "m".into(), offset: quote + skipped };
            let start = value.find(wanted).expect("in the value");
            let found = Diagnostic::in_rule(&rule, toml, start..start + wanted.len(), "");
            toml[found.span].to_owned()
        };
        assert_eq!(at(r#"read = "name == owner""#, "name == owner", "owner"), "owner");
        assert_eq!(at(r#"read = "a == \"b\" && owner""#, "a == \"b\" && owner", "owner"), "owner");
        assert_eq!(at(r#"read = "a == \u00e4 && owner""#, "a == ä && owner", "owner"), "owner");
        assert_eq!(at(r"read = 'a == \u && owner'", r"a == \u && owner", "owner"), "owner");
        assert_eq!(at("read = \"\"\"\na \\\n   && owner\"\"\"", "a && owner", "owner"), "owner");
    }

    proptest::proptest! {
        #[test]
        fn no_text_and_no_span_makes_rendering_panic(
            text in "[ -~äé🦀\u{0}\u{1b}\t\r\n\u{200b}\u{202e}]{0,60}",
            start in 0_usize..80, length in 0_usize..80, other in 0_usize..60,
        ) {
            let found = Diagnostic::new("f", &text, start..start + length, text.as_str())
                .with_label(text.as_str())
                .with_hint(text.as_str());
            let cut = (0..=other.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
            for source in [&text, &text[..cut.unwrap_or(0)]] {
                let _ = found.render(source, Colour::Plain);
                let _ = found.render(source, Colour::Ansi);
            }
            let rule = RuleText { text: "".into(), file: "f".into(), offset: other };
            let _ = Diagnostic::in_rule(&rule, &text, start..start + length, "");
        }
    }
}
