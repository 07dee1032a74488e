//! Where the command line prints, and in which colours.
//!
//! Colours are for terminals alone, and not where `NO_COLOR` asks for none
//! (no-color.org) or the terminal is `dumb`. A reader that has gone away (`| head`)
//! is no error: what it does not want is not printed.

use std::io::{self, IsTerminal as _, Write as _};

use mainstay_core::Colour;

/// What the standard streams lead to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// Whether a person reads the standard output as it is written.
    pub(crate) terminal: bool,
    pub(crate) style: Style,
    error_style: Style,
}

/// Whether to colour, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    coloured: bool,
}

impl Output {
    /// The streams of this process.
    pub(crate) fn of_process() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let terminal = io::stdout().is_terminal();
        Self {
            terminal,
            style: Style { coloured: wanted && terminal },
            error_style: Style { coloured: wanted && io::stderr().is_terminal() },
        }
    }

    /// Prints what the command is for.
    pub(crate) fn print(&self, text: &str) {
        // A reader that has gone away wants no more.
        let _ = writeln!(io::stdout().lock(), "{}", text.trim_end_matches('\n'));
    }

    /// Prints what a person should know besides.
    pub(crate) fn note(&self, text: &str) {
        self.complain(text);
    }

    /// Prints what went wrong.
    pub(crate) fn error(&self, text: &str) {
        self.complain(&format!("{} {text}", self.error_style.red("error:")));
    }

    /// Prints what will surprise.
    pub(crate) fn warning(&self, text: &str) {
        self.complain(&format!("{} {text}", self.error_style.yellow("warning:")));
    }

    /// Prints what was made ready for a terminal by [`Output::error_colour`].
    pub(crate) fn complain(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", text.trim_end_matches('\n'));
    }

    /// How to render mistakes.
    pub(crate) fn error_colour(&self) -> Colour {
        if self.error_style.coloured { Colour::Ansi } else { Colour::Plain }
    }
}

macro_rules! colours {
    ($($name:ident = $code:literal),+ $(,)?) => {$(
        pub(crate) fn $name(self, text: &str) -> String {
            if self.coloured {
                format!(concat!("\u{1b}[", $code, "m{}\u{1b}[0m"), text)
            } else {
                text.to_owned()
            }
        }
    )+};
}

impl Style {
    /// No colours.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { coloured: false };
    /// Colours.
    #[cfg(test)]
    pub(crate) const COLOURED: Self = Self { coloured: true };

    colours!(bold = "1", dim = "2", red = "31", green = "32", yellow = "33", cyan = "36");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(Style::PLAIN.red("no"), "no");
        assert_eq!(Style::COLOURED.red("no"), "\u{1b}[31mno\u{1b}[0m");
    }
}
