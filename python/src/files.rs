//! Which files are open, because a forked child must not open them again.
//!
//! SQLite remembers which locks a process holds on a file. A forked child has that memory and not
//! the locks: it would write without any, and damage the file.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

/// What distinguishes a file from all others of a machine while it is open.
type Identity = (u64, u64);

/// The files that are open in a process.
#[derive(Clone, Default)]
pub(crate) struct OpenFiles(Arc<Mutex<Vec<Identity>>>);

/// An open file. It counts as open until this is dropped.
pub(crate) struct OpenFile {
    identity: Option<Identity>,
    files: OpenFiles,
}

/// The files that the parent had open when it forked this process.
pub(crate) enum Inherited {
    Files(Vec<Identity>),
    /// The parent was changing its list.
    Unknown,
}

impl OpenFiles {
    /// Counts a file as open.
    pub(crate) fn add(&self, path: &Path) -> OpenFile {
        let identity = identity(path);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(identity);
        OpenFile { identity, files: self.clone() }
    }

    /// What a forked child inherits. It never waits: whoever holds the lock is not in the child.
    pub(crate) fn inherited(&self) -> Inherited {
        match self.0.try_lock() {
            Ok(files) => Inherited::Files(files.clone()),
            Err(TryLockError::Poisoned(files)) => Inherited::Files(files.into_inner().clone()),
            Err(TryLockError::WouldBlock) => Inherited::Unknown,
        }
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        let mut files = self.files.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = files.iter().position(|file| Some(*file) == self.identity) {
            files.swap_remove(at);
        }
    }
}

impl Inherited {
    /// Whether the parent had this file open.
    pub(crate) fn has(&self, path: &Path) -> bool {
        match self {
            Self::Files(files) => identity(path).is_some_and(|file| files.contains(&file)),
            Self::Unknown => true,
        }
    }

    /// Adds what a parent had inherited itself.
    pub(crate) fn and(self, earlier: &Self) -> Self {
        match (self, earlier) {
            (Self::Files(files), Self::Files(earlier)) => {
                Self::Files(files.into_iter().chain(earlier.iter().copied()).collect())
            }
            _ => Self::Unknown,
        }
    }
}

/// The identity of a file; `None` if there is no file, and on systems that do not fork.
#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;

    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_path: &Path) -> Option<Identity> {
    None
}
