//! A cache of row ids that were read from the table: a run that commits often searches the same files repeatedly, and
//! the footer alone of a file costs more than many rows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Maximum size in bytes: the ids of two million rows.
const MAX_BYTES: usize = 32 << 20;

/// The ids read from a file, which never changes.
#[derive(Debug, Default)]
pub(crate) struct FileIds {
    pub(crate) groups: Vec<GroupIds>,
}

/// One row group of a file.
#[derive(Debug, Clone)]
pub(crate) struct GroupIds {
    /// Its first and last time, if they are known.
    pub(crate) times: Option<(i64, i64)>,
    /// Its ids, once they were read.
    pub(crate) ids: Option<Arc<[u128]>>,
}

/// The ids read so far, by the path of the file.
#[derive(Debug, Default)]
pub(crate) struct KnownIds(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<String, Arc<FileIds>>,
    bytes: usize,
}

impl KnownIds {
    pub(crate) fn of(&self, path: &str) -> Option<Arc<FileIds>> {
        self.kept().files.get(path).cloned()
    }

    /// Stores what was read of a file, replacing earlier data, as long as there is room.
    ///
    /// Stored data is never evicted: otherwise a run over more files than fit would read each of them again every time.
    pub(crate) fn keep(&self, path: &str, ids: Arc<FileIds>) {
        let mut kept = self.kept();
        let before = kept.files.get(path).map_or(0, |before| before.bytes());
        let bytes = kept.bytes - before + ids.bytes();
        if bytes <= MAX_BYTES {
            kept.bytes = bytes;
            kept.files.insert(path.to_owned(), ids);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileIds {
    /// Returns an estimate of the memory used.
    fn bytes(&self) -> usize {
        const OF_FILE: usize = 512;
        let ids = self.groups.iter().filter_map(|group| group.ids.as_ref());
        OF_FILE + ids.map(|ids| size_of_val(&**ids)).sum::<usize>()
    }
}
