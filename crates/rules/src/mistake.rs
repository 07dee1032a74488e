//! A mistake in a rule, for the developer who wrote it.

use std::{fmt, ops::Range};

use mainstay_core::RuleText;

/// What is wrong in a rule, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMistake {
    /// The rule.
    pub rule: RuleText,
    /// The bytes of the rule's text it is about. Where the text stands in its file
    /// is `rule.offset`, escapes of the file's own aside.
    pub span: Range<usize>,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// What to do about it: mostly the nearest valid name.
    pub hint: Option<String>,
}

impl RuleMistake {
    /// The name of the file and the bytes in it, where its text has no escapes
    /// before the mistake.
    #[must_use]
    pub fn place(&self) -> (&str, Range<usize>) {
        let offset = self.rule.offset;
        (&self.rule.file, offset + self.span.start..offset + self.span.end)
    }
}

impl fmt::Display for RuleMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &*self.rule.text;
        let line_start = text[..self.span.start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let before = text[line_start..self.span.start].chars().count();
        let end = self.span.end.min(line_start + line.len()).max(self.span.start);
        let carets = text[self.span.start..end].chars().count().max(1);
        writeln!(f, "{line}")?;
        write!(f, "{}{} {}", " ".repeat(before), "^".repeat(carets), self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for RuleMistake {}
