//! The secret an app signs with: given by its operator, or made at first start.
//!
//! Given, it comes from `[auth] signing_key`, which is
//! `MAINSTAY_AUTH__SIGNING_KEY`. Otherwise it is the file
//! `.mainstay/signing_key.pem`, readable by its owner alone. Two processes that
//! start at once end up with one key: whoever comes second reads the first one's.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use mainstay_auth::{Keyring, KeyringError};
use mainstay_core::Settings;

use crate::folder::{Folder, FolderError, read_text};

const FILE: &str = "signing_key.pem";

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningKeyError {
    /// What the operator gave is no key.
    #[error("`[auth] signing_key` (`MAINSTAY_AUTH__SIGNING_KEY`): {0}")]
    Given(KeyringError),
    /// What is in the file is no key.
    #[error("{}: {source}; put the right key back, or remove the file to have another made, \
             which voids every token and API key there is", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyringError,
    },
    /// What is in the file leaves no room for another key.
    #[error("{}: {source}", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What there is too much of.
        source: KeyringError,
    },
    /// The file cannot be read or made.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// The keys of the app in this folder, made if there are none.
///
/// # Errors
/// Where what is given or kept is no key, or none can be kept.
pub(crate) fn keyring(folder: &Folder, settings: &Settings) -> Result<Keyring, SigningKeyError> {
    if let Some(given) = &settings.auth.signing_key {
        return Keyring::parse(given.expose()).map_err(SigningKeyError::Given);
    }
    let path = folder.generated().join(FILE);
    if !path.exists() {
        folder.make_generated()?;
        let keyring = Keyring::generate();
        match keep(&path, &keyring.to_text()) {
            Ok(()) => return Ok(keyring),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(FolderError::Io { path, source }.into()),
        }
    }
    restrict(&path);
    let text = read_text(&path)?;
    Keyring::parse(&text).map_err(|source| SigningKeyError::File { path, source })
}

/// Puts the keys that `change` makes of those in the file in their place, and returns where
/// that is. The file is the old one or the new one whole, whatever happens, with the mode
/// it had; two who change it at once do so one after the other.
///
/// # Errors
/// Where the keys cannot be read, changed or written.
pub(crate) fn replace_keyring(
    folder: &Folder,
    settings: &Settings,
    change: impl FnOnce(&Keyring) -> Result<Keyring, KeyringError>,
) -> Result<(PathBuf, Keyring), SigningKeyError> {
    let directory = folder.make_generated()?;
    let _lock = lock(&directory).map_err(FolderError::io(&directory))?;
    let path = directory.join(FILE);
    let changed = change(&keyring(folder, settings)?)
        .map_err(|source| SigningKeyError::Full { path: path.clone(), source })?;
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let written = create_private(&draft).and_then(|mut file| {
        file.write_all(changed.to_text().as_bytes())?;
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        sync_directory(&directory)
    });
    if let Err(source) = written {
        // The error that is told is the first.
        let _ = fs::remove_file(&draft);
        return Err(FolderError::Io { path, source }.into());
    }
    Ok((path, changed))
}

/// Has what was renamed outlast a loss of power.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Keeps others who change the keys out until it is dropped.
#[cfg(unix)]
fn lock(directory: &Path) -> io::Result<Option<fs::File>> {
    let file = fs::File::open(directory)?;
    file.lock()?;
    Ok(Some(file))
}

#[cfg(not(unix))]
fn lock(_: &Path) -> io::Result<Option<fs::File>> {
    Ok(None)
}

/// Writes the file whole or not at all, and never over another.
fn keep(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let written = create_private(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::hard_link(&draft, path)
    });
    let removed = fs::remove_file(&draft);
    written.and(removed)
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<fs::File> {
    fs::File::create(path)
}

/// Takes from others what a copy or a restored backup may have given them.
#[cfg(unix)]
fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(metadata) = fs::metadata(path) else { return };
    let mode = metadata.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others could read the signing key; its mode is 0600 now");
        if let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(0o600)) {
            tracing::warn!(path = %path.display(), %error, "the signing key's mode cannot be changed");
        }
    }
}

#[cfg(not(unix))]
fn restrict(_: &Path) {}

#[cfg(test)]
mod tests {
    use mainstay_core::Secret;

    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("mainstay.toml"), "").unwrap();
        let folder = Folder::open(directory.path()).unwrap();
        (directory, folder)
    }

    #[test]
    fn the_key_made_at_first_start_is_the_key_of_every_later_start() {
        let (_directory, folder) = folder();
        let settings = Settings::default();
        let first = keyring(&folder, &settings).unwrap().to_text();
        assert_eq!(keyring(&folder, &settings).unwrap().to_text(), first);
        let left: Vec<_> = fs::read_dir(folder.generated())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(left.len(), 2, "no draft stays behind: {left:?}");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_alone_even_after_a_copy_that_was_not() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_directory, folder) = folder();
        let settings = Settings::default();
        keyring(&folder, &settings).unwrap();
        let path = folder.generated().join(FILE);
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        keyring(&folder, &settings).unwrap();
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn a_given_key_is_used_and_nothing_is_written() {
        let (_directory, folder) = folder();
        let text = Keyring::generate().to_text();
        let mut settings = Settings::default();
        settings.auth.signing_key = Some(Secret::new(&text));
        assert_eq!(keyring(&folder, &settings).unwrap().to_text(), text);
        assert!(!folder.generated().exists());
        settings.auth.signing_key = Some(Secret::new("hunter2"));
        let error = keyring(&folder, &settings).unwrap_err().to_string();
        assert!(error.contains("MAINSTAY_AUTH__SIGNING_KEY") && !error.contains("hunter2"));
    }

    #[cfg(unix)]
    #[test]
    fn keys_are_replaced_whole_with_the_mode_they_had_and_kept_where_they_cannot_be() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_directory, folder) = folder();
        let settings = Settings::default();
        let before = keyring(&folder, &settings).unwrap();
        let path = folder.generated().join(FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        let now = mainstay_web::system_time();
        let (_, changed) = replace_keyring(&folder, &settings, |keys| keys.rotated(now)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400);
        let read = keyring(&folder, &settings).unwrap();
        assert_eq!(read.to_text(), changed.to_text());
        assert_ne!(read.users().kid(), before.users().kid());
        assert_eq!(read.service_key("x"), before.service_key("x"));
        let refused = replace_keyring(&folder, &settings, |_| Err(KeyringError::TooMany));
        assert!(refused.unwrap_err().to_string().contains("signing_key.pem"));
        assert_eq!(keyring(&folder, &settings).unwrap().to_text(), changed.to_text());
        let left = fs::read_dir(folder.generated()).unwrap().count();
        assert_eq!(left, 2, "no draft stays behind");
    }

    #[test]
    fn a_key_that_came_first_is_not_written_over() {
        let (_directory, folder) = folder();
        let path = folder.make_generated().unwrap().join(FILE);
        keep(&path, "first").unwrap();
        assert_eq!(keep(&path, "second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        let error = keyring(&folder, &Settings::default()).unwrap_err().to_string();
        assert!(error.contains("signing_key.pem") && error.contains("voids"), "{error}");
    }
}
