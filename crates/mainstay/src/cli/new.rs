//! `mainstay new NAME`: an application folder that works as it is.
//!
//! Two models that refer to each other, rules worth reading and what they come to, rows
//! to look at, a page that shows them, a workflow that checks it all. It writes into a folder that is not there or empty, and nowhere
//! else; git is initialised where git is there and the folder is in no repository.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::{Failure, arguments::NewArguments, output::Output};

/// The files of a new app; `{{name}}` is its name.
const FILES: [(&str, &str); 11] = [
    ("mainstay.toml", include_str!("new/mainstay.toml")),
    ("models/users.toml", include_str!("new/users.toml")),
    ("models/posts.toml", include_str!("new/posts.toml")),
    ("seed/users.csv", include_str!("new/users.csv")),
    ("seed/posts.json", include_str!("new/posts.json")),
    ("public/index.html", include_str!("new/index.html")),
    ("public/app.js", include_str!("new/app.js")),
    ("access.lock", include_str!("new/access.lock")),
    (".github/workflows/check.yml", include_str!("new/check.yml")),
    ("README.md", include_str!("new/README.md")),
    (".gitignore", "/.mainstay/\n"),
];

pub(super) fn run(arguments: &NewArguments, output: &Output) -> Result<(), Failure> {
    let folder = &arguments.name;
    let name = app_name(folder)?;
    let shown = folder.display();
    match fs::read_dir(folder).map(Iterator::count) {
        Ok(0) => {}
        Ok(_) => return Err(Failure::App(format!("{shown} is there already and is not empty"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::App(format!("{shown}: {error}"))),
    }
    for (file, text) in FILES {
        write(&folder.join(file), &text.replace("{{name}}", name))?;
    }
    output.print(&format!("made {shown} with {} files", FILES.len()));
    if initialise_git(folder) {
        output.print("initialised git");
    }
    output.print(&format!("\n  mainstay dev {shown}"));
    Ok(())
}

/// The last part of the folder's path, which has to read well in a file, a token
/// and a terminal.
fn app_name(folder: &Path) -> Result<&str, Failure> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let fits = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | ' ');
    if name.is_empty() || !name.chars().all(fits) {
        return Err(Failure::Usage(format!(
            "`{}` does not end in a name: letters, digits, `-`, `_`, `.` and spaces",
            folder.display()
        )));
    }
    Ok(name)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let parent = path.parent().expect("BUG: every file of an app lies in its folder");
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| Failure::App(format!("{}: {error}", path.display())))
}

/// Makes a repository of the folder, unless it is in one already or there is no git.
fn initialise_git(folder: &Path) -> bool {
    let git = |arguments: &[&str]| {
        Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    !git(&["rev-parse", "--is-inside-work-tree"]) && git(&["init", "--quiet"])
}

#[cfg(test)]
mod tests {
    use mainstay_core::SourceFile;

    use super::*;

    #[test]
    fn the_new_app_has_no_mistakes_and_no_warnings() {
        let files = FILES
            .iter()
            .map(|(path, text)| SourceFile {
                path: (*path).to_owned(),
                text: text.replace("{{name}}", "blog"),
            })
            .collect();
        let loaded = crate::load::load(files, &[]).unwrap();
        assert_eq!(loaded.settings.app.name, "blog");
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    }

    #[test]
    fn a_path_without_a_name_is_refused() {
        for path in ["..", "/", "a/\u{1b}[31m", "say \"hi\""] {
            assert!(matches!(app_name(Path::new(path)), Err(Failure::Usage(_))), "{path}");
        }
        assert!(app_name(Path::new("some/where/blog")).is_ok_and(|name| name == "blog"));
    }
}
