//! The application folder as it lies on the disk.
//!
//! Reads what makes the app: `mainstay.toml`, the files under `models/` and the
//! templates of mails in `mails/`, hidden ones left out (editors keep their locks there). Everything Mainstay makes for
//! itself goes into `.mainstay/`, which only its owner can enter and which git
//! ignores by a file of its own. Besides, it writes migrations and `access.lock`, each
//! where a command for it asks.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use mainstay_core::{SETTINGS_FILE, SourceFile};
use mainstay_mail::TEMPLATES_FOLDER;

const MODELS: &str = "models";
const MIGRATIONS: &str = "migrations";
/// The file that says who may do what, below the folder.
pub(crate) const ACCESS_LOCK: &str = "access.lock";
const GENERATED: &str = ".mainstay";
/// How deep folders under `models/` are looked into; models lie at the first level,
/// and what lies below is read to be reported as misplaced.
const MODELS_DEPTH_MAX: usize = 3;

/// An application folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

/// Why a folder cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// There is no such directory.
    #[error("there is no folder {}", .0.display())]
    Missing(PathBuf),
    /// Nothing in it says that it is an app.
    #[error(
        "{} is not an application folder: it has neither {SETTINGS_FILE} nor {MODELS}/ \
         (`mainstay new NAME` makes one)",
        .0.display()
    )]
    NotAnApp(PathBuf),
    /// A file is not UTF-8.
    #[error("{} is not UTF-8 text", .0.display())]
    NotText(PathBuf),
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl FolderError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + use<'_> {
        |source| Self::Io { path: path.to_owned(), source }
    }
}

impl Folder {
    /// The application folder at this path.
    ///
    /// # Errors
    /// Where there is no directory, or one that is no app's.
    pub(crate) fn open(path: &Path) -> Result<Self, FolderError> {
        if !path.is_dir() {
            return Err(FolderError::Missing(path.to_owned()));
        }
        if !path.join(SETTINGS_FILE).is_file() && !path.join(MODELS).is_dir() {
            return Err(FolderError::NotAnApp(path.to_owned()));
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Where it is, as it was given.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The model files' directory; it need not be there.
    pub(crate) fn models(&self) -> PathBuf {
        self.path.join(MODELS)
    }

    /// The directory of the mails' templates; it need not be there.
    pub(crate) fn mails(&self) -> PathBuf {
        self.path.join(TEMPLATES_FOLDER)
    }

    /// The static files' directory; it need not be there.
    pub(crate) fn public(&self) -> PathBuf {
        self.path.join("public")
    }

    /// The seed rows' directory; it need not be there.
    pub(crate) fn seed(&self) -> PathBuf {
        self.path.join("seed")
    }

    /// The migrations' directory; it need not be there.
    pub(crate) fn migrations(&self) -> PathBuf {
        self.path.join(MIGRATIONS)
    }

    /// The text of the migrations, by path; none where there is no directory for them.
    ///
    /// # Errors
    /// Where one cannot be read, or is not UTF-8.
    pub(crate) fn read_migrations(&self) -> Result<Option<Vec<SourceFile>>, FolderError> {
        let directory = self.migrations();
        if !directory.is_dir() {
            return Ok(None);
        }
        let entries = visible_entries(&directory)?.into_iter();
        let files = entries.filter(|entry| entry.name.ends_with(".toml")).map(|entry| {
            let path = format!("{MIGRATIONS}/{}", entry.name);
            Ok(SourceFile { path, text: read_text(&entry.path)? })
        });
        files.collect::<Result<_, _>>().map(Some)
    }

    /// Writes a migration that is not there yet, and returns its path below the folder.
    ///
    /// # Errors
    /// Where it is there already, or cannot be written.
    pub(crate) fn write_migration(&self, file: &str, text: &str) -> Result<String, FolderError> {
        let directory = self.migrations();
        fs::create_dir_all(&directory).map_err(FolderError::io(&directory))?;
        let path = directory.join(file);
        fs::File::create_new(&path)
            .and_then(|mut created| created.write_all(text.as_bytes()))
            .map_err(FolderError::io(&path))?;
        Ok(format!("{MIGRATIONS}/{file}"))
    }

    /// The text of `access.lock`; none where it is not there.
    ///
    /// # Errors
    /// Where it cannot be read, or is not UTF-8.
    pub(crate) fn read_access_lock(&self) -> Result<Option<String>, FolderError> {
        let path = self.path.join(ACCESS_LOCK);
        if path.exists() { read_text(&path).map(Some) } else { Ok(None) }
    }

    /// Writes `access.lock`, and returns where it is.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn write_access_lock(&self, text: &str) -> Result<PathBuf, FolderError> {
        let path = self.path.join(ACCESS_LOCK);
        fs::write(&path, text).map_err(FolderError::io(&path))?;
        Ok(path)
    }

    /// The directory of what Mainstay makes for itself; it need not be there.
    pub(crate) fn generated(&self) -> PathBuf {
        self.path.join(GENERATED)
    }

    /// The same directory, made if need be: for its owner alone, ignored by git.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub(crate) fn make_generated(&self) -> Result<PathBuf, FolderError> {
        let directory = self.generated();
        if !directory.is_dir() {
            private_directory(&directory).map_err(FolderError::io(&directory))?;
        }
        let ignore = directory.join(".gitignore");
        if !ignore.exists() {
            fs::write(&ignore, "*\n").map_err(FolderError::io(&ignore))?;
        }
        Ok(directory)
    }

