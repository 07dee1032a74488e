//! The examples of the documentation are one app, and it is a working one.

use std::fmt::Write as _;

use mainstay::core::Settings;

use crate::support::{Caller, app};

/// The files that a page shows: each block of TOML whose first line names one.
pub(crate) fn files_of(page: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for block in page.split("```toml\n").skip(1) {
        let text = block.split("```").next().unwrap_or_default();
        let (first, _) = text.split_once('\n').unwrap_or((text, ""));
        if let Some(path) = first.strip_prefix("# ") {
            files.push((path.to_owned(), text.to_owned()));
        }
    }
    files
}

#[tokio::test]
async fn the_app_that_the_documentation_shows_is_served() {
    let page = include_str!("../../../../docs/app.md");
    let files = files_of(page);
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert!(files.len() >= 5, "docs/app.md shows {} files", files.len());
    let app = app(&files).await;
    let service = Caller::Service;
    let ada = "019aa8f0-0000-7000-8000-00000000ada0";
    app.created(&service, "users", &format!(r#"[{{"id":"{ada}","name":"Ada"}}]"#)).await;
    let post = |title: &str, published: bool| {
        format!(r#"{{"title":"{title}","published":{published},"author":"{ada}"}}"#)
    };
    let posts = format!("[{},{}]", post("Seen", true), post("Draft", false));
    app.created(&service, "posts", &posts).await;
    let seen = app.get(&Caller::Anonymous, "/rest/v1/posts?select=title").await;
    assert_eq!(seen.body, r#"[{"title":"Seen"}]"#);
    let own = app.get(&Caller::user(ada), "/rest/v1/posts?select=title&order=title").await;
    assert_eq!(own.body, r#"[{"title":"Draft"},{"title":"Seen"}]"#);
}

/// Every key of the settings, section by section, as `docs/settings.md` lists them.
fn tables() -> String {
    let mut tables = String::new();
    let mut section = "";
    for key in Settings::describe() {
        if key.section != section {
            section = key.section;
            let head = "| key | where it is left out | |\n|---|---|---|\n";
            write!(tables, "\n## [{section}]\n\n{head}").expect("a text");
        }
        let default = match key.default.as_str() {
            "" => String::new(),
            default => format!("`{default}`"),
        };
        let doc = key.doc.trim().replace('\n', " ").replace('|', "\\|");
        writeln!(tables, "| `{}` | {default} | {doc} |", key.key).expect("a text");
    }
    tables
}

#[test]
fn the_page_of_settings_lists_every_key_as_it_is() {
    let page = include_str!("../../../../docs/settings.md");
    let tables = tables();
    assert!(page.ends_with(&tables), "docs/settings.md is to end with\n{tables}");
}
