//! A directory that goes away with the value that owns it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// A private directory for one run.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes one under the system's directory for such things.
    pub(crate) fn new(purpose: &str) -> anyhow::Result<Self> {
        let name = format!("mainstay-{purpose}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self { path })
    }

    /// A path inside it.
    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever empties the temporary directory.
        let _ = fs::remove_dir_all(&self.path);
    }
}
