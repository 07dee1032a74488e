//! What is shown when a server has started.
//!
//! In a terminal a panel with addresses and keys, for whoever will use them next. In a
//! pipe plain lines without keys: a log is read by more people than a terminal.

use crate::{Mode, Running};

use super::output::Style;

/// The panel for a terminal.
pub(crate) fn panel(running: &Running, style: Style) -> String {
    let url = running.url();
    let opened = running.opened();
    let name = &running.settings().app.name;
    let mode = match opened.mode {
        Mode::Development => "development",
        Mode::Production => "production",
    };
    let version = env!("CARGO_PKG_VERSION");
    let mut lines = vec![
        String::new(),
        format!("  {} {}", style.bold(name), style.dim(&format!("mainstay {version}, {mode}"))),
        String::new(),
    ];
    let mut line = |name: &str, text: &str| {
        lines.push(format!("  {} {text}", style.dim(&format!("{name:<9}"))));
    };
    if opened.folder.public().is_dir() {
        line("pages", &style.cyan(&format!("{url}/")));
    }
    line("REST", &style.cyan(&format!("{url}/rest/v1")));
    line("database", &opened.database.place);
    line("anon", &running.anon_key());
    // In production the one who starts the server need not be the one who may pass
    // every rule.
    if opened.mode == Mode::Development {
        line("service", &running.service_key());
    }
    lines.push(String::new());
    lines.join("\n")
}

/// The lines for a pipe.
pub(crate) fn plain(running: &Running) -> String {
    format!("{} is served on {}", running.settings().app.name, running.url())
}
