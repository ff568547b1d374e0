//! Entries of the transaction log as written: the details of a commit that the state of a table no longer contains.

pub(crate) mod claims;
pub(crate) mod commit;
pub(crate) mod damage;
pub(crate) mod entries_only;
pub(crate) mod history;
pub(crate) mod protocol;
pub(crate) mod snapshot;
pub(crate) mod stats;
pub(crate) mod version;

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::Path;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::LakeError;
use crate::log::stats::FileStats;
use crate::spec::TableSpec;

/// The content of one commit.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// The files that it added.
    pub(crate) adds: Vec<Added>,
    /// The files that it removed.
    pub(crate) removes: Vec<Removed>,
    /// The change data files of other engines, relative to the table.
    pub(crate) change_files: Vec<String>,
    /// The number of its actions, of any kind.
    pub(crate) actions: usize,
    /// The commit's description of itself.
    pub(crate) info: Map<String, Value>,
}

/// A file that a commit added.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Added {
    /// Its path on disk, relative to the table, with `/`.
    pub(crate) path: String,
    /// The values of the partition columns.
    #[serde(default)]
    pub(crate) partition_values: HashMap<String, Option<String>>,
    /// Whether its rows are new: a compaction adds files with existing rows.
    pub(crate) data_change: bool,
    stats: Option<String>,
}

/// A file that a commit removed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Removed {
    /// Its path on disk, relative to the table, with `/`.
    pub(crate) path: String,
    /// When it was removed, in milliseconds since the Unix epoch, if the commit has it.
    pub(crate) deletion_timestamp: Option<i64>,
    /// Whether its rows are removed: a compaction removes files whose rows are in others.
    #[serde(default = "changes_data")]
    pub(crate) data_change: bool,
}

/// The default value of the Delta Lake protocol.
fn changes_data() -> bool {
    true
}

impl Added {
    /// Returns the statistics of its rows, if the commit has them.
    pub(crate) fn stats(&self) -> Option<FileStats> {
        serde_json::from_str(self.stats.as_deref()?).ok()
    }
}

/// Reads the entry of a version of the table at `root`; `None` if it is missing, for example after a log cleanup.
pub(crate) fn read_entry(
    spec: &TableSpec,
    root: &Path,
    version: i64,
) -> Result<Option<Entry>, LakeError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Action {
        add: Option<Added>,
        remove: Option<Removed>,
        cdc: Option<ChangeFile>,
        commit_info: Option<Map<String, Value>>,
    }
    #[derive(Deserialize)]
    struct ChangeFile {
        path: String,
    }
    let path = root.join("_delta_log").join(format!("{version:020}.json"));
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LakeError::io("read", &path)(error)),
    };
    let mut entry = Entry::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let action: Action =
            serde_json::from_str(line).map_err(|error| LakeError::Unsupported {
                table: spec.name,
                detail: format!("log entry {version} is damaged: {error}"),
            })?;
        entry.actions += 1;
        entry.info.extend(action.commit_info.unwrap_or_default());
        if let Some(mut add) = action.add {
            add.path = decoded(&add.path);
            entry.adds.push(add);
        }
        if let Some(mut remove) = action.remove {
            remove.path = decoded(&remove.path);
            entry.removes.push(remove);
        }
        entry.change_files.extend(action.cdc.map(|file| decoded(&file.path)));
    }
    Ok(Some(entry))
}

/// Decodes a path of the log, which is a URL, to the path on disk.
pub(crate) fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// Returns the versions of the entries that the log of the table at `root` still has, in order and without gaps.
///
/// # Errors
///
/// Returns an error if an entry between others is missing: it may have added or removed any file.
pub(crate) fn versions(spec: &TableSpec, root: &Path) -> Result<RangeInclusive<i64>, LakeError> {
    let log = root.join("_delta_log");
    let mut versions = Vec::new();
    for entry in fs::read_dir(&log).map_err(LakeError::io("read", &log))? {
        let name = entry.map_err(LakeError::io("read", &log))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".json"));
        let number = number.filter(|number| number.len() == 20);
        versions.extend(number.and_then(|number| number.parse::<i64>().ok()));
    }
    versions.sort_unstable();
    let first = versions.first().copied().unwrap_or(0);
    if let Some((expected, _)) = (first..).zip(&versions).find(|(expected, it)| expected != *it) {
        let detail =
            format!("log entry {expected} is missing; it may have named files that are in use");
        return Err(LakeError::Unsupported { table: spec.name, detail });
    }
    Ok(first..=versions.last().copied().unwrap_or(first - 1))
}

/// Returns the version of the newest checkpoint of the table at `root`, if it has one.
pub(crate) fn last_checkpoint(root: &Path) -> Result<Option<u64>, LakeError> {
    let log = root.join("_delta_log");
    let mut last = None;
    for entry in fs::read_dir(&log).map_err(LakeError::io("read", &log))? {
        let name = entry.map_err(LakeError::io("read", &log))?.file_name();
        // `<version>.checkpoint.parquet`, or a longer name if a checkpoint has several files.
        let parts = name.to_str().and_then(|name| name.split_once(".checkpoint."));
        last = last.max(parts.and_then(|(version, _)| version.parse().ok()));
    }
    Ok(last)
}
