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
//!
//! While the folder does not change, it is all that is looked at: on Linux, a look at the log makes
//! the next sync of it slower.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::storage::{StorageError, StorageErrorKind};

/// What distinguishes a file from all others of a machine while it is open.
type Identity = (u64, u64);

/// A state of a folder: its identity, and when an entry of it was last made, replaced or deleted.
/// Some file systems change one of its two times, and `utimes` sets only one back.
type FolderState = (Identity, [Duration; 2]);

/// After this a file system's time has gone on, if it has fractions of a millisecond: such follow
/// the system's clock, whose ticks take 10.
const FINE_TICK: Duration = Duration::from_millis(100);
/// The same for any file system: the coarsest, FAT, has two seconds.
const COARSE_TICK: Duration = Duration::from_secs(3);

/// The files of a database.
#[derive(Debug)]
pub(super) struct Files {
    known: Vec<(PathBuf, Identity)>,
    log: PathBuf,
    folder: Option<PathBuf>,
    /// The folder's state in which all files were found in place.
    found_in: Mutex<Option<FolderState>>,
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
        let folder = path.parent().map(Path::to_owned);
        let (log, index) = (beside("-wal"), beside("-shm"));
        let known = |path: PathBuf| identity(&path).ok().flatten().map(|found| (path, found));
        let known = [path, log.clone(), index].into_iter().filter_map(known).collect();
        Self { known, log, folder, found_in: Mutex::default() }
    }

    /// How many bytes the log has.
    pub(super) fn log_bytes(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |metadata| metadata.len())
    }

    /// Fails if one of the files was replaced or deleted.
    pub(super) fn check(&self) -> Result<(), StorageError> {
        // Looked at first: what happens during the check changes it again.
        let folder = self.folder.as_deref().and_then(settled);
        let mut found_in = self.found_in.lock().unwrap_or_else(PoisonError::into_inner);
        if folder.is_some() && *found_in == folder {
            return Ok(());
        }
        *found_in = None;
        self.check_each()?;
        *found_in = folder;
        Ok(())
    }

    fn check_each(&self) -> Result<(), StorageError> {
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

/// The state of a folder; `None` if it cannot be found out, or if the folder changed so recently
/// that another change may have the same time.
#[cfg(unix)]
fn settled(folder: &Path) -> Option<FolderState> {
    use std::os::unix::fs::MetadataExt;

    let found = std::fs::metadata(folder).ok()?;
    let time = |seconds: i64, nanoseconds: i64| {
        Some(Duration::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?))
    };
    let changed =
        [time(found.ctime(), found.ctime_nsec())?, time(found.mtime(), found.mtime_nsec())?];
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let last = changed[0].max(changed[1]);
    let is_fine = !last.subsec_nanos().is_multiple_of(1_000_000);
    let tick = if is_fine { FINE_TICK } else { COARSE_TICK };
    (now.checked_sub(last)? > tick).then_some(((found.dev(), found.ino()), changed))
}

#[cfg(not(unix))]
fn settled(_folder: &Path) -> Option<FolderState> {
    None
}

#[cfg(not(unix))]
fn identity(_path: &Path) -> std::io::Result<Option<Identity>> {
    Ok(None)
}
