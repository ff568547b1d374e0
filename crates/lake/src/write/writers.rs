//! Registration of active writers of a table's data files.
//!
//! Between its first file and its commit, a writer has files that no version names. To a vacuum they look like files
//! that a killed run left behind. So writers share a lock on a file next to the table, which ends with the process,
//! however the process ends. A vacuum removes young unnamed files only while it holds the lock exclusively, and never
//! in a store without locks, such as an object store.

use std::io;

use crate::error::LakeError;
use crate::store::{Folder, Guard, Lock, Locked};

/// As in every Delta Lake engine, a vacuum ignores names that begin with a dot.
const LOCK_FILE: &str = ".writers.lock";

/// Held while files may be on disk that are about to be committed.
#[derive(Debug, Clone)]
pub(crate) struct Writing {
    _lock: Option<Guard>,
}

/// Held while no writer has such files. Writers wait until it is released.
#[derive(Debug)]
pub(crate) struct Alone {
    _lock: Guard,
}

impl Writing {
    /// Registers a writer of the table at `root`. Blocks while a vacuum is running.
    ///
    /// # Errors
    ///
    /// Returns an error if the lock file cannot be created. A store without locks causes no error: a vacuum cannot get
    /// the lock there either.
    pub(crate) fn begin(root: &Folder) -> Result<Self, LakeError> {
        let failed = |error: io::Error| LakeError::io("lock", root.show(LOCK_FILE))(error);
        match root.lock(LOCK_FILE, Lock::Shared).map_err(failed)? {
            Locked::Held(guard) => Ok(Self { _lock: Some(guard) }),
            Locked::Busy | Locked::Unknown => Ok(Self { _lock: None }),
        }
    }
}

impl Alone {
    /// Excludes writers of the table at `root`; `None` if one is active, or if that cannot be determined.
    pub(crate) fn try_begin(root: &Folder) -> Option<Self> {
        match root.lock(LOCK_FILE, Lock::Exclusive) {
            Ok(Locked::Held(guard)) => Some(Self { _lock: guard }),
            Ok(Locked::Busy | Locked::Unknown) | Err(_) => None,
        }
    }
}
