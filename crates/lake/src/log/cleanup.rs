//! Removes log entries that a checkpoint has replaced: "Metadata Cleanup" of the Delta Lake protocol.

use std::time::SystemTime;

use crate::error::LakeError;
use crate::log::checkpoint::Checkpoint;
use crate::log::entry_version;
use crate::log::properties::log_retention;
use crate::log::state::LogState;
use crate::store::{Folder, LOG, Listed};

/// Removes the entries and checkpoints that no version needs that was the newest at any time within the retention period of
/// the log (`delta.logRetentionDuration`). Returns their number.
pub(crate) fn cleanup(root: &Folder, state: &LogState) -> Result<usize, LakeError> {
    let retention = log_retention(state);
    let log = root.folder(LOG);
    let files = log.list().map_err(LakeError::io("read", log.show("")))?;
    let now = SystemTime::now();
    let is_expired =
        |file: &Listed| now.duration_since(file.modified).is_ok_and(|age| age >= retention);
    let young = files.iter().filter(|file| !is_expired(file));
    let young = young.filter_map(|file| version_of(&file.path)).min();
    let kept = young.map_or(state.version, |young| young.min(state.version));
    // Every version from here on can be read from this checkpoint.
    let names = files.iter().map(|file| file.path.as_str());
    let checkpoints = Checkpoint::find(names).into_iter().map(|checkpoint| checkpoint.version);
    let Some(base) = checkpoints.filter(|version| *version <= kept).max() else { return Ok(0) };
    let mut removed = 0;
    for file in &files {
        let is_replaced = version_of(&file.path).is_some_and(|version| version < base);
        if is_replaced && is_expired(file) {
            log.remove(&file.path).map_err(LakeError::io("remove", log.show(&file.path)))?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Returns the version of an entry, or of a file of a checkpoint.
fn version_of(name: &str) -> Option<u64> {
    let of_checkpoint =
        name.split_once(".checkpoint.").and_then(|(version, _)| version.parse().ok());
    of_checkpoint.or_else(|| entry_version(name).and_then(|version| u64::try_from(version).ok()))
}
