//! Whether a database's files are still the ones that were opened.
//!
//! A file that is deleted, or replaced by another one, stays readable and writable to those who
//! have it open: what they commit is gone once they close it. The log is deleted under a
//! connection where a second SQLite in the same process closes the file, since that gives up the
//! locks of the first.

use std::path::{Path, PathBuf};

use crate::storage::{StorageError, StorageErrorKind};

/// What tells one file of a machine from all others for as long as it is open.
type Identity = (u64, u64);

/// The files of a database.
#[derive(Debug)]
pub(super) struct Files(Vec<(PathBuf, Identity)>);

impl Files {
    /// The files as they are, of a database that is open and has been read. A log that is not
    /// there is not looked for later.
    pub(super) fn of(path: &Path) -> Self {
        // The working directory may change, and links may.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        let paths = [path, log.into()].into_iter();
        let known = |path: PathBuf| identity(&path).ok().flatten().map(|found| (path, found));
        Self(paths.filter_map(known).collect())
    }

    /// Fails where one of them is another one, or gone.
    pub(super) fn check(&self) -> Result<(), StorageError> {
        for (path, opened) in &self.0 {
            let happened = match identity(path) {
                Ok(Some(found)) if found != *opened => "replaced",
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => "deleted",
                _ => continue,
            };
            return Err(StorageError::new(
                StorageErrorKind::Replaced,
                format!(
                    "the file was {happened} while it was open, and what was stored since may be \
                     lost; close the store, and see what else uses the file before you open it \
                     again"
                ),
            )
            .with_place(&path.display().to_string()));
        }
        Ok(())
    }
}

/// The identity of a file; nothing on a system without.
#[cfg(unix)]
fn identity(path: &Path) -> std::io::Result<Option<Identity>> {
    use std::os::unix::fs::MetadataExt;

    let metadata = std::fs::metadata(path)?;
    Ok(Some((metadata.dev(), metadata.ino())))
}

#[cfg(not(unix))]
fn identity(_path: &Path) -> std::io::Result<Option<Identity>> {
    Ok(None)
}
