//! Whether a database's files are still the ones that were opened.
//!
//! A file that is deleted, or replaced by another one, stays readable and writable to those who
//! have it open: what they commit is gone once they close it. The log is deleted under a
//! connection where a second SQLite in the same process closes the file, since that gives up the
//! locks of the first. The index of the log (`-shm`) is where processes tell one another of their
//! commits: those with different ones write over what the others have acknowledged.
//!
//! A file that is written over in place, by `cp` say, stays the same one and is not noticed.

use std::path::{Path, PathBuf};

use crate::storage::{StorageError, StorageErrorKind};

/// What tells one file of a machine from all others for as long as it is open.
type Identity = (u64, u64);

/// The files of a database.
#[derive(Debug)]
pub(super) struct Files {
    known: Vec<(PathBuf, Identity)>,
    log: PathBuf,
}

impl Files {
    /// The files as they are, of a database that is open and has been read. A log, or its index,
    /// that is not there is not looked for later.
    pub(super) fn of(path: &Path) -> Self {
        // The working directory may change, and links may.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let beside = |name: &str| {
            let mut beside = path.clone().into_os_string();
            beside.push(name);
            PathBuf::from(beside)
        };
        let (log, index) = (beside("-wal"), beside("-shm"));
        let known = |path: PathBuf| identity(&path).ok().flatten().map(|found| (path, found));
        let known = [path, log.clone(), index].into_iter().filter_map(known).collect();
        Self { known, log }
    }

    /// How many bytes the log has.
    pub(super) fn log_bytes(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |metadata| metadata.len())
    }

    /// Fails where one of them is another one, or gone.
    pub(super) fn check(&self) -> Result<(), StorageError> {
        for (path, opened) in &self.known {
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
