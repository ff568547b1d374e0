//! Registration of active writers of a table's data files.
//!
//! Between its first file and its commit, a writer has files that no version names. To a vacuum they look like files
//! that a killed run left behind. So writers share an operating system lock on a file beside the table, which ends with
//! the process, however the process ends. A vacuum removes young unnamed files only while it holds the lock
//! exclusively.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use crate::error::LakeError;

/// As in every Delta Lake engine, a vacuum ignores names that begin with a dot.
const LOCK_FILE: &str = ".writers.lock";

/// Held while files may be on disk that are about to be committed.
#[derive(Debug, Clone)]
pub(crate) struct Writing {
    _lock: Option<Arc<File>>,
}

/// Held while no writer has such files. Writers wait until it is released.
#[derive(Debug)]
pub(crate) struct Alone {
    _lock: File,
}

impl Writing {
    /// Registers a writer of the table at `root`. Blocks while a vacuum is running.
    ///
    /// # Errors
    ///
    /// Returns an error if the lock file cannot be created. A file system without locks causes no error: a vacuum
    /// cannot get the lock there either.
    pub(crate) fn begin(root: &Path) -> Result<Self, LakeError> {
        let file = open(root)?;
        match file.lock_shared() {
            Ok(()) => Ok(Self { _lock: Some(Arc::new(file)) }),
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(Self { _lock: None }),
            Err(error) => Err(LakeError::io("lock", root.join(LOCK_FILE))(error)),
        }
    }
}

impl Alone {
    /// Excludes writers of the table at `root`; `None` if one is active, or if that cannot be determined.
    pub(crate) fn try_begin(root: &Path) -> Option<Self> {
        let file = open(root).ok()?;
        match file.try_lock() {
            Ok(()) => Some(Self { _lock: file }),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
        }
    }
}

fn open(root: &Path) -> Result<File, LakeError> {
    let path = root.join(LOCK_FILE);
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    options.open(&path).map_err(LakeError::io("open", &path))
}
