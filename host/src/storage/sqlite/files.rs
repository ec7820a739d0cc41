//! Whether a database's files are still the ones that were opened.
//!
//! A file that is deleted or replaced stays readable and writable for those who have it open, and
//! what they commit is lost when they close it. If a second copy of SQLite in the same process
//! closes the file, that releases the locks of the first one, so the log may be deleted under an
//! open connection. Processes learn of each other's commits from the index of the log (`-shm`):
//! processes with different ones overwrite each other's acknowledged commits.
//!
//! A file that is overwritten in place, for example by `cp`, stays the same file: this is not
//! noticed.

use std::path::{Path, PathBuf};

use crate::storage::{StorageError, StorageErrorKind};

/// What distinguishes a file from all others of a machine while it is open.
type Identity = (u64, u64);

/// The files of a database.
#[derive(Debug)]
pub(super) struct Files {
    known: Vec<(PathBuf, Identity)>,
    log: PathBuf,
}

impl Files {
    /// The current files of a database that is open and has been read. A log or index that does not
    /// exist now is not checked later.
    pub(super) fn of(path: &Path) -> Self {
        // The working directory and links may change.
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

    /// Fails if one of the files was replaced or deleted.
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
                     lost; close the store, and find out what else uses the file before you \
                     open it again"
                ),
            )
            .with_place(&path.display().to_string()));
        }
        Ok(())
    }
}

/// The identity of a file; `None` on systems without one.
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
