//! Files under one folder, as tower-http's `ServeDir` opens them, and no other.
//!
//! `ServeDir` takes `..` out of a path but follows symbolic links. Here a path is
//! resolved first, and what lies outside the folder, is hidden in it, or is not a
//! plain file or a folder, does not exist.

use std::{
    fs::Metadata,
    future::Future,
    io,
    path::{Component, Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use tower_http::services::fs::{Backend, TokioBackend, TokioFile};

/// The one hidden folder that is meant for everybody (RFC 8615).
pub(super) const WELL_KNOWN: &str = ".well-known";

type Pending<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// What lies in a folder, links resolved.
#[derive(Clone, Debug)]
pub(super) struct InsideRoot {
    root: Arc<Path>,
}

impl InsideRoot {
    /// The folder itself may be reached through links.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        if !root.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { root: root.into() })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }
}

/// The resolved path and what is there, if it may be shown.
async fn resolve(root: &Path, path: &Path) -> io::Result<(PathBuf, Metadata)> {
    let path = tokio::fs::canonicalize(path).await?;
    let hidden = || io::Error::from(io::ErrorKind::NotFound);
    let inside = path.strip_prefix(root).map_err(|_| hidden())?;
    let shown = inside.components().enumerate().all(|(depth, component)| match component {
        Component::Normal(name) => {
            !name.as_encoded_bytes().starts_with(b".") || (depth == 0 && name == WELL_KNOWN)
        }
        _ => false,
    });
    if !shown {
        return Err(hidden());
    }
    let metadata = tokio::fs::metadata(&path).await?;
    // A pipe or a device would block whoever opens it.
    if metadata.is_file() || metadata.is_dir() { Ok((path, metadata)) } else { Err(hidden()) }
}

impl Backend for InsideRoot {
    type File = TokioFile;
    type Metadata = Metadata;
    type OpenFuture = Pending<TokioFile>;
    type MetadataFuture = Pending<Metadata>;

    fn open(&self, path: PathBuf) -> Pending<TokioFile> {
        let root = Arc::clone(&self.root);
        Box::pin(async move {
            let (path, metadata) = resolve(&root, &path).await?;
            if metadata.is_dir() {
                return Err(io::ErrorKind::NotFound.into());
            }
            TokioBackend.open(path).await
        })
    }

    fn metadata(&self, path: PathBuf) -> Pending<Metadata> {
        let root = Arc::clone(&self.root);
        Box::pin(async move { resolve(&root, &path).await.map(|(_, metadata)| metadata) })
    }
}
