//! Ids of rows that are in the table, as far as they were read: a run that commits often looks into the same files again
//! and again, and the footer alone of a file costs more than many rows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The ids of two million rows.
const MAX_BYTES: usize = 32 << 20;

/// What was read of the ids of a file, which never changes.
#[derive(Debug, Default)]
pub(crate) struct FileIds {
    pub(crate) groups: Vec<GroupIds>,
}

/// One row group of a file.
#[derive(Debug, Clone)]
pub(crate) struct GroupIds {
    /// The first and the last time in it, if they are known.
    pub(crate) times: Option<(i64, i64)>,
    /// Its ids, once they were looked for.
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

    /// Keeps what was read of a file, in the place of what was known of it, as long as there is room.
    ///
    /// What is kept stays: a run over more files than there is room for would else read each of them anew, every time.
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
    /// An estimate of the memory that is taken.
    fn bytes(&self) -> usize {
        const OF_FILE: usize = 512;
        let ids = self.groups.iter().filter_map(|group| group.ids.as_ref());
        OF_FILE + ids.map(|ids| size_of_val(&**ids)).sum::<usize>()
    }
}