    /// The text of the files that make the app, by path.
    ///
    /// # Errors
    /// Where one cannot be read, or is not UTF-8.
    pub(crate) fn read(&self) -> Result<Vec<SourceFile>, FolderError> {
        let mut files = Vec::new();
        let settings = self.path.join(SETTINGS_FILE);
        if settings.is_file() {
            files.push(SourceFile { path: SETTINGS_FILE.to_owned(), text: read_text(&settings)? });
        }
        let models = self.models();
        if models.is_dir() {
            read_models(&models, MODELS, MODELS_DEPTH_MAX, &mut files)?;
        }
        let mails = self.mails();
        if mails.is_dir() {
            read_templates(&mails, &mut files)?;
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }
}

fn read_models(
    directory: &Path,
    name: &str,
    depth: usize,
    files: &mut Vec<SourceFile>,
) -> Result<(), FolderError> {
    for entry in visible_entries(directory)? {
        let path = format!("{name}/{}", entry.name);
        if entry.path.is_dir() {
            if depth > 1 {
                read_models(&entry.path, &path, depth - 1, files)?;
            }
        } else if entry.name.ends_with(".toml") {
            files.push(SourceFile { path, text: read_text(&entry.path)? });
        }
    }
    Ok(())
}

fn read_templates(directory: &Path, files: &mut Vec<SourceFile>) -> Result<(), FolderError> {
    for entry in visible_entries(directory)? {
        if entry.path.is_file() {
            let path = format!("{TEMPLATES_FOLDER}/{}", entry.name);
            files.push(SourceFile { path, text: read_text(&entry.path)? });
        }
    }
    Ok(())
}

/// Something in a directory.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// What a directory holds, hidden files and names that are not UTF-8 left out, by
/// name.
///
/// # Errors
/// Where it cannot be read.
pub(crate) fn visible_entries(directory: &Path) -> Result<Vec<Entry>, FolderError> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).map_err(FolderError::io(directory))? {
        let entry = entry.map_err(FolderError::io(directory))?;
        match entry.file_name().into_string() {
            Ok(name) if !name.starts_with('.') => {
                entries.push(Entry { name, path: entry.path() });
            }
            _ => {}
        }
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

/// The text of a file.
///
/// # Errors
/// Where it cannot be read, or is not UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String, FolderError> {
    let bytes = fs::read(path).map_err(FolderError::io(path))?;
    String::from_utf8(bytes).map_err(|_| FolderError::NotText(path.to_owned()))
}

#[cfg(unix)]
fn private_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn private_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[(&str, &str)]) -> (tempfile::TempDir, Folder) {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let folder = Folder::open(directory.path()).unwrap();
        (directory, folder)
    }

    #[test]
    fn the_files_of_an_app_are_read_by_path_and_nothing_else_is() {
        let (_directory, folder) = folder_with(&[
            ("models/posts.toml", "a"),
            ("models/.#posts.toml", "an editor's"),
            ("models/notes.md", "b"),
            ("models/old/users.toml", "c"),
            ("mails/invite.txt", "f"),
            ("mails/.invite.txt.swp", "an editor's"),
            ("mainstay.toml", "d"),
            ("other.toml", "e"),
        ]);
        let paths: Vec<String> = folder.read().unwrap().into_iter().map(|file| file.path).collect();
        assert_eq!(
            paths,
            ["mails/invite.txt", "mainstay.toml", "models/old/users.toml", "models/posts.toml"]
        );
    }

    #[test]
    fn a_directory_that_is_no_app_is_refused_with_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let error = Folder::open(directory.path()).unwrap_err();
        assert!(error.to_string().contains("is not an application folder"), "{error}");
        let error = Folder::open(&directory.path().join("nothing")).unwrap_err();
        assert!(error.to_string().contains("there is no folder"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_text_is_named() {
        let (directory, folder) = folder_with(&[("mainstay.toml", "")]);
        fs::write(directory.path().join("mainstay.toml"), b"\xff\xfe").unwrap();
        assert!(
            folder.read().unwrap_err().to_string().ends_with("mainstay.toml is not UTF-8 text")
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_generated_is_the_owners_alone_and_ignored_by_git() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_directory, folder) = folder_with(&[("mainstay.toml", "")]);
        let generated = folder.make_generated().unwrap();
        assert_eq!(fs::metadata(&generated).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_to_string(generated.join(".gitignore")).unwrap(), "*\n");
        folder.make_generated().unwrap();
    }
}
